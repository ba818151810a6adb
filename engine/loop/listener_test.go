package loop_test

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"exaproxy/engine/loop"
	"exaproxy/engine/loop/looptest"
)

// at is where nothing listens.
var at = netip.MustParseAddrPort("192.0.2.1:80")

// outOfMemory is a kernel that now and then has no memory to watch anything.
type outOfMemory struct {
	*looptest.Kernel
	fails int
}

func (f *outOfMemory) fail() error {
	if f.fails == 0 {
		return nil
	}
	f.fails--
	return syscall.ENOMEM
}

func (f *outOfMemory) Watch(sys int, slot, generation int32) error {
	if err := f.fail(); err != nil {
		return err
	}
	return f.Kernel.Watch(sys, slot, generation)
}

func (f *outOfMemory) WatchListener(sys int, slot, generation int32) error {
	if err := f.fail(); err != nil {
		return err
	}
	return f.Kernel.WatchListener(sys, slot, generation)
}

func outOfMemoryWorld(t *testing.T) (*world, *outOfMemory) {
	k := looptest.NewKernel(t)
	f := &outOfMemory{Kernel: k}
	return newWorld(t, f, memory{k}), f
}

func TestWhatCannotBeWatchedIsClosed(t *testing.T) {
	for _, row := range []struct {
		name string
		do   func(*world, *outOfMemory) error
		left int // descriptors that stay open: those that were there before
	}{
		{"a connection that was dialled", func(w *world, k *outOfMemory) error {
			k.fails = 1
			_, err := w.loop.Dial(loop.DialSpec{Remote: at}, nil)
			return err
		}, 0},
		{"a connection that was accepted", func(w *world, k *outOfMemory) error {
			ln := w.listen(&task{})
			k.Dial(ln.addr)
			k.fails = 1
			_, _, err := ln.Accept()
			return err
		}, 1},
		{"what is not ours", func(w *world, k *outOfMemory) error {
			sys, _ := k.Pair()
			k.fails = 1
			_, err := w.loop.Watch(sys, loop.Stream, nil)
			return err
		}, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			w, k := outOfMemoryWorld(t)
			if err := row.do(w, k); !errors.Is(err, syscall.ENOMEM) {
				t.Errorf("the error is %v", err)
			}
			if n := k.OpenDescriptors(); n != row.left {
				t.Errorf("%d descriptors are open, want %d", n, row.left)
			}
		})
	}
}

func TestListenerBacksOffUntilItCanBeWatchedAgain(t *testing.T) {
	w, k := outOfMemoryWorld(t)
	task := &task{}
	ln := w.listen(task)
	k.FailAccept(syscall.EMFILE, 1)
	defer k.Dial(ln.addr).Close()
	ln.Accept()
	k.fails = 2
	for range 2 {
		k.Advance(200 * time.Millisecond)
		w.loop.Turn(false)
	}
	if task.runs != 0 {
		t.Fatalf("the task of a listener that cannot be watched ran %d times", task.runs)
	}
	k.Advance(200 * time.Millisecond)
	w.loop.Turn(false)
	if task.runs != 1 {
		t.Errorf("when it can be watched again its task ran %d times", task.runs)
	}
}

func TestListenerClosedWhileItBacksOffStaysClosed(t *testing.T) {
	w, k := memoryWorld(t)
	task := &task{}
	ln := w.listen(task)
	k.FailAccept(syscall.EMFILE, 1)
	defer k.Dial(ln.addr).Close()
	ln.Accept()
	ln.Listener.Close()
	k.Advance(time.Second)
	w.loop.Turn(false)
	if _, _, err := ln.Accept(); task.runs != 0 || err != loop.ErrAgain {
		t.Errorf("its task ran %d times, and accept says %v", task.runs, err)
	}
}

func TestOtherErrorsOfAcceptAreReturned(t *testing.T) {
	w, k := memoryWorld(t)
	ln := w.listen(&task{})
	k.FailAccept(syscall.EINVAL, 1)
	defer k.Dial(ln.addr).Close()
	_, _, err := ln.Accept()
	if want := "accept on " + ln.addr.String() + ": invalid argument"; err == nil || err.Error() != want {
		t.Errorf("accept says %v, want %s", err, want)
	}
}

func TestAcceptWithoutDescriptorsIsRetriedByTimer(t *testing.T) {
	for _, err := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM} {
		t.Run(fmt.Sprint(err), func(t *testing.T) {
			k := looptest.NewKernel(t)
			w := newWorld(t, k, memory{k})
			task := &task{}
			ln := w.listen(task)
			k.FailAccept(err, 2)
			defer k.Dial(ln.addr).Close()
			for try := range 2 {
				w.loop.Turn(false)
				if _, _, got := ln.Accept(); !errors.Is(got, err) {
					t.Fatalf("accept %d says %v", try, got)
				}
				task.runs = 0
				k.Advance(99 * time.Millisecond)
				looptest.Settle(w.loop)
				if task.runs != 0 {
					t.Fatalf("the listener was reported %d times before its backoff was over", task.runs)
				}
				k.Advance(20 * time.Millisecond)
				w.loop.Turn(false)
				if task.runs != 1 {
					t.Fatalf("after its backoff the listener was reported %d times", task.runs)
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
	w := linuxWorld(t)
	task := &task{}
	ln := w.listen(task)
	defer w.outside.dial(ln.addr).Close()
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
	defer k.Dial(ln.addr).Close()
	fd, _, err := ln.Accept()
	if err != nil {
		t.Fatalf("accept says %v", err)
	}
	fd.Close()
}

func TestListenOnBothFamilies(t *testing.T) {
	w := linuxWorld(t)
	ln, err := listenOn(w.loop, loop.ListenSpec{Addr: netip.MustParseAddrPort("[::]:0")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	defer w.outside.dial(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), ln.addr.Port())).Close()
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

func TestReusePort(t *testing.T) {
	onBothKernels(t, func(w *world) {
		spec := loop.ListenSpec{Addr: netip.MustParseAddrPort("127.0.0.1:0"), ReusePort: true}
		for range 2 {
			ln, err := listenOn(w.loop, spec, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer ln.Close()
			spec.Addr = ln.addr
		}
	})
}
