package auth

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"strconv"

	"exaproxy/engine"
)

// digestCredentials are what a client says of itself (RFC 7616, section 3.4). What was not said is empty.
type digestCredentials struct {
	user, realm, nonce, uri, response, algorithm, qop, cnonce, nc []byte
}

// parseDigest reads the parameters. Of several with a name the last one counts, as in Squid.
func parseDigest(list []byte) (c digestCredentials) {
	for len(list) > 0 {
		var item []byte
		item, list = cutItem(list)
		name, value, _ := bytes.Cut(item, []byte("="))
		c.set(string(name), value)
	}
	return c
}

// cutItem cuts the first item off a list with commas, of which those between quotation marks are none.
func cutItem(list []byte) (item, rest []byte) {
	quoted := false
	for i := 0; i < len(list); i++ {
		switch c := list[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && quoted:
			i++
		case c == ',' && !quoted:
			return bytes.Trim(list[:i], " \t"), list[i+1:]
		}
	}
	return bytes.Trim(list, " \t"), nil
}

func (c *digestCredentials) set(name string, value []byte) {
	inside, marked := between(value)
	switch name {
	case "username":
		c.user = unquoted(value)
	case "realm":
		c.realm = unquoted(value)
	case "nonce":
		c.nonce = unquoted(value)
	case "uri": // it may have a backslash that protects nothing
		if c.uri = nil; marked {
			c.uri = inside
		}
	case "response":
		c.response = unquoted(value)
	case "algorithm":
		c.algorithm = unquoted(value)
	case "qop":
		c.qop = inside
	case "cnonce":
		c.cnonce = unquoted(value)
	case "nc":
		c.nc = unquoted(value)
	}
}

// between is what stands between quotation marks; all of value if there are none around it.
func between(value []byte) (inside []byte, marked bool) {
	if n := len(value); n > 1 && value[0] == '"' && value[n-1] == '"' {
		return value[1 : n-1], true
	}
	return value, false
}

// unquoted is a token, or what a quoted-string stands for; nil if it is neither.
func unquoted(value []byte) []byte {
	inside, marked := between(value)
	if !marked {
		if bytes.IndexByte(value, '"') >= 0 {
			return nil
		}
		return value
	}
	if bytes.IndexByte(inside, '\\') < 0 {
		return inside
	}
	plain := make([]byte, 0, len(inside))
	for i := 0; i < len(inside); i++ {
		if inside[i] == '\\' && i+1 < len(inside) {
			i++
		}
		plain = append(plain, inside[i])
	}
	return plain
}

// whole reports whether all is there that makes a proof.
func (c *digestCredentials) whole() bool {
	if len(c.user) == 0 || len(c.realm) == 0 || len(c.nonce) == 0 || len(c.uri) == 0 || len(c.response) != 2*md5.Size {
		return false
	}
	session := string(c.algorithm) == "MD5-sess"
	if len(c.algorithm) > 0 && !session && string(c.algorithm) != "MD5" {
		return false
	}
	if len(c.qop) == 0 {
		return len(c.cnonce) == 0 && len(c.nc) == 0 && !session
	}
	return string(c.qop) == "auth" && len(c.cnonce) > 0 && c.count() >= 0
}

// count is the nonce count, -1 if it is none.
func (c *digestCredentials) count() int64 {
	n, err := strconv.ParseUint(string(c.nc), 16, 32)
	if err != nil || len(c.nc) != 8 {
		return -1
	}
	return int64(n)
}

// about reports whether the uri is that of the request: its target as it was sent, or the path and query of that,
// which is what browsers write to proxies too.
func (c *digestCredentials) about(r *engine.Request) bool {
	if bytes.Equal(c.uri, r.RawTarget) {
		return true
	}
	_, rest, found := bytes.Cut(r.RawTarget, []byte("://"))
	if !found || r.IsConnect() {
		return false
	}
	from := bytes.IndexAny(rest, "/?")
	switch {
	case from < 0:
		return string(c.uri) == "/"
	case rest[from] == '?':
		return len(c.uri) > 0 && c.uri[0] == '/' && bytes.Equal(c.uri[1:], rest[from:])
	}
	return bytes.Equal(c.uri, rest[from:])
}

// expected is the response of somebody who knows ha1, to a request of a method.
func (c *digestCredentials) expected(ha1 [md5.Size]byte, method string) [md5.Size]byte {
	secret := hexOf(ha1)
	if string(c.algorithm) == "MD5-sess" {
		secret = hexOf(joined(secret, c.nonce, c.cnonce))
	}
	ha2 := hexOf(joined([]byte(method), c.uri))
	if len(c.qop) == 0 {
		return joined(secret, c.nonce, ha2)
	}
	return joined(secret, c.nonce, c.nc, c.cnonce, c.qop, ha2)
}

// joined is the MD5 of words with colons between them.
func joined(words ...[]byte) [md5.Size]byte { return md5.Sum(bytes.Join(words, []byte(":"))) }

func hexOf(sum [md5.Size]byte) []byte { return hex.AppendEncode(nil, sum[:]) }
