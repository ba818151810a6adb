package rewrite

import (
	"strings"
	"testing"

	"exaproxy/engine/h1"
)

// Answers that the recordings do not have. Those of pairs were tried with Squid 5.7.
func TestParse(t *testing.T) {
	const same = "http://origin.test/a"
	for _, tt := range []struct{ name, answer, want string }{
		{"1.x: a local page", "file://deny.html", "file deny.html"},
		{"1.x: no page", "file://", "ERROR: URL-rewrite produces invalid request: GET  HTTP/1.1"},
		{"1.x: another host", "intercept://Filter.test", "intercept filter.test 0"},
		{"1.x: another host and port", "intercept://filter.test:8080", "intercept filter.test 8080"},
		{"1.x: a port that is none", "intercept://filter.test:http", "intercept filter.test 0"},
		{"1.x: an IPv6 address", "intercept://[2001:db8::1]:8080/", "intercept 2001:db8::1 8080"},
		{"1.x: no host", "intercept://", "ERROR: URL-rewrite produces invalid request: GET  HTTP/1.1"},
		{"1.x: a redirect", "redirect://http://block.test/a b", "redirect 302 http://block.test/a b"},
		{"the same URL", same, "unchanged"},
		{"the same URL with a result", `OK rewrite-url="` + same + `"`, "unchanged"},
		{"a status with letters behind", `OK status=302x url=u`, "redirect 302 u"},
		{"the first of several", `OK status=301 status=302 url=a url=b`, "redirect 301 a"},
		{"no status", `OK status= url=u`, "ERROR: URL rewrite helper named a target where none can be read: status= url=u"},
		{"a legacy URL behind a pair", "a=b http://page.test/?u=http://origin.test/a 127.0.0.1/- - GET", "rewrite http://page.test/?u=http://origin.test/a"},
		{"two targets of different kinds", `OK rewrite-url=http://b/ url=u`, "redirect 302 u"},
		{"a redirect that repeats what looks like a target", `OK url="u?q=a url=http://b/"`, "redirect 302 u?q=a url=http://b/"},
		{"notes that name parameters", `OK a="the url= of it" b=x&url=http://b/ curl=y`, "unchanged"},
		{"an error with a target", `ERR url=http://b/`, "unchanged"},
		{"an empty status", `OK status="" url=u`, "ERROR: URL-rewrite produces invalid 0 redirect Location: u"},
		{"marks within a word", `OK url=a"b c"d`, "redirect 302 ab cd"},
		{"a backslash outside marks", `OK url=http://b/a\nb`, `redirect 302 http://b/a\nb`},
		{"escapes", `OK url=%41%zz%00%2`, "redirect 302 A%zz%00%2"},
		{"an empty key", `OK =x url=u`, "redirect 302 u"},
		{"a mark alone", "OK url=\"", "redirect 302 "},
		{"a line end in a location", `OK url="http://b/\r\nSet-Cookie: x"`, "redirect 302 http://b/Set-Cookie: x"},
		{"an escaped line end", `OK url=http://b/%0d%0aSet-Cookie:x`, "redirect 302 http://b/Set-Cookie:x"},
		{"control characters in a location", "OK url=http://b/?u=\x01\x1f\x7f\x1b[2J", "redirect 302 http://b/?u=%01%1F%7F%1B[2J"},
		{"control characters in a rewrite", "OK rewrite-url=\"http://b/?u=\x01\r\x7f\"", "rewrite http://b/?u=%01%7F"},
		{"control characters in the answer of a Squid 2 helper", "302:http://b/?u=\x01\r\x7f", "redirect 302 http://b/?u=%01%7F"},
		{"a location without end", "OK url=" + strings.Repeat("x", 1<<16),
			"ERROR: URL-rewrite produces invalid 302 redirect Location: " + strings.Repeat("x", 1024) + "…"},
		{"a long location", "OK url=" + strings.Repeat("x", 9000), "redirect 302 " + strings.Repeat("x", 9000)},
		{"a URL without end", "http://h/" + strings.Repeat("x", 8192),
			"ERROR: URL-rewrite produces invalid request: GET http://h/" + strings.Repeat("x", 1024-9) + "… HTTP/1.1"},
		{"a group alone", "!grp!", "unchanged"},
		{"a signed status", "+302:u", "redirect 302 u"},
		{"a number without end", strings.Repeat("3", 30) + ":u",
			"ERROR: URL-rewrite produces invalid request: GET " + strings.Repeat("3", 30) + ":u HTTP/1.1"},
		{"nothing behind AF", "AF", "ERROR: URL-rewrite produces invalid request: GET AF HTTP/1.1"},
		{"an asterisk", "*", "ERROR: URL-rewrite produces invalid request: GET * HTTP/1.1"},
		{"a fault with its reason", `BH message="it broke"`, "again {result=BH, notes={message: it broke; }}"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			parsed := Parse([]byte(tt.answer), asked(t, "GET", same), h1.Strip)
			if got := describe(&parsed); got != tt.want {
				t.Errorf("%.80q should mean %s, it means %s", tt.answer, tt.want, got)
			}
		})
	}
}

// An answer that names a target is never taken for one that changes nothing.
func TestWhatNamesATarget(t *testing.T) {
	for _, tt := range []struct {
		method, answer string
		want           Action
	}{
		{"GET", "nonsense", Invalid},
		{"GET", "0 OK", Invalid},
		{"GET", "403:", Invalid},
		{"GET", "/rel", Invalid},
		{"GET", "TT token", Invalid},
		{"GET", "http://b/" + strings.Repeat("x", 9000), BadTarget},
		{"GET", "http://b:99999/", BadTarget},
		{"GET", "foo://b/", BadTarget},
		{"GET", "403:http://block.test/", BadTarget},
		{"GET", "url=http://block.test/", BadTarget},
		{"GET", "0 OK url=http://block.test/", BadTarget},
		{"GET", "OK status=200 url=block", BadTarget},
		{"GET", "OK url=" + strings.Repeat("x", 1<<16), BadTarget},
		{"GET", "OK rewrite-url=/rel", BadTarget},
		{"GET", "file://", BadTarget},
		{"GET", "intercept://", BadTarget},
		{"GET", "0 OK url=block", BadTarget},
		{"GET", `http://origin.test/a OK status=302 url="http://block.test/"`, BadTarget},
		{"GET", `http://origin.test/a OK status=302 url=block`, BadTarget},
		{"GET", `http://origin.test/b OK rewrite-url="http://block.test/"`, BadTarget},
		{"GET", `url=http://block.test/ http://origin.test/a`, BadTarget},
		{"GET", `intercept://origin.test OK url="http://block.test/"`, BadTarget},
		{"CONNECT", `origin.test:443 OK status=302 url="http://block.test/"`, BadTarget},
		{"GET", "http://origin.test/a ERR", Unchanged},
		{"GET", "http://origin.test/a 127.0.0.1/- - GET myip=127.0.0.1 curl=a ?url=b", Unchanged},
		{"GET", `OK message="http://origin.test/"x" url=http://block.test/`, BadTarget},
		{"GET", `OK message="http://origin.test/\" url="http://block.test/?u=http://origin.test/\"`, BadTarget},
		{"GET", `OK message="/\" url=http://block.test/?u=http://origin.test/\?"`, BadTarget}, // which ends as it should
		{"GET", "OK log=a b rewrite-url=http://block.test/", BadTarget},
		{"GET", "OK user= url=http://block.test/", BadTarget},
		{"GET", "OK log=a rewrite-url=http://origin.test/a rewrite-url=http://block.test/", BadTarget},
		{"GET", "AF log=a url=http://block.test/", BadTarget},
		{"GET", "log=a http://origin.test/b http://block.test/", BadTarget},
		{"GET", "log=a intercept://origin.test http://block.test/", BadTarget},
		{"GET", "!http://origin.test/!http://origin.test/b!302:http://block.test/", BadTarget},
		{"CONNECT", "OK rewrite-url=b.test:port", BadTarget},
		{"CONNECT", "ftp://b.test/", BadTarget},
	} {
		url := "http://origin.test/a"
		if tt.method == "CONNECT" {
			url = "origin.test:443"
		}
		if parsed := Parse([]byte(tt.answer), asked(t, tt.method, url), h1.Strip); parsed.Action != tt.want {
			t.Errorf("%s: %.60q means %d (%s), want %d", tt.method, tt.answer, parsed.Action, describe(&parsed), tt.want)
		}
	}
}

// What Squid 5.7 complains of as garbage, where it leaves it out.
func TestGarbage(t *testing.T) {
	for _, tt := range []struct{ answer, want string }{
		{"http://origin.test/a ERR", " ERR"},
		{"http://origin.test/a", ""},
		{"http://b/ OK message=x", " OK message=x"},
		{`0 OK status=302 url="http://b/"`, ` OK status=302 url="http://b/"`},
		{"a=b http://b/ ERR", " ERR"},
		{"302:http://b/ a b", ""}, // it is the location's
		{"file://a b", ""},
		{"OK rewrite-url=http://b/ x", ""},
		{"ERR it passes", ""},
		{"", ""},
	} {
		if a := Parse([]byte(tt.answer), asked(t, "GET", "http://origin.test/a"), h1.Strip); string(a.Garbage) != tt.want {
			t.Errorf("of %q the garbage is %q, want %q", tt.answer, a.Garbage, tt.want)
		}
	}
}

func TestParseConnect(t *testing.T) {
	for _, tt := range []struct{ name, answer, want string }{
		{"another port", "h2:21081", "rewrite h2:21081"},
		{"an IPv6 address", "[::1]:21080", "rewrite [::1]:21080"},
		{"no port", "h2", "rewrite h2:443"},
		{"port 0", "h2:0", "ERROR: URL-rewrite produces invalid request: CONNECT h2:0 HTTP/1.1"},
		{"a page", "http://block.test/why rest of the line", "redirect 302 http://block.test/why"},
		{"a page in capitals", "HTTPS://block.test/", "redirect 302 HTTPS://block.test/"},
		{"a page in a pair", `OK rewrite-url="https://block.test/"`, "redirect 302 https://block.test/"},
		{"a page that would end the field", `OK rewrite-url="http://b/\r\nX: y"`,
			"redirect 302 http://b/X: y"},
		{"another scheme", "ftp://h2/", "ERROR: URL-rewrite produces invalid request: CONNECT ftp://h2/ HTTP/1.1"},
		{"a path", "h2:443/x", "ERROR: URL-rewrite produces invalid request: CONNECT h2:443/x HTTP/1.1"},
		{"1.x: a local page", "file://deny.html", "file deny.html"},
		{"1.x: another host", "intercept://filter.test", "intercept filter.test 0"},
		{"1.x: a redirect", "redirect://http://block.test/", "redirect 302 http://block.test/"},
		{"the same", "origin.test:443", "unchanged"},
		{"the same, as it was asked", "origin.test:443 127.0.0.1/127.0.0.1 - CONNECT myip=127.0.0.1 myport=21128", "unchanged"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			parsed := Parse([]byte(tt.answer), asked(t, "CONNECT", "origin.test:443"), h1.Strip)
			if got := describe(&parsed); got != tt.want {
				t.Errorf("%q should mean %s, it means %s", tt.answer, tt.want, got)
			}
		})
	}
}

func TestEchoOfAHostLikeAnAnswer(t *testing.T) {
	for _, host := range []string{"302:443", "a=b:443", "=:443"} {
		r := asked(t, "CONNECT", host)
		if parsed := Parse([]byte(question(r)), r, h1.Strip); parsed.Action != Unchanged {
			t.Errorf("the question for %s, when it comes back, should change nothing, but it means %s", host, describe(&parsed))
		}
	}
}

func TestWhitespaceInRewrite(t *testing.T) {
	const answer = "OK rewrite-url=\"http://h/a b\tc\""
	for _, tt := range []struct {
		name string
		ws   h1.Whitespace
		want string
	}{
		{"strip", h1.Strip, "rewrite http://h/abc"},
		{"encode", h1.Encode, "rewrite http://h/a%20b%09c"},
		{"chop", h1.Chop, "rewrite http://h/a"},
		{"deny", h1.Deny, "ERROR: URL-rewrite produces invalid request: GET http://h/a b\tc HTTP/1.1"},
		{"allow lets no control character pass", h1.Allow, "ERROR: URL-rewrite produces invalid request: GET http://h/a b\tc HTTP/1.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			parsed := Parse([]byte(answer), asked(t, "GET", "http://origin.test/"), tt.ws)
			if got := describe(&parsed); got != tt.want {
				t.Errorf("uri_whitespace %s: %q should mean %s, it means %s", tt.name, answer, tt.want, got)
			}
		})
	}
}

func TestNotes(t *testing.T) {
	for _, tt := range []struct{ name, answer, want string }{
		{"none", "OK", ""},
		{"all of them", `OK a="q r" b=x%20y url=u b=2`, "a: q r; b: x y; url: u; b: 2; "},
		{"up to the first that is none", "OK a=1 b c=2", "a: 1; "},
		{"of an error", `ERR clt_conn_tag=deny foo="b r"`, "clt_conn_tag: deny; foo: b r; "},
		{"text of an error", "ERR not today", "message: not today; "},
		{"an empty key", "OK a=1 =x d=2", "a: 1; : x; d: 2; "},
		{"marks and backslashes", `OK a=b\"c a=second b=x"y z"w c=1`, `a: b\c a=second b=xy; `},
		{"control characters", `OK d="l\nm\t"`, "d: l\nmt; "},
		{"URL group", "!grp!http://h/", "urlgroup: grp; "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			parsed := Parse([]byte(tt.answer), asked(t, "GET", "http://origin.test/"), h1.Strip)
			got := ""
			parsed.EachNote(func(key, value []byte) { got += string(key) + ": " + string(value) + "; " })
			if got != tt.want {
				t.Errorf("%q should have the annotations %q, it has %q", tt.answer, tt.want, got)
			}
		})
	}
}
