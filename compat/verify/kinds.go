package verify

import (
	"strconv"
	"strings"
)

// A Kind is what can be wrong with a certificate, by OpenSSL's number (x509_vfy.h of OpenSSL 3.0); those
// that Squid has beside are negative.
type Kind int16

// The kinds that Chain finds.
const (
	CRLUnavailable   Kind = 3  // there is no list of revoked certificates of the issuer's (crlfile=)
	NotYetValid      Kind = 9  // notBefore is in the future
	Expired          Kind = 10 // notAfter is in the past
	CRLNotYetValid   Kind = 11 // the list of revoked certificates is of the future
	CRLExpired       Kind = 12 // the list of revoked certificates should have been renewed
	SelfSigned       Kind = 18 // the server's own certificate is its own issuer
	UntrustedRoot    Kind = 19 // the chain ends with an authority that nobody trusts
	UnknownIssuer    Kind = 20 // the chain does not reach an authority
	TooLong          Kind = 22 // the chain has more certificates than are looked at
	IsRevoked        Kind = 23 // its issuer has revoked it
	PathTooLong      Kind = 25 // an authority may not have so many below it
	WrongPurpose     Kind = 26 // it is not for servers
	UnknownCritical  Kind = 34 // a critical extension is not understood
	NameNotPermitted Kind = 47 // an authority may not sign for the name
	NotAuthority     Kind = 79 // it signs others, and may not

	NeverEnding  Kind = -1 // Squid's: the validation would not have come to an end
	WrongHost    Kind = -2 // Squid's: it is for other hosts
	Changed      Kind = -3 // Squid's: the server has shown another one than before
	NoConnection Kind = -4 // Squid's: the handshake with the server has failed for another reason
	NotAccepted  Kind = -5 // Squid's: the handshake with the client has failed
	lowest            = NotAccepted
)

// prefix begins the names of OpenSSL's kinds.
const prefix = "X509_V_ERR_"

var squids = [-lowest + 1]string{
	-NeverEnding: "SQUID_X509_V_ERR_INFINITE_VALIDATION", -WrongHost: "SQUID_X509_V_ERR_DOMAIN_MISMATCH",
	-Changed: "SQUID_X509_V_ERR_CERT_CHANGE", -NoConnection: "SQUID_TLS_ERR_CONNECT", -NotAccepted: "SQUID_TLS_ERR_ACCEPT",
}

// openssls are the names that Squid 5.7 knows, without their prefix.
var openssls = [...]string{
	2: "UNABLE_TO_GET_ISSUER_CERT", 3: "UNABLE_TO_GET_CRL", 4: "UNABLE_TO_DECRYPT_CERT_SIGNATURE",
	5: "UNABLE_TO_DECRYPT_CRL_SIGNATURE", 6: "UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY", 7: "CERT_SIGNATURE_FAILURE",
	8: "CRL_SIGNATURE_FAILURE", 9: "CERT_NOT_YET_VALID", 10: "CERT_HAS_EXPIRED", 11: "CRL_NOT_YET_VALID",
	12: "CRL_HAS_EXPIRED", 13: "ERROR_IN_CERT_NOT_BEFORE_FIELD", 14: "ERROR_IN_CERT_NOT_AFTER_FIELD",
	15: "ERROR_IN_CRL_LAST_UPDATE_FIELD", 16: "ERROR_IN_CRL_NEXT_UPDATE_FIELD", 17: "OUT_OF_MEM",
	18: "DEPTH_ZERO_SELF_SIGNED_CERT", 19: "SELF_SIGNED_CERT_IN_CHAIN", 20: "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
	21: "UNABLE_TO_VERIFY_LEAF_SIGNATURE", 22: "CERT_CHAIN_TOO_LONG", 23: "CERT_REVOKED", 25: "PATH_LENGTH_EXCEEDED",
	26: "INVALID_PURPOSE", 27: "CERT_UNTRUSTED", 28: "CERT_REJECTED", 29: "SUBJECT_ISSUER_MISMATCH",
	30: "AKID_SKID_MISMATCH", 31: "AKID_ISSUER_SERIAL_MISMATCH", 32: "KEYUSAGE_NO_CERTSIGN",
	33: "UNABLE_TO_GET_CRL_ISSUER", 34: "UNHANDLED_CRITICAL_EXTENSION", 35: "KEYUSAGE_NO_CRL_SIGN",
	36: "UNHANDLED_CRITICAL_CRL_EXTENSION", 37: "INVALID_NON_CA", 38: "PROXY_PATH_LENGTH_EXCEEDED",
	39: "KEYUSAGE_NO_DIGITAL_SIGNATURE", 40: "PROXY_CERTIFICATES_NOT_ALLOWED", 41: "INVALID_EXTENSION",
	42: "INVALID_POLICY_EXTENSION", 43: "NO_EXPLICIT_POLICY", 44: "DIFFERENT_CRL_SCOPE",
	45: "UNSUPPORTED_EXTENSION_FEATURE", 46: "UNNESTED_RESOURCE", 47: "PERMITTED_VIOLATION", 48: "EXCLUDED_VIOLATION",
	49: "SUBTREE_MINMAX", 50: "APPLICATION_VERIFICATION", 51: "UNSUPPORTED_CONSTRAINT_TYPE",
	52: "UNSUPPORTED_CONSTRAINT_SYNTAX", 53: "UNSUPPORTED_NAME_SYNTAX", 54: "CRL_PATH_VALIDATION_ERROR", 55: "PATH_LOOP",
	56: "SUITE_B_INVALID_VERSION", 57: "SUITE_B_INVALID_ALGORITHM", 58: "SUITE_B_INVALID_CURVE",
	59: "SUITE_B_INVALID_SIGNATURE_ALGORITHM", 60: "SUITE_B_LOS_NOT_ALLOWED", 61: "SUITE_B_CANNOT_SIGN_P_384_WITH_P_256",
	62: "HOSTNAME_MISMATCH", 63: "EMAIL_MISMATCH", 64: "IP_ADDRESS_MISMATCH", 65: "DANE_NO_MATCH",
	66: "EE_KEY_TOO_SMALL", 67: "CA_KEY_TOO_SMALL", 68: "CA_MD_TOO_WEAK", 69: "INVALID_CALL", 70: "STORE_LOOKUP",
	71: "NO_VALID_SCTS", 72: "PROXY_SUBJECT_NAME_VIOLATION", 73: "OCSP_VERIFY_NEEDED", 74: "OCSP_VERIFY_FAILED",
	75: "OCSP_CERT_UNKNOWN", 79: "INVALID_CA",
}

// String is the name that Squid calls it by: X509_V_ERR_CERT_HAS_EXPIRED.
func (k Kind) String() string {
	switch {
	case k < 0 && k >= lowest:
		return squids[-k]
	case k > 0 && int(k) < len(openssls) && openssls[k] != "":
		return prefix + openssls[k]
	}
	return strconv.Itoa(int(k))
}

// byName has all kinds that have a name.
var byName = func() map[string]Kind {
	all := make(map[string]Kind)
	for k := lowest; int(k) < len(openssls); k++ {
		if name := k.String(); name != strconv.Itoa(int(k)) {
			all[name] = k
		}
	}
	all["SQUID_ERR_SSL_HANDSHAKE"] = NoConnection // as it was called before Squid 5
	return all
}()

// Shortcuts are Squid's names for kinds that belong together. With "ssl::" before it, each is an acl that
// need not be defined.
var Shortcuts = map[string][]Kind{
	"certHasExpired":     {Expired},
	"certNotYetValid":    {NotYetValid},
	"certDomainMismatch": {WrongHost},
	"certUntrusted":      {NotAuthority, UntrustedRoot, 21, 2, UnknownIssuer, 27},
	"certSelfSigned":     {SelfSigned},
}

// ParseKinds finds the kinds of a name (of OpenSSL or Squid), a shortcut (certHasExpired, ssl::certHasExpired) or
// a number, as values of the acl type ssl_error.
func ParseKinds(name string) ([]Kind, bool) {
	if k, ok := byName[name]; ok {
		return []Kind{k}, true
	}
	if all, ok := Shortcuts[strings.TrimPrefix(name, "ssl::")]; ok {
		return all, true
	}
	n, err := strconv.ParseInt(name, 10, 16)
	return []Kind{Kind(n)}, err == nil && n >= 0
}
