package verify

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"io"
	"math/big"
	"testing"
)

// A longKey signs with RSA. It is of many short primes, which are found at once: nobody else could be asked for a
// key of more than 8,192 bits in a test.
type longKey struct {
	public  rsa.PublicKey
	private *big.Int
}

// newLongKey makes a key whose modulus has so many bits.
func newLongKey(t *testing.T, bits int) *longKey {
	t.Helper()
	const each = 256
	one, e := big.NewInt(1), big.NewInt(65537)
	n, phi := big.NewInt(1), big.NewInt(1)
	with := func(p *big.Int) {
		n.Mul(n, p)
		phi.Mul(phi, new(big.Int).Sub(p, one))
	}
	for n.BitLen() < bits-2*each {
		p, err := rand.Prime(rand.Reader, each)
		if err != nil {
			t.Fatal(err)
		}
		with(p)
	}
	last := new(big.Int).Div(new(big.Int).Lsh(big.NewInt(3), uint(bits-2)), n) // one and a half times the least
	for last.SetBit(last, 0, 1); !last.ProbablyPrime(20); {
		last.Add(last, big.NewInt(2))
	}
	with(last)
	k := &longKey{rsa.PublicKey{N: n, E: int(e.Int64())}, new(big.Int).ModInverse(e, phi)}
	if k.private == nil {
		return newLongKey(t, bits) // e divides phi
	}
	if n.BitLen() != bits {
		t.Fatalf("the key has %d bits, not %d", n.BitLen(), bits)
	}
	return k
}

// Public implements crypto.Signer.
func (k *longKey) Public() crypto.PublicKey { return &k.public }

// Sign implements crypto.Signer, of SHA-256 and as in PKCS #1 v1.5 (RFC 8017, section 8.2.1).
func (k *longKey) Sign(_ io.Reader, digest []byte, _ crypto.SignerOpts) ([]byte, error) {
	size := k.public.Size()
	prefix := []byte{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}
	encoded := append(prefix, digest...)
	message := make([]byte, size)
	for i := range message {
		message[i] = 0xff
	}
	message[0], message[1], message[size-len(encoded)-1] = 0, 1, 0
	copy(message[size-len(encoded):], encoded)
	return new(big.Int).Exp(new(big.Int).SetBytes(message), k.private, k.public.N).FillBytes(make([]byte, size)), nil
}

// created is a certificate of a template.
func created(t *testing.T, template, parent *x509.Certificate, public crypto.PublicKey, signer crypto.Signer) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}
