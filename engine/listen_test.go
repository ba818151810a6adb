package engine_test

import (
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

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

// begun is an engine with one worker and the plain policy on a kernel, and its loop, to be turned by hand.
func startedInMemory(t *testing.T, k loop.Kernel, change ...func(*engine.Config)) (*engine.Engine, *loop.Loop) {
	t.Helper()
	c := engine.Config{
		Workers:   1,
		Ports:     []engine.Port{{Addr: netip.MustParseAddrPort("192.0.2.9:3128")}},
		NewKernel: func() (loop.Kernel, error) { return k, nil },
		NewPolicy: func(engine.Services) (engine.Policy, error) {
			return &silent{plain{log: &strings.Builder{}}}, nil
		},
	}
	for _, f := range change {
		f(&c)
	}
	e, err := engine.New(c)
	if err != nil {
		t.Fatal(err)
	}
	loops, err := e.Start()
	if err != nil {
		t.Fatal(err)
	}
	return e, loops[0]
}

// The deadline of a rest is not that of the request which comes in the same turn.
func TestARequestThatComesAsTheIdleTimeEndsIsAnswered(t *testing.T) {
	k := looptest.NewKernel(t)
	e, l := startedInMemory(t, k)
	client := k.Dial(e.Addrs()[0])
	for _, wait := range []time.Duration{0, 5*time.Minute + time.Second, 2*time.Minute + time.Second} {
		client.Write([]byte("OPTIONS http://a.example/ HTTP/1.1\r\nHost: a.example\r\nMax-Forwards: 0\r\n\r\n"))
		k.Advance(wait)
		for l.Turn(false) {
		}
		if got := string(client.Read()); !strings.HasPrefix(got, "HTTP/1.1 200 ") {
			t.Fatalf("a request that comes after %v is answered %q", wait, got)
		}
	}
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
			e, l := startedInMemory(t, k)
			for range row.crowds {
				for range row.people {
					k.Dial(e.Addrs()[0])
				}
				for l.Turn(false) {
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

// Near the limit of descriptors clients wait outside, so that those who are in can be served.
func TestClientsWaitWhileDescriptorsRunOut(t *testing.T) {
	k := looptest.NewKernel(t)
	log := &strings.Builder{}
	e, l := startedInMemory(t, k, func(c *engine.Config) {
		c.Descriptors = 40 // the listener is one, two are for logs, and a quarter is held back
		c.Log = slog.New(slog.NewTextHandler(log, nil))
	})
	turns := func() {
		for l.Turn(false) {
		}
	}
	var clients []*looptest.End
	for range 40 {
		clients = append(clients, k.Dial(e.Addrs()[0]))
	}
	turns()
	if n := e.Held().Clients; n != 28 {
		t.Fatalf("%d clients were accepted, want 28", n)
	}
	if n := strings.Count(log.String(), "running out of descriptors"); n != 1 {
		t.Errorf("the log says %d times that descriptors run out: %s", n, log)
	}
	for _, c := range clients[:5] {
		c.Close()
	}
	turns()
	k.Advance(time.Second)
	turns()
	if n := e.Held().Clients; n != 28 {
		t.Errorf("after five have left %d clients are in, want 28", n)
	}
	if n := strings.Count(log.String(), "running out of descriptors"); n != 1 {
		t.Errorf("within 15 s the log says it %d times", n)
	}
}
