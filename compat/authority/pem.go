package authority

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// A FileError is what is wrong with a file that an option names.
type FileError struct {
	Option string // "cert" or "key"
	Path   string
	Err    error
}

// Error is "key=/etc/exaproxy/ca.key: " and what it is, so that the option's prefix (tls-) can stand before it.
func (e *FileError) Error() string { return e.Option + "=" + e.Path + ": " + e.Err.Error() }

// Unwrap gives the error underneath.
func (e *FileError) Unwrap() error { return e.Err }

// Read reads a chain and its key from files. One may hold both, as in Squid: then key is "". An error is a *FileError.
func Read(readFile func(path string) ([]byte, error), cert, key string) (tls.Certificate, error) {
	chain, err := readFile(cert)
	if err != nil {
		return tls.Certificate{}, &FileError{"cert", cert, err}
	}
	secret, own := chain, key != "" && key != cert
	if own {
		if secret, err = readFile(key); err != nil {
			return tls.Certificate{}, &FileError{"key", key, err}
		}
	}
	pair, err := Parse(chain, secret)
	switch {
	case err == nil:
		return pair, nil
	case own && errors.As(err, new(keyFault)):
		return pair, &FileError{"key", key, err}
	}
	return pair, &FileError{"cert", cert, err}
}

// Parse makes a chain and its key of PEM texts, which may be one and the same, as in Squid.
func Parse(cert, key []byte) (tls.Certificate, error) {
	pair, err := tls.X509KeyPair(cert, key)
	if err == nil {
		return pair, nil
	}
	if wrong := wrongCertificate(cert); wrong != nil {
		return pair, wrong
	}
	return pair, keyFault{wrongKey(key, err)}
}

// A keyFault is what is wrong with a key.
type keyFault struct{ error }

// wrongCertificate says why the first certificate of a text cannot be read; nil if it can.
func wrongCertificate(text []byte) error {
	block, others := findBlock(text, func(label string) bool { return label == "CERTIFICATE" })
	switch {
	case block == nil && isDER(text):
		return errors.New("it is binary (DER), and PEM is wanted: convert it (openssl x509 -inform DER -in CERT -out CERT.pem; of PKCS #12: openssl pkcs12 -nodes -in CERT -out CERT.pem)")
	case block == nil:
		return missing(text, "certificate", others, "")
	}
	if _, err := x509.ParseCertificate(block.Bytes); err != nil {
		return fmt.Errorf("the certificate in it is damaged: %w", err)
	}
	return nil
}

// wrongKey says why a text is not that of a certificate's key, where crypto/tls says err.
func wrongKey(text []byte, err error) error {
	block, others := findBlock(text, func(label string) bool { return strings.HasSuffix(label, "PRIVATE KEY") })
	switch {
	case block == nil && isDER(text):
		return errors.New("it is binary (DER), and PEM is wanted: convert it (openssl pkey -inform DER -in KEY -out KEY.pem)")
	case block == nil:
		return missing(text, "private key", others, "; tls-key= names the file of the key, if it is another")
	case block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "":
		return errors.New("the key is encrypted with a pass phrase, which nobody could enter at a start: store it without (openssl pkey -in KEY -out KEY.plain)")
	case strings.Contains(err.Error(), "does not match"):
		return errors.New("the private key is not that of the certificate, the first in its file: of the two one was renewed, or they stand in the wrong order")
	}
	return fmt.Errorf("the private key cannot be used: %w", err)
}

// missing says why a text has no block of a kind; others are the labels of those that it has.
func missing(text []byte, what string, others []string, hint string) error {
	switch {
	case len(bytes.TrimSpace(text)) == 0:
		return errors.New("the file is empty")
	case len(others) > 0:
		return fmt.Errorf("there is no %s in it, only %s%s", what, strings.Join(others, ", "), hint)
	case bytes.Contains(text, []byte("-----BEGIN ")):
		return fmt.Errorf("the %s in it is damaged or cut off, there is no whole PEM from BEGIN to END: copy it anew", what)
	}
	return fmt.Errorf("there is no %s in PEM in it, which begins with '-----BEGIN'", what)
}

// findBlock is the first block of a PEM text with a label that is wanted; others are the labels of those before it.
func findBlock(text []byte, wanted func(label string) bool) (block *pem.Block, others []string) {
	for {
		if block, text = pem.Decode(text); block == nil || wanted(block.Type) {
			return block, others
		}
		others = append(others, block.Type)
	}
}

// isDER says whether a file begins as ASN.1 of certificates and keys does in DER: with a long SEQUENCE.
func isDER(text []byte) bool { return len(text) > 2 && text[0] == 0x30 && text[1] >= 0x80 }
