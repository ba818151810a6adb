package explain

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/engine"
)

// bumping is a policy that does the same to each tunnel.
type bumping struct {
	engine.Policy
	bump engine.Bump
}

func (p bumping) Bump(*engine.Request) engine.Bump { return p.bump }

// TestFateOfTunnels has no tunnel pass of which that is not known.
func TestFateOfTunnels(t *testing.T) {
	for bump, want := range map[engine.Bump]Fate{engine.BumpTerminate: Refused, engine.BumpPeek: Untold, engine.BumpStare: Untold, engine.BumpClientFirst: Untold} {
		o := &observer{Policy: bumping{bump: bump}, end: func() {}}
		o.told.Fate = Untold
		if o.Bump(&engine.Request{}); o.told.Fate != want || !o.over {
			t.Errorf("%s: it %s", bumps[bump], o.told.Fate)
		}
	}
}

// faulty is a policy that panics when it is asked.
type faulty struct{ engine.Policy }

func (faulty) Close() {}
func (faulty) Page(*engine.Request, *engine.Failure) engine.LocalReply {
	return engine.LocalReply{Status: 500}
}

// TestFaultOfOurs has a fault of ours be no answer.
func TestFaultOfOurs(t *testing.T) {
	ctx, end := context.WithTimeout(t.Context(), time.Minute)
	defer end()
	c := engine.Config{Ports: []engine.Port{{Addr: netip.MustParseAddrPort("127.0.0.1:3128")}},
		NewPolicy: func(engine.Services) (engine.Policy, error) { return faulty{}, nil }}
	told, err := Run(ctx, c, "", Request{URL: "http://a.test/", Client: netip.MustParseAddr("192.0.2.1")}, func(func(*acl.Trace)) {})
	if err != nil || told.Fate != Untold || !strings.Contains(told.Outcome, "fault") {
		t.Errorf("it says %+v: %v", told, err)
	}
}

// TestAsked has requests come by a port that URLs are asked for by.
func TestAsked(t *testing.T) {
	for want, modes := range map[int][]engine.Mode{0: {engine.Accel}, 1: {engine.Intercept, engine.Forward, engine.Accel}, 2: {engine.Accel, engine.TPROXY, engine.Forward}} {
		var ports []engine.Port
		for _, m := range modes {
			ports = append(ports, engine.Port{Mode: m})
		}
		if got := asked(ports); got != want {
			t.Errorf("of ports with the modes %v the one with number %d is asked", modes, got)
		}
	}
}
