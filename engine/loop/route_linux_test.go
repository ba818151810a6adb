package loop_test

import (
	"net"
	"net/netip"
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"exaproxy/engine/loop"
)

func wantOwn(t *testing.T, k loop.Kernel, addr string, want bool) {
	t.Helper()
	if own, err := k.IsOwn(netip.MustParseAddr(addr)); own != want || err != nil {
		t.Errorf("%s is the machine's own: %v (%v), want %v", addr, own, err, want)
	}
}

func TestIsOwn(t *testing.T) {
	k := linuxKernel(t)
	for _, addr := range []string{"127.0.0.1", "127.9.9.9", "::ffff:127.0.0.1"} {
		wantOwn(t, k, addr, true)
	}
	for _, addr := range []string{"198.51.100.1", "2001:db8::1", "224.0.0.1", "255.255.255.255"} {
		wantOwn(t, k, addr, false)
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		wantOwn(t, k, netip.MustParsePrefix(a.String()).Addr().String(), true)
	}
}

// An address that the machine gets later is known at once.
func TestIsOwnOfANewAddress(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("a network of its own needs root")
	}
	done := make(chan struct{})
	go func() { // on a thread that ends with it, and with it the network
		defer close(done)
		runtime.LockOSThread()
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			t.Errorf("no network of its own: %v", err)
			return
		}
		k := linuxKernel(t)
		for _, addr := range []string{"203.0.113.5", "192.0.2.6", "2001:db8::5", "127.0.0.1"} {
			wantOwn(t, k, addr, false) // nor is there any route
		}
		addAddress(t, "lo", "203.0.113.5")
		wantOwn(t, k, "203.0.113.5", true)
		wantOwn(t, k, "192.0.2.6", false)
		addAddress(t, "lo:1", "192.0.2.6")
		wantOwn(t, k, "192.0.2.6", true)
		wantOwn(t, k, "198.51.100.1", false)
	}()
	<-done
}

// addAddress gives an interface of this thread's network an IPv4 address (netdevice(7)).
func addAddress(t *testing.T, name, addr string) {
	t.Helper()
	request, err := unix.NewIfreq(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := request.SetInet4Addr(netip.MustParseAddr(addr).AsSlice()); err != nil {
		t.Fatal(err)
	}
	sys, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(sys)
	if err := unix.IoctlIfreq(sys, unix.SIOCSIFADDR, request); err != nil {
		t.Fatal(err)
	}
	request, _ = unix.NewIfreq(name)
	request.SetUint16(unix.IFF_UP)
	if err := unix.IoctlIfreq(sys, unix.SIOCSIFFLAGS, request); err != nil {
		t.Fatal(err)
	}
}
