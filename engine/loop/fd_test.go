package loop_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"exaproxy/engine/loop"
	"exaproxy/engine/loop/looptest"
)

// The traps of edge triggering, each by its name.

func TestShortReadAfterTheEndWasReportedLeavesReadable(t *testing.T) {
	onBothKernels(t, func(w *world) {
		for _, connect := range []func() (*loop.FD, far, *task){w.pair, w.accepted} {
			fd, far, _ := connect()
			far.Write([]byte("bye"))
			far.CloseWrite()
			w.until("the end is reported", fd.PeerDone)
			w.want("a short read", fd, "bye", nil)
			if !fd.Readable() {
				t.Fatal("the end brings no further edge, and the descriptor is not readable any more")
			}
			w.want("the end, without another turn", fd, "", io.EOF)
		}
	})
}

func TestShortReadOfATerminalLeavesReadable(t *testing.T) {
	near, far := terminal(machine{t})
	w := linuxWorld(t)
	fd, task := w.watch(near, loop.Terminal)
	w.wantAgain("before anything comes", fd)
	unix.Write(far, []byte("one"))
	w.until("it is reported", func() bool { return task.runs > 0 })
	w.want("a short read", fd, "one", nil)
	if !fd.Readable() {
		t.Error("a short read has cleared readable")
	}
	unix.Write(far, []byte("two"))
	w.want("more, without another turn", fd, "two", nil)
	w.wantAgain("after it", fd)
}

func TestShortReadOfAPipeHasEmptiedIt(t *testing.T) {
	near, far := pipe(machine{t})
	w := linuxWorld(t)
	fd, task := w.watch(near, loop.Pipe)
	w.wantAgain("before anything comes", fd)
	for _, text := range []string{"one", "two"} {
		unix.Write(far, []byte(text[:1]))
		unix.Write(far, []byte(text[1:])) // in a buffer of its own
		task.runs = 0
		w.until(text+" is reported", func() bool { return task.runs > 0 })
		w.want("a short read of two buffers", fd, text, nil)
		if fd.Readable() {
			t.Error("a short read has left readable")
		}
	}
	unix.Write(far, []byte("last"))
	unix.Close(far)
	w.until("the end is reported", fd.PeerDone)
	w.want("what precedes the end", fd, "last", nil)
	w.want("the end, without another turn", fd, "", io.EOF)
}

// watch takes over a descriptor.
func (w *world) watch(sys int, typ loop.Type) (*loop.FD, *task) {
	w.Helper()
	t := &task{}
	fd, err := w.loop.Watch(sys, typ, w.loop.NewWaker(t))
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(fd.Close)
	return fd, t
}

// pipe returns the reading and the writing end.
func pipe(m machine) (near, far int) {
	var p [2]int
	m.must(0, unix.Pipe2(p[:], unix.O_NONBLOCK|unix.O_CLOEXEC))
	m.Cleanup(func() { unix.Close(p[1]) })
	return p[0], p[1]
}

// terminal returns the near side of a pseudo-terminal, and the far one, without echo.
func terminal(m machine) (near, far int) {
	near = m.must(unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0))
	m.must(0, unix.IoctlSetPointerInt(near, unix.TIOCSPTLCK, 0))
	n := m.must(unix.IoctlGetInt(near, unix.TIOCGPTN))
	far = m.must(unix.Open("/dev/pts/"+strconv.Itoa(n), unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0))
	m.Cleanup(func() { unix.Close(far) })
	var raw unix.Termios // no echo, no lines, no translation
	raw.Cflag = unix.CS8
	raw.Cc[unix.VMIN] = 1
	m.must(0, unix.IoctlSetTermios(far, unix.TCSETS, &raw))
	return near, far
}

func TestShortReadOfDatagramsLeavesReadable(t *testing.T) {
	onBothKernels(t, func(w *world) {
		s := w.outside.receive()
		fd, _, err := w.dial(loop.DialSpec{Type: loop.Datagram, Remote: s.addr()})
		if err != nil {
			t.Fatal(err)
		}
		from, _, _ := fd.Names()
		s.send(from, []byte("one"))
		s.send(from, []byte("two"))
		w.until("the first comes", func() bool { return tryRead(fd) == "one" })
		if !fd.Readable() {
			t.Error("a short read has cleared readable")
		}
		w.want("the second, without another turn", fd, "two", nil)
	})
}

func TestUrgentDataMakesShortReadsMeanNothing(t *testing.T) {
	w := linuxWorld(t)
	fd, far, _ := w.accepted()
	sys := far.(*machineEnd).sys
	got := ""
	for _, part := range []struct {
		data  string
		flags int
	}{{"before", 0}, {"!", unix.MSG_OOB}, {"after", 0}} {
		if err := unix.Send(sys, []byte(part.data), part.flags); err != nil {
			t.Fatal(err)
		}
	}
	w.arrived(sys)
	w.until("what follows the mark is read too", func() bool {
		got += tryRead(fd)
		return got == "beforeafter"
	})
}

// arrived lets the world go on until all that was sent is there, and all its edges were reported.
func (w *world) arrived(sys int) {
	w.Helper()
	w.until("all that was sent is acknowledged", func() bool {
		left, err := unix.IoctlGetInt(sys, unix.TIOCOUTQ)
		return left == 0 && err == nil
	})
	w.rest()
}

// signalled is a kernel under which a signal is pending in each of the next few reads.
type signalled struct {
	loop.Kernel
	reads int
}

func (s *signalled) Read(sys int, t loop.Type, p []byte) (int, error) {
	if s.reads > 0 {
		s.reads--
		return 0, loop.ErrAgain
	}
	return s.Kernel.Read(sys, t, p)
}

func TestSignalAtTheMarkOfUrgentDataDoesNotMeanThatNothingIsThere(t *testing.T) {
	k, err := loop.Linux()
	if err != nil {
		t.Fatal(err)
	}
	s := &signalled{Kernel: k}
	w := newWorld(t, s, machine{t})
	fd, far, _ := w.accepted()
	sys := far.(*machineEnd).sys
	unix.Send(sys, []byte("before"), 0)
	unix.Send(sys, []byte("!"), unix.MSG_OOB)
	unix.Send(sys, []byte("after"), 0)
	w.arrived(sys)
	w.want("what precedes the mark", fd, "before", nil)
	s.reads = 1
	w.until("what follows the mark is read too", func() bool { return tryRead(fd) == "after" })
}

func TestEndOfTerminalIsEOF(t *testing.T) {
	m := machine{t}
	near := m.must(unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0))
	m.must(0, unix.IoctlSetPointerInt(near, unix.TIOCSPTLCK, 0))
	n := m.must(unix.IoctlGetInt(near, unix.TIOCGPTN))
	far := m.must(unix.Open("/dev/pts/"+strconv.Itoa(n), unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0))
	w := linuxWorld(t)
	fd, _ := w.watch(near, loop.Terminal)
	w.wantAgain("before anything comes", fd)
	unix.Write(far, []byte("last"))
	unix.Close(far)
	w.until("the end is reported", fd.PeerDone)
	w.want("what came", fd, "last", nil)
	w.want("the end", fd, "", io.EOF)
	w.want("the end again", fd, "", io.EOF)
}

func TestPipesAndTerminalsWaitForRoom(t *testing.T) {
	for _, row := range []struct {
		name string
		typ  loop.Type
		open func(machine) (near, far int)
	}{
		{"pipe", loop.Pipe, func(m machine) (near, far int) {
			var p [2]int
			m.must(0, unix.Pipe2(p[:], unix.O_NONBLOCK|unix.O_CLOEXEC))
			m.Cleanup(func() { unix.Close(p[0]) })
			return p[1], p[0]
		}},
		{"terminal", loop.Terminal, terminal},
	} {
		for _, gather := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s gathering %v", row.name, gather), func(t *testing.T) {
				m := machine{t}
				near, farSys := row.open(m)
				w := linuxWorld(t)
				fd, task := w.watch(near, row.typ)
				all := pattern(1 << 20)
				n := 0
				task.does = func() {
					var took int
					var err error
					if left := all[n:]; gather {
						took, err = fd.Writev([][]byte{left[:len(left)/3], left[len(left)/3:]})
					} else {
						took, err = fd.Write(left)
					}
					n += took
					if n < len(all) && err != loop.ErrAgain {
						t.Errorf("a write that took %d of %d says %v", n, len(all), err)
					}
				}
				w.loop.Turn(false)
				task.does()
				if n == len(all) {
					t.Fatal("a megabyte fitted")
				}
				far := &machineEnd{machine: m, sys: farSys}
				w.wantFar(far, all)
			})
		}
	}
}

// interrupted is a kernel whose writes are cut short by signals, though there is room.
type interrupted struct{ *looptest.Kernel }

func (i interrupted) Write(sys int, t loop.Type, p []byte) (int, error) {
	return i.Kernel.Write(sys, t, p[:min(len(p), 3)])
}

func (i interrupted) Writev(sys int, t loop.Type, p [][]byte) (int, error) {
	return i.Write(sys, t, p[0])
}

func TestShortWriteToATerminalDoesNotMeanThatItIsFull(t *testing.T) {
	const text = "a line that is longer than that"
	for _, row := range []struct {
		name  string
		write func(*loop.FD) (int, error)
	}{
		{"Write", func(fd *loop.FD) (int, error) { return fd.Write([]byte(text)) }},
		{"Writev", func(fd *loop.FD) (int, error) {
			return fd.Writev([][]byte{[]byte(text[:7]), nil, []byte(text[7:8]), []byte(text[8:])})
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			k := looptest.NewKernel(t)
			w := newWorld(t, interrupted{k}, memory{k})
			sys, end := k.Pair()
			fd, _ := w.watch(sys, loop.Terminal)
			if n, err := row.write(fd); n != len(text) || err != nil {
				t.Errorf("it wrote %d of %d bytes and said %v", n, len(text), err)
			}
			if got := string(end.Read()); got != text {
				t.Errorf("%q was written", got)
			}
			end.SetCapacity(5)
			if n, err := row.write(fd); n != 5 || err != loop.ErrAgain {
				t.Errorf("with room for 5 bytes it wrote %d and said %v", n, err)
			}
		})
	}
}

func TestWritingToABrokenPipeIsAnError(t *testing.T) {
	m := machine{t}
	var p [2]int
	m.must(0, unix.Pipe2(p[:], unix.O_NONBLOCK|unix.O_CLOEXEC))
	w := linuxWorld(t)
	fd, _ := w.watch(p[1], loop.Pipe)
	unix.Close(p[0])
	w.until("it is broken", fd.Broken)
	if _, err := fd.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("writing says %v, want EPIPE", err)
	}
}

func TestEverythingIsCloseOnExecAndNonBlocking(t *testing.T) {
	before := descriptors(t)
	w := linuxWorld(t)
	ln := w.listen(&task{})
	for _, typ := range []loop.Type{loop.Stream, loop.Datagram} {
		if _, _, err := w.dial(loop.DialSpec{Type: typ, Remote: ln.addr}); err != nil {
			t.Fatal(err)
		}
	}
	var fd *loop.FD
	w.until("the connection is accepted", func() bool {
		var err error
		fd, _, err = ln.Accept()
		return err == nil
	})
	defer fd.Close()
	opened := 0
	for sys, name := range descriptors(t) {
		if _, had := before[sys]; had {
			continue
		}
		opened++
		if flags, err := unix.FcntlInt(uintptr(sys), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			t.Errorf("a child would inherit %s", name)
		}
		if strings.Contains(name, "eventpoll") {
			continue // epoll does not need it
		}
		if flags, err := unix.FcntlInt(uintptr(sys), unix.F_GETFL, 0); err == nil && flags&unix.O_NONBLOCK == 0 {
			t.Errorf("%s blocks", name)
		}
	}
	if opened < 7 { // two epolls, the eventfd, the listener, two dialled, one accepted
		t.Errorf("only %d descriptors were looked at", opened)
	}
}

// descriptors returns the numbers of those that are open, with what they are.
func descriptors(t *testing.T) map[int]string {
	all := map[int]string{}
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		sys, _ := strconv.Atoi(e.Name())
		if name, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil { // not that of ReadDir
			all[sys] = name
		}
	}
	return all
}
