package loop_test

import (
	"bytes"
	"errors"
	"net/netip"
	"testing"

	"exaproxy/engine/loop"
	"exaproxy/engine/loop/looptest"
)

// A world is a loop with an outside that a test plays, on one of the kernels.
type world struct {
	*testing.T
	loop    *loop.Loop
	outside outside
}

// outside is what the same test does in different ways on the two kernels.
type outside interface {
	pair() (sys int, far far)                     // a connected pair
	dial(to netip.AddrPort) far                   // a client of a listener of the loop
	listen() server                               // a server that the loop may dial
	receive() datagrams                           // the same for datagrams
	refusing() netip.AddrPort                     // where a connection is refused
	stuck(until func() bool, w *world) (bad bool) // lets the world go on
}

// far is the other side of a connection.
type far interface {
	Write(p []byte) int
	Read() []byte
	CloseWrite()
	Close()
	Reset()
	Closed() bool   // the loop's side writes no more; Read everything first
	WasReset() bool // the same, with RST
	Limit()         // make its buffer small
}

type server interface {
	addr() netip.AddrPort
	accept() far // nil: none yet
}

type datagrams interface {
	addr() netip.AddrPort
	receive() (from netip.AddrPort, data []byte, ok bool)
	send(to netip.AddrPort, data []byte)
}

// onBothKernels runs a test in memory and on this machine.
func onBothKernels(t *testing.T, test func(*world)) {
	t.Run("memory", func(t *testing.T) {
		k := looptest.NewKernel(t)
		test(newWorld(t, k, memory{k}))
	})
	t.Run("linux", func(t *testing.T) { test(linuxWorld(t)) })
}

func linuxWorld(t *testing.T) *world {
	k, err := loop.Linux()
	if err != nil {
		t.Fatal(err)
	}
	return newWorld(t, k, machine{t})
}

func newWorld(t *testing.T, k loop.Kernel, o outside) *world {
	l, err := loop.New(k)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return &world{t, l, o}
}

// until lets the world go on until the condition holds.
func (w *world) until(sentence string, holds func() bool) {
	w.Helper()
	if w.outside.stuck(holds, w) {
		w.Fatalf("it does not happen that %s", sentence)
	}
}

// rest lets the world go on until nothing happens any more.
func (w *world) rest() {
	w.Helper()
	quiet := 0
	w.until("the world comes to rest", func() bool {
		if w.loop.Turn(false) {
			quiet = 0
		}
		quiet++
		return quiet > 3
	})
}

// task counts how often it is run, and does something.
type task struct {
	runs int
	does func()
}

func (t *task) Run() {
	t.runs++
	if t.does != nil {
		t.does()
	}
}

// pair returns a watched descriptor, its far side, and the task that it wakes.
func (w *world) pair() (*loop.FD, far, *task) {
	w.Helper()
	sys, f := w.outside.pair()
	t := &task{}
	fd, err := w.loop.Watch(sys, loop.Stream, w.loop.NewWaker(t))
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(fd.Close)
	w.Cleanup(f.Close)
	return fd, f, t
}

// accepted returns the same of a connection that was accepted.
func (w *world) accepted() (*loop.FD, far, *task) {
	w.Helper()
	ln := w.listen(&task{})
	f := w.outside.dial(ln.addr)
	t := &task{}
	var fd *loop.FD
	w.until("a connection is accepted", func() (done bool) {
		var err error
		fd, _, err = ln.Accept()
		return err == nil
	})
	fd.SetWaker(w.loop.NewWaker(t))
	w.Cleanup(fd.Close)
	w.Cleanup(f.Close)
	ln.Close()
	return fd, f, t
}

// listener is a Listener with the descriptor that it watches, which Close closes too.
type listener struct {
	*loop.Listener
	kernel loop.Kernel
	sys    int
	addr   netip.AddrPort
}

func (ln *listener) Close() {
	ln.Listener.Close()
	if ln.sys >= 0 {
		ln.kernel.Close(ln.sys)
	}
	ln.sys = -1
}

// listenOn opens a descriptor and watches it.
func listenOn(l *loop.Loop, s loop.ListenSpec, w *loop.Waker) (*listener, error) {
	k := l.Kernel()
	sys, err := k.OpenListener(s)
	if err != nil {
		return nil, err
	}
	ln, err := l.WatchListener(sys, w)
	if err != nil {
		k.Close(sys)
		return nil, err
	}
	addr, _, err := k.Names(sys)
	return &listener{ln, k, sys, addr}, err
}

func (w *world) listen(t *task) *listener {
	w.Helper()
	ln, err := listenOn(w.loop, loop.ListenSpec{Addr: netip.MustParseAddrPort("127.0.0.1:0")}, w.loop.NewWaker(t))
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(ln.Close)
	return ln
}

// want fails the test if a read does not give this.
func (w *world) want(sentence string, fd *loop.FD, text string, wantErr error) {
	w.Helper()
	var b [1 << 10]byte
	n, err := fd.Read(b[:])
	if string(b[:n]) != text || !errors.Is(err, wantErr) {
		w.Errorf("%s: read %q and error %v, want %q and %v", sentence, b[:n], err, text, wantErr)
	}
}

// wantAgain reads, and expects ErrAgain.
func (w *world) wantAgain(sentence string, fd *loop.FD) {
	w.Helper()
	w.want(sentence, fd, "", loop.ErrAgain)
}

// wantRuns waits until a task has run, and expects that it was this often.
func (w *world) wantRuns(sentence string, t *task, want int) {
	w.Helper()
	w.rest()
	if t.runs != want {
		w.Errorf("%s: it ran %d times, want %d", sentence, t.runs, want)
	}
}

// wantFar waits until the far side has read this.
func (w *world) wantFar(f far, want []byte) {
	w.Helper()
	var got []byte
	w.until("the far side reads all", func() bool {
		got = append(got, f.Read()...)
		return len(got) >= len(want)
	})
	if !bytes.Equal(got, want) {
		w.Errorf("the far side read %d bytes that are not the %d written", len(got), len(want))
	}
}
