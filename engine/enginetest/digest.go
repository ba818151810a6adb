package enginetest

import (
	"crypto/md5"
	"fmt"
	"regexp"
	"strings"
)

// A challenge is the last that a client has read (RFC 7616): every client may answer it.
type challenge struct{ realm, nonce string }

var (
	realmField = regexp.MustCompile(`^(?:Proxy|WWW)-Authenticate: Digest realm="([^"]*)", nonce="([^"]*)"`)
	nextNonce  = regexp.MustCompile(`^(?:Proxy-)?Authentication-Info: nextnonce="([^"]*)"`)
)

// note keeps the challenge that is among the lines of a head.
func (c *challenge) note(head []string) {
	for _, line := range head {
		if found := realmField.FindStringSubmatch(line); found != nil {
			*c = challenge{found[1], found[2]}
		}
		if found := nextNonce.FindStringSubmatch(line); found != nil {
			c.nonce = found[1]
		}
	}
}

var digestWords = regexp.MustCompile(`\{digest ([^}]*)\}`)

// answer puts credentials in the place of {digest USER PASSWORD nc=1 uri=URI method=METHOD realm=REALM} in the lines of a request.
func (c *challenge) answer(text []string) []string {
	out := make([]string, len(text))
	for i, line := range text {
		out[i] = digestWords.ReplaceAllStringFunc(line, func(words string) string {
			return c.credentials(strings.Fields(strings.Trim(words, "{}"))[1:], strings.Fields(text[0]))
		})
	}
	return out
}

func (c *challenge) credentials(words, request []string) string {
	set := map[string]string{"nc": "1", "method": request[0], "uri": request[1], "realm": c.realm}
	for _, word := range words[2:] {
		name, value, _ := strings.Cut(word, "=")
		set[name] = value
	}
	count := fmt.Sprintf("%08s", set["nc"])
	ha1 := md5Hex(words[0], set["realm"], words[1])
	response := md5Hex(ha1, c.nonce, count, "c", "auth", md5Hex(set["method"], set["uri"]))
	return fmt.Sprintf(`Digest username="%s", realm="%s", nonce="%s", uri="%s", qop=auth, nc=%s, cnonce="c", response="%s"`,
		words[0], set["realm"], c.nonce, set["uri"], count, response)
}

func md5Hex(words ...string) string {
	return fmt.Sprintf("%x", md5.Sum([]byte(strings.Join(words, ":"))))
}
