package guard

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"exaproxy/compat/acl"
	"exaproxy/compat/compattest"
	"exaproxy/engine"
	"exaproxy/engine/loop"
	"exaproxy/engine/loop/looptest"
)

// newPolicy makes a guard of a configuration, for ports, on a machine that also is 203.0.113.1.
func newPolicy(t *testing.T, conf string, ports ...string) (*Policy, *strings.Builder, *looptest.Kernel) {
	t.Helper()
	s := Defaults()
	compattest.MustRead(t, acl.NewSet(), s.Directives(), conf)
	var listening []engine.Port
	for _, p := range ports {
		listening = append(listening, engine.Port{Addr: netip.MustParseAddrPort(p)})
	}
	s.Finish(listening)
	log, kernel := new(strings.Builder), looptest.NewKernel(t)
	kernel.AddAddress(netip.MustParseAddr("203.0.113.1"))
	l, err := loop.New(kernel)
	if err != nil {
		t.Fatal(err)
	}
	return NewPolicy(&s, slog.New(slog.NewTextHandler(log, nil)), l), log, kernel
}

func TestPermit(t *testing.T) {
	for _, row := range []struct {
		to, port string
		want     error
	}{
		{"198.51.100.7:80", "[::]:3128", nil},
		{"127.0.0.1:80", "[::]:3128", nil},
		{"127.0.0.1:3128", "[::]:3128", errOwnPort},
		{"[::1]:3128", "[::]:3128", errOwnPort},
		{"0.0.0.0:3128", "[::]:3128", errOwnPort},
		{"[::]:3128", "127.0.0.1:3128", errOwnPort},
		{"203.0.113.1:3128", "[::]:3128", errOwnPort},
		{"[::ffff:203.0.113.1]:3128", "0.0.0.0:3128", errOwnPort},
		{"[64:ff9b::7f00:1]:3128", "127.0.0.1:3128", errOwnPort},
		{"[2002:7f00:1::1]:3128", "127.0.0.1:3128", errOwnPort},
		{"203.0.113.9:3128", "[::]:3128", nil},
		{"127.0.0.1:3128", "203.0.113.1:3128", nil},
		{"[::1]:3128", "0.0.0.0:3128", nil},
		{"0.0.0.0:3128", "203.0.113.1:3128", nil},
		{"10.9.8.7:3129", "[::]:3128", errOwnPort}, // the request came to it
		{"169.254.169.254:80", "[::]:3128", errLinkLocal},
		{"169.254.0.1:80", "[::]:3128", errLinkLocal},
		{"169.255.0.1:80", "[::]:3128", nil},
		{"[::ffff:169.254.169.254]:80", "[::]:3128", errLinkLocal},
		{"[64:ff9b::a9fe:a9fe]:80", "[::]:3128", errLinkLocal},
		{"[2002:a9fe:a9fe::]:80", "[::]:3128", errLinkLocal},
		{"[fe80::1]:80", "[::]:3128", errLinkLocal},
		{"[fe80::1%1]:80", "[::]:3128", errLinkLocal},
		{"[febf::1]:80", "[::]:3128", errLinkLocal},
		{"[fec0::1]:80", "[::]:3128", nil},
		{"[fd00:ec2::254]:80", "[::]:3128", errMetadata},
		{"[fd00:ec2::23]:80", "[::]:3128", errMetadata},
		{"[fd20:ce::254]:80", "[::]:3128", errMetadata},
		{"[fd00:100::100:200]:80", "[::]:3128", errMetadata},
		{"[fd00:c1::a9fe:a9fe]:80", "[::]:3128", errMetadata},
		{"[fd00:42::42]:80", "[::]:3128", errMetadata},
		{"[fd00:a9fe:a9fe::1]:80", "[::]:3128", errMetadata},
		{"[fd00:a9fe:a9fe::2]:80", "[::]:3128", nil},
		{"192.0.0.192:80", "[::]:3128", errMetadata},
		{"[2002:c000:c0::]:80", "[::]:3128", errMetadata},
		{"192.0.0.193:80", "[::]:3128", nil},
		{"100.100.100.200:80", "[::]:3128", errMetadata},
		{"[64:ff9b::6464:64c8]:80", "[::]:3128", errMetadata},
		{"168.63.129.16:80", "[::]:3128", errMetadata},
	} {
		p, log, _ := newPolicy(t, "", row.port)
		r := compattest.NewRequest(t, "GET http://a.test/ HTTP/1.1")
		r.Local = netip.MustParseAddrPort("[::ffff:10.9.8.7]:3129")
		hop := engine.Direct(r)
		f := p.Permit(r, &hop, netip.MustParseAddrPort(row.to))
		if f == nil != (row.want == nil) || f != nil && (f.Err != row.want || f.Kind != engine.Refused) {
			t.Errorf("%s, with a port %s: %v, want %v", row.to, row.port, f, row.want)
		}
		if told := strings.Contains(log.String(), "as a.test: "+fmt.Sprint(row.want)); told != (row.want != nil) {
			t.Errorf("%s: the log has %q", row.to, log)
		}
	}
}

// The machine may get an address at any time: a virtual one, or one of IPv6's temporary ones.
func TestPermitAfterAnAddressWasAdded(t *testing.T) {
	p, _, kernel := newPolicy(t, "", "[::]:3128")
	r := compattest.NewRequest(t, "CONNECT a.test:3128 HTTP/1.1")
	hop, to := engine.Direct(r), netip.MustParseAddrPort("[2001:db8::5]:3128")
	if f := p.Permit(r, &hop, to); f != nil {
		t.Errorf("another machine's port is refused: %v", f)
	}
	kernel.AddAddress(to.Addr())
	if f := p.Permit(r, &hop, to); f == nil || f.Err != errOwnPort {
		t.Errorf("when the address is the machine's: %v", f)
	}
}

// What cannot be told is refused.
func TestPermitWhenTheKernelDoesNotTell(t *testing.T) {
	p, log, kernel := newPolicy(t, "", "[::]:3128")
	l, err := loop.New(silentKernel{kernel})
	if err != nil {
		t.Fatal(err)
	}
	p.loop = l
	r := compattest.NewRequest(t, "CONNECT a.test:3128 HTTP/1.1")
	hop := engine.Direct(r)
	if f := p.Permit(r, &hop, netip.MustParseAddrPort("198.51.100.7:3128")); f == nil || !errors.Is(f.Err, syscall.EMFILE) {
		t.Errorf("it is permitted: %v", f)
	}
	if !strings.Contains(log.String(), "cannot be told (too many open files)") {
		t.Errorf("the log has %q", log)
	}
	if f := p.Permit(r, &hop, netip.MustParseAddrPort("198.51.100.7:3129")); f != nil {
		t.Errorf("another port is refused: %v", f)
	}
}

// A silentKernel does not tell the machine's addresses.
type silentKernel struct{ *looptest.Kernel }

func (silentKernel) IsOwn(netip.Addr) (bool, error) { return false, syscall.EMFILE }

// What the client did not choose, or the operator meant, is not guarded.
func TestPermitWhatIsMeant(t *testing.T) {
	for _, row := range []struct {
		name, conf string
		change     func(*engine.Request, *engine.Hop)
		permitted  bool
	}{
		{"the client's own choice", "", func(*engine.Request, *engine.Hop) {}, false},
		{"guard off", "guard off", func(*engine.Request, *engine.Hop) {}, true},
		{"a helper's host", "", func(_ *engine.Request, h *engine.Hop) { h.Host = []byte("page.test") }, true},
		{"a proxy that the configuration names", "", func(_ *engine.Request, h *engine.Hop) { h.Proxy = true }, true},
		{"an address that a rule allows", "", func(r *engine.Request, _ *engine.Hop) { r.Judged.Allow = true }, true},
		{"the client's host in a helper's URL", "", func(r *engine.Request, _ *engine.Hop) { r.Rewritten, r.WasRewritten = r.Target, true }, false},
	} {
		p, _, _ := newPolicy(t, row.conf, "[::]:3128")
		r := compattest.NewRequest(t, "GET http://a.test/ HTTP/1.1")
		hop := engine.Direct(r)
		row.change(r, &hop)
		if f := p.Permit(r, &hop, netip.MustParseAddrPort("169.254.169.254:80")); f == nil != row.permitted {
			t.Errorf("%s: %v", row.name, f)
		}
	}
}

// A client that tries again and again does not fill the log.
func TestWarnsOnceAMinute(t *testing.T) {
	p, log, kernel := newPolicy(t, "", "[::]:3128")
	r := compattest.NewRequest(t, "GET http://a.test/ HTTP/1.1")
	hop := engine.Direct(r)
	for range 3 {
		p.Permit(r, &hop, netip.MustParseAddrPort("169.254.169.254:80"))
	}
	if lines := strings.Count(log.String(), "\n"); lines != 1 || !strings.Contains(log.String(), "guard off") {
		t.Errorf("three refusals are told as %q", log)
	}
	kernel.Advance(warnEvery)
	p.loop.Turn(false)
	p.Permit(r, &hop, netip.MustParseAddrPort("169.254.169.254:80"))
	if lines := strings.Count(log.String(), "\n"); lines != 2 || !strings.Contains(log.String(), "(and 2 more were refused)") {
		t.Errorf("a minute later the log has %q", log)
	}
}
