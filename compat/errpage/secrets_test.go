package errpage

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"exaproxy/engine"
	"exaproxy/engine/h1"
)

func TestWithoutUserinfo(t *testing.T) {
	for _, row := range []struct{ url, want string }{
		{"http://a.test/", "http://a.test/"},
		{"foo://joe:secret@a.test/", "foo://a.test/"},
		{"http://joe:se/cret@a test/", "http://a test/"},
		{"http://joe:se//cr@et@a test/", "http://a test/"},
		{"joe:secret@a.test:443", "a.test:443"},
		{"joe:se//cret@a.test:443", "a.test:443"},
		{"//joe:secret@a.test/", "//a.test/"},
		{"@", ""},
		{"Cache_object://h:99999/menu@secret", "Cache_object://h:99999/menu"},
		{"cache_object:/h/menu@se@cret", "cache_object:/h/menu"},
	} {
		if got := string(withoutUserinfo([]byte(row.url))); got != row.want {
			t.Errorf("%s becomes %q, want %q", row.url, got, row.want)
		}
	}
}

// allCodes is a page of an administrator who wants to see everything.
func allCodes() string {
	var b strings.Builder
	for c := range codes {
		if codes[c].value != nil {
			fmt.Fprintf(&b, "%%%c ", c)
		}
	}
	return b.String()
}

// TestNoSecretsInPages looks for those of a client's in every page and code, whatever goes wrong.
func TestNoSecretsInPages(t *testing.T) {
	fields := []string{"Proxy-Authorization: Basic tellnobody", "authorization: tellnobody", "Cookie: a=tellnobody", "Cookie2: tellnobody",
		"X-Auth-Token: tellnobody", "X-Api-Key: tellnobody", "Referer: http://joe:tellnobody@a.test/", "User-Agent: lab"}
	pages := Default()
	pages.own["ALL"], _ = compile("ALL", allCodes())
	for _, line := range []string{"GET http://joe:tellnobody@a.test/ HTTP/1.1", "GET foo://joe:tellnobody@a.test/ HTTP/1.1",
		"GET http://joe:tellnobody@a^test/ HTTP/1.1", "CONNECT joe:tellnobody@a.test:443 HTTP/1.1", "GET http://a.test/ HTTP/1.1\r\nCookie tellnobody"} {
		v := values()
		v.MailData = true
		v.Request = &engine.Request{}
		_, err := h1.ParseRequest([]byte(line+"\r\n"+strings.Join(fields, "\r\n")+"\r\n\r\n"), &v.Request.Request, h1.Limits{Relaxed: true})
		for _, failure := range []engine.Failure{{Kind: engine.Refused}, {Kind: engine.BadRequest, Err: err}, {Kind: engine.BadRequest, Err: fmt.Errorf("reading: %w", err)}} {
			v.Failure = &failure
			if failure.Err == nil && err != nil {
				continue
			}
			for _, name := range append(pageNames(), "ALL") {
				if page := show(pages, name, v); strings.Contains(page, "tellnobody") || strings.Contains(page, "joe") {
					t.Errorf("%s: %s tells\n%s", line, name, page[strings.Index(page, "<body"):])
				}
			}
		}
	}
	v := values()
	if page := fill(t, "%R", v); !strings.Contains(page, "User-Agent: lab") {
		t.Errorf("the other fields should be shown: %s", page)
	}
	if got := explain(errors.New("no such name")); got != "no such name" {
		t.Errorf("an error that quotes nothing says %q", got)
	}
}
