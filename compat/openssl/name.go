package openssl

import (
	"encoding/asn1"
	"strings"
)

// A part of a name in a certificate, such as its common name (RFC 5280, section 4.1.2.4).
type part struct {
	Type  asn1.ObjectIdentifier
	Value asn1.RawValue
}

type partSET []part

// longestName is how many bytes of a name are written. Squid has room for as many.
const longestName = 1023

// parts are those of a name, in their order; nothing if it is none.
func parts(raw []byte) (all []part) {
	var sets []partSET
	if _, err := asn1.Unmarshal(raw, &sets); err != nil {
		return nil
	}
	for _, set := range sets {
		all = append(all, set...)
	}
	return all
}

// AppendName appends a name, in DER, in one line: /C=GB/O=School/CN=Ann. Parts that do not fit are left out.
func AppendName(dst, raw []byte) []byte {
	start := len(dst)
	for _, p := range parts(raw) {
		before := len(dst)
		dst = append(dst, '/')
		dst = append(dst, shortName(p.Type)...)
		dst = append(dst, '=')
		dst = appendValue(dst, p.Value.Bytes)
		if len(dst)-start > longestName {
			return dst[:before]
		}
	}
	return dst
}

// appendValue appends a value with what cannot be printed as \xHH, and so that it cannot be taken for two parts.
func appendValue(dst, value []byte) []byte {
	const digits = "0123456789ABCDEF"
	for _, c := range value {
		switch {
		case c == '/' || c == '+':
			dst = append(dst, '\\', c)
		case c < ' ' || c > '~':
			dst = append(dst, '\\', 'x', digits[c>>4], digits[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// Attribute is the first value of a type in a name, as it stands there; ok is false if there is none.
func Attribute(raw []byte, of asn1.ObjectIdentifier) (value []byte, ok bool) {
	for _, p := range parts(raw) {
		if p.Type.Equal(of) {
			return p.Value.Bytes, true
		}
	}
	return nil, false
}

// AttributeType is the type that a short or long name, or a number with dots, stands for.
func AttributeType(name string) (of asn1.ObjectIdentifier, ok bool) {
	for _, a := range attributes {
		if a.short == name || a.long == name {
			return a.of, true
		}
	}
	if strings.Trim(name, "0123456789.") != "" {
		return nil, false
	}
	for number := range strings.SplitSeq(name, ".") {
		n := 0
		for _, digit := range []byte(number) {
			if n = 10*n + int(digit-'0'); n > 1<<30 {
				return nil, false
			}
		}
		if number == "" {
			return nil, false
		}
		of = append(of, n)
	}
	return of, len(of) >= 2
}

func shortName(of asn1.ObjectIdentifier) string {
	for _, a := range attributes {
		if a.of.Equal(of) {
			return a.short
		}
	}
	return of.String()
}

// attributes are the types that names have, as OpenSSL calls them.
var attributes = []struct {
	of          asn1.ObjectIdentifier
	short, long string
}{
	{asn1.ObjectIdentifier{2, 5, 4, 3}, "CN", "commonName"},
	{asn1.ObjectIdentifier{2, 5, 4, 4}, "SN", "surname"},
	{asn1.ObjectIdentifier{2, 5, 4, 5}, "serialNumber", "serialNumber"},
	{asn1.ObjectIdentifier{2, 5, 4, 6}, "C", "countryName"},
	{asn1.ObjectIdentifier{2, 5, 4, 7}, "L", "localityName"},
	{asn1.ObjectIdentifier{2, 5, 4, 8}, "ST", "stateOrProvinceName"},
	{asn1.ObjectIdentifier{2, 5, 4, 9}, "street", "streetAddress"},
	{asn1.ObjectIdentifier{2, 5, 4, 10}, "O", "organizationName"},
	{asn1.ObjectIdentifier{2, 5, 4, 11}, "OU", "organizationalUnitName"},
	{asn1.ObjectIdentifier{2, 5, 4, 12}, "title", "title"},
	{asn1.ObjectIdentifier{2, 5, 4, 13}, "description", "description"},
	{asn1.ObjectIdentifier{2, 5, 4, 15}, "businessCategory", "businessCategory"},
	{asn1.ObjectIdentifier{2, 5, 4, 17}, "postalCode", "postalCode"},
	{asn1.ObjectIdentifier{2, 5, 4, 41}, "name", "name"},
	{asn1.ObjectIdentifier{2, 5, 4, 42}, "GN", "givenName"},
	{asn1.ObjectIdentifier{2, 5, 4, 43}, "initials", "initials"},
	{asn1.ObjectIdentifier{2, 5, 4, 44}, "generationQualifier", "generationQualifier"},
	{asn1.ObjectIdentifier{2, 5, 4, 45}, "x500UniqueIdentifier", "x500UniqueIdentifier"},
	{asn1.ObjectIdentifier{2, 5, 4, 46}, "dnQualifier", "dnQualifier"},
	{asn1.ObjectIdentifier{2, 5, 4, 65}, "pseudonym", "pseudonym"},
	{asn1.ObjectIdentifier{2, 5, 4, 97}, "organizationIdentifier", "organizationIdentifier"},
	{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}, "emailAddress", "emailAddress"},
	{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 2}, "unstructuredName", "unstructuredName"},
	{asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 1}, "UID", "userId"},
	{asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 25}, "DC", "domainComponent"},
	{asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 60, 2, 1, 1}, "jurisdictionL", "jurisdictionLocalityName"},
	{asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 60, 2, 1, 2}, "jurisdictionST", "jurisdictionStateOrProvinceName"},
	{asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 60, 2, 1, 3}, "jurisdictionC", "jurisdictionCountryName"},
}
