package helpertest

import (
	"strings"
	"testing"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/compattest"
	"exaproxy/compat/redirector"
	"exaproxy/engine/h1"
)

// newRewriter makes the Talk of a redirector with default settings.
func newRewriter(t *testing.T) *rewriter {
	t.Helper()
	s := redirector.Defaults(acl.NewSet())
	return Rewriter(&s, h1.Strip)(compattest.Services(t)).(*rewriter)
}

// TestQuestions has lines of every kind made what helpers get.
func TestQuestions(t *testing.T) {
	r := newRewriter(t)
	const rest = " 127.0.0.1/127.0.0.1 - "
	const ports = " myip=127.0.0.1 myport=3128"
	for line, want := range map[string]string{
		"http://a.test/": "http://a.test/" + rest + "GET" + ports,
		"a.test:443":     "a.test:443" + rest + "CONNECT" + ports,
		"http://a.test/ 192.0.2.1/- joe POST x=y": "http://a.test/ 192.0.2.1/- joe POST x=y",
		"7 http://a.test/ 192.0.2.1/- - GET":      "http://a.test/ 192.0.2.1/- - GET",
		"":                                        "",
		"no URL at all":                           "no URL at all",
	} {
		q, err := r.Question(line)
		if got := ""; err == nil {
			if got = string(q.Line()); got != want {
				t.Errorf("%q is asked as %q, want %q", line, got, want)
			}
		} else if want != "" {
			t.Errorf("%q is not asked: %v", line, err)
		}
	}
}

// TestProbes has none that the proxy would not send.
func TestProbes(t *testing.T) {
	r := newRewriter(t)
	probes := r.Probes()
	if len(probes) != 6 {
		t.Errorf("there are %d probes, want 6", len(probes))
	}
	longest := 0
	for _, p := range probes {
		longest = max(longest, len(p.Line()))
		if len(p.Line()) >= r.settings.LineMax {
			t.Errorf("%s: a line of %d bytes is not sent", p.Tries, len(p.Line()))
		}
	}
	if longest < 8000 {
		t.Errorf("the longest line has %d bytes", longest)
	}
}

// TestFromLog reads lines of access logs.
func TestFromLog(t *testing.T) {
	for _, row := range []struct{ line, want string }{
		{"1700000000.123     12 192.0.2.5 TCP_MISS/200 512 GET http://a.test/x?y joe HIER_DIRECT/192.0.2.9 text/html", "http://a.test/x?y 192.0.2.5/192.0.2.5 joe GET myip=127.0.0.1 myport=3128"},
		{"1700000000.123     12 2001:db8::5 TCP_TUNNEL/200 512 CONNECT a.test:443 - HIER_DIRECT/192.0.2.9 -", "a.test:443 2001:db8::5/2001:db8::5 - CONNECT myip=::1 myport=3128"},
		{`192.0.2.6 - bob [10/Oct/2000:13:55:36 -0700] "POST http://a.test/ HTTP/1.1" 200 2326 "http://ref.test/" "Mozilla/5.0" TCP_MISS:HIER_DIRECT`, "http://a.test/ 192.0.2.6/192.0.2.6 bob POST myip=127.0.0.1 myport=3128"},
		{`192.0.2.6 - - [10/Oct/2000:13:55:36 -0700] "GET http://a.test/ HTTP/1.0" 200 2326 TCP_MISS:HIER_DIRECT`, "http://a.test/ 192.0.2.6/192.0.2.6 - GET myip=127.0.0.1 myport=3128"},
		{"1700000000.123 12 192.0.2.5 NONE/400 512 - error:invalid-request - HIER_NONE/- -", ""},
		{"1700000000.123 12 a.host TCP_MISS/200 512 GET http://a.test/ - HIER_NONE/- -", ""},
		{"something else", ""},
		{"", ""},
	} {
		r, err := fromLog(row.line)
		if (err == nil) != (row.want != "") {
			t.Errorf("%q: %v", row.line, err)
		}
		if err != nil {
			continue
		}
		q, err := newRewriter(t).OfRequest(r)
		if err != nil || string(q.Line()) != row.want {
			t.Errorf("%q is asked as %q (%v), want %q", row.line, q.Line(), err, row.want)
		}
	}
}

// TestMeans has answers mean what they mean to the proxy.
func TestMeans(t *testing.T) {
	for answer, want := range map[string]Meaning{
		"":                                   {Does: "passes"},
		"ERR":                                {Does: "passes"},
		`OK rewrite-url="http://b.test/"`:    {Does: "goes to http://b.test/"},
		`OK status=302 url="http://b.test/"`: {Does: "302 http://b.test/"},
		"301:http://b.test/":                 {Does: "301 http://b.test/"},
		"intercept://b.test:81":              {Does: "goes to the server b.test"},
		"BH":                                 {Does: "is asked about once more", Again: true},
		"TT x":                               {Does: "passes unfiltered (url_rewrite_failure)", Fault: "ERROR: URL rewrite helper returned invalid result code. Wrong helper? {result=TT, notes={token: x; }}"},
		"OK status=200 url=x":                {Does: "503 ERR_GATEWAY_FAILURE", Fault: "ERROR: URL-rewrite produces invalid 200 redirect Location: x"},
	} {
		q, err := newRewriter(t).Question("http://a.test/")
		if err != nil {
			t.Fatal(err)
		}
		if got := q.Means([]byte(answer), nil); got != want {
			t.Errorf("%q means %+v, want %+v", answer, got, want)
		}
	}
}

// TestPrintable shows whatever it is on one line, and no wider than wanted.
func TestPrintable(t *testing.T) {
	for _, row := range []struct {
		text string
		most int
		want string
	}{
		{"short", 5, "short"},
		{"longer", 5, "long…"},
		{"a\tb\xff\n", 20, `a\x09b\xff\x0a`},
		{"\xff\xff\xff", 9, `\xff\xff…`},
		{"äöü", 3, "äöü"},
		{"", 3, ""},
	} {
		if got := Printable([]byte(row.text), row.most); got != row.want {
			t.Errorf("%q is %q, want %q", row.text, got, row.want)
		}
	}
}

// TestFaults has what follows from another fault left out.
func TestFaults(t *testing.T) {
	var f Faults
	for _, kind := range []string{"silent", "no channel", "no channel", late, "met a fault of ours", "ended", deadly, "wrote a line that nobody asked for", "surplus", "has not answered for 2s", "has not answered for 2s, but for half a line"} {
		f.add(kind, "first "+kind)
	}
	got := ""
	for _, one := range f.causes() {
		got += one.Kind + ";"
		if one.Advice == "" || !strings.HasPrefix(one.First, "first ") {
			t.Errorf("%+v", one)
		}
	}
	if want := "no channel;" + deadly + ";surplus;half a line;"; got != want || f.count("no channel") != 2 || f.count("surplus") != 2 {
		t.Errorf("the faults are %s (%+v), want %s", got, f, want)
	}
}

// TestPercentiles are those of times in any order.
func TestPercentiles(t *testing.T) {
	var times []time.Duration
	for i := range 200 {
		times = append(times, time.Duration((i*7)%200+1))
	}
	if median, p99 := percentiles(times); median != 101 || p99 != 199 {
		t.Errorf("they are %d and %d", median, p99)
	}
	if median, p99 := percentiles(nil); median != 0 || p99 != 0 {
		t.Errorf("of none they are %d and %d", median, p99)
	}
}
