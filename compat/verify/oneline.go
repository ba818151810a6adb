package verify

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"strings"
)

// longestLine is how much of a distinguished name is told, as in Squid.
const longestLine = 255

// attributes are the short names that OpenSSL has for parts of a distinguished name.
var attributes = map[string]string{
	"2.5.4.3": "CN", "2.5.4.4": "SN", "2.5.4.5": "serialNumber", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST",
	"2.5.4.9": "street", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.12": "title", "2.5.4.17": "postalCode",
	"2.5.4.42": "GN", "2.5.4.46": "dnQualifier", "2.5.4.97": "organizationIdentifier",
	"0.9.2342.19200300.100.1.1": "UID", "0.9.2342.19200300.100.1.25": "DC", "1.2.840.113549.1.9.1": "emailAddress",
}

// Subject is whom a certificate is of, as OpenSSL writes it in one line: /C=DE/O=School/CN=www.school.test.
func Subject(c *x509.Certificate) string { return oneLine(&c.Subject) }

// Issuer is who has signed a certificate, as Subject.
func Issuer(c *x509.Certificate) string { return oneLine(&c.Issuer) }

func oneLine(n *pkix.Name) string {
	var b strings.Builder
	for _, a := range n.Names {
		name, ok := attributes[a.Type.String()]
		if !ok {
			name = a.Type.String()
		}
		fmt.Fprintf(&b, "/%s=", name)
		escape(&b, fmt.Sprint(a.Value))
		if b.Len() > longestLine {
			return b.String()[:longestLine]
		}
	}
	return b.String()
}

// escape writes what is not printable ASCII as \xC3.
func escape(b *strings.Builder, text string) {
	for i := range min(len(text), longestLine) {
		if c := text[i]; c >= ' ' && c < 0x7f {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(b, `\x%02X`, c)
		}
	}
}
