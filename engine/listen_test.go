package engine_test

import (
	"net/netip"
	"strings"
	"testing"

	"exaproxy/engine"
	"exaproxy/engine/loop"
	"exaproxy/engine/loop/looptest"
)

// counting counts the accepts, and those that found nobody.
type counting struct {
	*looptest.Kernel
	all, vain int
}

func (k *counting) Accept(sys int) (int, loop.Peer, error) {
	conn, peer, err := k.Kernel.Accept(sys)
	k.all++
	if err == loop.ErrAgain {
		k.vain++
	}
	return conn, peer, err
}

func TestEverybodyIsAcceptedAndFewAreLookedForInVain(t *testing.T) {
	for _, row := range []struct {
		name           string
		crowds, people int
		vain           int // at most
	}{
		{name: "one after the other", crowds: 100, people: 1, vain: 50},
		{name: "a few at a time", crowds: 100, people: 6, vain: 100},
		{name: "all at once", crowds: 1, people: 1000, vain: 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			k := &counting{Kernel: looptest.NewKernel(t)}
			e, err := engine.New(engine.Config{
				Workers:   1,
				Ports:     []engine.Port{{Addr: netip.MustParseAddrPort("192.0.2.9:3128")}},
				NewKernel: func() (loop.Kernel, error) { return k, nil },
				NewPolicy: func(engine.Services) (engine.Policy, error) {
					return &silent{plain{log: &strings.Builder{}}}, nil
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			loops, err := e.Start()
			if err != nil {
				t.Fatal(err)
			}
			for range row.crowds {
				for range row.people {
					k.Dial(e.Addrs()[0])
				}
				for loops[0].Turn(false) {
				}
			}
			if n := e.Held().Clients; n != row.crowds*row.people {
				t.Errorf("%d are clients of %d who came", n, row.crowds*row.people)
			}
			if k.vain > row.vain {
				t.Errorf("%d of %d accepts found nobody; want %d at most", k.vain, k.all, row.vain)
			}
		})
	}
}
