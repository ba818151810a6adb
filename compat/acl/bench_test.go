package acl

import (
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"exaproxy/engine/h1"
)

// A subject is a configuration of one acl and a request that does not match it, which is the
// most work.
type subject struct {
	name, conf string
	files      files
	request    string
}

// subjects are of every type that is fast; with the sizes that filters have.
func subjects(small bool) []subject {
	million, thousands, hundreds := 1_000_000, 10_000, 1_000
	if small {
		million, thousands, hundreds = 10_000, 1_000, 100
	}
	const url = "GET http://www.news.example.com/2026/11/22/politics/a-rather-long-title-of-an-article.html?id=1234567"
	return []subject{
		{"dstdomain", `acl a dstdomain -n "/list"`, files{"/list": listOf(million, ".host-%d.example.org")}, url},
		{"src", `acl a src "/list"`, files{"/list": networksOf(thousands)}, url},
		{"src_ipv6", `acl a src "/list"`, files{"/list": listOf(thousands, "2001:db8:%x::/48")}, url},
		{"dst_address", `acl a dst "/list"`, files{"/list": networksOf(thousands)}, "CONNECT 192.0.2.1:443"},
		{"dstdomain_ipv6", "acl a dstdomain -n [::2]", nil, "CONNECT [2001:db8::1]:443"},
		{"url_regex_plain", `acl a url_regex -i "/list"`, files{"/list": listOf(hundreds, `/ads%d/`)}, url},
		{"url_regex", `acl a url_regex -i "/list"`, files{"/list": listOf(hundreds, `^https?://[^/]*tracker%d\.[a-z]+/.*pixel`)}, url},
		{"url_regex_without_literal", `acl a url_regex -i "/list"`, files{"/list": listOf(10, `^http://[0-9]{%d}\.`)}, url},
		{"urlpath_regex", `acl a urlpath_regex -i \.(exe|zip|mp3)$`, nil, url},
		{"dstdom_regex", `acl a dstdom_regex -n -i "/list"`, files{"/list": listOf(100, `^ads%d\.`)}, url},
		{"port", "acl a port 443 563 1025-65535", nil, url},
		{"proto", "acl a proto FTP HTTPS", nil, url},
		{"method", "acl a method POST PURGE CONNECT", nil, url},
		{"browser", "acl a browser -i msie", nil, url + "\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"},
		{"groups", "acl b any-of CONNECT manager\nacl c all-of all b\nacl a any-of b c", nil, url},
	}
}

func listOf(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format+"\n", i)
	}
	return b.String()
}

func networksOf(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%s/28\n", netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 64}))
	}
	return b.String()
}

// ready returns what matches once, the memory of its Place having grown to its size.
func (s subject) ready(tb testing.TB) func() Answer {
	tb.Helper()
	c := load(tb, s.conf+"\nhttp_access deny a\nhttp_access allow all", s.files)
	if c.err != nil {
		tb.Fatal(c.err)
	}
	r := asked(tb, s.request)
	p := new(Place)
	match := func() Answer { return c.access.Match(r, &r.Target, p) }
	if got := match(); got != Allow {
		tb.Fatalf("%s matches", s.conf)
	}
	return match
}

func BenchmarkMatch(b *testing.B) {
	for _, s := range subjects(false) {
		b.Run(s.name, func(b *testing.B) {
			match := s.ready(b)
			b.ReportAllocs()
			for b.Loop() {
				match()
			}
		})
	}
}

func TestMatchingDoesNotAllocate(t *testing.T) {
	for _, s := range subjects(true) {
		if raceDetector && strings.Contains(s.name, "regex") {
			continue
		}
		match := s.ready(t)
		if n := testing.AllocsPerRun(100, func() { match() }); n != 0 {
			t.Errorf("%s: %v allocations a match, want none", s.name, n)
		}
	}
}

// BenchmarkLoadMillionDomains reads a file with a million lines, and reports what a domain costs.
func BenchmarkLoadMillionDomains(b *testing.B) {
	const count = 1_000_000
	path := filepath.Join(b.TempDir(), "domains")
	if err := os.WriteFile(path, []byte(listOf(count, ".host-%d.example.org")), 0o600); err != nil {
		b.Fatal(err)
	}
	line := predefinedLine(fmt.Sprintf(`d dstdomain "%s"`, path))
	b.ResetTimer()
	for b.Loop() {
		before := inUse()
		s := NewSet()
		s.Open = func(name string) (io.ReadCloser, error) { return os.Open(name) }
		if _, err := s.Add(line); err != nil {
			b.Fatal(err)
		}
		s.Finish()
		b.ReportMetric(float64(inUse()-before)/count, "bytes/domain")
		runtime.KeepAlive(s)
	}
}

func inUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func BenchmarkLoadThousandPatterns(b *testing.B) {
	list := files{"/list": listOf(1000, `^https?://[^/]*tracker%d\.[a-z]+/.*pixel`)}
	for b.Loop() {
		if c := load(b, `acl a url_regex -i "/list"`, list); c.err != nil {
			b.Fatal(c.err)
		}
	}
}

func BenchmarkUnescapedURL(b *testing.B) {
	target, _, err := h1.ParseTarget("GET", []byte("http://www.example.com/a%20path/with%2Fescapes?and=a%26query"), h1.Strip, nil)
	if err != nil {
		b.Fatal(err)
	}
	p := Place{target: &target}
	b.ReportAllocs()
	for b.Loop() {
		p.url = p.url[:0]
		p.unescapedURL()
	}
}
