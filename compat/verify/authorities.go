package verify

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"iter"
	"path"
	"regexp"
	"strings"
)

// Files are those that a configuration may name.
type Files interface {
	ReadFile(name string) ([]byte, error)
	Match(pattern string) ([]string, error)
}

// Authorities are who is trusted, as files name them (cafile=, capath=). It is filled by one goroutine.
type Authorities struct{ texts [][]byte }

// AddFile adds the certificates of a file, of which there must be one. Squid goes on without a file that is not there,
// and then trusts nobody in it; to say so at once is kinder.
func (a *Authorities) AddFile(files Files, name string) error {
	text, err := files.ReadFile(name)
	if err == nil && !x509.NewCertPool().AppendCertsFromPEM(text) {
		err = errors.New("there is no certificate in it")
	}
	if err != nil {
		return err
	}
	a.texts = append(a.texts, text)
	return nil
}

// hashed is what OpenSSL calls the files of a folder of authorities (openssl rehash). It looks at no others.
var hashed = regexp.MustCompile(`^[0-9a-f]{8}\.[0-9]+$`)

// AddFolder adds the certificates of a folder, of which there must be one.
func (a *Authorities) AddFolder(files Files, name string) error {
	if strings.ContainsAny(name, `*?[\`) {
		return errors.New("a pattern is no folder")
	}
	names, err := files.Match(path.Join(name, "*"))
	if err != nil {
		return err
	}
	found := false
	for _, file := range names {
		if !hashed.MatchString(path.Base(file)) {
			continue
		}
		if err := a.AddFile(files, file); err != nil {
			return err
		}
		found = true
	}
	if !found {
		return errors.New("there is no file in it that is named as by 'openssl rehash'")
	}
	return nil
}

// Pool are all of them, and whom the system trusts if system. It is nil, which means the system to crypto/x509, if there
// is nobody else.
func (a *Authorities) Pool(system bool) (pool *x509.CertPool, err error) {
	switch {
	case !system:
		pool = x509.NewCertPool()
	case len(a.texts) == 0:
		return nil, nil
	default:
		if pool, err = x509.SystemCertPool(); err != nil {
			return nil, err
		}
	}
	for _, text := range a.texts {
		pool.AppendCertsFromPEM(text)
	}
	return pool, nil
}

// Intermediates are the certificates of a PEM text (RFC 7468) but those that have signed themselves: nobody is trusted by
// these, as in Squid.
func Intermediates(text []byte) (all []*x509.Certificate) {
	for der := range blocks(text, "CERTIFICATE") {
		if c, err := x509.ParseCertificate(der); err == nil && !ownIssuer(c) {
			all = append(all, c)
		}
	}
	return all
}

// blocks are those of a type in a PEM text.
func blocks(text []byte, kind string) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
			if block.Type == kind && !yield(block.Bytes) {
				return
			}
		}
	}
}
