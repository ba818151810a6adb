package verify

import (
	"crypto/x509"
	"errors"
	"slices"
)

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

// Has says whether any of errs is of the kinds of one of Shortcuts.
func Has(errs []error, shortcut string) bool {
	for _, err := range errs {
		var fault *Fault
		if errors.As(err, &fault) && slices.Contains(Shortcuts[shortcut], fault.Kind) {
			return true
		}
	}
	return false
}

// Faults are all that is wrong with a chain: an error, unless there are none.
type Faults []*Fault

// Error is the first of them: the one that Squid would have stopped at.
func (f Faults) Error() string { return f[0].Error() }

// Unwrap gives each.
func (f Faults) Unwrap() []error {
	all := make([]error, len(f))
	for i := range f {
		all[i] = f[i]
	}
	return all
}

// add adds a fault of the certificate at a depth, once.
func (f *Faults) add(kind Kind, path []*x509.Certificate, depth int) {
	for _, known := range *f {
		if known.Kind == kind && known.Depth == depth {
			return
		}
	}
	*f = append(*f, &Fault{Kind: kind, Certificate: path[depth], Depth: depth})
}
