package loop_test

import (
	"bytes"
	"errors"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

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
	nobody() netip.AddrPort                       // where a connection is refused
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

// onBothKernels runs a test in memory, and on this machine in both manners of waiting.
func onBothKernels(t *testing.T, test func(*world)) {
	t.Run("memory", func(t *testing.T) {
		k := looptest.NewKernel(t)
		test(newWorld(t, k, memory{k}))
	})
	t.Run("parking", func(t *testing.T) { test(linuxWorld(t, true)) })
	t.Run("blocking", func(t *testing.T) { test(linuxWorld(t, false)) })
}

func linuxWorld(t *testing.T, park bool) *world {
	k, err := loop.LinuxWaiting(park)
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
	f := w.outside.dial(ln.Addr())
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

func (w *world) listen(t *task) *loop.Listener {
	w.Helper()
	ln, err := w.loop.Listen(loop.ListenSpec{Addr: netip.MustParseAddrPort("127.0.0.1:0")}, w.loop.NewWaker(t))
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

// wantAgain reads, and expects to be told to wait.
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

// memory is the outside of a kernel in memory.
type memory struct{ k *looptest.Kernel }

type memoryEnd struct{ *looptest.End }

func (e memoryEnd) Limit() { e.SetCapacity(64 << 10) }

func (m memory) pair() (int, far) {
	sys, e := m.k.Pair()
	return sys, memoryEnd{e}
}

func (m memory) dial(to netip.AddrPort) far { return memoryEnd{m.k.Dial(to)} }

func (m memory) nobody() netip.AddrPort { return netip.MustParseAddrPort("192.0.2.1:81") }

func (m memory) listen() server {
	at := netip.MustParseAddrPort("192.0.2.1:80")
	return memoryServer{m.k.Listen(at), at}
}

type memoryServer struct {
	*looptest.Port
	at netip.AddrPort
}

func (s memoryServer) addr() netip.AddrPort { return s.at }

func (s memoryServer) accept() far {
	if e := s.Accept(); e != nil {
		return memoryEnd{e}
	}
	return nil
}

func (m memory) receive() datagrams {
	at := netip.MustParseAddrPort("192.0.2.1:53")
	return memoryDatagrams{m.k.ListenDatagram(at), at}
}

type memoryDatagrams struct {
	*looptest.DatagramPort
	at netip.AddrPort
}

func (d memoryDatagrams) addr() netip.AddrPort                    { return d.at }
func (d memoryDatagrams) receive() (netip.AddrPort, []byte, bool) { return d.Receive() }
func (d memoryDatagrams) send(to netip.AddrPort, data []byte)     { d.Send(to, data) }
func (m memory) stuck(holds func() bool, w *world) (bad bool) {
	for range 1000 {
		if holds() {
			return false
		}
		if !w.loop.Turn(false) {
			m.k.Advance(20 * time.Millisecond)
		}
	}
	return true
}

// machine is the outside of the kernel of this machine.
type machine struct{ *testing.T }

func (m machine) stuck(holds func() bool, w *world) (bad bool) {
	glance := &task{}
	timer := w.loop.NewTimer(w.loop.NewWaker(glance)) // so that no turn takes long
	defer timer.Clear()
	for begin := time.Now(); time.Since(begin) < 10*time.Second; {
		if holds() {
			return false
		}
		timer.Set(16 * time.Millisecond)
		w.loop.Turn(true)
	}
	return true
}

func (m machine) must(sys int, err error) int {
	m.Helper()
	if err != nil {
		m.Fatal(err)
	}
	return sys
}

func (m machine) pair() (int, far) {
	s, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	m.must(0, err)
	return s[0], &machineEnd{machine: m, sys: s[1]}
}

func (m machine) dial(to netip.AddrPort) far {
	sys := m.must(unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0))
	m.must(0, unix.Connect(sys, &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}))
	m.must(0, unix.SetNonblock(sys, true))
	return &machineEnd{machine: m, sys: sys}
}

// bound returns a socket with a port of its own.
func (m machine) bound(kind int) (sys int, at netip.AddrPort) {
	sys = m.must(unix.Socket(unix.AF_INET, kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0))
	m.Cleanup(func() { unix.Close(sys) })
	m.must(0, unix.Bind(sys, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	name, err := unix.Getsockname(sys)
	m.must(0, err)
	return sys, addrPort(name)
}

func addrPort(s unix.Sockaddr) netip.AddrPort {
	four := s.(*unix.SockaddrInet4)
	return netip.AddrPortFrom(netip.AddrFrom4(four.Addr), uint16(four.Port))
}

// nobody is a port that is taken and not listened on.
func (m machine) nobody() netip.AddrPort {
	_, at := m.bound(unix.SOCK_STREAM)
	return at
}

type machineServer struct {
	machine
	sys int
	at  netip.AddrPort
}

func (m machine) listen() server {
	sys, at := m.bound(unix.SOCK_STREAM)
	m.must(0, unix.Listen(sys, 8))
	return machineServer{m, sys, at}
}

func (s machineServer) addr() netip.AddrPort { return s.at }

func (s machineServer) accept() far {
	sys, _, err := unix.Accept4(s.sys, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
	if err == unix.EAGAIN {
		return nil
	}
	return &machineEnd{machine: s.machine, sys: s.must(sys, err)}
}

type machineDatagrams struct {
	machine
	sys int
	at  netip.AddrPort
}

func (m machine) receive() datagrams {
	sys, at := m.bound(unix.SOCK_DGRAM)
	return machineDatagrams{m, sys, at}
}

func (d machineDatagrams) addr() netip.AddrPort { return d.at }

func (d machineDatagrams) receive() (netip.AddrPort, []byte, bool) {
	var b [512]byte
	n, from, err := unix.Recvfrom(d.sys, b[:], 0)
	if err != nil {
		return netip.AddrPort{}, nil, false
	}
	return addrPort(from), b[:n], true
}

func (d machineDatagrams) send(to netip.AddrPort, data []byte) {
	d.must(0, unix.Sendto(d.sys, data, 0, &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}))
}

// machineEnd is a socket of this machine.
type machineEnd struct {
	machine
	sys                      int
	ended, wasReset, isClose bool
}

func (e *machineEnd) Write(p []byte) int {
	n, err := unix.SendmsgN(e.sys, p, nil, nil, unix.MSG_NOSIGNAL)
	if err != nil {
		return 0
	}
	return n
}

func (e *machineEnd) Read() []byte {
	var all []byte
	for {
		var b [1 << 16]byte
		n, err := unix.Read(e.sys, b[:])
		if n > 0 {
			all = append(all, b[:n]...)
			continue
		}
		e.wasReset = e.wasReset || err == unix.ECONNRESET
		e.ended = e.ended || n == 0 || err == unix.ECONNRESET
		return all
	}
}

func (e *machineEnd) Closed() bool   { e.Read(); return e.ended }
func (e *machineEnd) WasReset() bool { e.Read(); return e.wasReset }
func (e *machineEnd) CloseWrite()    { unix.Shutdown(e.sys, unix.SHUT_WR) }

func (e *machineEnd) Close() {
	if !e.isClose {
		e.isClose = true
		unix.Close(e.sys)
	}
}

func (e *machineEnd) Reset() {
	unix.SetsockoptLinger(e.sys, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	e.Close()
}

func (e *machineEnd) Limit() { unix.SetsockoptInt(e.sys, unix.SOL_SOCKET, unix.SO_RCVBUF, 64<<10) }
