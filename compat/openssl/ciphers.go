package openssl

import (
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A cipher is one that crypto/tls has, of TLS 1.2 and before. Those of TLS 1.3 are no part of lists.
type cipher struct {
	id   uint16
	name string
	tags string // the groups that it is in
	weak bool   // crypto/tls uses it only if it is asked for: it is in no group
}

const (
	byECDSA = " ALL HIGH DEFAULT kECDHE ECDHE EECDH kEECDH ECDH aECDSA ECDSA "
	byRSA   = " ALL HIGH DEFAULT kECDHE ECDHE EECDH kEECDH ECDH aRSA "
	gcm     = " AES AESGCM AEAD TLSv1.2 FIPS "
	cbc     = " AES CBC SHA1 SHA TLSv1 TLSv1.0 FIPS "
)

var ciphers = []cipher{
	{id: tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, name: "ECDHE-ECDSA-AES256-GCM-SHA384", tags: byECDSA + gcm + "AES256 "},
	{id: tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, name: "ECDHE-RSA-AES256-GCM-SHA384", tags: byRSA + gcm + "AES256 "},
	{id: tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, name: "ECDHE-ECDSA-CHACHA20-POLY1305", tags: byECDSA + " CHACHA20 AEAD TLSv1.2 "},
	{id: tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, name: "ECDHE-RSA-CHACHA20-POLY1305", tags: byRSA + " CHACHA20 AEAD TLSv1.2 "},
	{id: tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, name: "ECDHE-ECDSA-AES128-GCM-SHA256", tags: byECDSA + gcm + "AES128 "},
	{id: tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, name: "ECDHE-RSA-AES128-GCM-SHA256", tags: byRSA + gcm + "AES128 "},
	{id: tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, name: "ECDHE-ECDSA-AES256-SHA", tags: byECDSA + cbc + "AES256 "},
	{id: tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA, name: "ECDHE-RSA-AES256-SHA", tags: byRSA + cbc + "AES256 "},
	{id: tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, name: "ECDHE-ECDSA-AES128-SHA", tags: byECDSA + cbc + "AES128 "},
	{id: tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, name: "ECDHE-RSA-AES128-SHA", tags: byRSA + cbc + "AES128 "},

	{id: tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, name: "ECDHE-ECDSA-AES128-SHA256", weak: true},
	{id: tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256, name: "ECDHE-RSA-AES128-SHA256", weak: true},
	{id: tls.TLS_RSA_WITH_AES_256_GCM_SHA384, name: "AES256-GCM-SHA384", weak: true},
	{id: tls.TLS_RSA_WITH_AES_128_GCM_SHA256, name: "AES128-GCM-SHA256", weak: true},
	{id: tls.TLS_RSA_WITH_AES_128_CBC_SHA256, name: "AES128-SHA256", weak: true},
	{id: tls.TLS_RSA_WITH_AES_256_CBC_SHA, name: "AES256-SHA", weak: true},
	{id: tls.TLS_RSA_WITH_AES_128_CBC_SHA, name: "AES128-SHA", weak: true},
}

// CipherName is what OpenSSL calls a cipher.
func CipherName(id uint16) string {
	if at := slices.IndexFunc(ciphers, func(c cipher) bool { return c.id == id }); at >= 0 {
		return ciphers[at].name
	}
	return tls.CipherSuiteName(id) // those of TLS 1.3 have one name
}

// is says whether a word of a list names the cipher, or a group that it is in.
func (c *cipher) is(word string) bool {
	return c.name == word || strings.Contains(c.tags, " "+word+" ")
}

// matches says the same of words that are joined by "+": the cipher is in all of these groups.
func (c *cipher) matches(words string) bool {
	for word := range strings.SplitSeq(words, "+") {
		if !c.is(word) {
			return false
		}
	}
	return true
}

// Ciphers reads a list of ciphers, of those that crypto/tls has. It chooses among them in an order of its own.
// As in OpenSSL words that nobody knows are left out, and a list of which nothing is left is an error. A group
// has none of the ciphers that crypto/tls holds weak (RSA key exchange, CBC with SHA-256): they are had by name.
func Ciphers(list string) ([]uint16, error) {
	var chosen, never []uint16
	for _, element := range strings.FieldsFunc(list, func(c rune) bool { return c == ':' || c == ',' || c == ' ' || c == ';' }) {
		words := strings.TrimLeft(element, "!-+")
		if words == "" || words[0] == '@' { // @STRENGTH, @SECLEVEL=: an order, and what it has anyway
			continue
		}
		named := named(words)
		switch element[0] {
		case '!':
			never = append(never, named...)
		case '-':
			chosen = slices.DeleteFunc(chosen, func(id uint16) bool { return slices.Contains(named, id) })
		case '+': // an order
		default:
			chosen = append(chosen, named...)
		}
	}
	chosen = slices.DeleteFunc(chosen, func(id uint16) bool { return slices.Contains(never, id) })
	if len(chosen) == 0 {
		return nil, noneLeft(list)
	}
	slices.Sort(chosen)
	return slices.Compact(chosen), nil
}

func named(words string) (ids []uint16) {
	for i := range ciphers {
		if c := &ciphers[i]; c.matches(words) {
			ids = append(ids, c.id)
		}
	}
	return ids
}

// noneLeft says why a list has no cipher.
func noneLeft(list string) error {
	if strings.Contains(":"+list, ":RC4") {
		return errors.New("RC4 is broken, and must not be used (RFC 7465)")
	}
	return fmt.Errorf("of '%s' none can be used: there are ECDHE with AES-GCM, ChaCha20 and AES-CBC with SHA-1 (and, by their full names, %s)", list, weakNames())
}

func weakNames() string {
	var names []string
	for _, c := range ciphers {
		if c.weak {
			names = append(names, c.name)
		}
	}
	return strings.Join(names, ", ")
}
