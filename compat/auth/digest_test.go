package auth

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/answer"
	"exaproxy/compat/compattest"
	"exaproxy/engine/h1"
)

// TestDigestOfTheRFC has the example of RFC 2617, section 3.5, and of RFC 7616, section 3.9.1.
func TestDigestOfTheRFC(t *testing.T) {
	for _, row := range []struct{ ha1, field string }{
		{"939e7578ed9e3c518a452acee763bce9", `username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093",
 uri="/dir/index.html", qop=auth, nc=00000001, cnonce="0a4f113b", response="6629fae49393a05397450978507c4ef1"`},
		{"3d78807defe7de2157e2b0b6573a855f", `username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm=MD5,
 nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth,
 response="8ca523f5e9506fed4657c9700eebdbec"`},
	} {
		c := parseDigest([]byte(strings.ReplaceAll(row.field, "\n", "")))
		var ha1 [16]byte
		hex.Decode(ha1[:], []byte(row.ha1))
		if got := c.expected(ha1, "GET"); !c.whole() || string(hexOf(got)) != string(c.response) {
			t.Errorf("%s: whole %v, expected %x", row.field, c.whole(), got)
		}
	}
}

func TestDigestCredentials(t *testing.T) {
	const good = `username="bob", realm="r", nonce="n", uri="/", qop=auth, nc=00000001, cnonce="c", response="0123456789abcdef0123456789ABCDEF"`
	replaced := func(old, with string) string {
		if !strings.Contains(good, old) {
			t.Fatal(old)
		}
		return strings.Replace(good, old, with, 1)
	}
	for _, row := range []struct {
		field, user string
		whole       bool
	}{
		{good, "bob", true},
		{strings.ReplaceAll(good, ", ", ","), "bob", true},
		{" ,, " + good + ", opaque=\"a,b\", x", "bob", true},
		{replaced(`"bob"`, `bob`), "bob", true},
		{replaced(`"bob"`, `"b, nc=1"`), "b, nc=1", true},
		{replaced(`"bob"`, `"b\"o\\b"`), `b"o\b`, true},
		{replaced(`"bob"`, `"b"o"b"`), `b"o"b`, true}, // nobody's name: see name
		{replaced(`"bob"`, `b"ob`), "", false},
		{replaced(`"bob"`, `""`), "", false},
		{good + `, username="al"`, "al", true},
		{replaced(`qop=auth`, `qop="auth"`), "bob", true},
		{replaced(`qop=auth`, `qop=auth-int`), "bob", false},
		{replaced(`qop=auth, `, ``), "bob", false},
		{replaced(`qop=auth, nc=00000001, cnonce="c", `, ``), "bob", true},
		{replaced(`qop=auth, nc=00000001, cnonce="c", `, `algorithm=MD5-sess,`), "bob", false},
		{replaced(`qop=auth`, `qop=auth, algorithm=MD5`), "bob", true},
		{replaced(`qop=auth`, `qop=auth, algorithm="MD5-sess"`), "bob", true},
		{replaced(`qop=auth`, `qop=auth, algorithm=SHA-256`), "bob", false},
		{replaced(`nc=00000001`, `nc=1`), "bob", false},
		{replaced(`nc=00000001`, `nc=+0000001`), "bob", false},
		{replaced(`nc=00000001`, `nc=0000000g`), "bob", false},
		{replaced(`nc=00000001, `, ``), "bob", false},
		{replaced(`cnonce="c"`, `cnonce=""`), "bob", false},
		{replaced(`uri="/"`, `uri=/`), "bob", false},
		{replaced(`nonce="n"`, `nonce=`), "bob", false},
		{replaced(`realm="r"`, `realm`), "bob", false},
		{replaced(`0123`, `012`), "bob", false},
		{"x", "", false},
		{"", "", false},
	} {
		c := parseDigest([]byte(row.field))
		if string(c.user) != row.user || c.whole() != row.whole {
			t.Errorf("%s: user %q, whole %v; want %q, %v", row.field, c.user, c.whole(), row.user, row.whole)
		}
	}
}

func TestURIOfTheRequest(t *testing.T) {
	for _, row := range []struct {
		line, uri string
		want      bool
	}{
		{"GET http://a.test/x?y", "/x?y", true},
		{"GET http://a.test/x?y", "http://a.test/x?y", true},
		{"GET http://a.test/x?y", "/x", false},
		{"GET http://a.test/x?y", "http://b.test/x?y", false},
		{"GET http://a.test/x?y", "//a.test/x?y", false},
		{"GET http://a.test", "/", true},
		{"GET http://a.test", "", false},
		{"GET http://a.test?y", "/?y", true},
		{"GET http://a.test?y", "?y", false},
		{"GET http://A.test/%7e", "/%7e", true},
		{"GET http://A.test/%7e", "/~", false},
		{"CONNECT a.test:443", "a.test:443", true},
		{"CONNECT a.test:443", "/", false},
		{"CONNECT a.test:443", "b.test:443", false},
	} {
		r := compattest.NewRequest(t, row.line+" HTTP/1.1")
		if got := (&digestCredentials{uri: []byte(row.uri)}).about(r); got != row.want {
			t.Errorf("%s, uri %q: %v", row.line, row.uri, got)
		}
	}
}

func TestNonces(t *testing.T) {
	mine, other, now := newNonces(), newNonces(), time.Unix(1700000000, 0)
	text := mine.appendNew(nil, now)
	if n, ok := mine.read(text); !ok || n.number != 1 || !n.made.Equal(now) {
		t.Errorf("it is read as %+v, %v", n, ok)
	}
	if _, ok := other.read(text); ok {
		t.Error("another configuration's is taken for its own")
	}
	for i := range text {
		changed := bytes.Clone(text)
		changed[i] ^= 1
		if _, ok := mine.read(changed); ok {
			t.Errorf("%s is read", changed)
		}
	}
	for _, text := range []string{"", "x", string(text) + "A", string(text[:len(text)-1]), strings.Repeat("!", len(text))} {
		if _, ok := mine.read([]byte(text)); ok {
			t.Errorf("%q is read", text)
		}
	}
}

func TestUses(t *testing.T) {
	for _, row := range []struct {
		counts string // in their order; those with ! are refused
		strict bool
	}{
		{"1 2 3 !3 !2 !1 4", false},
		{"1 2 !2 3 !5 4", true},
		{"!2 1", true},
		{"5 3 !3 4 1 !1 2 !4 !5 6", false},
		{"1 21 2 !2 !1 20", false},
		{"1 22 !2 3", false},
		{"!0 100 !80 81 !100 16777215 !16777216 !16777195 16777196", false},
	} {
		u := uses{}
		for _, word := range strings.Fields(row.counts) {
			count, refused := uint64(0), strings.HasPrefix(word, "!")
			fmt.Sscan(strings.TrimPrefix(word, "!"), &count)
			after, ok := u.use(count, row.strict)
			if ok == refused {
				t.Errorf("%s, strict %v: %s is taken: %v", row.counts, row.strict, word, ok)
			}
			if back, lap := usesIn(after.of(7*mostNonces + 3)); back != after || lap != 7 {
				t.Errorf("%+v in a word is %+v, lap %d", after, back, lap)
			}
			u = after
		}
	}
}

// TestNoCountIsTakenTwice has several goroutines, as workers are, take the same counts of the same nonces.
func TestNoCountIsTakenTwice(t *testing.T) {
	const counts = recentBits // all of which may come in any order
	n := newNonces()
	text := n.appendNew(nil, time.Unix(0, 0))
	found, _ := n.read(text)
	var taken [counts + 1]atomic.Int64
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for count := uint64(1); count <= counts; count++ {
				if n.take(found.number, func(u uses) (uses, bool) { return u.use(count, false) }) {
					taken[count].Add(1)
				}
			}
		})
	}
	wait.Wait()
	for count := 1; count <= counts; count++ {
		if got := taken[count].Load(); got != 1 {
			t.Errorf("count %d is taken %d times", count, got)
		}
	}
	n.last.Store(found.number + mostNonces - 1)
	n.appendNew(nil, time.Unix(0, 0))
	if n.take(found.number, func(u uses) (uses, bool) { return u, true }) {
		t.Error("a nonce is good whose place another has")
	}
}

func TestHA1(t *testing.T) {
	const ha1 = "7e1f7c93ddf3c4fdc50c05ecd0369166"
	for line, want := range map[string]bool{
		`OK ha1="` + ha1 + `"`:                 true,
		`OK ha1=` + strings.ToUpper(ha1):       true,
		`OK group=x ha1="` + ha1 + `" ha1="0"`: true,
		`OK ha1="0" ha1="` + ha1 + `"`:         false,
		`OK ` + ha1:                            false,
		`OK`:                                   false,
		ha1:                                    true,
		ha1 + " and more":                      true,
		ha1 + "00":                             false,
		ha1[:31] + "x":                         false,
		`ERR ha1="` + ha1 + `"`:                false,
		`BH ha1="` + ha1 + `"`:                 false,
		`ok ha1="` + ha1 + `"`:                 false,
		"":                                     false,
	} {
		a := answer.Parse([]byte(line))
		got, ok := readHA1(&a)
		if ok != want || ok && string(hexOf(got)) != ha1 {
			t.Errorf("%s: %v, %x", line, ok, got)
		}
	}
}

// TestDigestSettings has what each setting does to the counts of a nonce.
func TestDigestSettings(t *testing.T) {
	for _, row := range []struct {
		lines, counts string // - is a response without qop
	}{
		{"", "1 2 !2 50 !51 49"},
		{"nonce_max_count 2", "1 !3 2 !3"},
		{"nonce_max_count 0", "!1"},
		{"nonce_strictness on", "!2 1 2 !4 3"},
		{"check_nonce_count off\nnonce_max_count 3", "7 7 1 !1"},
		{"check_nonce_count off\nnonce_max_count 3\nnonce_strictness on", "7 7 1 !1"},
		{"", "- !- !1"},
		{"", "1 !-"},
		{"check_nonce_count off", "- -"},
	} {
		text := "auth_param digest program /bin/cat\n"
		for line := range strings.Lines(row.lines) {
			text += "auth_param digest " + strings.TrimSpace(line) + "\n"
		}
		s := Defaults()
		compattest.MustRead(t, acl.NewSet(), s.Directives(), text)
		d := &digestProver{Digest: s.schemes[0].scheme.(*Digest)}
		u := uses{}
		for _, word := range strings.Fields(row.counts) {
			count, refused := strings.TrimPrefix(word, "!"), strings.HasPrefix(word, "!")
			c := &digestCredentials{qop: []byte("auth")}
			if count == "-" {
				c = &digestCredentials{}
			} else {
				n := 0
				fmt.Sscan(count, &n)
				c.nc = fmt.Appendf(nil, "%08x", n)
			}
			after, ok := d.use(u, c)
			if ok == refused {
				t.Errorf("%q: %s: at %s taken is %v", row.lines, row.counts, word, ok)
			}
			if ok {
				u = after
			}
		}
	}
}

func TestDigestNames(t *testing.T) {
	for _, row := range []struct {
		user string
		utf8 bool
		want string
		ok   bool
	}{
		{"j doe", false, "j doe", true},
		{"\xe9ve", false, "\xe9ve", true},
		{"\xe9ve", true, "éve", true},
		{"éve", true, "éve", true},
		{`b"ob`, false, "", false},
		{"bo\x00b", false, "", false},
		{"bo\x7fb", true, "", false},
		{"", false, "", false},
	} {
		d := &digestProver{Digest: &Digest{Program: Program{UTF8: row.utf8}}}
		if got, ok := d.name([]byte(row.user)); string(got) != row.want || ok != row.ok {
			t.Errorf("%q: %q, %v", row.user, got, ok)
		}
	}
}

// TestSchemesInTheirOrder has the scheme first that is named first.
func TestSchemesInTheirOrder(t *testing.T) {
	s := Defaults()
	compattest.MustRead(t, acl.NewSet(), s.Directives(), `auth_param digest realm x
auth_param basic program /bin/cat
auth_param digest program /bin/cat
`)
	var names []string
	s.EachProgram(func(directive string, _ []string) { names = append(names, directive) })
	if want := []string{"squid.conf line 3: auth_param digest program", "squid.conf line 2: auth_param basic program"}; !slices.Equal(names, want) {
		t.Errorf("got %q", names)
	}
}

// Whatever a client sends is one line to the helper, whose user stands between two marks.
func FuzzDigest(f *testing.F) {
	f.Add([]byte(`username="bob", realm="r", nonce="n", uri="/", response="0"`), true)
	f.Add([]byte(`username="b\"o\\b",,nc==,="`), false)
	f.Fuzz(func(t *testing.T, field []byte, utf bool) {
		c := parseDigest(field)
		d := &digestProver{Digest: &Digest{Program: Program{UTF8: utf, Realm: "r"}}}
		name, ok := d.name(c.user)
		if !ok {
			return
		}
		line := d.question(name, nil)
		if bytes.Count(line, []byte(`"`)) != 4 || bytes.ContainsAny(line, "\r\n\x00") {
			t.Errorf("%q: the line is %q", field, line)
		}
	})
}

// TestNextNoncesAreTheRequestsOwn has two replies being made at a time.
func TestNextNoncesAreTheRequestsOwn(t *testing.T) {
	services := compattest.Services(t)
	d := &digestProver{Digest: newDigest(), loop: services.Loop}
	d.MaxCount = 1
	field := []byte(`nonce="` + string(d.nonces.appendNew(nil, services.Loop.Now())) + `"`)
	var heads [2]h1.Header
	for i := range heads {
		d.inform(compattest.NewRequest(t, "GET / HTTP/1.1"), field, &heads[i])
	}
	first, second := heads[0].Get("Proxy-Authentication-Info"), heads[1].Get("Proxy-Authentication-Info")
	if len(first) == 0 || bytes.Equal(first, second) {
		t.Errorf("they are told %q and %q", first, second)
	}
	d.MaxCount = 3 // and none is used
	var none h1.Header
	if d.inform(compattest.NewRequest(t, "GET / HTTP/1.1"), field, &none); none.Len() > 0 {
		t.Errorf("a fresh nonce is followed by %q", none.Get("Proxy-Authentication-Info"))
	}
}
