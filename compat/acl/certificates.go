package acl

import (
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"slices"

	"exaproxy/compat/conf"
	"exaproxy/compat/openssl"
)

// certificateTest is an acl of values of one attribute in a client's certificate: user_cert looks at whose it is,
// ca_cert at who signed it. A client of an https_port that was asked for none has none.
type certificateTest struct {
	simple
	name      func(*x509.Certificate) []byte
	attribute string // as written first
	whole     bool   // DN: the name in one line
	of        asn1.ObjectIdentifier
	values    []string
}

func newUserCertificate() tester {
	return &certificateTest{name: func(c *x509.Certificate) []byte { return c.RawSubject }}
}

func newIssuerCertificate() tester {
	return &certificateTest{name: func(c *x509.Certificate) []byte { return c.RawIssuer }}
}

func (t *certificateTest) add(v *values) error {
	if len(v.items) == 0 {
		return conf.Invalid{"FATAL: required attribute argument missing"}
	}
	if err := t.setAttribute(v.items[0].Text); err != nil {
		return err
	}
	for _, item := range v.items[1:] {
		t.values = append(t.values, item.Text)
	}
	return nil
}

// setAttribute sets which attribute is looked at, or sees that it is the one of the lines before.
func (t *certificateTest) setAttribute(name string) (err error) {
	if t.attribute != "" {
		if name != t.attribute {
			return conf.Invalid{fmt.Sprintf("FATAL: An acl must use consistent attributes in all config lines (%s!=%s).", name, t.attribute)}
		}
		return nil
	}
	known := true
	if t.whole = name == "DN"; !t.whole {
		t.of, known = openssl.AttributeType(name)
	}
	if !known {
		return conf.Invalid{"FATAL: Not valid SSL certificate attribute name or numerical OID: " + name}
	}
	t.attribute = name
	return nil
}

func (t *certificateTest) empty() bool { return len(t.values) == 0 }

func (t *certificateTest) match(p *Place) outcome {
	c := p.request.Connection
	if c == nil || c.Session == nil || c.Session.Client == nil {
		return mismatch
	}
	name := t.name(c.Session.Client)
	if t.whole {
		p.text = openssl.AppendName(p.text[:0], name)
		return outcomeOf(slices.Contains(t.values, string(p.text)))
	}
	value, ok := openssl.Attribute(name, t.of)
	return outcomeOf(ok && slices.Contains(t.values, string(value)))
}
