package tlsend

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"exaproxy/engine/loop"
)

// patience is how long a test waits for what it expects. Nothing waits that long in good health.
const patience = 20 * time.Second

var certificate = sync.OnceValue(func() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "server.test"},
		NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"server.test"}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
})

func serverConfig() *tls.Config { return &tls.Config{Certificates: []tls.Certificate{certificate()}} }

func clientConfig() *tls.Config {
	pool := x509.NewCertPool()
	leaf, _ := x509.ParseCertificate(certificate().Certificate[0])
	pool.AddCert(leaf)
	return &tls.Config{RootCAs: pool, ServerName: "server.test"}
}

// queue is that of all handshakes of the tests.
var queue = NewQueue()

// A world is a loop that runs, and a Conn on it whose peer is a socket of the test's.
type world struct {
	t    *testing.T
	loop *loop.Loop
	conn *Conn
	peer net.Conn
	task *task
}

// A task is the Conn's owner: it calls play each time that it is woken.
type task struct{ play func() }

func (k *task) Run() {
	if k.play != nil {
		k.play()
	}
}

func newWorld(t *testing.T) *world {
	t.Helper()
	k, err := loop.Linux()
	if err != nil {
		t.Fatal(err)
	}
	l, err := loop.New(k)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, loop: l, task: &task{}}
	done := make(chan struct{})
	go func() { l.Run(); close(done) }()
	t.Cleanup(func() { l.Stop(); <-done; l.Close() })
	return w
}

// on does something on the loop, and returns when it is done.
func (w *world) on(f func()) {
	done := make(chan struct{})
	w.loop.Post(func() { f(); close(done) })
	<-done
}

// connect makes the pair; begin makes the Conn over the loop's side of it.
func (w *world) connect(begin func(fd *loop.FD, owner *loop.Waker) *Conn) {
	w.t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	unix.SetsockoptInt(pair[0], unix.SOL_SOCKET, unix.SO_SNDBUF, 8192) // so that it is full soon
	file := os.NewFile(uintptr(pair[1]), "peer")
	w.peer, err = net.FileConn(file)
	file.Close()
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { w.peer.Close() })
	w.peer.SetDeadline(time.Now().Add(patience))
	w.on(func() {
		owner := w.loop.NewWaker(w.task)
		fd, err := w.loop.Watch(pair[0], loop.Stream, owner)
		if err != nil {
			panic(err)
		}
		w.conn = begin(fd, owner)
	})
}

func (w *world) serve(config *tls.Config) {
	w.t.Helper()
	w.connect(func(fd *loop.FD, owner *loop.Waker) *Conn { return Server(w.loop, fd, nil, config, queue, owner) })
}

// result waits until the owner sends something.
func result[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case r := <-from:
		return r
	case <-time.After(patience):
		t.Fatal("it takes too long")
		panic("unreachable")
	}
}

// echo has the owner send back what it reads, and report how it ended.
func (w *world) echo(buffer int) <-chan error {
	ended := make(chan error, 1)
	held, done := []byte(nil), false
	w.on(func() {
		w.task.play = func() {
			for !done {
				if len(held) == 0 {
					p := make([]byte, buffer)
					n, err := w.conn.Read(p)
					if err == loop.ErrAgain || w.conn.Handshake() == loop.ErrAgain {
						return
					}
					if err != nil {
						done = true
						ended <- err
						w.conn.Close()
						return
					}
					held = p[:n]
				}
				n, err := w.conn.Write(held)
				held = held[n:]
				if err == loop.ErrAgain {
					return
				}
				if err != nil {
					done = true
					ended <- err
					w.conn.Reset()
					return
				}
			}
		}
		w.loop.NewWaker(w.task).Wake()
	})
	return ended
}

// slowly is a connection whose writes arrive byte by byte.
type slowly struct{ net.Conn }

func (s slowly) Write(p []byte) (int, error) {
	for i := range p {
		if n, err := s.Conn.Write(p[i : i+1]); err != nil {
			return i + n, err
		}
		runtime.Gosched()
	}
	return len(p), nil
}

func TestEchoThroughAFullSocket(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, buffer := range []int{1, 100, 16 << 10, 100 << 10} {
			w := newWorld(t)
			w.serve(serverConfig())
			ended := w.echo(buffer)
			config := clientConfig()
			config.MaxVersion = version
			client := tls.Client(w.peer, config)
			sent := make([]byte, min(buffer*3000, 2<<20))
			rand.Read(sent)
			go func() {
				client.Write(sent)
				client.CloseWrite()
			}()
			got, err := io.ReadAll(client)
			if err != nil || !bytes.Equal(got, sent) {
				t.Errorf("TLS %x, %d bytes at a time: %d of %d bytes come back: %v", version, buffer, len(got), len(sent), err)
			}
			if err := result(t, ended); err != io.EOF {
				t.Errorf("it ends with %v", err)
			}
		}
	}
}

func TestRecordsThatComeByteByByte(t *testing.T) {
	w := newWorld(t)
	w.serve(serverConfig())
	ended := w.echo(1 << 10)
	client := tls.Client(slowly{w.peer}, clientConfig())
	sent := bytes.Repeat([]byte("slowly "), 300)
	go func() { client.Write(sent); client.CloseWrite() }()
	if got, err := io.ReadAll(client); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d of %d bytes come back: %v", len(got), len(sent), err)
	}
	result(t, ended)
}

// TestClient has the Conn be the client's side.
func TestClient(t *testing.T) {
	w := newWorld(t)
	w.connect(func(fd *loop.FD, owner *loop.Waker) *Conn { return Client(w.loop, fd, clientConfig(), queue, owner) })
	ended := w.echo(4 << 10)
	server := tls.Server(w.peer, serverConfig())
	sent := bytes.Repeat([]byte("to and fro "), 10000)
	go func() { server.Write(sent); server.CloseWrite() }()
	if got, err := io.ReadAll(server); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d of %d bytes come back: %v", len(got), len(sent), err)
	}
	result(t, ended)
}

// handshake has the owner report how the handshake went.
func (w *world) handshake() <-chan error {
	over := make(chan error, 1)
	w.on(func() {
		w.task.play = func() {
			if err := w.conn.Handshake(); err != loop.ErrAgain {
				w.task.play = nil
				over <- err
			}
		}
		w.loop.NewWaker(w.task).Wake()
	})
	return over
}

// TestFailedHandshakesTellWhy has the peer be told by an alert, though the Conn is closed at once.
func TestFailedHandshakesTellWhy(t *testing.T) {
	w := newWorld(t)
	config := serverConfig()
	config.MinVersion = tls.VersionTLS13
	w.serve(config)
	over := w.handshake()
	old := clientConfig()
	old.MaxVersion = tls.VersionTLS12
	told := make(chan error, 1)
	go func() { told <- tls.Client(w.peer, old).Handshake() }()
	if err := result(t, over); err == nil || !strings.Contains(err.Error(), "client offered only unsupported versions") {
		t.Errorf("the handshake gives %v", err)
	}
	w.on(w.conn.Close)
	if err := result(t, told); err == nil || !strings.Contains(err.Error(), "protocol version not supported") {
		t.Errorf("the client is told %v", err)
	}
}

// TestHandshakesThatEndEarly leave no goroutine, whoever ends them.
func TestHandshakesThatEndEarly(t *testing.T) {
	before := runtime.NumGoroutine()
	for name, end := range map[string]func(*world){
		"by us, closed": func(w *world) { w.on(w.conn.Close) },
		"by us, reset":  func(w *world) { w.on(w.conn.Reset) },
		"by the peer":   func(w *world) { w.peer.Close() },
		"by nonsense":   func(w *world) { w.peer.Write([]byte{255, 255}) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.serve(serverConfig())
			over := w.handshake()
			w.peer.Write([]byte{22, 3, 1}) // it has begun
			end(w)
			if strings.HasPrefix(name, "by us") {
				w.on(func() {
					if err := w.conn.Handshake(); !errors.Is(err, os.ErrClosed) {
						t.Errorf("a closed Conn says %v", err)
					}
				})
			} else {
				if err := result(t, over); err == nil {
					t.Error("the handshake succeeds")
				}
				w.on(w.conn.Close)
			}
		})
	}
	for deadline := time.Now().Add(patience); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("there are %d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}

// TestReceivedBefore has a handshake begin with what its owner has read already.
func TestReceivedBefore(t *testing.T) {
	w := newWorld(t)
	told := make(chan error, 1)
	w.connect(func(fd *loop.FD, owner *loop.Waker) *Conn {
		go func() { told <- tls.Client(w.peer, clientConfig()).Handshake() }()
		received := make([]byte, 7) // the ClientHello is longer
		sys, _ := fd.Descriptor()
		for n := 0; n < 1; runtime.Gosched() {
			n, _ = unix.Read(sys, received) // the client writes more than that at once
		}
		return Server(w.loop, fd, received, serverConfig(), queue, owner)
	})
	if err := result(t, w.handshake()); err != nil {
		t.Errorf("the handshake gives %v", err)
	}
	if err := result(t, told); err != nil {
		t.Errorf("the client is told %v", err)
	}
	w.on(func() {
		if name := w.conn.State().ServerName; name != "server.test" {
			t.Errorf("the client asked for %q", name)
		}
	})
}

// TestCloseSendsWhatIsLeft has a peer that reads late get all that was written, and close_notify.
func TestCloseSendsWhatIsLeft(t *testing.T) {
	w := newWorld(t)
	w.serve(serverConfig())
	over := w.handshake()
	client := tls.Client(w.peer, clientConfig())
	go client.Handshake()
	if err := result(t, over); err != nil {
		t.Fatal(err)
	}
	written := 0
	w.on(func() {
		n, err := w.conn.Writev([][]byte{bytes.Repeat([]byte("a"), 100), bytes.Repeat([]byte("b"), 100<<10)})
		if err != loop.ErrAgain || n < 200 {
			t.Errorf("%d bytes are taken: %v", n, err)
		}
		written = n
		w.conn.Close()
		if _, err := w.conn.Write([]byte("late")); !errors.Is(err, os.ErrClosed) {
			t.Errorf("after Close writing gives %v", err)
		}
	})
	if got, err := io.ReadAll(client); err != nil || len(got) != written { // without close_notify it would be io.ErrUnexpectedEOF
		t.Errorf("%d of %d bytes come: %v", len(got), written, err)
	}
}

// TestStartIsNotBlockedByOthers has a handshake go on while more than there are processors wait for their
// clients.
func TestStartIsNotBlockedByOthers(t *testing.T) {
	for range runtime.GOMAXPROCS(0) + 2 {
		slow := newWorld(t)
		slow.serve(serverConfig())
		slow.peer.Write([]byte{22, 3, 1}) // it has begun
		defer slow.on(slow.conn.Close)
	}
	w := newWorld(t)
	w.serve(serverConfig())
	over := w.handshake()
	go tls.Client(w.peer, clientConfig()).Handshake()
	if err := result(t, over); err != nil {
		t.Error(err)
	}
}

// TestASilentClientHasNoGoroutine, nor anything of crypto/tls; its handshake begins when it says something.
func TestASilentClientHasNoGoroutine(t *testing.T) {
	w := newWorld(t)
	before := runtime.NumGoroutine()
	w.serve(serverConfig())
	over := w.handshake()
	for range 3 { // Run has been called, more than once
		w.on(w.conn.Run)
	}
	w.on(func() {
		if n := runtime.NumGoroutine(); n > before || w.conn.tls != nil {
			t.Errorf("%d goroutines before, %d with a silent client", before, n)
		}
	})
	go tls.Client(w.peer, clientConfig()).Handshake()
	if err := result(t, over); err != nil {
		t.Error(err)
	}
}

// TestTheEndsOfAConnection are told apart: an orderly one, one that is cut off, and one that is reset.
func TestTheEndsOfAConnection(t *testing.T) {
	for name, row := range map[string]struct {
		end  func(w *world, client *tls.Conn)
		want func(error) bool
	}{
		"close_notify":  {func(w *world, c *tls.Conn) { c.CloseWrite() }, func(err error) bool { return err == io.EOF }},
		"without it":    {func(w *world, c *tls.Conn) { w.peer.Close() }, func(err error) bool { return err == io.EOF }},
		"in a record":   {func(w *world, c *tls.Conn) { w.peer.Write([]byte{23, 3, 3, 0, 99}); w.peer.Close() }, func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }},
		"broken record": {func(w *world, c *tls.Conn) { w.peer.Write([]byte{23, 3, 3, 0, 1, 0}) }, func(err error) bool { return err != nil && err != io.EOF }},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.serve(serverConfig())
			ended := w.echo(100)
			client := tls.Client(w.peer, clientConfig())
			if _, err := client.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(client, make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
			row.end(w, client)
			if err := result(t, ended); !row.want(err) {
				t.Errorf("it ends with %v", err)
			}
		})
	}
}

// TestTwoRecordsAtOnce has what came with a record that was read be seen: nothing else would tell, for the
// socket is empty.
func TestTwoRecordsAtOnce(t *testing.T) {
	w := newWorld(t)
	w.serve(serverConfig())
	over := w.handshake()
	client := tls.Client(&together{Conn: w.peer}, clientConfig())
	if err := client.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := result(t, over); err != nil {
		t.Fatal(err)
	}
	w.on(func() {
		for {
			if _, err := w.conn.Read(make([]byte, 10)); err == loop.ErrAgain { // tickets and the like are read
				break
			}
		}
	})
	both := client.NetConn().(*together)
	both.hold = true
	client.Write([]byte("good"))
	client.Write([]byte("more"))
	both.release()
	first := make(chan string, 1)
	w.on(func() {
		w.task.play = func() {
			p := make([]byte, 10)
			if n, err := w.conn.Read(p); err != loop.ErrAgain {
				w.task.play = nil
				first <- fmt.Sprintf("%s %v %v", p[:n], err, w.conn.Readable())
			}
		}
		w.loop.NewWaker(w.task).Wake()
	})
	if got := result(t, first); got != "goodmore <nil> false" {
		t.Errorf("what is read, the error, and whether there may be more: %s", got)
	}
}

// TestSmallRecordsAreReadTogether, but not without end.
func TestSmallRecordsAreReadTogether(t *testing.T) {
	w := newWorld(t)
	w.serve(serverConfig())
	over := w.handshake()
	client := tls.Client(&together{Conn: w.peer}, clientConfig())
	if err := client.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := result(t, over); err != nil {
		t.Fatal(err)
	}
	both := client.NetConn().(*together)
	both.hold = true
	for range recordsAtOnce + 8 {
		client.Write([]byte("x"))
	}
	both.release()
	for _, want := range []int{recordsAtOnce, 8} {
		if n, err := w.readOnce(999); n != want || err != nil {
			t.Errorf("a Read gives %d bytes, %v; want %d", n, err, want)
		}
	}
}

// TestLongHandshakes are taken up to a length, and as much of all that are longer than usual.
func TestLongHandshakes(t *testing.T) {
	l := link{}
	for range maxHandshake / 1024 {
		if err := l.take(1024); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.take(1); err != errLongHandshake {
		t.Errorf("one byte too many: %v", err)
	}
	if got, want := long.Load(), int64(maxHandshake-usualHandshake+1); got != want {
		t.Errorf("%d bytes count, want %d", got, want)
	}
	var others []*link
	for err := error(nil); err == nil; {
		o := &link{}
		others = append(others, o)
		err = o.take(maxHandshake)
		if err != nil && err != errLongHandshakes {
			t.Fatal(err)
		}
	}
	if want := maxLong / (maxHandshake - usualHandshake); len(others) < want-2 || len(others) > want+2 {
		t.Errorf("%d of them are too many, want %d", len(others), want)
	}
	usual := &link{}
	if err := usual.take(usualHandshake); err != nil {
		t.Errorf("an ordinary one is refused: %v", err)
	}
	for _, o := range append(others, &l, usual) {
		o.giveBack()
	}
	if got := long.Load(); got != 0 {
		t.Errorf("%d bytes count when all are over", got)
	}
	if err := l.take(1); err == nil {
		t.Error("bytes count of a connection that is over")
	}
}

// maxRecord is how much plaintext a record has at most (RFC 8446, section 5.1).
const maxRecord = 16 << 10

// TestAReadTakesAllFullRecords that are there, and what follows them; an end behind them is told by the next.
func TestAReadTakesAllFullRecords(t *testing.T) {
	w := newWorld(t)
	w.serve(serverConfig())
	over := w.handshake()
	config := clientConfig()
	config.DynamicRecordSizingDisabled = true
	client := tls.Client(&together{Conn: w.peer}, config)
	if err := client.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := result(t, over); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ sent, room, want int }{
		{2*maxRecord + 99, 64 << 10, 2*maxRecord + 99}, {2 * maxRecord, maxRecord + 9, maxRecord + 9}, {maxRecord, maxRecord, maxRecord},
	} {
		both := client.NetConn().(*together)
		both.hold, both.held = true, nil
		client.Write(make([]byte, row.sent))
		if row.room == maxRecord {
			client.CloseWrite()
			w.peer.SetDeadline(time.Now().Add(patience)) // which it has moved
		}
		both.release()
		if n, err := w.readOnce(row.room); n != row.want || err != nil {
			t.Errorf("of %d bytes a Read with room for %d gives %d: %v", row.sent, row.room, n, err)
		}
		if rest := row.sent - row.want; rest > 0 {
			if n, err := w.readOnce(row.room); n != rest || err != nil {
				t.Errorf("%d are left, it gives %d: %v", rest, n, err)
			}
		}
	}
	if n, err := w.readOnce(99); n != 0 || err != io.EOF {
		t.Errorf("at the end it gives %d: %v", n, err)
	}
}

// readOnce waits until a Read gives something.
func (w *world) readOnce(room int) (n int, err error) {
	done := make(chan struct{})
	w.on(func() {
		w.task.play = func() {
			if n, err = w.conn.Read(make([]byte, room)); err != loop.ErrAgain {
				w.task.play = nil
				close(done)
			}
		}
		w.loop.NewWaker(w.task).Wake()
	})
	result(w.t, done)
	return n, err
}

// together is a connection that can hold back what is written, to send it at once.
type together struct {
	net.Conn
	hold bool
	held []byte
}

func (c *together) Write(p []byte) (int, error) {
	if c.hold {
		c.held = append(c.held, p...)
		return len(p), nil
	}
	return c.Conn.Write(p)
}

func (c *together) release() { c.Conn.Write(c.held) }

// TestAPanicEndsTheHandshakeAlone has crypto/tls, or a certificate's maker, panic.
func TestAPanicEndsTheHandshakeAlone(t *testing.T) {
	w := newWorld(t)
	w.serve(&tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { panic("an odd name") }})
	over := w.handshake()
	go tls.Client(w.peer, clientConfig()).Handshake()
	if err := result(t, over); err == nil || !strings.Contains(err.Error(), "an odd name") {
		t.Errorf("the handshake gives %v", err)
	}
	w.on(w.conn.Close)
	if len(queue) != 0 {
		t.Error("its turn does not end")
	}
}
