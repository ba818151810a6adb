package redirector

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"exaproxy/compat/compattest"
	"exaproxy/compat/decision"
)

func TestLocalPages(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "secret")
	for path, text := range map[string]string{
		filepath.Join(dir, "page.html"):    "<html>%(url)s is 100% no</html>",
		filepath.Join(dir, "sub/page.txt"): "for %(client_ip)s",
		outside:                            "secret",
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	p := newPolicy(t, "")
	pages, err := readPages(dir)
	if err != nil {
		t.Fatal(err)
	}
	p.settings.LocalPages = pages
	p.settings.pageFolder = dir
	const html, text = "text/html;charset=utf-8", "text/plain;charset=utf-8"
	for _, row := range []struct {
		answer string
		status int
		media  string
		want   string
	}{
		{"file://page.html", 403, html, "<html>http://a.test/?&lt;x&gt; is 100% no</html>"},
		{"file:///sub/page.txt", 403, text, "for 192.0.2.1"},
		{"file://sub/../sub/./page.txt", 403, text, "for 192.0.2.1"},
		{"file://" + dir + "/sub/page.txt", 403, text, "for 192.0.2.1"},
		{"status=200 file://sub/page.txt", 200, text, "for 192.0.2.1"},
		{"status=451 file://sub/page.txt", 451, text, "for 192.0.2.1"},
		{"status=101 file://sub/page.txt", 403, text, "for 192.0.2.1"},
		{"file://link", 0, "", ""},
		{"file://../secret", 0, "", ""},
		{"file://" + outside, 0, "", ""},
		{"file://" + dir, 0, "", ""},
	} {
		r := compattest.NewRequest(t, "GET http://a.test/?<x> HTTP/1.1")
		var st State
		var m decision.Memory
		d := p.Interpret(r, []byte(row.answer), nil, &st, &m)
		if row.want == "" {
			if d.Reply != nil {
				t.Errorf("%s is answered with %q", row.answer, d.Reply.Body)
			}
			continue
		}
		if d.Reply == nil || d.Reply.Status != row.status || string(d.Reply.Body) != row.want ||
			!strings.Contains(string(d.Reply.Fields), "\r\nContent-Type: "+row.media+"\r\n") ||
			!strings.Contains(string(d.Reply.Fields), fmt.Sprintf("\r\nContent-Length: %d\r\n", len(row.want))) {
			t.Errorf("%s is answered with %+v", row.answer, d.Reply)
		}
	}
}
