package outgoing

import (
	"crypto/tls"
	"slices"
	"strings"

	"exaproxy/compat/directive"
)

// suites are the cipher suites of TLS 1.0 to 1.2 that crypto/tls has, by OpenSSL's names. Those of TLS
// 1.3 cannot be chosen, as by OpenSSL's cipher strings. RC4 is left out (RFC 7465).
var suites = map[string]uint16{
	"ECDHE-ECDSA-AES128-GCM-SHA256": tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	"ECDHE-RSA-AES128-GCM-SHA256":   tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	"ECDHE-ECDSA-AES256-GCM-SHA384": tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	"ECDHE-RSA-AES256-GCM-SHA384":   tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	"ECDHE-ECDSA-CHACHA20-POLY1305": tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	"ECDHE-RSA-CHACHA20-POLY1305":   tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	"ECDHE-ECDSA-AES128-SHA256":     tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
	"ECDHE-RSA-AES128-SHA256":       tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
	"ECDHE-ECDSA-AES128-SHA":        tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,
	"ECDHE-RSA-AES128-SHA":          tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
	"ECDHE-ECDSA-AES256-SHA":        tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA,
	"ECDHE-RSA-AES256-SHA":          tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
	"AES128-GCM-SHA256":             tls.TLS_RSA_WITH_AES_128_GCM_SHA256,
	"AES256-GCM-SHA384":             tls.TLS_RSA_WITH_AES_256_GCM_SHA384,
	"AES128-SHA256":                 tls.TLS_RSA_WITH_AES_128_CBC_SHA256,
	"AES128-SHA":                    tls.TLS_RSA_WITH_AES_128_CBC_SHA,
	"AES256-SHA":                    tls.TLS_RSA_WITH_AES_256_CBC_SHA,
	"ECDHE-RSA-DES-CBC3-SHA":        tls.TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA,
	"DES-CBC3-SHA":                  tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA,
}

// never are what cipher strings like to exclude and crypto/tls does not have, or not unless it is named.
var never = []string{
	"aNULL", "eNULL", "NULL", "ADH", "AECDH", "EXP", "EXPORT", "EXPORT40", "EXPORT56", "LOW", "MD5", "RC2", "RC4", "DES", "3DES", "IDEA", "SEED",
	"CAMELLIA", "ARIA", "PSK", "SRP", "DSS", "aDSS", "DH", "kDH", "aDH", "kDHE", "DHE", "EDH", "kEDH", "aECDH", "kECDH", "SSLv2", "SSLv3", "GOST", "MEDIUM",
}

// cipher takes cipher=, a string as ciphers(1) has it. Suites by their names are what is spoken, of those that
// there are. What names groups of them (HIGH, ECDH+AESGCM) is left to crypto/tls, which has no weak ones.
func (s *Settings) cipher(c *directive.Context, value string) error {
	var chosen []uint16
	groups := false
	for word := range strings.FieldsFuncSeq(value, func(r rune) bool { return r == ':' || r == ',' || r == ' ' }) {
		suite, known := suites[word]
		switch {
		case known:
			chosen = append(chosen, suite)
		case strings.HasPrefix(word, "!") || strings.HasPrefix(word, "-"):
			if !slices.Contains(never, word[1:]) {
				c.Say(1, "NOTICE: tls_outgoing_options: cipher: '%s' has no effect: what is not named is chosen by the TLS library", word)
			}
		case strings.Contains(word, "-"):
			c.Say(1, "NOTICE: tls_outgoing_options: cipher: '%s' is not spoken", word)
		case strings.HasPrefix(word, "RC4"), slices.Contains(never, word):
			c.Say(1, "NOTICE: tls_outgoing_options: cipher: '%s' is not spoken: it is not safe", word)
		default:
			groups = true
		}
	}
	switch {
	case groups:
		c.Say(1, "NOTICE: tls_outgoing_options: 'cipher=%s' has no effect: only suites by their names have, the rest is chosen by the TLS library", value)
		s.ciphers = nil
	case len(chosen) == 0:
		return refuse("cipher=%s: none of these is spoken", value)
	default:
		s.ciphers = chosen
	}
	return nil
}
