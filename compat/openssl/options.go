package openssl

import (
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// options are those of SSL_CTX_set_options(3), as bits of its numbers.
type options uint64

const (
	noTicket options = 0x00004000
	noTLS10  options = 0x04000000
	noTLS12  options = 0x08000000
	noTLS11  options = 0x10000000
	noTLS13  options = 0x20000000
)

// optionNames are those that Squid 5.7 knows. The others of OpenSSL's work round faults of programs of the last
// century, or ask for what is always done here.
var optionNames = map[string]options{
	"NO_TICKET": noTicket, "NO_TLSv1": noTLS10, "NO_TLSv1_1": noTLS11, "NO_TLSv1_2": noTLS12, "NO_TLSv1_3": noTLS13,
	"NO_SSLv3": 0, "ALL": 0, "SINGLE_DH_USE": 0, "SINGLE_ECDH_USE": 0, "CIPHER_SERVER_PREFERENCE": 0, "NO_COMPRESSION": 0,
	"NO_SESSION_RESUMPTION_ON_RENEGOTIATION": 0, "NO_RENEGOTIATION": 0, "EPHEMERAL_RSA": 0, "PKCS1_CHECK_1": 0, "PKCS1_CHECK_2": 0,
	"NETSCAPE_REUSE_CIPHER_CHANGE_BUG": 0, "SSLREF2_REUSE_CERT_TYPE_BUG": 0, "MICROSOFT_BIG_SSLV3_BUFFER": 0,
	"SSLEAY_080_CLIENT_DH_BUG": 0, "TLS_D5_BUG": 0, "TLS_BLOCK_PADDING_BUG": 0, "TLS_ROLLBACK_BUG": 0,
	"NETSCAPE_CA_DN_BUG": 0, "NETSCAPE_DEMO_CIPHER_CHANGE_BUG": 0, "DONT_INSERT_EMPTY_FRAGMENTS": 0,
}

// parseOptions reads a list of options. unknown are those that nobody knows, which Squid leaves out with an error
// in cache.log. An option behind "!" or "-" is taken back.
func parseOptions(list string) (o options, unknown []string) {
	for word := range strings.FieldsFuncSeq(list, func(c rune) bool { return c == ':' || c == ',' }) {
		name := strings.TrimLeft(word, "!-")
		bits, known := optionNames[name]
		if !known {
			n, err := strconv.ParseUint(name, 0, 64)
			if err != nil {
				unknown = append(unknown, name)
				continue
			}
			bits = options(n)
		}
		if name == word {
			o |= bits
		} else {
			o &^= bits
		}
	}
	return o, unknown
}

// obsolete are the options that version= stands for, which Squid still reads: 4 to 6 are TLS 1.0 to 1.2 alone.
// only is that version; 0 for any.
func obsolete(version string) (o options, only uint16, err error) {
	switch version {
	case "2", "3":
		return 0, 0, errors.New("SSL 2 and 3 are broken, and must not be used (RFC 6176, RFC 7568)")
	case "4":
		return noTLS11 | noTLS12 | noTLS13, tls.VersionTLS10, nil
	case "5":
		return noTLS10 | noTLS12 | noTLS13, tls.VersionTLS11, nil
	case "6":
		return noTLS10 | noTLS11 | noTLS13, tls.VersionTLS12, nil
	}
	return 0, 0, nil // any version
}

// versions are the least and the greatest version of TLS that options leave, from least on, which is 1.2 if it is
// 0. crypto/tls has no gaps between them.
func (o options) versions(least uint16) (from, to uint16, err error) {
	if least == 0 {
		least = tls.VersionTLS12
	}
	var left []uint16
	for i, no := range [...]options{noTLS10, noTLS11, noTLS12, noTLS13} {
		if v := uint16(tls.VersionTLS10 + i); v >= least && o&no == 0 {
			left = append(left, v)
		}
	}
	if len(left) == 0 {
		return 0, 0, errors.New("no version of TLS is left")
	}
	from, to = slices.Min(left), slices.Max(left)
	if int(to-from) != len(left)-1 {
		return 0, 0, fmt.Errorf("a version of TLS between others cannot be left out: raise tls-min-version=, or leave out those above it too")
	}
	return from, to, nil
}
