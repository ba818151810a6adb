package acceptance

import (
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// safeSearching is a port that looks into tunnels, with the safe search of contrib.
const safeSearching = `http_port 127.0.0.1:0 ssl-bump tls-cert={dir}/ca/ca.crt tls-key={dir}/ca/ca.key
tls_outgoing_options cafile={site}
ssl_bump bump all
reqmod_program /usr/bin/python3 {dir}/safesearch.py
reqmod_children 2
`

// TestSafeSearchIsForced has a browser and curl ask stand-ins for www.youtube.com and www.google.com, in tunnels that are
// decrypted: what arrives there is restricted mode, and safe search, whatever the client wanted.
func TestSafeSearchIsForced(t *testing.T) {
	dir := world(t)
	if out, err := exec.Command(built.proxy, "make-ca", filepath.Join(dir, "ca")).CombinedOutput(); err != nil {
		t.Fatalf("make-ca: %v\n%s", err, out)
	}
	if err := copyFile(filepath.Join(dir, "safesearch.py"), filepath.Join("..", "..", "..", "contrib", "redirectors", "safesearch", "safesearch.py")); err != nil {
		t.Fatal(err)
	}
	writeFile(t, dir, "hosts", "127.0.0.5 www.youtube.com www.google.com other.test\n")
	site := newAuthority(t, dir, "www.youtube.com", "www.google.com", "other.test")
	o := site.newTLSOrigin(t, "127.0.0.5", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "<title>%s got [%s] [%s] [%s]</title>", r.Host, r.URL.RawQuery, r.Header.Get("YouTube-Restrict"), r.Header.Get("Cookie"))
	}))
	x := start(t, exaproxy(), dir, base+strings.ReplaceAll(safeSearching, "{site}", site.file))
	authority := filepath.Join(dir, "ca", "ca.crt")

	youtube, google := "https://www.youtube.com:"+o.port(), "https://www.google.com:"+o.port()
	home := homeThatTrusts(t, authority)
	for url, want := range map[string]string{
		youtube + "/watch?v=1":           "www.youtube.com:" + o.port() + " got [v=1] [Strict] [PREF=f2=8000000]",
		google + "/search?q=x&safe=off":  "www.google.com:" + o.port() + " got [q=x&amp;safe=active] [] []",
		"https://other.test:" + o.port(): "other.test:" + o.port() + " got [] [] []",
	} {
		if dom := chromiumAt(t, x, home, url); !strings.Contains(dom, want) {
			t.Errorf("Chromium shows at %s:\n%.3000s\nwant %q", url, dom, want)
		}
	}
	trusting := []string{"--cacert", authority, "-H", "YouTube-Restrict: none", "-H", "Cookie: SID=x; PREF=f1=5&f2=1"}
	x.curl(append(trusting, youtube+"/")...).ok(t, "restricted mode", "got [] [Strict] [SID=x; PREF=f1=5&f2=8000000]")
	x.curl(append(trusting, "--http1.1", "--data", "a=b", google+"/search?q=y")...).ok(t, "a POST", "got [q=y&safe=active] [none] [SID=x; PREF=f1=5&f2=1]")
	x.eventually("logs where the requests went", 10*time.Second, func() bool {
		return strings.Contains(strings.Join(x.accessLog(), "\n"), " POST "+google+"/search? - HIER_DIRECT/127.0.0.5 ")
	})
}

// blockHelper answers by the path of the URL, or does not.
const blockHelper = `import sys, time, os
def say(b):
    sys.stdout.buffer.write(b); sys.stdout.buffer.flush()
def part(kind, b):
    say(b"ICAP/1.0 200 OK\nEncapsulated: " + kind + b"=0, null-body=%d\n\n" % len(b) + b)
source = sys.stdin.buffer
while source.readline():
    path, length = b"", 0
    for line in iter(lambda: source.readline().strip(), b""):
        if line.startswith(b"Pragma: path="): path = line.split(b"=", 1)[1]
        length = int(line.split(b"=")[-1]) if line.startswith(b"Encapsulated") else length
    head = source.read(length)
    if path.startswith(b"/die"): os.abort()
    if path.startswith(b"/hang"): time.sleep(3600)
    if path.startswith(b"/garbage"): say(b"Traceback (most recent call last):\n" * 50)
    elif path.startswith(b"/half"): say(b"ICAP/1.0 200 OK\nEncapsulated: res-hdr=0, null-body=500\n\nHTTP/1.1 200"); os.abort()
    elif path.startswith(b"/endless"):
        say(b"ICAP/1.0 200 OK\nEncapsulated: res-hdr=0, res-body=19\n\nHTTP/1.1 200 OK\r\n\r\n")
        while True: say(b"400\r\n" + b"x" * 1024 + b"\r\n")
    elif path.startswith(b"/status"): say(b"ICAP/1.0 418 No\n\n")
    elif path.startswith(b"/page"): part(b"res-hdr", b"HTTP/1.1 403 Surfprotected\nContent-Type: text/plain\n\nno\n")
    elif path.startswith(b"/twice"): say(b"ICAP/1.0 204 OK\n\nICAP/1.0 204 OK\n\n")
    elif path.startswith(b"/header"): part(b"req-hdr", head.replace(b"\r\n\r\n", b"\r\nX-Added: yes\r\n\r\n"))
    else: say(b"ICAP/1.0 204 OK\n\n")
`

// TestReqmodHelpersOfAllKinds has clients ask for what misbehaving helpers make trouble of, beside others who see none.
func TestReqmodHelpersOfAllKinds(t *testing.T) {
	dir := world(t)
	writeFile(t, dir, "blocks.py", blockHelper)
	o := newOrigin(t, "127.0.0.1", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s [%s]", r.Method, r.URL.Path, r.Header.Get("X-Added"))
	}))
	x := start(t, exaproxy(), dir, base+openPort+"workers 1\nreqmod_program /usr/bin/python3 {dir}/blocks.py\nreqmod_children 6\nreqmod_timeout 2 seconds\n")
	var good sync.WaitGroup
	stop := make(chan bool)
	for client := range 4 {
		good.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					if n == 0 {
						t.Error("a good client was not answered once")
					}
					return
				default:
				}
				path := fmt.Sprintf("/header/%d/%d", client, n)
				if c := x.curl(o.URL + path); c.out != "GET "+path+" [yes]" {
					t.Errorf("a good client got %q (%s)", c.out, c.err)
					return
				}
			}
		})
	}
	for _, row := range []struct{ path, want string }{
		{"/fine", "HTTP/1.1 200 OK"}, {"/header", "GET /header [yes]"}, {"/page", "HTTP/1.1 403 Surfprotected"},
		{"/status", "HTTP/1.1 503 "}, {"/garbage", "HTTP/1.1 503 "}, {"/twice", "HTTP/1.1 200 OK"}, {"/half", "HTTP/1.1 503 "},
		{"/die", "HTTP/1.1 503 "}, {"/hang", "HTTP/1.1 500 "}, {"/endless", "HTTP/1.1 503 "}, {"/fine", "HTTP/1.1 200 OK"},
	} {
		x.curl("-i", o.URL+row.path).ok(t, row.path, row.want)
	}
	close(stop)
	good.Wait()
	for _, path := range []string{"/status", "/garbage", "/half", "/die", "/hang", "/endless", "/page"} {
		if o.reached(path) {
			t.Errorf("%s has reached the server", path)
		}
	}
	x.curl("-i", "--data", "abc", o.URL+"/page").ok(t, "a POST", "HTTP/1.1 403 Surfprotected")
	if c := x.curl("-p", "http://127.0.0.1:1/"); !strings.Contains(c.err, "502") && !strings.Contains(c.err, "503") {
		t.Errorf("a CONNECT that is let pass leads to a port where nobody is: %q (%s)", c.out, c.err)
	}
}
