package h1

import (
	"errors"
	"net/url"
	"strings"
	"testing"
)

// kindOf is the kind of a SyntaxError, 0 for no error.
func kindOf(t *testing.T, err error) ErrorKind {
	t.Helper()
	if err == nil {
		return 0
	}
	var s *SyntaxError
	if !errors.As(err, &s) {
		t.Fatalf("got error %q, want a *SyntaxError", err)
	}
	return s.Kind
}

var long = strings.Repeat("a", 300)

var canonicalTargets = []struct {
	name, raw, want string
	kind            ErrorKind
}{
	{name: "as it should be", raw: "http://a.example/x?q=1", want: "http://a.example/x?q=1"},
	{name: "scheme and host in capitals", raw: "HTTP://A.Example/Path", want: "http://a.example/Path"},
	{name: "default port of http", raw: "http://a:80/", want: "http://a/"},
	{name: "default port of https", raw: "https://a:443/", want: "https://a/"},
	{name: "default port of ftp", raw: "ftp://a:21/", want: "ftp://a/"},
	{name: "another scheme's port", raw: "http://a:443/", want: "http://a:443/"},
	{name: "leading zero in port", raw: "http://a:08080/", want: "http://a:8080/"},
	{name: "trailing dot", raw: "http://a.example./", want: "http://a.example/"},
	{name: "trailing dots", raw: "http://a.example..:81/", want: "http://a.example:81/"},
	{name: "no path", raw: "http://a", want: "http://a/"},
	{name: "query without path", raw: "http://a?q/r", want: "http://a/?q/r"},
	{name: "fragment without path", raw: "http://a#f", want: "http://a/#f"},
	{name: "fragment kept", raw: "http://a/b#f", want: "http://a/b#f"},
	{name: "escapes untouched", raw: "http://a/%7e%41%zz%", want: "http://a/%7e%41%zz%"},
	{name: "UTF-8 untouched", raw: "http://a/ü", want: "http://a/ü"},
	{name: "unwise characters untouched", raw: "http://a/\"'<>{}|^`\\[]", want: "http://a/\"'<>{}|^`\\[]"},
	{name: "dot segments untouched", raw: "http://a/x/../y//z", want: "http://a/x/../y//z"},
	{name: "user information dropped", raw: "http://u:p%40@a/", want: "http://a/"},
	{name: "empty user information", raw: "http://@a/", want: "http://a/"},
	{name: "whitespace stripped", raw: "http://a/x y\tz", want: "http://a/xyz"},
	{name: "only whitespace after the slash", raw: "http://a/ ", want: "http://a/"},
	{name: "underscore in host", raw: "http://a_b/", want: "http://a_b/"},
	{name: "UTF-8 in host", raw: "http://München.example/", want: "http://münchen.example/"},
	{name: "cache manager", raw: "cache_object://127.0.0.1/info", want: "cache_object://127.0.0.1/info"},
	{name: "cache manager with a password", raw: "cache_object://127.0.0.1/info@secret", want: "cache_object://127.0.0.1/info"},
	{name: "urn", raw: "URN:isbn:0451450523", want: "urn:isbn:0451450523"},
	{name: "unknown scheme with port", raw: "foo://a:99/", want: "foo://a:99/"},
	{name: "IPv6", raw: "http://[2001:DB8::1]:81/", want: "http://[2001:db8::1]:81/"},
	{name: "IPv6 at length", raw: "http://[0:0:0:0:0:0:0:1]/", want: "http://[::1]/"},
	{name: "IPv6 that is IPv4", raw: "http://[::ffff:127.0.0.1]/", want: "http://127.0.0.1/"},
	{name: "IPv4", raw: "http://192.0.2.1:81/", want: "http://192.0.2.1:81/"},
	{name: "IPv4 with trailing dot", raw: "http://192.0.2.1./", want: "http://192.0.2.1/"},
	{name: "IPv4 in two parts", raw: "http://127.1/", want: "http://127.0.0.1/"},
	{name: "IPv4 in three parts", raw: "http://1.2.3/", want: "http://1.2.0.3/"},
	{name: "IPv4 in one part", raw: "http://2130706433/", want: "http://127.0.0.1/"},
	{name: "IPv4 in hexadecimal", raw: "http://0X7f.0.0.0x1/", want: "http://127.0.0.1/"},
	{name: "IPv4 in octal", raw: "http://0177.0.0.010/", want: "http://127.0.0.8/"},
	{name: "IPv4 of zero", raw: "http://0/", want: "http://0.0.0.0/"},
	{name: "name that begins with a number", raw: "http://1.2.3.example/", want: "http://1.2.3.example/"},
	{name: "name that looks hexadecimal", raw: "http://0xcafé/", want: "http://0xcafé/"},
	{name: "origin form", raw: "/x?q#f", want: "/x?q#f"},
	{name: "origin form with two slashes", raw: "//a/x", want: "//a/x"},

	{name: "nothing", raw: "", kind: BadURL},
	{name: "asterisk", raw: "*", kind: BadURL},
	{name: "relative", raw: "x/y", kind: BadURL},
	{name: "host only", raw: "a.example", kind: BadURL},
	{name: "scheme that begins with a digit", raw: "1http://a/", kind: BadURL},
	{name: "one slash", raw: "http:/a", kind: BadURL},
	{name: "no slash", raw: "http:a", kind: BadURL},
	{name: "no host", raw: "http:///x", kind: BadURL},
	{name: "nothing after the slashes", raw: "http://", kind: BadURL},
	{name: "port without host", raw: "http://:80/", kind: BadURL},
	{name: "user without host", raw: "http://u@/", kind: BadURL},
	{name: "only a dot", raw: "http://./", kind: BadURL},
	{name: "leading dot", raw: "http://.a/", kind: BadURL},
	{name: "two dots within", raw: "http://a..b/", kind: BadURL},
	{name: "host too long", raw: "http://" + long + "/", kind: BadURL},
	{name: "empty port", raw: "http://a:/", kind: BadURL},
	{name: "port 0", raw: "http://a:0/", kind: BadURL},
	{name: "port 65536", raw: "http://a:65536/", kind: BadURL},
	{name: "port 4294967376", raw: "http://a:4294967376/", kind: BadURL},
	{name: "port with sign", raw: "http://a:+80/", kind: BadURL},
	{name: "port with letters", raw: "http://a:80x/", kind: BadURL},
	{name: "two ports", raw: "http://a:80:81/", kind: BadURL},
	{name: "two at signs", raw: "http://a@b@c/", kind: BadURL},
	{name: "backslash before at sign", raw: "http://a\\@b/", kind: BadURL},
	{name: "backslash in host", raw: "http://a\\b/", kind: BadURL},
	{name: "escape in host", raw: "http://%61.example/", kind: BadURL},
	{name: "space in host", raw: "http://a b/", kind: BadURL},
	{name: "space before host", raw: "http:// a/", kind: BadURL},
	{name: "space after host", raw: "http://a /x", kind: BadURL},
	{name: "space in user", raw: "http://u v@a/", kind: BadURL},
	{name: "quote in host", raw: "http://a\"b/", kind: BadURL},
	{name: "IPv6 without brackets", raw: "http://::1/", kind: BadURL},
	{name: "IPv6 with zone", raw: "http://[fe80::1%25eth0]/", kind: BadURL},
	{name: "IPv6 cut short", raw: "http://[::1/", kind: BadURL},
	{name: "IPv6 with tail", raw: "http://[::1]x/", kind: BadURL},
	{name: "IPv6 with head", raw: "http://x[::1]/", kind: BadURL},
	{name: "IPv4 in brackets", raw: "http://[127.0.0.1]/", kind: BadURL},
	{name: "IPvFuture", raw: "http://[v1.x]/", kind: BadURL},
	{name: "IPv4 out of range", raw: "http://256.0.0.1/", kind: BadURL},
	{name: "IPv4 beyond 32 bits", raw: "http://4294967296/", kind: BadURL},
	{name: "IPv4 far beyond 32 bits", raw: "http://18446744073709551617/", kind: BadURL},
	{name: "IPv4 with too large a tail", raw: "http://127.0.65536/", kind: BadURL},
	{name: "IPv4 in five parts", raw: "http://1.2.3.4.5/", kind: BadURL},
	{name: "IPv4 with bad octal", raw: "http://127.0.0.08/", kind: BadURL},
	{name: "IPv4 with empty hexadecimal", raw: "http://0x/", kind: BadURL},
	{name: "IPv4 part that is a name", raw: "http://a.1/", kind: BadURL},
	{name: "urn without name", raw: "urn:isbn", kind: BadURL},
	{name: "urn with short namespace", raw: "urn:i:1", kind: BadURL},
	{name: "unknown scheme without port", raw: "foo://a/", kind: UnsupportedScheme},
	{name: "NUL", raw: "http://a/\x00", kind: BadTarget},
	{name: "CR", raw: "http://a/\r", kind: BadTarget},
	{name: "LF", raw: "http://a/\n", kind: BadTarget},
	{name: "control character in host", raw: "http://a\x01/", kind: BadTarget},
	{name: "DEL", raw: "http://a/\x7f", kind: BadTarget},
}

func TestTargetInCanonicalForm(t *testing.T) {
	for _, test := range canonicalTargets {
		t.Run(test.name, func(t *testing.T) {
			target, _, err := ParseTarget("GET", []byte(test.raw), Strip, nil)
			if kind := kindOf(t, err); kind != test.kind {
				t.Fatalf("ParseTarget(%q) gives error %v, want kind %v", test.raw, err, test.kind)
			}
			if err != nil {
				return
			}
			if got := string(target.AppendURL(nil)); got != test.want {
				t.Errorf("the canonical form of %q is %q, want %q", test.raw, got, test.want)
			}
		})
	}
}

// TestShown has targets and request lines that cannot be parsed, which pages and logs have without user information.
func TestShown(t *testing.T) {
	for raw, want := range map[string]string{
		"http://joe:secret@a:99999/p?q@r":                 "http://a:99999/p?q@r",
		"http://joe@b:secret@a/":                          "http://a/",
		"joe:secret@a:443":                                "a:443",
		"GET http://joe:secret@a/ HTTP/3":                 "GET http://a/ HTTP/3",
		"GET joe:secret@a/ HTTP/1.1":                      "GET a/ HTTP/1.1",
		"http://joe:secret@":                              "http://",
		"http://a\\@b/":                                   "http://b/",
		"/p@q":                                            "/p@q",
		"GET Cache_Object://h:99999/menu@secret HTTP/1.0": "GET Cache_Object://h:99999/menu",
		"cache_object:/h/menu@se@cret":                    "cache_object:/h/menu",
		"cache_object://joe:secret@h/menu@secret":         "cache_object://h/menu",
		"cache_object:/h/menu@se://cret":                  "cache_object:/h/menu",
		"http://joe:secret@h:x/?cache_object:y":           "http://h:x/?cache_object:y",
		"http://joe:secret@h:x/cache_object:/":            "http://h:x/cache_object:/",
		"GET http://joe:secret@h/ cache_object:/x@y":      "GET http://h/ cache_object:/x@y",
		"http:/joe:secret@h/":                             "http:/h/",
		"//joe:secret@h/p@q":                              "//h/p@q",
		"GET https:///joe:secret@h/":                      "GET https:///h/",
		"G\x00T http://joe:secret@h/":                     "G\x00T http://h/",
		"GET joe:secret@h/?http://joe:secret@h":           "GET h/?http://h",
		"cache_object://h/menu":                           "cache_object://h/menu",
		"http://a/p@q":                                    "http://a/p@q",
		"http://a?mail=joe@b":                             "http://a?mail=joe@b",
		"@":                                               "", "": "", "x": "x",
	} {
		came := []byte(raw)
		if got := string(Shown(came)); got != want || string(came) != raw {
			t.Errorf("%q: got %q, want %q", raw, got, want)
		}
	}
}

func TestTargetOfConnect(t *testing.T) {
	for _, test := range []struct {
		name, raw, want string
	}{
		{name: "name and port", raw: "a.example:8443", want: "a.example:8443"},
		{name: "in capitals, with dot", raw: "A.Example.:443", want: "a.example:443"},
		{name: "no port", raw: "a.example", want: "a.example:443"},
		{name: "empty port", raw: "a.example:", want: "a.example:443"},
		{name: "IPv6", raw: "[0:0::1]:443", want: "[::1]:443"},
		{name: "IPv6 without port", raw: "[::1]", want: "[::1]:443"},
		{name: "short IPv4", raw: "127.1:443", want: "127.0.0.1:443"},
		{name: "port 0", raw: "a:0"},
		{name: "port 65536", raw: "a:65536"},
		{name: "no host", raw: ":443"},
		{name: "user information", raw: "u@a:443"},
		{name: "IPv6 without brackets", raw: "::1:443"},
		{name: "URL", raw: "http://a/"},
		{name: "path", raw: "a:443/"},
		{name: "origin form", raw: "/"},
		{name: "space", raw: "a b:443"},
	} {
		t.Run(test.name, func(t *testing.T) {
			target, _, err := ParseTarget("CONNECT", []byte(test.raw), Strip, nil)
			if (err == nil) != (test.want != "") || test.want == "" && kindOf(t, err) != BadURL {
				t.Fatalf("ParseTarget(CONNECT, %q) gives error %v", test.raw, err)
			}
			if err != nil {
				return
			}
			if got := string(target.AppendURL(nil)); got != test.want || target.Form != Authority {
				t.Errorf("got %q in form %d, want %q in authority form", got, target.Form, test.want)
			}
		})
	}
}

func TestTargetParts(t *testing.T) {
	got, _, err := ParseTarget("GET", []byte("HTTPS://U%20ser:P@[2001:DB8:0::1]:444?x y"), Strip, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got.Form != Absolute || got.Scheme != "https" || string(got.Userinfo) != "U%20ser:P" || got.Port != 444 {
		t.Errorf("form, scheme, user or port are wrong: %+v", got)
	}
	if string(got.Host) != "2001:db8::1" || !got.IPv6 || string(got.Path) != "/?xy" {
		t.Errorf("host or path are wrong: %q, %v, %q", got.Host, got.IPv6, got.Path)
	}
	if host := string(got.AppendHost(nil)); host != "[2001:db8::1]:444" {
		t.Errorf("for the Host field: %q", host)
	}
	for _, method := range []string{"OPTIONS", "TRACE"} {
		got, _, err = ParseTarget(method, []byte("*"), Strip, nil)
		if err != nil || got.Form != Asterisk || string(got.AppendURL(nil)) != "*" {
			t.Errorf("%s *: %+v, %v", method, got, err)
		}
	}
	if got, _, _ = ParseTarget("GET", []byte("/x"), Strip, nil); got.Form != Origin || got.Port != 0 {
		t.Errorf("origin form: %+v", got)
	}
}

// The encoded form is what Squid 5.7 makes of the same URL.
func TestTargetWhitespace(t *testing.T) {
	const raw = "http://a/a b#<>\"{}|\\^~[]`'%zz%41\x80\xff?q=\xc3\xbc\tx\v\f"
	for _, test := range []struct {
		name string
		ws   Whitespace
		want string
	}{
		{"strip", Strip, "http://a/ab#<>\"{}|\\^~[]`'%zz%41\x80\xff?q=\xc3\xbcx"},
		{"allow", Allow, raw},
		{"chop", Chop, "http://a/a"},
		{"encode", Encode, "http://a/a%20b%23%3C%3E%22%7B%7D%7C%5C%5E%7E%5B%5D%60%27%zz%41%80%FF?q=%C3%BC%09x%0B%0C"},
	} {
		t.Run(test.name, func(t *testing.T) {
			target, _, err := ParseTarget("GET", []byte(raw), test.ws, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(target.AppendURL(nil)); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	if _, _, err := ParseTarget("GET", []byte(raw), Deny, nil); kindOf(t, err) != BadURL {
		t.Errorf("deny: got error %v", err)
	}
	target, _, err := ParseTarget("GET", []byte("http://a/<>"), Encode, nil)
	if got := string(target.AppendURL(nil)); err != nil || got != "http://a/<>" {
		t.Errorf("encode leaves a URL without whitespace alone: got %q, %v", got, err)
	}
}

func TestTargetLength(t *testing.T) {
	raw := []byte("http://a/" + strings.Repeat("x", 8191-9))
	if _, _, err := ParseTarget("GET", raw, Strip, nil); err != nil {
		t.Errorf("8191 bytes are allowed: %v", err)
	}
	if _, _, err := ParseTarget("GET", append(raw, 'x'), Strip, nil); kindOf(t, err) != BadURL {
		t.Errorf("8192 bytes are not: %v", err)
	}
}

// TestTargetReusesItsBuffer keeps several targets in one buffer, as a rewrite beside the original does.
func TestTargetReusesItsBuffer(t *testing.T) {
	first, buf, err := ParseTarget("GET", []byte("http://FIRST?1"), Strip, nil)
	if err != nil {
		t.Fatal(err)
	}
	second, _, err := ParseTarget("GET", []byte("http://SECOND?2"), Strip, buf)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(first.AppendURL(nil)) + " " + string(second.AppendURL(nil)); got != "http://first/?1 http://second/?2" {
		t.Errorf("the second target disturbed the first: %s", got)
	}
}

func FuzzTarget(f *testing.F) {
	for _, seed := range []string{"http://U@A.Example.:80/x y#f", "[::1]:443", "http://[::ffff:1.2.3.4]?q", "urn:ab:c d",
		"http://0x7f.1/", "*", "/x", "cache_object://a/b", "http://a\\@b/", "https://a:443#x"} {
		for ws := Strip; ws <= Chop; ws++ {
			f.Add("GET", seed, uint8(ws))
		}
		f.Add("CONNECT", seed, uint8(0))
		f.Add("OPTIONS", seed, uint8(0))
	}
	f.Fuzz(func(t *testing.T, method, raw string, ws uint8) {
		target, _, err := ParseTarget(method, []byte(raw), Whitespace(ws%5), nil)
		shown := Shown([]byte(raw))
		if !partOf(shown, raw) {
			t.Fatalf("%q is shown as %q", raw, shown)
		}
		if err != nil {
			kindOf(t, err)
			return
		}
		if target.Form == Absolute && target.Scheme != "urn" {
			if plain, _, err := ParseTarget(method, shown, Whitespace(ws%5), nil); err != nil || len(plain.Userinfo) > 0 || string(plain.AppendURL(nil)) != string(target.AppendURL(nil)) {
				t.Fatalf("%q is shown as %q, which is read as %q, %v", raw, shown, plain.AppendURL(nil), err)
			}
		}
		canonical := target.AppendURL(nil)
		again, _, err := ParseTarget(method, canonical, Whitespace(ws%5), nil)
		if err != nil && len(canonical) <= maxURL {
			t.Fatalf("%q becomes %q, which is refused: %v", raw, canonical, err)
		}
		if twice := again.AppendURL(nil); err == nil && string(twice) != string(canonical) {
			t.Fatalf("%q becomes %q becomes %q", raw, canonical, twice)
		}
		if target.Form == Absolute && target.Scheme != "urn" {
			sameHostElsewhere(t, raw, &target)
			sameHostElsewhere(t, string(canonical), &target)
		}
	})
}

// partOf says whether a is b without some of its bytes.
func partOf(a []byte, b string) bool {
	for _, c := range a {
		i := strings.IndexByte(b, c)
		if i < 0 {
			return false
		}
		b = b[i+1:]
	}
	return true
}

// sameHostElsewhere fails if net/url reads another host or port in a URL that we accepted.
func sameHostElsewhere(t *testing.T, raw string, target *Target) {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		return
	}
	other := targetParser{t: Target{Form: Absolute}, raw: []byte(raw)}
	if err := other.host([]byte(u.Host[:len(u.Host)-len(portOf(u))])); err != nil {
		t.Fatalf("net/url reads host %q in %q, which we refuse: %v", u.Host, raw, err)
	}
	if string(other.t.Host) != string(target.Host) {
		t.Fatalf("net/url reads host %q in %q, we read %q", u.Host, raw, target.Host)
	}
	if p := parsePort([]byte(u.Port())); p != 0 && p != target.Port {
		t.Fatalf("net/url reads port %d in %q, we read %d", p, raw, target.Port)
	}
}

// portOf is the colon and port of a URL.
func portOf(u *url.URL) string {
	if u.Port() == "" {
		return ""
	}
	return ":" + u.Port()
}
