package loop_test

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

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

func TestShortReadOfPipesAndTerminalsLeavesReadable(t *testing.T) {
	for _, row := range []struct {
		name string
		open func(machine) (near, far int)
	}{
		{"pipe", pipe},
		{"terminal", terminal},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := machine{t}
			near, far := row.open(m)
			w := linuxWorld(t, true)
			fd, task := w.watch(near, loop.Pipe)
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
		})
	}
}

// watch takes over a descriptor.
func (w *world) watch(sys int, k loop.Kind) (*loop.FD, *task) {
	w.Helper()
	t := &task{}
	fd, err := w.loop.Watch(sys, k, w.loop.NewWaker(t))
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
		fd, _, err := w.dial(loop.DialSpec{Kind: loop.Datagram, Remote: s.addr()})
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
	w := linuxWorld(t, true)
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
	w.rest() // all is there, and all its edges were reported
	w.until("what follows the mark is read too", func() bool {
		got += tryRead(fd)
		return got == "beforeafter"
	})
}

func TestAcceptWithoutDescriptorsIsRetriedByTimer(t *testing.T) {
	for _, err := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM} {
		t.Run(fmt.Sprint(err), func(t *testing.T) {
			k := looptest.NewKernel(t)
			w := newWorld(t, k, memory{k})
			task := &task{}
			ln := w.listen(task)
			k.FailAccept(err, 2)
			defer k.Dial(ln.Addr()).Close()
			for try := range 2 {
				w.loop.Turn(false)
				if _, _, got := ln.Accept(); !errors.Is(got, err) {
					t.Fatalf("accept %d says %v", try, got)
				}
				task.runs = 0
				k.Advance(99 * time.Millisecond)
				looptest.Settle(w.loop)
				if task.runs != 0 {
					t.Fatalf("the listener was reported %d times before its rest was over", task.runs)
				}
				k.Advance(20 * time.Millisecond)
				w.loop.Turn(false)
				if task.runs != 1 {
					t.Fatalf("after its rest the listener was reported %d times", task.runs)
				}
			}
			fd, _, got := ln.Accept()
			if got != nil {
				t.Fatal(got)
			}
			fd.Close()
		})
	}
}

func TestAcceptAtTheLimitOfThisMachine(t *testing.T) {
	w := linuxWorld(t, true)
	task := &task{}
	ln := w.listen(task)
	defer w.outside.dial(ln.Addr()).Close()
	free, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 0) // the lowest free number
	if err != nil {
		t.Fatal(err)
	}
	unix.Close(free)
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	small := limit
	small.Cur = uint64(free)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &small); err != nil {
		t.Fatal(err)
	}
	_, _, err = ln.Accept()
	if restored := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); restored != nil {
		t.Fatal(restored)
	}
	if !errors.Is(err, syscall.EMFILE) {
		t.Fatalf("accept without a free number says %v", err)
	}
	w.until("it is reported again", func() bool { return task.runs > 0 })
	fd, _, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	fd.Close()
}

func TestAcceptPassesOverConnectionsThatAreGone(t *testing.T) {
	k := looptest.NewKernel(t)
	w := newWorld(t, k, memory{k})
	ln := w.listen(&task{})
	k.FailAccept(syscall.ECONNABORTED, 3)
	defer k.Dial(ln.Addr()).Close()
	fd, _, err := ln.Accept()
	if err != nil {
		t.Fatalf("accept says %v", err)
	}
	fd.Close()
}

func TestEndOfTerminalIsEOF(t *testing.T) {
	m := machine{t}
	near := m.must(unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0))
	m.must(0, unix.IoctlSetPointerInt(near, unix.TIOCSPTLCK, 0))
	n := m.must(unix.IoctlGetInt(near, unix.TIOCGPTN))
	far := m.must(unix.Open("/dev/pts/"+strconv.Itoa(n), unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0))
	w := linuxWorld(t, true)
	fd, _ := w.watch(near, loop.Pipe)
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
		open func(machine) (near, far int)
	}{
		{"pipe", func(m machine) (near, far int) {
			var p [2]int
			m.must(0, unix.Pipe2(p[:], unix.O_NONBLOCK|unix.O_CLOEXEC))
			m.Cleanup(func() { unix.Close(p[0]) })
			return p[1], p[0]
		}},
		{"terminal", terminal},
	} {
		for _, gather := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s gathering %v", row.name, gather), func(t *testing.T) {
				m := machine{t}
				near, farSys := row.open(m)
				w := linuxWorld(t, true)
				fd, task := w.watch(near, loop.Pipe)
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

func TestWritingToABrokenPipeIsAnError(t *testing.T) {
	m := machine{t}
	var p [2]int
	m.must(0, unix.Pipe2(p[:], unix.O_NONBLOCK|unix.O_CLOEXEC))
	w := linuxWorld(t, true)
	fd, _ := w.watch(p[1], loop.Pipe)
	unix.Close(p[0])
	w.until("it is broken", fd.Broken)
	if _, err := fd.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("writing says %v, want EPIPE", err)
	}
}

func TestEverythingIsCloseOnExecAndNonBlocking(t *testing.T) {
	before := descriptors(t)
	w := linuxWorld(t, true)
	ln := w.listen(&task{})
	for _, kind := range []loop.Kind{loop.Stream, loop.Datagram} {
		if _, _, err := w.dial(loop.DialSpec{Kind: kind, Remote: ln.Addr()}); err != nil {
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
		if flags, err := unix.FcntlInt(uintptr(sys), unix.F_GETFL, 0); err == nil && flags&unix.O_NONBLOCK == 0 {
			t.Errorf("%s blocks", name)
		}
	}
	if opened < 6 { // the event queue, the bell, the listener, two dialled, one accepted
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

// scripted is a kernel in memory that reports what a test says.
type scripted struct {
	*looptest.Kernel
	events  []loop.Event
	watched []loop.Event // slot and generation, in order
	until   time.Time    // of the last Wait
}

func (s *scripted) Watch(sys int, slot, generation int32) error {
	s.watched = append(s.watched, loop.Event{Slot: slot, Generation: generation})
	return s.Kernel.Watch(sys, slot, generation)
}

func (s *scripted) Wait(events []loop.Event, until time.Time) int {
	s.until = until
	n := copy(events, s.events)
	s.events = s.events[n:]
	return n
}

func scriptedWorld(t *testing.T) (*world, *scripted) {
	k := looptest.NewKernel(t)
	s := &scripted{Kernel: k}
	return newWorld(t, s, memory{k}), s
}

func TestWhatEventsSay(t *testing.T) {
	for _, row := range []struct {
		name         string
		bits         loop.Bits
		kind         loop.Kind
		finished     bool // we have called CloseWrite
		done, broken bool
	}{
		{name: "bytes", bits: loop.In | loop.Out},
		{name: "RDHUP: the peer writes no more", bits: loop.In | loop.Done, done: true},
		{name: "HUP: nothing goes any more", bits: loop.In | loop.Done | loop.Hup, done: true, broken: true},
		{name: "HUP after CloseWrite: both have finished", bits: loop.In | loop.Done | loop.Hup, finished: true, done: true},
		{name: "ERR", bits: loop.Failed, done: true, broken: true},
		{name: "ERR after CloseWrite", bits: loop.Failed | loop.Hup, finished: true, done: true, broken: true},
		{name: "HUP of a pipe that is read", bits: loop.Hup, kind: loop.Pipe, done: true, broken: true},
		{name: "ERR of a datagram socket", bits: loop.Failed, kind: loop.Datagram},
	} {
		t.Run(row.name, func(t *testing.T) {
			w, script := scriptedWorld(t)
			sys, _ := w.outside.pair()
			fd, _ := w.watch(sys, row.kind)
			if row.finished {
				fd.CloseWrite()
			}
			e := script.watched[0]
			e.Bits = row.bits
			script.events = []loop.Event{e}
			w.loop.Turn(false)
			if fd.PeerDone() != row.done || fd.Broken() != row.broken {
				t.Errorf("done %v and broken %v, want %v and %v", fd.PeerDone(), fd.Broken(), row.done, row.broken)
			}
		})
	}
}

func TestStaleEventsOfAClosedDescriptorFindNobody(t *testing.T) {
	w, script := scriptedWorld(t)
	oldSys, _ := w.outside.pair()
	old, oldTask := w.watch(oldSys, loop.Stream)
	stale := script.watched[0]
	stale.Bits = loop.In | loop.Hup | loop.Failed
	old.Close()
	script.events = []loop.Event{stale}
	w.loop.Turn(false)
	newSys, _ := w.outside.pair()
	heir, heirTask := w.watch(newSys, loop.Stream)
	if got := script.watched[1]; got.Slot != stale.Slot || got.Generation == stale.Generation {
		t.Fatalf("slot %d, generation %d follows slot %d, generation %d: want the next generation in the same slot",
			got.Slot, got.Generation, stale.Slot, stale.Generation)
	}
	script.events = []loop.Event{stale, stale}
	w.loop.Turn(false)
	if oldTask.runs != 0 || heirTask.runs != 0 || heir.Broken() {
		t.Errorf("stale events ran the old owner's task %d times, the new one's %d times; broken: %v",
			oldTask.runs, heirTask.runs, heir.Broken())
	}
}

func TestDescriptorClosedByAnEarlierTaskOfTheBatch(t *testing.T) {
	w, script := scriptedWorld(t)
	firstSys, _ := w.outside.pair()
	secondSys, _ := w.outside.pair()
	first, firstTask := w.watch(firstSys, loop.Stream)
	secondTask := &task{}
	secondWaker := w.loop.NewWaker(secondTask)
	second, err := w.loop.Watch(secondSys, loop.Stream, secondWaker)
	if err != nil {
		t.Fatal(err)
	}
	firstTask.does = func() {
		second.Close()
		secondWaker.Retire()
	}
	w.wantAgain("the first", first)
	for _, e := range script.watched {
		e.Bits = loop.In | loop.Done
		script.events = append(script.events, e)
	}
	w.loop.Turn(false)
	if firstTask.runs != 1 || secondTask.runs != 0 {
		t.Errorf("the first task ran %d times, that of the closed descriptor %d times", firstTask.runs, secondTask.runs)
	}
}

func TestDuplicateInAChildCannotDisturb(t *testing.T) {
	w := linuxWorld(t, true)
	sys, far := w.outside.pair()
	defer far.Close()
	duplicate, err := unix.Dup(sys)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(duplicate) // keeps the registration alive
	old, oldTask := w.watch(sys, loop.Stream)
	w.rest()
	old.Close()
	oldTask.runs = 0
	heir, _, heirTask := w.pair()
	w.wantAgain("the heir", heir)
	w.rest()
	heirTask.runs = 0
	far.Write([]byte("to a dead one"))
	w.rest()
	if oldTask.runs+heirTask.runs != 0 || heir.Readable() {
		t.Errorf("an event of a closed descriptor ran its task %d times and its heir's %d times", oldTask.runs, heirTask.runs)
	}
}

func TestNobodyIsWokenForWhatIsKnown(t *testing.T) {
	w, script := scriptedWorld(t)
	sys, _ := w.outside.pair()
	fd, task := w.watch(sys, loop.Stream)
	e := script.watched[0]
	e.Bits = loop.In | loop.Out
	script.events = []loop.Event{e}
	w.loop.Turn(false)
	if task.runs != 0 {
		t.Errorf("an owner that has not been told ErrAgain was woken %d times", task.runs)
	}
	w.wantAgain("a read", fd)
	script.events = []loop.Event{e, e}
	w.loop.Turn(false)
	if task.runs != 1 {
		t.Errorf("an owner that was told ErrAgain was woken %d times", task.runs)
	}
}

func TestListenOnBothFamilies(t *testing.T) {
	w := linuxWorld(t, true)
	ln, err := w.loop.Listen(loop.ListenSpec{Addr: netip.MustParseAddrPort("[::]:0")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	defer w.outside.dial(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), ln.Addr().Port())).Close()
	var peer loop.Peer
	var fd *loop.FD
	w.until("an IPv4 client is accepted", func() bool {
		fd, peer, err = ln.Accept()
		return err == nil
	})
	defer fd.Close()
	if local, _, _ := fd.Names(); !peer.Remote.Addr().Is4() || !local.Addr().Is4() {
		t.Errorf("the peer is %v and we are %v, want both as IPv4", peer.Remote, local)
	}
}

func TestQueuesOfTheirOwn(t *testing.T) {
	onBothKernels(t, func(w *world) {
		spec := loop.ListenSpec{Addr: netip.MustParseAddrPort("127.0.0.1:0"), ReusePort: true, Backlog: 16}
		for range 2 {
			ln, err := w.loop.Listen(spec, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer ln.Close()
			spec.Addr = ln.Addr()
		}
	})
}

func TestErrorsNameTheOperand(t *testing.T) {
	w := linuxWorld(t, true)
	for _, row := range []struct {
		name string
		do   func() error
		want string
	}{
		{"listening on an address of somebody else", func() error {
			_, err := w.loop.Listen(loop.ListenSpec{Addr: netip.MustParseAddrPort("192.0.2.1:3128")}, nil)
			return err
		}, "listen 192.0.2.1:3128: cannot assign requested address"},
		{"dialling nowhere", func() error {
			_, err := w.loop.Dial(loop.DialSpec{}, nil)
			return err
		}, "connect invalid AddrPort: destination address required"},
		{"watching a file", func() error {
			f, err := os.Open(os.Args[0])
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = w.loop.Watch(int(f.Fd()), loop.Pipe, nil)
			if err != nil {
				err = errors.Unwrap(err)
			}
			return err
		}, "operation not permitted"},
		{"lending something that does not exist", func() error {
			_, err := w.loop.WatchListener(-1, nil)
			return err
		}, "watch listener -1: bad file descriptor"},
		{"making a loop of nothing", func() error {
			_, err := loop.New(nil)
			return err
		}, "make a loop: no kernel"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if err := row.do(); err == nil || err.Error() != row.want {
				t.Errorf("got %v, want %s", err, row.want)
			}
		})
	}
}
