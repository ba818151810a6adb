package acceptance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// curled is what a run of curl gave.
type curled struct {
	out, err string
	status   int
}

// curl runs curl through a proxy.
func (x *proxy) curl(args ...string) curled {
	x.t.Helper()
	return x.curlVia(x.url(), args...)
}

func (x *proxy) curlVia(proxyURL string, args ...string) curled {
	x.t.Helper()
	path := peer(x.t, "curl", "curl")
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, append([]string{"-sS", "--max-time", "90", "--noproxy", "", "-x", proxyURL}, args...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + x.dir}
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		x.t.Fatal(err)
	}
	return curled{out.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// ok fails the test unless curl went well and its output has a text.
func (c curled) ok(t testing.TB, sentence, text string) {
	t.Helper()
	if c.status != 0 || !strings.Contains(c.out, text) {
		t.Errorf("%s: curl ended with %d (%s) and printed %.300q, want %q in it", sentence, c.status, strings.TrimSpace(c.err), c.out, text)
	}
}

func TestCurlSendsEveryKindOfRequest(t *testing.T) {
	dir := world(t)
	o := newOrigin(t, "127.0.0.1", pages())
	x := start(t, exaproxy(), dir, base+openPort)

	x.curl(o.URL+"/plain").ok(t, "a GET is answered", "origin answers GET /plain")
	x.curl("-I", o.URL+"/head").ok(t, "a HEAD is answered", "200 OK")
	x.curl("-d", "a=b", o.URL+"/sum").ok(t, "a POST with a length arrives", " 3 POST")
	x.curl("-H", "Transfer-Encoding: chunked", "-d", "chunky", o.URL+"/sum").ok(t, "a chunked POST arrives", " 6 POST")
	x.curl("-X", "PROPFIND", o.URL+"/dav").ok(t, "a method that is not HTTP's own passes", "origin answers PROPFIND /dav")
	x.curl("-0", o.URL+"/old").ok(t, "a client of HTTP/1.0 is answered", "origin answers GET /old")
	x.curl("-H", "Expect: 100-continue", "-d", "patient", o.URL+"/sum").ok(t, "a client that waits for 100 Continue is answered", " 7 POST")
	x.logged(7)
}

func TestCurlKeepsOneConnectionForTwoURLs(t *testing.T) {
	dir := world(t)
	o := newOrigin(t, "127.0.0.1", pages())
	x := start(t, exaproxy(), dir, base+openPort)

	got := x.curl("-w", "%{num_connects} ", o.URL+"/one", o.URL+"/two")
	got.ok(t, "both pages come", "origin answers GET /two")
	if !strings.Contains(got.out, "/one\n1 ") || !strings.Contains(got.out, "/two\n0 ") {
		t.Errorf("the second URL needs no connection to the proxy of its own: %q", got.out)
	}
	if requests, conns := o.counts(); requests != 2 || conns != 1 {
		t.Errorf("the origin saw %d requests on %d connections, want 2 on 1", requests, conns)
	}
}

func TestHundredMegabytesArriveAsTheyWereSent(t *testing.T) {
	const size = 100 << 20
	dir := world(t)
	o := newOrigin(t, "127.0.0.1", pages())
	x := start(t, exaproxy(), dir, base+openPort)
	want := patternSum(size)

	down := filepath.Join(dir, "down")
	x.curl("-o", down, fmt.Sprintf("%s/bytes/%d", o.URL, size)).ok(t, "the download ends", "")
	if got := fileSum(t, down); got != want {
		t.Errorf("the download's hash is %s, want %s", got, want)
	}
	x.curl("-T", down, "-H", "Expect:", o.URL+"/sum").ok(t, "the upload with a length arrives whole", want)
	x.curl("-T", down, "-H", "Expect:", "-H", "Transfer-Encoding: chunked", o.URL+"/sum").ok(t, "the chunked upload arrives whole", want)
}

func TestCurlSpeaksTLSThroughATunnel(t *testing.T) {
	dir := world(t)
	ca := newAuthority(t, dir, "secure.test")
	writeFile(t, dir, "hosts", "127.0.0.1 secure.test\n")
	o := ca.newTLSOrigin(t, "127.0.0.1", pages())
	x := start(t, exaproxy(), dir, base+openPort)

	x.curl("--cacert", ca.file, "https://secure.test:"+o.port()+"/tls").ok(t, "TLS passes through a tunnel", "origin answers GET /tls")
	x.curl("--cacert", ca.file, "-o", filepath.Join(dir, "down"), "https://secure.test:"+o.port()+"/bytes/20000000").
		ok(t, "20 MB pass through a tunnel", "")
	if got, want := fileSum(t, filepath.Join(dir, "down")), patternSum(20000000); got != want {
		t.Errorf("the hash of what came through the tunnel is %s, want %s", got, want)
	}
	lines := x.logged(2)
	for _, line := range lines {
		if !strings.Contains(line, "TCP_TUNNEL/200") || !strings.Contains(line, "CONNECT secure.test:"+o.port()+" - HIER_DIRECT/127.0.0.1 -") {
			t.Errorf("a tunnel is logged as %q", line)
		}
	}
}

func TestBothFamiliesAreServed(t *testing.T) {
	requireIPv6(t)
	dir := world(t)
	writeFile(t, dir, "hosts", "::1 six.test\n127.0.0.1 four.test\n")
	four, six := newOrigin(t, "127.0.0.1", pages()), newOrigin(t, "::1", pages())
	x := start(t, exaproxy(), dir, base+openPort+"http_port [::1]:0\n")

	for _, proxyAddr := range x.addrs {
		via := "http://" + proxyAddr.String()
		for _, url := range []string{four.URL + "/literal", six.URL + "/literal", "http://four.test:" + four.port() + "/name", "http://six.test:" + six.port() + "/name"} {
			x.curlVia(via, "-g", url).ok(t, url+" is fetched by way of "+via, "origin answers GET")
		}
	}
}

func TestTheNextAddressIsTriedWhenOneRefuses(t *testing.T) {
	dir := world(t)
	// The port is free at the first address and taken at the others.
	second := newOrigin(t, "127.0.0.12", pages())
	startOrigin(t, "127.0.0.13:"+second.port(), pages(), nil)
	writeFile(t, dir, "hosts", "127.0.0.11 three.test\n127.0.0.12 three.test\n127.0.0.13 three.test\n")
	x := start(t, exaproxy(), dir, base+openPort)

	url := "http://three.test:" + second.port()
	for range 4 {
		x.curl(url+"/page").ok(t, "a name whose first address refuses is served by another", "origin answers GET /page")
	}
	for _, line := range x.logged(4) {
		if !strings.Contains(line, "TCP_MISS/200") {
			t.Errorf("the log says %q", line)
		}
	}
}

func requireIPv6(t testing.TB) {
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skipf("this machine has no ::1: %v", err)
	}
	l.Close()
}

// fileSum is the hash of a file.
func fileSum(t testing.TB, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return sumOf(t, f)
}

func sumOf(t testing.TB, r io.Reader) string {
	t.Helper()
	sum := newSum()
	if _, err := io.Copy(sum, r); err != nil {
		t.Fatal(err)
	}
	return sum.text()
}
