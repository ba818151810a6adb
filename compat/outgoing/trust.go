package outgoing

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"path"
	"regexp"
	"strings"

	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
)

var errNoCertificate = errors.New("there is no certificate in it")

// trustFile takes the authorities of a file. Squid goes on without a file that is not there, and then
// trusts nobody in it; to say so at once is kinder.
func (s *Settings) trustFile(c *directive.Context, name string) error {
	text, err := c.ReadFile(name)
	if err == nil && !x509.NewCertPool().AppendCertsFromPEM(text) {
		err = errNoCertificate
	}
	if err != nil {
		return refuse("cafile=%s: %s", name, err)
	}
	s.trusted = append(s.trusted, text)
	return nil
}

// hashed is what OpenSSL calls the files of a folder of authorities (openssl rehash).
var hashed = regexp.MustCompile(`^[0-9a-f]{8}\.[0-9]+$`)

// trustFolder takes the authorities of a folder, of which there must be one.
func (s *Settings) trustFolder(c *directive.Context, name string) error {
	names, err := c.Match(path.Join(name, "*"))
	if err != nil {
		return refuse("capath=%s: %s", name, err)
	}
	found := false
	for _, file := range names {
		if !hashed.MatchString(path.Base(file)) {
			continue
		}
		if err := s.trustFile(c, file); err != nil {
			return err
		}
		found = true
	}
	if !found {
		return refuse("capath=%s: there is no file in it that is named as by 'openssl rehash'", name)
	}
	return nil
}

// revoke takes a file of lists of revoked certificates.
func (s *Settings) revoke(c *directive.Context, name string) error {
	text, err := c.ReadFile(name)
	if err == nil {
		_, err = s.revoked().Add(text)
	}
	if err != nil {
		return refuse("crlfile=%s: %s", name, err)
	}
	return nil
}

// trust makes the list of authorities.
func (s *Settings) trust() error {
	s.verify.Roots = nil // whom the system trusts
	if len(s.trusted) == 0 && !s.noDefaults {
		return nil
	}
	s.verify.Roots = x509.NewCertPool()
	if !s.noDefaults {
		system, err := x509.SystemCertPool()
		if err != nil {
			return refuse("whom the system trusts: %s", err)
		}
		s.verify.Roots = system
	}
	for _, text := range s.trusted {
		s.verify.Roots.AppendCertsFromPEM(text)
	}
	return nil
}

// setIntermediates takes sslproxy_foreign_intermediate_certs. As in Squid a certificate that has signed
// itself is left out: nobody is trusted by it.
func (s *Settings) setIntermediates(c *directive.Context, l *conf.Line) error {
	name, err := c.Args(l).String()
	if err != nil {
		return err
	}
	text, err := c.ReadFile(name)
	if err != nil {
		return conf.Invalid{"FATAL: " + l.Name + ": " + strings.TrimPrefix(err.Error(), "open ")}
	}
	s.verify.Intermediates = nil
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		cert, err := x509.ParseCertificate(block.Bytes)
		if block.Type != "CERTIFICATE" || err != nil {
			continue
		}
		if !bytes.Equal(cert.RawSubject, cert.RawIssuer) {
			s.verify.Intermediates = append(s.verify.Intermediates, cert)
		}
	}
	return nil
}
