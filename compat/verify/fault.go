package verify

import "crypto/x509"

// A Fault is one thing that is wrong with a certificate.
type Fault struct {
	Kind        Kind
	Certificate *x509.Certificate // which; nil if it is not known
	Depth       int               // of it in the chain; 0: the server's own
}

// Error is the name of the fault and whose certificate has it.
func (f *Fault) Error() string {
	if f.Certificate == nil {
		return f.Kind.String()
	}
	return f.Kind.String() + ": " + Subject(f.Certificate)
}
