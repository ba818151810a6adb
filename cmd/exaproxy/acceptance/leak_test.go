package acceptance

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"exaproxy/engine/canary"
)

// slack is how much the resident memory may vary while one message passes, however long it is: buffers of
// the sockets are the kernel's, and what a flow holds is a few pages. A canary build lends no memory twice: there
// it is what the collector leaves.
func slack() int64 {
	if canary.On {
		return 48 << 20
	}
	return 12 << 20
}

// slowReader takes at most a megabyte each time a ticker ticks.
type slowReader struct {
	from io.Reader
	tick *time.Ticker
	left int
}

func slowly(from io.Reader, every time.Duration) *slowReader {
	return &slowReader{from: from, tick: time.NewTicker(every)}
}

func (s *slowReader) Read(p []byte) (int, error) {
	if s.left == 0 {
		<-s.tick.C
		s.left = 1 << 20
	}
	n, err := s.from.Read(p[:min(len(p), s.left)])
	s.left -= n
	return n, err
}

// slowPages takes uploads more slowly than clients send them, after having taken nothing at all until every
// buffer on the way must be full.
func slowPages() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", pages())
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		full := time.NewTimer(500 * time.Millisecond)
		defer full.Stop()
		<-full.C
		body := slowly(r.Body, 10*time.Millisecond)
		defer body.tick.Stop()
		sum := sha256.New()
		n, err := io.Copy(sum, body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		fmt.Fprintf(w, "%s %d\n", hex.EncodeToString(sum.Sum(nil)), n)
	})
	return mux
}

// This is the defect that ended an earlier proxy: a client's connection that is used again, an origin whose
// buffers are full, an upload that goes on for long. What the origin did not take was kept.
func TestUploadsSlowerUpstreamThanDownstreamKeepMemoryFlat(t *testing.T) {
	const size = 200 << 20
	for _, kind := range []string{"with a length", "chunked", "in a tunnel"} {
		t.Run(kind, func(t *testing.T) {
			dir := world(t)
			o := newOrigin(t, "127.0.0.1", slowPages())
			x := start(t, exaproxy(), dir, base+openPort)
			conn, r := reused(t, x, o)
			if kind == "in a tunnel" {
				tunnel(t, conn, r, o.addr())
			}
			before := resident(x.pid())
			memory := watchMemory(x.pid())
			sendUpload(t, conn, o.URL+"/slow", kind == "chunked", size)
			answer := body(t, r)
			most := memory.most()
			if want := fmt.Sprintf("%s %d\n", patternSum(size), size); answer != want {
				t.Errorf("the origin got %q, want %q", answer, want)
			}
			t.Logf("resident: %d kB before, at most %d kB in %d samples", before>>10, most>>10, len(memory.samples))
			if most > before+slack() {
				t.Errorf("resident memory went from %d kB to %d kB during one upload", before>>10, most>>10)
			}
		})
	}
}

func TestDownloadsSlowerDownstreamThanUpstreamKeepMemoryFlat(t *testing.T) {
	const size = 200 << 20
	dir := world(t)
	o := newOrigin(t, "127.0.0.1", slowPages())
	x := start(t, exaproxy(), dir, base+openPort)
	conn, _ := reused(t, x, o)
	before := resident(x.pid())
	memory := watchMemory(x.pid())
	io.WriteString(conn, get(fmt.Sprintf("%s/bytes/%d", o.URL, size)))
	slow := slowly(conn, 10*time.Millisecond)
	defer slow.tick.Stop()
	reply, err := http.ReadResponse(bufio.NewReaderSize(slow, 64<<10), nil)
	if err != nil {
		t.Fatal(err)
	}
	got := sumOf(t, reply.Body)
	most := memory.most()
	if want := patternSum(size); got != want {
		t.Errorf("the hash of the download is %s, want %s", got, want)
	}
	t.Logf("resident: %d kB before, at most %d kB in %d samples", before>>10, most>>10, len(memory.samples))
	if most > before+slack() {
		t.Errorf("resident memory went from %d kB to %d kB during one download", before>>10, most>>10)
	}
}

// reused is a connection to the proxy that has served requests already.
func reused(t *testing.T, x *proxy, o *origin) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := x.dial()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(time.Minute))
	r := bufio.NewReader(conn)
	for range 10 {
		io.WriteString(conn, get(o.URL+"/bytes/100000"))
		body(t, r)
	}
	return conn, r
}

// tunnel makes the connection one to the origin.
func tunnel(t *testing.T, conn net.Conn, r *bufio.Reader, to string) {
	t.Helper()
	io.WriteString(conn, request("CONNECT", to))
	if line, err := r.ReadString('\n'); err != nil || !strings.Contains(line, " 200 ") {
		t.Fatalf("CONNECT is answered %q (%v)", line, err)
	}
	if line, err := r.ReadString('\n'); err != nil || line != "\r\n" {
		t.Fatalf("the head of the answer to CONNECT goes on with %q (%v)", line, err)
	}
}

// sendUpload sends a POST as fast as it is taken.
func sendUpload(t *testing.T, conn net.Conn, url string, chunked bool, size int64) {
	t.Helper()
	r, err := http.NewRequest("POST", url, io.NopCloser(pattern(size)))
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = size
	if chunked {
		r.ContentLength = -1
	}
	if err := r.WriteProxy(conn); err != nil {
		t.Fatalf("the upload was not taken: %v", err)
	}
}

// body reads one reply and returns its body.
func body(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	reply, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	b, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
