package errpage

import (
	"strings"

	"exaproxy/engine"
)

// inLocations are the codes that mean in the URL of a deny_info line what they mean in a page. What pages say where there is
// nothing to say, such as [unknown], is left out there, and so are those of emptyInLocations.
var inLocations = map[byte]func(dst []byte, v *Values) []byte{
	'A': localAddress, 'b': localPort, 'D': detail, 'e': errno, 'E': errnoText,
	'h': codes['h'].value, 'H': requestHost, 'i': clientAddress, 'M': requestMethod, 'p': requestPort, 'P': requestScheme,
	'S': codes['s'].value, 't': localTime, 'T': dateTime, 'U': publicURL, 'w': codes['w'].value,
}

const emptyInLocations = "BcfFgIlLmOWxzZ"

// AppendLocationCode appends what a code of a page stands for in the URL of a deny_info line, unescaped. known is false of
// codes that Squid does not know there.
func (p *Policy) AppendLocationCode(dst []byte, code byte, r *engine.Request) (_ []byte, known bool) {
	if value := inLocations[code]; value != nil {
		return value(dst, p.values(r, nil)), true
	}
	return dst, strings.IndexByte(emptyInLocations, code) >= 0
}

// IsEscape says whether s, which stands behind a % in the URL of a deny_info line, is an escaped character such as %20 or %E2,
// written as RFC 3986 wants them, in capitals. Squid takes them for codes, and makes other URLs of them.
func IsEscape(s string) bool { return len(s) > 1 && isHex(s[0]) && isHex(s[1]) }

// CheckLocation returns the codes in the URL of a deny_info line that Squid does not know there, each with what follows, cut
// as Squid cuts it.
func CheckLocation(url string) (unknown []string) {
	for i := 0; i < len(url); i++ {
		if url[i] != '%' {
			continue
		}
		rest := url[i+1:]
		switch {
		case IsEscape(rest):
		case rest == "" || strings.IndexByte(policyCodes+emptyInLocations, rest[0]) < 0 && inLocations[rest[0]] == nil:
			unknown = append(unknown, near(url[i:]))
		}
		i++
	}
	return unknown
}

// policyCodes are those that the policy of deny_info replaces itself.
const policyCodes = "%usRao"

func isHex(c byte) bool { return c >= '0' && c <= '9' || c >= 'A' && c <= 'F' }
