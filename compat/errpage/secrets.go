package errpage

import (
	"bytes"
	"errors"
	"strings"

	"exaproxy/engine/h1"
)

// What a page shows may be photographed, printed and sent to somebody who is to help. So no page has credentials in it,
// whoever wrote it: Squid hides the fields that end in Authorization, and shows cookies, and the user information of URLs that
// it does not understand.

// secrets are parts of the names of fields that carry credentials, or may.
var secrets = [][]byte{[]byte("auth"), []byte("cookie"), []byte("token"), []byte("secret"), []byte("passw"), []byte("session"), []byte("apikey"), []byte("api-key")}

// secret says whether a field of that name is kept from pages.
func secret(name []byte) bool {
	name = bytes.ToLower(name)
	for _, part := range secrets {
		if bytes.Contains(name, part) {
			return true
		}
	}
	return false
}

// withoutUserinfo takes the user information out of what may be a URL. Where it ends is anybody's guess in
// one that could not be understood: what stands before the last @ goes, but for the scheme.
func withoutUserinfo(url []byte) []byte {
	at := bytes.LastIndexByte(url, '@')
	if at < 0 {
		return url
	}
	if bytes.HasPrefix(bytes.ToLower(url), cacheObject) { // a password stands behind its page
		return url[:bytes.IndexByte(url, '@')]
	}
	scheme, _, ok := bytes.Cut(url[:at], doubleSlash)
	if !ok || bytes.IndexByte(scheme, ':') != len(scheme)-1 {
		return url[at+1:]
	}
	return append(append(bytes.Clone(scheme), doubleSlash...), url[at+1:]...)
}

var doubleSlash, cacheObject = []byte("//"), []byte("cache_object:")

// fieldValue is the value of a field that may be shown, without the user information of a URL in it.
func fieldValue(value []byte) []byte {
	if bytes.Contains(value, doubleSlash) {
		return withoutUserinfo(value)
	}
	return value
}

// explain is what an error says, without the bytes that it quotes of a message: they may be those of a field with a secret.
func explain(err error) string {
	var fault *h1.SyntaxError
	if !errors.As(err, &fault) {
		return err.Error()
	}
	what, _, _ := strings.Cut(fault.What, ` in "`)
	return fault.Kind.String() + ": " + what
}
