package rewrite

import (
	"strings"
	"testing"

	"exaproxy/engine"
	"exaproxy/engine/h1"
)

func TestCostsNoMemory(t *testing.T) {
	r := asked(t, "GET", "http://origin.test/a?b=c")
	r.User = "j doe"
	rec, buf := &engine.Record{Request: r}, make([]byte, 0, 256)
	if n := testing.AllocsPerRun(100, func() { buf = Append(buf[:0], nil, rec) }); n != 0 {
		t.Errorf("a question costs %v allocations, it should cost none", n)
	}
	for _, answer := range []string{"", "ERR", "OK", "OK a=b", "http://origin.test/a?b=c", "OK status=302 url=\"http://block.test/\"", "http://other.test/"} {
		line := []byte(answer)
		if n := testing.AllocsPerRun(100, func() { Parse(line, r, h1.Strip) }); n != 0 {
			t.Errorf("the answer %q costs %v allocations, it should cost none", answer, n)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	rec, buf := &engine.Record{Request: asked(b, "GET", "http://origin.test/a?b=c")}, make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		buf = Append(buf[:0], nil, rec)
	}
}

func BenchmarkParse(b *testing.B) {
	r := asked(b, "GET", "http://origin.test/a?b=c")
	for name, answer := range map[string]string{
		"empty": "", "ERR": "ERR", "redirect": `OK status=302 url="http://block.test/why?u=http://origin.test/"`,
		"rewrite": `OK rewrite-url="http://block.test/why"`, "legacy": "302:http://block.test/why",
	} {
		b.Run(name, func(b *testing.B) {
			line := []byte(answer)
			b.ReportAllocs()
			for b.Loop() {
				Parse(line, r, h1.Strip)
			}
		})
	}
}

// FuzzParse: no answer leads to a panic, none brings a control character into a target or a
// location, and what was asked, when it comes back, changes nothing.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "OK", `OK status=302 url="http://h/\r\n"`, "302:http://h/", "!g!http://h/", "BH x", "TT y", "intercept://h:1",
		"file://x", "redirect://x", `OK rewrite-url="http://h/a b" x=y`, "http://[::1]:80/", "h2:21081", `OK a="\`, "OK %=", "OK a=%",
	} {
		f.Add(seed, "http://origin.test/", true)
		f.Add(seed, "origin.test:443", false)
	}
	f.Fuzz(func(t *testing.T, answer, url string, get bool) {
		method := "CONNECT"
		if get {
			method = "GET"
		}
		r := &engine.Request{}
		head := method + " " + url + " HTTP/1.1\r\n\r\n"
		if _, err := h1.ParseRequest([]byte(head), &r.Request, h1.Limits{Relaxed: true}); err != nil {
			t.Skip("not a request")
		}
		echo := question(r)
		if parsed := Parse([]byte(echo), r, h1.Strip); parsed.Action != Unchanged {
			t.Errorf("the question itself changes nothing, but %q means %s", echo, describe(&parsed))
		}
		for ws := h1.Strip; ws <= h1.Chop; ws++ {
			parsed := Parse([]byte(answer), r, ws)
			parsed.EachNote(func(_, _ []byte) {})
			if made := describe(&parsed); parsed.Action != Again && hasControl([]byte(strings.ReplaceAll(made, "\t", ""))) {
				t.Errorf("%q leads to a control character: %q", answer, made)
			}
		}
	})
}
