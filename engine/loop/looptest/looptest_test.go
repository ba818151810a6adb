package looptest_test

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"exaproxy/engine/loop"
	"exaproxy/engine/loop/looptest"
)

var (
	here  = netip.MustParseAddrPort("192.0.2.1:3128")
	there = netip.MustParseAddrPort("198.51.100.7:80")
)

type task func()

func (t task) Run() { t() }

// world is a kernel with a loop.
func world(tb testing.TB) (*looptest.Kernel, *loop.Loop) {
	tb.Helper()
	k := looptest.NewKernel(tb)
	l, err := loop.New(k)
	if err != nil {
		tb.Fatal(err)
	}
	return k, l
}

// firstDescriptor is the number of the first descriptor that a kernel opens.
const firstDescriptor = 3

// listen opens a listening descriptor and watches it.
func listen(k *looptest.Kernel, l *loop.Loop, at netip.AddrPort) (*loop.Listener, error) {
	sys, err := k.OpenListener(loop.ListenSpec{Addr: at})
	if err != nil {
		return nil, err
	}
	return l.WatchListener(sys, nil)
}

// pair returns a watched descriptor whose task is do.
func pair(tb testing.TB, k *looptest.Kernel, l *loop.Loop, do func(*loop.FD)) (*loop.FD, *looptest.End) {
	tb.Helper()
	sys, e := k.Pair()
	var fd *loop.FD
	w := l.NewWaker(task(func() { do(fd) }))
	fd, err := l.Watch(sys, loop.Stream, w)
	if err != nil {
		tb.Fatal(err)
	}
	w.Wake()
	return fd, e
}

func TestSegmentsArriveOneAtATime(t *testing.T) {
	for _, n := range []int{1, 3, 7, 100} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			k, l := world(t)
			var got []string
			var last error
			_, e := pair(t, k, l, func(fd *loop.FD) {
				for {
					var b [64]byte
					m, err := fd.Read(b[:])
					if last = err; err != nil {
						return
					}
					got = append(got, string(b[:m]))
				}
			})
			const text = "the quick brown fox"
			e.Segment(n)
			e.WriteString(text)
			e.CloseWrite()
			looptest.Settle(l)
			if strings.Join(got, "") != text || last != io.EOF {
				t.Errorf("got %q and %v", got, last)
			}
			for _, s := range got {
				if len(s) > n {
					t.Errorf("%q came at once", s)
				}
			}
		})
	}
}

func TestAllArrivesWhenSegmentsEnd(t *testing.T) {
	k, l := world(t)
	var last string
	_, e := pair(t, k, l, func(fd *loop.FD) {
		var b [64]byte
		if n, err := fd.Read(b[:]); err == nil {
			last = string(b[:n])
			fd.Read(b[:])
		}
	})
	e.Segment(1)
	e.WriteString("ab")
	e.Segment(0)
	e.WriteString("cd")
	looptest.Settle(l)
	if !strings.HasSuffix(last, "cd") || e.Unread() != 0 {
		t.Errorf("the last read gave %q, %d bytes are unread", last, e.Unread())
	}
}

func TestAStalledEndFillsUp(t *testing.T) {
	const all = 200 << 10
	for _, row := range []struct {
		name     string
		capacity int
		room     int
	}{
		{"of ordinary capacity", -1, 64 << 10},
		{"of small capacity", 1000, 1000},
		{"of none", 0, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			k, l := world(t)
			left := make([]byte, all)
			_, e := pair(t, k, l, func(fd *loop.FD) {
				n, _ := fd.Write(left)
				left = left[n:]
			})
			e.SetCapacity(row.capacity)
			e.Stall()
			looptest.Settle(l)
			if got := all - len(left); got != row.room || e.Read() != nil {
				t.Errorf("a stalled end took %d bytes, want %d", got, row.room)
			}
			e.SetCapacity(-1)
			e.Resume()
			looptest.Settle(l)
			if got := len(e.Read()); got != all {
				t.Errorf("when it goes on it reads %d bytes, want %d", got, all)
			}
		})
	}
}

func TestAStalledEndThatClosesResets(t *testing.T) {
	k, l := world(t)
	fd, e := pair(t, k, l, func(fd *loop.FD) {})
	fd.Write([]byte("never read"))
	e.Stall()
	e.Close()
	e.Close()
	looptest.Settle(l)
	if _, err := fd.Write([]byte("x")); !fd.Broken() || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("broken %v, and a write says %v", fd.Broken(), err)
	}
	if e.Write([]byte("x")) != 0 {
		t.Error("a closed end writes")
	}
}

func TestDialling(t *testing.T) {
	for _, row := range []struct {
		name    string
		set     func(*looptest.Kernel)
		begun   error // what Dial says
		done    bool
		outcome error
	}{
		{"reachable", func(k *looptest.Kernel) {}, nil, true, nil},
		{"refused", func(k *looptest.Kernel) { k.Refuse(there) }, nil, true, syscall.ECONNREFUSED},
		{"blackholed", func(k *looptest.Kernel) { k.Blackhole(there) }, nil, false, nil},
		{"unreachable", func(k *looptest.Kernel) { k.Unreachable(there) }, syscall.ENETUNREACH, false, nil},
		{"reachable again", func(k *looptest.Kernel) { k.Refuse(there); k.Reachable(there) }, nil, true, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			k, l := world(t)
			port := k.Listen(there)
			row.set(k)
			fd, err := l.Dial(loop.DialSpec{Remote: there}, l.NewWaker(task(func() {})))
			if !errors.Is(err, row.begun) {
				t.Fatalf("dialling says %v, want %v", err, row.begun)
			}
			if err != nil {
				return
			}
			if done, _ := fd.Connected(); done {
				t.Error("it is connected before the loop has turned")
			}
			looptest.Settle(l)
			k.Advance(time.Hour)
			looptest.Settle(l)
			done, err := fd.Connected()
			if done != row.done || !errors.Is(err, row.outcome) {
				t.Errorf("connected %v with %v, want %v with %v", done, err, row.done, row.outcome)
			}
			if made := port.Accept() != nil; made != (row.done && row.outcome == nil) {
				t.Errorf("the server has a connection: %v", made)
			}
		})
	}
}

func TestAServerThatCloses(t *testing.T) {
	k, l := world(t)
	port := k.Listen(there)
	fd, err := l.Dial(loop.DialSpec{Remote: there, Mark: 7}, nil)
	if err != nil {
		t.Fatal(err)
	}
	port.Close()
	looptest.Settle(l)
	if !fd.Broken() {
		t.Error("a connection that the server never accepted was not reset")
	}
	again, err := l.Dial(loop.DialSpec{Remote: there}, nil)
	if err != nil {
		t.Fatal(err)
	}
	looptest.Settle(l)
	if _, err := again.Connected(); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dialling a server that is gone says %v", err)
	}
}

func TestTheServersView(t *testing.T) {
	k, l := world(t)
	port := k.Listen(there)
	spec := loop.DialSpec{Remote: there, Local: netip.MustParseAddrPort("192.0.2.9:0"), Mark: 7, TOS: 8}
	if _, err := l.Dial(spec, nil); err != nil {
		t.Fatal(err)
	}
	looptest.Settle(l)
	e := port.Accept()
	if e.Local() != there || e.Remote().Addr() != spec.Local.Addr() || e.Remote().Port() == 0 {
		t.Errorf("the server at %v sees %v", e.Local(), e.Remote())
	}
	if e.Dialled() != spec {
		t.Errorf("it was dialled with %+v", e.Dialled())
	}
}

func TestTheClientsView(t *testing.T) {
	anywhere := netip.MustParseAddrPort("203.0.113.5:5555")
	wanted := netip.MustParseAddrPort("203.0.113.80:80")
	for _, row := range []struct {
		name         string
		listen       string
		dial         func(*looptest.Kernel) *looptest.End
		peer         string // empty: nothing listens
		local, wants netip.AddrPort
	}{
		{"from anywhere", "192.0.2.1:3128", func(k *looptest.Kernel) *looptest.End { return k.Dial(here) }, "10.0.0.2", here, netip.AddrPort{}},
		{"from an address", "192.0.2.1:3128", func(k *looptest.Kernel) *looptest.End { return k.DialFrom(anywhere, here) }, "203.0.113.5", here, netip.AddrPort{}},
		{"to any IPv4 address", "0.0.0.0:3128", func(k *looptest.Kernel) *looptest.End { return k.Dial(here) }, "10.0.0.2", here, netip.AddrPort{}},
		{"to any address", "[::]:3128", func(k *looptest.Kernel) *looptest.End { return k.Dial(here) }, "10.0.0.2", here, netip.AddrPort{}},
		{"of the other family", "[::]:3128", func(k *looptest.Kernel) *looptest.End {
			return k.Dial(netip.MustParseAddrPort("[2001:db8::1]:3128"))
		}, "fd00::2", netip.MustParseAddrPort("[2001:db8::1]:3128"), netip.AddrPort{}},
		{"diverted", "192.0.2.1:3128", func(k *looptest.Kernel) *looptest.End { return k.DialDiverted(anywhere, here, wanted) }, "203.0.113.5", here, wanted},
		{"to another port", "192.0.2.1:3129", func(k *looptest.Kernel) *looptest.End { return k.Dial(here) }, "", here, netip.AddrPort{}},
		{"to another address", "192.0.2.2:3128", func(k *looptest.Kernel) *looptest.End { return k.Dial(here) }, "", here, netip.AddrPort{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			k, l := world(t)
			ln, err := listen(k, l, netip.MustParseAddrPort(row.listen))
			if err != nil {
				t.Fatal(err)
			}
			e := row.dial(k)
			l.Turn(false)
			fd, peer, err := ln.Accept()
			if row.peer == "" {
				if err != loop.ErrAgain || !e.WasReset() || !e.Closed() || e.Write([]byte("x")) != 0 {
					t.Errorf("nothing listens, but accepting says %v", err)
				}
				return
			}
			if err != nil || peer.Remote.Addr() != netip.MustParseAddr(row.peer) {
				t.Fatalf("the peer is %v, error %v, want %s", peer.Remote, err, row.peer)
			}
			if local, original, _ := fd.Names(); local != row.local || original != row.wants || e.Remote() != row.local {
				t.Errorf("it came to %v and wanted %v, its end says %v; want %v and %v", local, original, e.Remote(), row.local, row.wants)
			}
		})
	}
}

func TestDescriptorsAreCounted(t *testing.T) {
	k, l := world(t)
	if n := k.OpenDescriptors(); n != 0 {
		t.Fatalf("a new kernel has %d descriptors", n)
	}
	ln, err := listen(k, l, here)
	if err != nil {
		t.Fatal(err)
	}
	e := k.Dial(here)
	second := k.Dial(here)
	fd, _, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if n := k.OpenDescriptors(); n != 2 {
		t.Errorf("a listener and a connection are %d descriptors", n)
	}
	fd.Close()
	k.Close(firstDescriptor)
	if n := k.OpenDescriptors(); n != 0 {
		t.Errorf("%d descriptors are open when all are closed", n)
	}
	if !e.Closed() || e.WasReset() || !second.WasReset() {
		t.Errorf("the first client: closed %v, reset %v; the one that waited: reset %v", e.Closed(), e.WasReset(), second.WasReset())
	}
}

func TestAClosedNumberIsUsedAgain(t *testing.T) {
	k, _ := world(t)
	first, _ := k.Pair()
	second, _ := k.Pair()
	k.Close(first)
	if third, _ := k.Pair(); third != first || second == first {
		t.Errorf("after %d and %d, of which the first was closed, comes %d", first, second, third)
	}
	if err := k.Close(77); err != syscall.EBADF {
		t.Errorf("closing what is not open says %v", err)
	}
}

func TestDatagramsThatAreLost(t *testing.T) {
	k, l := world(t)
	port := k.ListenDatagram(there)
	stranger := k.ListenDatagram(here)
	fd, err := l.Dial(loop.DialSpec{Type: loop.Datagram, Remote: there}, nil)
	if err != nil {
		t.Fatal(err)
	}
	us, _, _ := fd.Names()
	stranger.Send(us, []byte("from a stranger"))
	if _, err := fd.Read(make([]byte, 9)); err != loop.ErrAgain {
		t.Errorf("a datagram of a stranger arrived: %v", err)
	}
	k.Blackhole(there)
	if _, err := fd.Write([]byte("lost")); err != nil {
		t.Error(err)
	}
	k.Reachable(there)
	fd.Writev([][]byte{[]byte("in one"), []byte(" piece")})
	if from, data, ok := port.Receive(); string(data) != "in one piece" || from != us {
		t.Errorf("the server received %q from %v, %v; want %v", data, from, ok, us)
	}
	if _, _, ok := port.Receive(); ok {
		t.Error("it received more than was sent")
	}
	port.Close()
	fd.Write([]byte("refused"))
	l.Turn(false)
	if _, err := fd.Read(make([]byte, 9)); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("after a refused datagram reading says %v", err)
	}
}

func TestTheClockEndsAWait(t *testing.T) {
	k, l := world(t)
	expired := false
	var timer *loop.Timer
	timer = l.NewTimer(l.NewWaker(task(func() { expired = timer.Expired() })))
	timer.Set(time.Minute)
	waiting := make(chan bool)
	l.Post(func() { close(waiting) })
	go func() {
		<-waiting
		k.Advance(time.Hour)
	}()
	for !expired {
		l.Turn(true)
	}
}
