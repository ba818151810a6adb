package acl

import (
	"crypto/sha1"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"

	"exaproxy/compat/verify"
)

// serverCertificate is the certificate that the origin has shown, nil before it has.
func (p *Place) serverCertificate() *x509.Certificate {
	if p.request.TLS == nil || len(p.request.TLS.Server) == 0 {
		return nil
	}
	return p.request.TLS.Server[0]
}

// firstStep is the step of ssl_bump that Squid takes a request to be in which is subject to none.
const firstStep = "sslbump1"

// steps are the values of at_step, in lower case, by the step of ssl_bump.
var steps = [...]string{firstStep, firstStep, "sslbump2", "sslbump3"}

func newStep() tester {
	return &stepTest{wordTest{of: func(p *Place) string {
		if p.request.TLS == nil {
			return firstStep
		}
		return steps[p.request.TLS.Step]
	}}}
}

// stepTest is an acl of the type at_step.
type stepTest struct{ wordTest }

func (t *stepTest) add(v *values) error {
	for i, item := range v.items {
		name := strings.ToLower(item.Text)
		switch {
		case name == "generatingconnect":
			return fmt.Errorf("ERROR: acl '%s': at_step GeneratingCONNECT is not served yet: no CONNECT is sent to other proxies", v.acl)
		case !slices.Contains(steps[:], name):
			return fmt.Errorf("configuration error: unknown at_step step name: %s", item.Text)
		}
		v.items[i].Text = name
	}
	return t.wordTest.add(v)
}

// tlsErrorTest is an acl of the type ssl_error: of what is wrong with the server's certificate.
type tlsErrorTest struct {
	simple
	kinds []verify.Kind
}

func newTLSError() tester { return &tlsErrorTest{} }

func (t *tlsErrorTest) add(v *values) error {
	for _, item := range v.items {
		kinds, ok := verify.ParseKinds(item.Text)
		if !ok {
			return fmt.Errorf("FATAL: Unknown TLS error name '%s'", item.Text)
		}
		t.kinds = append(t.kinds, kinds...)
	}
	return nil
}

func (t *tlsErrorTest) empty() bool { return len(t.kinds) == 0 }

func (t *tlsErrorTest) match(p *Place) outcome {
	if p.request.TLS == nil {
		return mismatch
	}
	for _, err := range p.request.TLS.Errors {
		var fault *verify.Fault
		if errors.As(err, &fault) && slices.Contains(t.kinds, fault.Kind) {
			return match
		}
	}
	return mismatch
}

// newFingerprint makes the type server_cert_fingerprint: the SHA-1 of the server's certificate, as openssl x509
// -fingerprint writes it. Squid 5.7 documents the option -sha1, which is the only one, and then does not
// take it.
func newFingerprint() tester {
	return &wordTest{
		read: func(v *values, word string) (string, bool) {
			digits := strings.ToUpper(strings.ReplaceAll(word, ":", ""))
			if len(digits) != 2*sha1.Size || strings.Trim(digits, "0123456789ABCDEF") != "" {
				v.warn(lineContext(v.line), fmt.Sprintf("WARNING: '%s' is no SHA-1 fingerprint, and no certificate of the acl '%s' has it", word, v.acl))
			}
			return digits, true
		},
		of: func(p *Place) string {
			cert := p.serverCertificate()
			if cert == nil {
				return ""
			}
			return fmt.Sprintf("%X", sha1.Sum(cert.Raw))
		},
	}
}

// encryptedTest is an acl of the type connections_encrypted, which has no values: the request has come inside
// TLS, to the proxy itself or to the server in whose place the proxy speaks.
type encryptedTest struct{ valueless }

func newEncrypted() tester { return encryptedTest{valueless{name: "connections_encrypted"}} }

func (encryptedTest) match(p *Place) outcome {
	r := p.request
	return outcomeOf(r.TLS != nil && r.TLS.Bumped || r.Port != nil && r.Port.TLS != nil)
}

// encryptedHelloTest is an acl of the type ssl::encrypted_hello, which has no values: the client has said in its tunnel whom it
// wants in an encrypted ClientHello (ECH, RFC 9849), and what is seen is the name of another.
type encryptedHelloTest struct{ valueless }

func newEncryptedHello() tester {
	return encryptedHelloTest{valueless{name: "ssl::encrypted_hello"}}
}

func (encryptedHelloTest) match(p *Place) outcome {
	c := p.request.Connection
	return outcomeOf(c != nil && c.Hello != nil && c.Hello.Encrypted)
}

// NeedsHello reports whether one of the list's acls is about a ClientHello.
func (l *List) NeedsHello() bool {
	return l.has(func(t tester) bool { _, ok := t.(encryptedHelloTest); return ok })
}

// valueless is what acls have in common that have no values.
type valueless struct {
	simple
	name string // of the type
}

func (t valueless) add(v *values) error {
	if len(v.items) > 0 {
		v.warn("WARNING: " + t.name + " does not accept any value.")
	}
	return nil
}

func (valueless) empty() bool { return false }
