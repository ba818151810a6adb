package loop_test

import (
	"errors"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"exaproxy/engine/loop"
)

// linuxKernel returns the kernel of this machine, alone.
func linuxKernel(t *testing.T) loop.Kernel {
	k, err := loop.Linux()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Release)
	return k
}

// keep closes a descriptor when the test is over.
func keep(t *testing.T, k loop.Kernel, sys int, err error) int {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.Close(sys) })
	return sys
}

// connected returns both sides of a connection on loopback.
func connected(t *testing.T, k loop.Kernel, listen string, s loop.DialSpec) (accepted, dialled int) {
	t.Helper()
	ln, err := k.OpenListener(loop.ListenSpec{Addr: netip.MustParseAddrPort(listen)})
	if errors.Is(err, unix.EADDRNOTAVAIL) || errors.Is(err, unix.EAFNOSUPPORT) {
		t.Skipf("this machine has no %s", listen)
	}
	keep(t, k, ln, err)
	s.Remote, _, err = k.Names(ln)
	if err != nil {
		t.Fatal(err)
	}
	dialled, err = k.Connect(s)
	keep(t, k, dialled, err)
	events := make([]loop.Event, 1)
	if err := k.WatchListener(ln, 7, 9); err != nil {
		t.Fatal(err)
	}
	if n := k.Wait(events, time.Time{}); n != 1 || events[0] != (loop.Event{Slot: 7, Generation: 9, Bits: loop.In}) {
		t.Fatalf("waiting for the connection gives %d events, %+v", n, events[0])
	}
	accepted, peer, err := k.Accept(ln)
	keep(t, k, accepted, err)
	if local, _, _ := k.Names(dialled); peer.Remote != local {
		t.Errorf("the connection comes from %v, and says %v", local, peer.Remote)
	}
	return accepted, dialled
}

func TestStreamsDoNotDelay(t *testing.T) {
	k := linuxKernel(t)
	accepted, dialled := connected(t, k, "127.0.0.1:0", loop.DialSpec{})
	for side, sys := range map[string]int{"accepted": accepted, "dialled": dialled} {
		if v, err := unix.GetsockoptInt(sys, unix.IPPROTO_TCP, unix.TCP_NODELAY); v == 0 || err != nil {
			t.Errorf("TCP_NODELAY of the %s side is %d, %v", side, v, err)
		}
	}
}

func TestDialSpecSetsOptions(t *testing.T) {
	for _, row := range []struct {
		name, listen string
		spec         loop.DialSpec
		level, opt   int
		want         int
	}{
		{"TOS of IPv4", "127.0.0.1:0", loop.DialSpec{TOS: 0x20}, unix.IPPROTO_IP, unix.IP_TOS, 0x20},
		{"TOS of IPv6", "[::1]:0", loop.DialSpec{TOS: 0x20}, unix.IPPROTO_IPV6, unix.IPV6_TCLASS, 0x20},
		{"mark", "127.0.0.1:0", loop.DialSpec{Mark: 5}, unix.SOL_SOCKET, unix.SO_MARK, 5},
		{"transparent IPv4", "127.0.0.1:0", loop.DialSpec{Transparent: true}, unix.IPPROTO_IP, unix.IP_TRANSPARENT, 1},
		{"transparent IPv6", "[::1]:0", loop.DialSpec{Transparent: true}, unix.IPPROTO_IPV6, unix.IPV6_TRANSPARENT, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			if unix.Geteuid() != 0 && row.spec.TOS == 0 {
				t.Skip("only root may do that")
			}
			k := linuxKernel(t)
			_, dialled := connected(t, k, row.listen, row.spec)
			if v, err := unix.GetsockoptInt(dialled, row.level, row.opt); v != row.want || err != nil {
				t.Errorf("the option is %d, %v; want %d", v, err, row.want)
			}
		})
	}
}

// TestBear has an accepted connection of either family, of IPv4 also by a listener for both.
func TestBear(t *testing.T) {
	for _, row := range []struct {
		listen, dial string
		level, opt   int
	}{
		{"127.0.0.1:0", "127.0.0.1", unix.IPPROTO_IP, unix.IP_TOS},
		{"[::1]:0", "::1", unix.IPPROTO_IPV6, unix.IPV6_TCLASS},
		{"[::]:0", "127.0.0.1", unix.IPPROTO_IP, unix.IP_TOS},
	} {
		t.Run(row.listen+" "+row.dial, func(t *testing.T) {
			k := linuxKernel(t)
			ln, err := k.OpenListener(loop.ListenSpec{Addr: netip.MustParseAddrPort(row.listen)})
			if err != nil {
				t.Fatal(err)
			}
			defer k.Close(ln)
			at, _, _ := k.Names(ln)
			far, err := net.Dial("tcp", netip.AddrPortFrom(netip.MustParseAddr(row.dial), at.Port()).String())
			if err != nil {
				t.Fatal(err)
			}
			defer far.Close()
			conn, _, err := k.Accept(ln)
			if err != nil {
				t.Fatal(err)
			}
			defer k.Close(conn)
			marks := [][2]int{{-1, 0}, {-1, 0}, {-1, 0}}
			if unix.Geteuid() == 0 {
				marks = [][2]int{{7, 7}, {-1, 7}, {0, 0}}
			}
			for i, tos := range [][2]int{{0x20, 0x20}, {-1, 0x20}, {0, 0}} {
				if err := k.Bear(conn, tos[0], marks[i][0]); err != nil {
					t.Fatal(err)
				}
				if v, err := unix.GetsockoptInt(conn, row.level, row.opt); v != tos[1] || err != nil {
					t.Errorf("%d: the type of service is %#x, %v", i, v, err)
				}
				if v, err := unix.GetsockoptInt(conn, unix.SOL_SOCKET, unix.SO_MARK); v != marks[i][1] || err != nil {
					t.Errorf("%d: the mark is %d, %v", i, v, err)
				}
			}
		})
	}
}

// TestAbsentAddresses can be listened at.
func TestAbsentAddresses(t *testing.T) {
	for _, at := range []string{"192.0.2.77:0", "[2001:db8::77]:0"} {
		k := linuxKernel(t)
		sys, err := k.OpenListener(loop.ListenSpec{Addr: netip.MustParseAddrPort(at)})
		if err != nil {
			t.Errorf("listen at %s: %v", at, err)
			continue
		}
		if bound, _, err := k.Names(sys); bound.Addr().String() != netip.MustParseAddrPort(at).Addr().String() || bound.Port() == 0 {
			t.Errorf("%s is bound to %s, %v", at, bound, err)
		}
		k.Close(sys)
	}
}

func TestTransparentListeners(t *testing.T) {
	if unix.Geteuid() != 0 {
		t.Skip("only root may do that")
	}
	for _, row := range []struct {
		listen     string
		level, opt int
	}{
		{"127.0.0.1:0", unix.IPPROTO_IP, unix.IP_TRANSPARENT},
		{"[::1]:0", unix.IPPROTO_IPV6, unix.IPV6_TRANSPARENT},
	} {
		t.Run(row.listen, func(t *testing.T) {
			k := linuxKernel(t)
			sys, err := k.OpenListener(loop.ListenSpec{Addr: netip.MustParseAddrPort(row.listen), Transparent: true})
			if errors.Is(err, unix.EADDRNOTAVAIL) || errors.Is(err, unix.EAFNOSUPPORT) {
				t.Skipf("this machine has no %s", row.listen)
			}
			keep(t, k, sys, err)
			if v, err := unix.GetsockoptInt(sys, row.level, row.opt); v != 1 || err != nil {
				t.Errorf("the option is %d, %v; want 1", v, err)
			}
		})
	}
}

func TestAnInterfaceThatDoesNotExist(t *testing.T) {
	k := linuxKernel(t)
	for _, zone := range []string{"", "nosuchinterface", "a name that is much too long for one", "4000000"} {
		to := netip.AddrPortFrom(netip.MustParseAddr("fe80::1").WithZone(zone), 80)
		if sys, err := k.Connect(loop.DialSpec{Remote: to}); err == nil {
			k.Close(sys)
			t.Errorf("dialling %v is possible", to)
		}
	}
}

func TestALinkLocalAddressByTheNameOfItsInterface(t *testing.T) {
	k := linuxKernel(t)
	to := netip.MustParseAddrPort("[fe80::1%lo]:80")
	sys, err := k.Connect(loop.DialSpec{Type: loop.Datagram, Remote: to})
	if err == nil {
		k.Close(sys)
	}
	// lo has no link-local address to send from, but it is known, unlike those above.
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENODEV) {
		t.Errorf("dialling %v says %v", to, err)
	}
}

func TestReleaseClosesEverything(t *testing.T) {
	before := len(descriptors(t))
	k, err := loop.Linux()
	if err != nil {
		t.Fatal(err)
	}
	k.Release()
	if after := len(descriptors(t)); after != before {
		t.Errorf("%d descriptors were open before, %d are after", before, after)
	}
}

func TestWaitReturnsInTimeAndNotBefore(t *testing.T) {
	k := linuxKernel(t)
	events := make([]loop.Event, 1)
	for _, d := range []time.Duration{20 * ms, 5 * ms, 40 * ms, 10 * ms} {
		late := waits(k, events, func() time.Time { return k.Now().Add(d) })
		if late < 0 || late > 5*time.Second {
			t.Errorf("a wait of %v ended %v late", d, late)
		}
	}
}

// waits returns how long after its deadline a wait ended. One that ended before is repeated some
// times: a signal may have ended it (epoll_wait(2), EINTR), but hardly each time.
func waits(k loop.Kernel, events []loop.Event, deadline func() time.Time) (late time.Duration) {
	for range 200 {
		until := deadline()
		k.Wait(events, until)
		if late = k.Now().Sub(until); late >= 0 {
			break
		}
	}
	return late
}

// A long wait is parked, and must end like a short one, each time.
func TestAnEventAndAWakeupEndALongWait(t *testing.T) {
	const long = 30 * ms
	k := linuxKernel(t)
	accepted, dialled := connected(t, k, "127.0.0.1:0", loop.DialSpec{})
	if err := k.Watch(accepted, 3, 1); err != nil {
		t.Fatal(err)
	}
	events := make([]loop.Event, 8)
	k.Wait(events, k.Now().Add(long)) // the connection is writable
	for range 3 {
		time.AfterFunc(long, func() { unix.Write(dialled, []byte("x")) })
		n := 0
		for n == 0 { // a signal may end a wait too
			n = k.Wait(events, time.Time{})
		}
		if n != 1 || events[0].Slot != 3 || events[0].Bits&loop.In == 0 {
			t.Errorf("a byte that came gives %d events, %+v", n, events[:n])
		}
		woken := make(chan bool)
		time.AfterFunc(long, func() { k.Wakeup(); close(woken) })
		if n := k.Wait(events, k.Now().Add(time.Hour)); n != 0 {
			t.Errorf("a wakeup gives %d events, %+v", n, events[:n])
		}
		<-woken
	}
}

// A goroutine in a system call costs Go's scheduler more than one that is parked.
func TestALongWaitIsParkedEachTime(t *testing.T) {
	k := linuxKernel(t)
	for range 3 {
		var enough atomic.Bool
		over := make(chan bool)
		go func() {
			for !enough.Load() { // to look at stacks is a signal, which ends a wait that is not parked yet
				k.Wait(make([]loop.Event, 1), k.Now().Add(time.Hour))
			}
			close(over)
		}()
		deadline := time.Now().Add(10 * time.Second)
		for !stacked("IO wait", "parking).wait") {
			if time.Now().After(deadline) {
				t.Fatal("it is not parked")
			}
			<-time.After(20 * ms)
		}
		enough.Store(true)
		k.Wakeup()
		<-over
	}
}

func TestANearerDeadlineIsKept(t *testing.T) {
	k := linuxKernel(t)
	events := make([]loop.Event, 1)
	k.Wakeup()
	k.Wait(events, k.Now().Add(time.Hour)) // the wakeup ends this one
	if waits(k, events, func() time.Time { return k.Now().Add(10 * ms) }) < 0 {
		t.Error("the wait ended before its deadline")
	}
}

// stacked reports whether a goroutine is in this state, and in this function.
func stacked(state, function string) bool {
	all := make([]byte, 1<<20)
	for _, one := range strings.Split(string(all[:runtime.Stack(all, true)]), "\n\n") {
		if first, rest, _ := strings.Cut(one, "\n"); strings.Contains(first, state) && strings.Contains(rest, function) {
			return true
		}
	}
	return false
}

// What a pipe's reader has left unread is known even when it has gone.
func TestUnreadOfAPipe(t *testing.T) {
	k, err := loop.Linux()
	if err != nil {
		t.Fatal(err)
	}
	defer k.Release()
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(ends[1])
	if _, err := unix.Write(ends[1], []byte("one\ntwo\n")); err != nil {
		t.Fatal(err)
	}
	unix.Read(ends[0], make([]byte, 4))
	for _, when := range []string{"while it is open", "when its reader has gone"} {
		if n, err := k.Unread(ends[1], loop.Pipe); n != 4 || err != nil {
			t.Errorf("%s: %d bytes are unread, error %v; want 4", when, n, err)
		}
		unix.Close(ends[0])
	}
}
