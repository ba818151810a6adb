package authority

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"strings"
	"time"

	"exaproxy/compat/verify"
)

// A Signing is who signs the imitation of an origin's certificate: a value of sslproxy_cert_sign.
type Signing uint8

const (
	Trusted   Signing = iota // the port's authority, which clients trust
	Untrusted                // another of its name that no client trusts, so that it warns
	Self                     // nobody but itself
)

// An Imitation is how an imitation differs from its original (sslproxy_cert_sign, sslproxy_cert_adapt). The
// zero Imitation is Squid's for a certificate with nothing wrong.
type Imitation struct {
	Sign        Signing
	ValidAfter  bool   // setValidAfter: it ends with the authority
	ValidBefore bool   // setValidBefore: it begins with the authority
	CommonName  string // setCommonName: of this host, in the place of all its names; "": of the original's
}

const (
	// longestValidity is what browsers take.
	longestValidity = 398 * 24 * time.Hour
	// mostNames and longestNames bound what is copied of the original's names: what is larger is for the
	// host alone that was asked for.
	mostNames    = 100
	longestNames = 4 << 10
	// longestSubject bounds, in bytes, the subject that is copied.
	longestSubject = 1 << 10
)

// Mimic makes an imitation of an origin's certificate for the client that wants host, as Squid does: subject, names
// of hosts (DNS names and addresses of subjectAltName) and dates are the original's, the key is ours. What it
// is good for is not copied: it is for servers, and never one that signs others. It is valid for at most 398 days
// in a row of the original's, among them now if that is.
func (a *Authority) Mimic(origin *x509.Certificate, host string, how Imitation) (*tls.Certificate, error) {
	host, now := plain(host), a.clock()
	how.CommonName = plain(how.CommonName)
	k := key{host, sha256.Sum256(origin.Raw), how}
	if c := a.find(k); c != nil && !a.outlived(c, origin, how, now) {
		return c, nil
	}
	c, err := a.imitate(origin, host, how, now) // two who ask at once have one each
	if err != nil {
		return nil, fmt.Errorf("certificate in the place of that of %q: %w", host, err)
	}
	a.keep(k, c)
	return c, nil
}

// outlived says whether an imitation that was made for a part of the time of its original nears the end of
// it.
func (a *Authority) outlived(c *tls.Certificate, origin *x509.Certificate, how Imitation, now time.Time) bool {
	_, end := a.dates(origin, how, now)
	return end.After(c.Leaf.NotAfter) && now.After(c.Leaf.NotAfter.Add(-renewed))
}

// imitate signs an imitation.
func (a *Authority) imitate(origin *x509.Certificate, host string, how Imitation, now time.Time) (*tls.Certificate, error) {
	t, err := server()
	if err != nil {
		return nil, err
	}
	t.NotBefore, t.NotAfter = a.dates(origin, how, now)
	if how.CommonName != "" {
		err = onlyFor(t, origin, how.CommonName)
	} else {
		copyNames(t, origin, host)
	}
	if err != nil {
		return nil, err
	}
	switch how.Sign {
	case Self:
		return a.sign(t, t, a.key, nil)
	case Untrusted:
		d, err := a.distrusted()
		if err != nil {
			return nil, err
		}
		return a.sign(t, d.cert, d.key, nil)
	case Trusted:
		if err := usable(a.cert, now); err != nil {
			return nil, err
		}
		return a.sign(t, a.cert, a.signs, a.chain)
	}
	panic("BUG: nobody signs")
}

// dates are from when to when an imitation is valid.
func (a *Authority) dates(origin *x509.Certificate, how Imitation, now time.Time) (from, to time.Time) {
	from, to = origin.NotBefore, origin.NotAfter
	if how.ValidBefore {
		from = a.cert.NotBefore
	}
	if how.ValidAfter {
		to = a.cert.NotAfter
	}
	if to.Sub(from) <= longestValidity {
		return from, to
	}
	switch recently := now.Add(-backdated); {
	case now.After(to):
		from = to.Add(-longestValidity)
	case recently.After(from):
		from = recently
	}
	return from, earliest(to, from.Add(longestValidity))
}

// copyNames takes over whom the original is of: all of it, or what matters to host of one that is out of
// all proportion.
func copyNames(t, origin *x509.Certificate, host string) {
	names, size := wellFormed(origin)
	if len(names)+len(origin.IPAddresses) > mostNames || size > longestNames {
		nameOnly(t, origin, names, host)
	} else {
		t.DNSNames, t.IPAddresses = names, origin.IPAddresses
	}
	if harmless(origin) {
		t.RawSubject = origin.RawSubject
	} else if name := firstName(t); len(name) <= longestCommonName {
		t.Subject.CommonName = name
	}
}

// nameOnly has a certificate be for host alone, if the original is for it, or else for a few others that
// the original is for: then clients are to notice.
func nameOnly(t, origin *x509.Certificate, names []string, host string) {
	if !verify.IsFor(origin, host) || setHost(t, host) != nil {
		t.DNSNames = names[:min(len(names), mostNames/10)]
	}
}

// onlyFor has a certificate be of the original's subject, but with another common name, and for that alone.
func onlyFor(t, origin *x509.Certificate, host string) error {
	if err := setHost(t, host); err != nil {
		return err
	}
	var subject pkix.RDNSequence
	if harmless(origin) {
		if _, err := asn1.Unmarshal(origin.RawSubject, &subject); err != nil {
			return err
		}
	}
	if len(host) > longestCommonName {
		host = ""
	}
	var err error
	t.RawSubject, err = asn1.Marshal(withCommonName(subject, host))
	return err
}

// wellFormed are the DNS names of a certificate that can be those of hosts, or of all hosts below one, and how
// many bytes they have.
func wellFormed(c *x509.Certificate) (names []string, size int) {
	for _, name := range c.DNSNames {
		name = strings.ToLower(name)
		if validName(strings.TrimPrefix(name, "*.")) {
			names = append(names, name)
			size += len(name)
		}
	}
	return names, size
}

func firstName(c *x509.Certificate) string {
	if len(c.DNSNames) == 0 {
		return ""
	}
	return c.DNSNames[0]
}

// harmless says whether the subject of a certificate may stand in another: it is not too long, and of text
// without control characters, which some clients take for the end of a name.
func harmless(c *x509.Certificate) bool {
	if len(c.RawSubject) > longestSubject {
		return false
	}
	for _, attribute := range c.Subject.Names {
		text, ok := attribute.Value.(string)
		if !ok || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\uFFFD' }) {
			return false
		}
	}
	return true
}

var commonName = asn1.ObjectIdentifier{2, 5, 4, 3}

// withCommonName is a distinguished name with another common name; "": without one.
func withCommonName(of pkix.RDNSequence, name string) (with pkix.RDNSequence) {
	for _, set := range of {
		var rest pkix.RelativeDistinguishedNameSET
		for _, attribute := range set {
			if !attribute.Type.Equal(commonName) {
				rest = append(rest, attribute)
			}
		}
		if len(rest) > 0 {
			with = append(with, rest)
		}
	}
	if name == "" {
		return with
	}
	return append(with, pkix.RelativeDistinguishedNameSET{{Type: commonName, Value: name}})
}

// A distrusted authority has the name of one that clients trust, nearly, and a key that nobody knows.
type distrusted struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// makeDistrusted makes the authority of Untrusted. Its name is Squid's.
func (a *Authority) makeDistrusted() (*distrusted, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	name := withCommonName(a.cert.Subject.ToRDNSequence(), `Not trusted by "`+a.cert.Subject.CommonName+`"`)
	subject, err := asn1.Marshal(name)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial, RawSubject: subject, NotBefore: a.cert.NotBefore, NotAfter: a.cert.NotAfter,
		KeyUsage: x509.KeyUsageCertSign, BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return &distrusted{cert, private}, err
}
