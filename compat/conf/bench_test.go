package conf

import (
	"bytes"
	"testing"
)

// tenThousandLines is a configuration as filters have them, of 10,000 lines.
func tenThousandLines() []byte {
	lines := []string{
		"acl office src 192.0.2.0/24 198.51.100.7 # the house",
		"acl ads dstdomain .ads.example .tracker.example www.banner.example",
		"acl words url_regex -i casino /ads/ \\.exe$",
		"http_access deny office ads !words",
		"deny_info http://help.example/?u=%u ads",
		"via on",
		"connect_timeout 30 seconds",
		"request_header_max_size 64 KB",
		"url_rewrite_children 20 startup=4 idle=2 concurrency=10",
		"logformat mine %ts.%03tu %>a \"%rm %ru\" %>Hs",
	}
	var b bytes.Buffer
	for range 10_000 / len(lines) {
		for _, line := range lines {
			b.WriteString(line + "\n")
		}
	}
	return b.Bytes()
}

// BenchmarkRead reads a configuration, judges its lines and has the words of each walked over, as
// setters do.
func BenchmarkRead(b *testing.B) {
	files := memory{"squid.conf": tenThousandLines()}
	b.ReportAllocs()
	for b.Loop() {
		lines, err := Parse("squid.conf", files.options())
		if err != nil {
			b.Fatal(err)
		}
		walk(b, lines)
	}
}

func walk(b *testing.B, lines []Line) {
	b.Helper()
	var check Checker
	for i := range lines {
		set, err := check.Line(&lines[i], func(Message) {})
		if err != nil {
			b.Fatal(err)
		}
		if !set {
			continue
		}
		switch lines[i].Directive.Name {
		case "acl", "http_access", "logformat": // read from Tokens
			continue
		}
		for args := lines[i].Args(); ; {
			if _, ok := args.Word(); !ok {
				break
			}
		}
	}
}
