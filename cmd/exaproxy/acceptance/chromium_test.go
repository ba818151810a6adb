package acceptance

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

const subresources = 50

// page is a page of 50 images, scripts, styles and fetches; the last script says in the title how many came.
func page() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/page", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, `<!doctype html><html><head><title>loading</title></head><body><script>var count = 0</script>`)
		for i := range subresources {
			switch i % 4 {
			case 0:
				fmt.Fprintf(w, "<img src=/part/%d.svg onload='count++'>\n", i)
			case 1:
				fmt.Fprintf(w, "<script src=/part/%d.js></script>\n", i)
			case 2:
				fmt.Fprintf(w, "<link rel=stylesheet href=/part/%d.css onload='count++'>\n", i)
			case 3:
				fmt.Fprintf(w, "<script>fetch('/part/%d.txt', {method: 'POST', body: 'x'.repeat(10000)}).then(r => r.text()).then(() => count++)</script>\n", i)
			}
		}
		fmt.Fprintf(w, "<script>setInterval(() => { if (count == %d) document.title = 'complete' }, 10)</script></body></html>\n", subresources)
	})
	mux.HandleFunc("/part/", func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, ".svg"):
			w.Header().Set("Content-Type", "image/svg+xml")
			fmt.Fprintln(w, `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>`)
		case strings.HasSuffix(r.URL.Path, ".js"):
			w.Header().Set("Content-Type", "text/javascript")
			fmt.Fprintln(w, "count++")
		case strings.HasSuffix(r.URL.Path, ".css"):
			w.Header().Set("Content-Type", "text/css")
			fmt.Fprintln(w, "body { margin: 0 }")
		default:
			fmt.Fprintln(w, strings.Repeat("text ", 2000))
		}
	})
	return mux
}

// chromium loads a page through the proxy and returns what it has become. It takes any certificate.
func chromium(t *testing.T, x *proxy, url string) string {
	t.Helper()
	return chromiumAt(t, x, t.TempDir(), url, "--ignore-certificate-errors")
}

// chromiumAt is chromium with a home of its own, where it has its store of certificates, and more options.
func chromiumAt(t *testing.T, x *proxy, home, url string, more ...string) string {
	t.Helper()
	return browse(t, nil, home, url, append([]string{"--proxy-server=" + x.url(), "--proxy-bypass-list=<-loopback>"}, more...)...)
}

// browse has Chromium load a page, begun by a command in front, and returns what it has become.
func browse(t *testing.T, front []string, home, url string, more ...string) string {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if path, err = exec.LookPath("google-chrome"); err != nil {
			t.Skip("chromium is not installed (Debian: apt-get install chromium)")
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	args := []string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
		"--user-data-dir=" + t.TempDir(), "--virtual-time-budget=20000"}
	args = append(append(args, more...), "--dump-dom", url) // the last of two counts
	line := append(append(slices.Clone(front), path), args...)
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	cmd.Env = append(os.Environ(), "HOME="+home)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("chromium: %v", err)
	}
	return string(out)
}

func TestChromiumLoadsAPageWithFiftyParts(t *testing.T) {
	dir := world(t)
	writeFile(t, dir, "hosts", "127.0.0.5 site.test\n")
	ca := newAuthority(t, dir, "site.test")
	for _, scheme := range []string{"http", "https"} {
		t.Run(scheme, func(t *testing.T) {
			dir := world(t)
			writeFile(t, dir, "hosts", "127.0.0.5 site.test\n")
			o := newOrigin(t, "127.0.0.5", page())
			if scheme == "https" {
				o = ca.newTLSOrigin(t, "127.0.0.5", page())
			}
			x := start(t, exaproxy(), dir, base+openPort)
			dom := chromium(t, x, scheme+"://site.test:"+o.port()+"/page")
			if !strings.Contains(dom, "<title>complete</title>") {
				t.Errorf("the page is not complete: %.2000s", dom)
			}
			for i := range subresources {
				path := fmt.Sprintf("/part/%d.%s", i, []string{"svg", "js", "css", "txt"}[i%4])
				if !o.reached(path) {
					t.Errorf("%s was not fetched", path)
				}
			}
			requests, conns := o.counts()
			x.checkBrowsing(t, scheme, o.port())
			t.Logf("the origin saw %d requests on %d connections; the log has %d lines", requests, conns, len(x.accessLog()))
		})
	}
}

// checkBrowsing checks what the log says about the page.
func (x *proxy) checkBrowsing(t *testing.T, scheme, port string) {
	t.Helper()
	tag, text, least := "TCP_MISS/200", "http://site.test:"+port+"/part/", subresources
	if scheme == "https" {
		tag, text, least = "TCP_TUNNEL/200", "CONNECT site.test:"+port, 1
	}
	count := func() (n int) {
		for _, line := range x.accessLog() {
			if strings.Contains(line, tag) && strings.Contains(line, text) {
				n++
			}
		}
		return n
	}
	x.eventually("logs what the browser fetched", 10*time.Second, func() bool { return count() >= least })
}
