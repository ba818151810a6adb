package main

import (
	"strings"
	"testing"
)

// pupil and teacher are what stands behind a URL.
const (
	pupil   = " 10.1.2.3/pc.example - GET myip=192.0.2.1 myport=3128"
	teacher = " 10.9.0.1/10.9.0.1 - GET myip=192.0.2.1 myport=3128"
)

func TestAnswers(t *testing.T) {
	l := school(t)
	porn := func(url string) string {
		return `OK status=302 url="http://why.example/?c=porn&a=10.1.2.3&i=-&s=&u=` + url + `"`
	}
	unread := func(url string) string {
		return `OK status=302 url="http://why.example/?c=unreadable&a=10.1.2.3&i=-&s=&u=` + url + `"`
	}
	for _, test := range []struct{ line, want string }{
		{"http://www.example.com/" + pupil, "ERR"},
		{"http://porn.example/" + pupil, porn("http%3A%2F%2Fporn.example%2F")},
		{"12 http://a.b.porn.example/" + pupil, "12 " + porn("http%3A%2F%2Fa.b.porn.example%2F")},
		{"porn.example:443" + pupil, porn("porn.example%3A443")},
		{"http://notporn.example/" + pupil, "ERR"},
		{"http://good.porn.example/" + pupil, "ERR"},
		{"http://unused.example/" + pupil, "ERR"},
		{"http://porn.test/" + pupil, "ERR"},

		// the ways round
		{"http://PORN.example../" + pupil, porn("http%3A%2F%2FPORN.example..%2F")},
		{"http://xxx.example/" + pupil, porn("http%3A%2F%2Fxxx.example%2F")},
		{"http://%70orn.ex%61mple:80/" + pupil, porn("http%3A%2F%2F%2570orn.ex%2561mple%3A80%2F")},
		{"http://www.example.com@porn.example/" + pupil, porn("http%3A%2F%2Fwww.example.com%40porn.example%2F")},
		{"http://www.example.com:x@y@porn.example?" + pupil, porn("http%3A%2F%2Fwww.example.com%3Ax%40y%40porn.example%3F")},
		{`http://porn.example\@www.example.com/` + pupil, unread("http%3A%2F%2Fporn.example%5C%40www.example.com%2F")},
		{"http://192.0.2.66:81/" + pupil, porn("http%3A%2F%2F192.0.2.66%3A81%2F")},
		{"http://3221226050/" + pupil, porn("http%3A%2F%2F3221226050%2F")},
		{"http://0300.0x0.578/" + pupil, porn("http%3A%2F%2F0300.0x0.578%2F")},
		{"[::ffff:192.0.2.66]:443" + pupil, porn("%5B%3A%3Affff%3A192.0.2.66%5D%3A443")},
		{"http://[2001:DB8:0::0066]/" + pupil, porn("http%3A%2F%2F%5B2001%3ADB8%3A0%3A%3A0066%5D%2F")},
		{"http://192.0.2.08/" + pupil, unread("http%3A%2F%2F192.0.2.08%2F")},
		{"http:///etc" + pupil, unread("http%3A%2F%2F%2Fetc")},
		{"nonsense:x" + pupil, unread("nonsense%3Ax")},
		{"http://a\x00.example/" + pupil, unread("http%3A%2F%2Fa%00.example%2F")},

		// URLs
		{"http://partly.example/forbidden" + pupil, porn("http%3A%2F%2Fpartly.example%2Fforbidden")},
		{"http://www7.partly.example/x/..//%66orbidden/./y;z?q" + pupil, porn("http%3A%2F%2Fwww7.partly.example%2Fx%2F..%2F%2F%2566orbidden%2F.%2Fy%3Bz%3Fq")},
		{"http://partly.example/forbiddenfruit" + pupil, "ERR"},
		{"http://sub.partly.example/forbidden" + pupil, "ERR"},
		{"partly.example:443" + pupil, "ERR"},
		{"http://other.example/abc/d?X=1&y=2" + pupil, porn("http%3A%2F%2Fother.example%2Fabc%2Fd%3FX%3D1%26y%3D2")},
		{"http://other.example/abc/d?x=12" + pupil, "ERR"},
		{"http://root.example?q" + pupil, porn("http%3A%2F%2Froot.example%3Fq")},

		// expressions
		{"http://a.example/?q=Naked+people" + pupil, porn("http%3A%2F%2Fa.example%2F%3Fq%3DNaked%2Bpeople")},
		{"http://a.example/?q=n%61ked" + pupil, porn("http%3A%2F%2Fa.example%2F%3Fq%3Dn%2561ked")},
		{"http://a.example/snaked" + pupil, "ERR"},
		{"tunnel12.example:443" + pupil, porn("tunnel12.example%3A443")},

		// sources, times, targets of rules
		{"http://social.example/" + pupil, `OK status=302 url="http://why.example/work"`},
		{"http://www.hosts.example/ 10.2.0.9/- - GET", `OK status=302 url="http://why.example/work"`},
		{"http://social.example/ 10.2.0.10/- - GET", "ERR"},
		{"http://social.example/ 2001:db8:1:2::3/- - GET", `OK status=302 url="http://why.example/work"`},
		{"http://social.example/" + teacher, "ERR"},
		{"http://social.example/", `OK status=302 url="http://why.example/work"`}, // who asks is not known
		{"http://192.0.2.1/" + pupil, `OK status=302 url="https://why.example/?192.0.2.1%"`},
		{"http://192.0.2.1/" + teacher, "ERR"},
		{"http://192.0.2.1/ 172.16.0.1/- anna GET", "ERR"},
		{"http://192.0.2.1/ 172.16.0.1/- berta GET", `OK status=302 url="https://why.example/?192.0.2.1%"`},
		{"http://porn.example/ 10.9.0.1/x j%20\"doe GET", `OK status=302 url="http://why.example/?c=porn&a=10.9.0.1&i=j%20%22doe&s=&u=http%3A%2F%2Fporn.example%2F"`},
		{"http://old.example/pub/a%20b\"c?q" + pupil, `OK rewrite-url="http://mirror.example/pub/a%20b%22c?q"`},

		{"http://a.zip/" + pupil, `OK status=302 url="http://why.example/?c=zip&a=10.1.2.3&i=-&s=&u=http%3A%2F%2Fa.zip%2F"`},

		// what is none
		{"", `BH message="the line has no URL"`},
		{"7 ", `7 BH message="the line has no URL"`},
	} {
		if got := string(l.answer(nil, test.line, at(monday))); got != test.want {
			t.Errorf("%q\nis answered %s\nwant        %s", test.line, got, test.want)
		}
	}
	if got := string(l.answer(nil, "http://social.example/"+pupil, at(sunday))); got != "ERR" {
		t.Errorf("on a Sunday what is blocked during lessons is answered %s", got)
	}
}

func TestSafeSearch(t *testing.T) {
	l := school(t)
	for _, test := range []struct{ url, want string }{
		{"https://www.google.co.uk/search?safe=off&q=a+b&S%41FE=x#f", `OK rewrite-url="https://www.google.co.uk/search?q=a+b&safe=active"`},
		{"https://www.google.de/maps?q=a", "ERR"},
		{"https://www.google.evil.example/search?q=a", "ERR"},
		{"https://notgoogle.com/search?q=a", "ERR"},
		{"www.google.com:443", `OK rewrite-url="forcesafesearch.google.com:443"`},
		{"mail.google.com:443", "ERR"},
		{"https://www.bing.com/images/search?q=a&adlt=off", `OK rewrite-url="https://www.bing.com/images/search?q=a&adlt=strict"`},
		{"www.bing.com:8443", `OK rewrite-url="strict.bing.com:8443"`},
		{"http://duckduckgo.com/?q=a\"b", `OK rewrite-url="http://duckduckgo.com/?q=a%22b&kp=1"`},
		{"duckduckgo.com:443", `OK rewrite-url="safe.duckduckgo.com:443"`},
		{"https://search.yahoo.com/search?p=a", `OK rewrite-url="https://search.yahoo.com/search?p=a&vm=r"`},
		{"search.yahoo.com:443", "ERR"},
		{"www.youtube.com:443", `OK rewrite-url="restrict.youtube.com:443"`},
		{"https://www.youtube.com/watch?v=x", "ERR"},
	} {
		if got := string(l.answer(nil, test.url+pupil, at(monday))); got != test.want {
			t.Errorf("%s is answered %s, want %s", test.url, got, test.want)
		}
		if got := string(l.answer(nil, test.url+teacher, at(monday))); got != "ERR" {
			t.Errorf("%s of a teacher is answered %s", test.url, got)
		}
	}
}

func TestCheckSaysWhy(t *testing.T) {
	l := school(t)
	for _, test := range []struct {
		asked
		want string
	}{
		{asked{"http://Porn.example/a b", "10.1.2.3", "-", ""}, "blocklist.conf:9: block, category porn"},
		{asked{"social.example:443", "10.1.2.3", "-", "2026-11-30T09:00"}, "blocklist.conf:10: block, category social/net"},
		{asked{"social.example:443", "10.1.2.3", "-", "2026-11-30T16:00"}, "no rule matches"},
		{asked{"www.google.com:443", "10.1.2.3", "-", ""}, "and then: safesearch"},
		{asked{"http://1.2.3.4.5/", "10.1.2.3", "-", ""}, "blocked as unreadable"},
	} {
		var out strings.Builder
		if err := check(&out, l, test.asked); err != nil || !strings.Contains(out.String(), test.want) {
			t.Errorf("%v: error %v, want %q, got\n%s", test.asked, err, test.want, &out)
		}
	}
	for _, a := range []asked{{"x", "nobody", "-", ""}, {"x", "::1", "-", "noon"}} {
		if err := check(&strings.Builder{}, l, a); err == nil {
			t.Errorf("%v is no error", a)
		}
	}
}

// FuzzAnswer: whatever a line says, it gets one line, with its channel, that a proxy can read.
func FuzzAnswer(f *testing.F) {
	l := school(f)
	for _, line := range []string{
		"http://porn.example/" + pupil, "7 [::1]:443" + pupil, "http://%70orn.example", "http://0x7f.1/..//", "", " ", "0 ",
		"http://a@b:1/\xff\x00?%", "http://www.google.com/search?q=%22\"&safe", "http://old.example/pub\\\"",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if strings.ContainsRune(line, '\n') {
			return
		}
		got := string(l.answer(nil, line, at(monday)))
		channel := parseQuestion(line).channel
		answer, ok := strings.CutPrefix(got, channel)
		if !ok || strings.ContainsAny(got, "\n\r\x00\\") {
			t.Fatalf("%q is answered %q", line, got)
		}
		target, quoted, ok := strings.Cut(answer, `="`)
		switch {
		case answer == "ERR" || strings.HasPrefix(answer, "BH "):
		case !ok || target != "OK status=302 url" && target != "OK rewrite-url" || strings.IndexByte(quoted, '"') != len(quoted)-1 || strings.Contains(quoted, " "):
			t.Fatalf("%q is answered %q", line, got)
		}
	})
}
