package errpage

import (
	"fmt"
	"strings"
	"testing"
)

// TestAdvisoryNoCodeTellsCredentials fills in every code for requests with credentials in each place, also ones that cannot
// be understood. SQUID-2025:2 is that a page shows them to scripts, by %R and in the mail link.
func TestAdvisoryNoCodeTellsCredentials(t *testing.T) {
	fields := []string{"Host: a.test", "Authorization: Basic SECRET", "proxy-authorization: Negotiate SECRET", "Cookie: sid=SECRET", "COOKIE: SECRET"}
	for _, line := range []string{
		"GET http://joe:SECRET@a.test/ HTTP/1.1",
		"GET ftp://joe:SECRET@a.test/%2f HTTP/1.1",
		"GET http://joe:SECRET@a.test:99999/ HTTP/1.1",
		"GET http://joe:SECRET@a.test/ HTTP/2.0",
		"GET http://joe@b:SECRET@a.test/ HTTP/1.1",
		"CONNECT joe:SECRET@a.test:443 HTTP/1.1",
		"GET cache_object://a.test/info@SECRET HTTP/1.0",
		"G(T http://joe:SECRET@a.test/ HTTP/1.1",
	} {
		v := values()
		v.Request, v.MailData = request(append([]string{line}, fields...)...), true
		for c := range codes {
			if c == 'l' || codes[c].value == nil {
				continue // the style sheet, or no code
			}
			if page := fill(t, fmt.Sprintf("<p>%%%c</p>", c), v); strings.Contains(page, "SECRET") {
				t.Errorf("%s: %%%c tells\n%s", line, c, page)
			}
		}
	}
}
