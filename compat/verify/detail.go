package verify

import (
	"crypto/tls"
	"errors"
	"fmt"
)

// openSSLTime is how OpenSSL writes times.
const openSSLTime = "Jan _2 15:04:05 2006 GMT"

// Code is what a page and a log call an error of a handshake with a server, as Squid does: the name of a Fault, and
// that it is one of a certificate; or OpenSSL's number of the alert by which the server has ended the handshake, if
// that came in the clear.
func Code(err error) string {
	var f *Fault
	var alert tls.AlertError
	switch {
	case errors.As(err, &f) && f.Certificate != nil:
		return f.Kind.String() + "+broken_cert"
	case errors.As(err, &alert):
		return fmt.Sprintf("%v+TLS_LIB_ERR=%X+TLS_IO_ERR=1", NoConnection, alerts+int(alert))
	}
	return NoConnection.String()
}

// alerts is OpenSSL's number of an error that stands for alert 0: that of its library for TLS, and the first of
// the reasons that are alerts (sslerr.h of OpenSSL 3.0).
const alerts = 20<<23 + 1000

// Detail tells an error of a handshake with a server to those who wanted to go there.
func Detail(err error) string {
	var f *Fault
	switch {
	case err == nil:
		return "The handshake failed"
	case !errors.As(err, &f) || f.Certificate == nil:
		return "The handshake failed: " + err.Error()
	}
	c := f.Certificate
	switch f.Kind {
	case Expired:
		return "A certificate has expired on " + c.NotAfter.UTC().Format(openSSLTime) + ": " + Subject(c)
	case NotYetValid:
		return "A certificate is not valid before " + c.NotBefore.UTC().Format(openSSLTime) + ": " + Subject(c)
	case UnknownIssuer:
		return "The issuer of a certificate is not known: " + Issuer(c)
	}
	if told := details[f.Kind]; told != "" {
		return told + ": " + Subject(c)
	}
	return f.Kind.String() + ": " + Subject(c)
}

// details are what is told of the kinds of faults, in front of whose certificate it is.
var details = map[Kind]string{
	CRLUnavailable:   "It is not known whether a certificate was revoked",
	CRLNotYetValid:   "Which certificates are revoked is not known yet of the issuer of",
	CRLExpired:       "Which certificates are revoked is known no longer of the issuer of",
	SelfSigned:       "The server has signed its certificate itself",
	UntrustedRoot:    "The chain ends with an authority that is not trusted",
	TooLong:          "The chain of certificates is too long, from here on",
	IsRevoked:        "A certificate was revoked",
	PathTooLong:      "An authority has more below it than it may have",
	WrongPurpose:     "A certificate is not for servers",
	UnknownCritical:  "A certificate has a critical extension that is not understood",
	NameNotPermitted: "An authority has signed for a name that it may not sign for",
	NotAuthority:     "A certificate has signed another, and is not that of an authority",
	WrongHost:        "The certificate is for other hosts",
}
