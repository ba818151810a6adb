package auth

import (
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"exaproxy/compat/compattest"
	"exaproxy/engine"
	"exaproxy/engine/loop"
	"exaproxy/engine/loop/looptest"
)

// A counting is workers that count from where users come, each on a kernel in memory.
type counting struct {
	t       *testing.T
	kernels []*looptest.Kernel
	all     []*addresses
	memory  memory
}

func newCounting(t *testing.T, workersCount int) *counting {
	c := &counting{t: t}
	s := Defaults()
	s.AddressTTL, s.GarbageInterval, s.counters = time.Minute, time.Hour, &workers[*addresses]{}
	for range workersCount {
		k := looptest.NewKernel(t)
		l, err := loop.New(k)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(l.Close)
		c.kernels = append(c.kernels, k)
		c.all = append(c.all, newAddresses(&s, engine.Services{Loop: l, Log: slog.New(slog.DiscardHandler)}, &c.memory))
	}
	return c
}

// comes has a user come from an address to a worker, in a request that is not counted yet.
func (c *counting) comes(worker int, user, from string) *engine.Request {
	c.t.Helper()
	c.memory.state = State{}
	r := compattest.NewRequest(c.t, "GET http://a.test/ HTTP/1.1")
	r.User, r.Client = user, netip.AddrPortFrom(netip.MustParseAddr(from), 1)
	c.all[worker].Seen(r)
	c.settle()
	return r
}

// settle has all workers hear what the others have told.
func (c *counting) settle() {
	for _, a := range c.all {
		looptest.Settle(a.loop)
	}
}

func (c *counting) pass(d time.Duration) {
	for _, k := range c.kernels {
		k.Advance(d)
	}
	c.settle()
}

// knows checks how many addresses of a user each worker knows.
func (c *counting) knows(sentence, user string, want int) {
	c.t.Helper()
	for i, a := range c.all {
		if got := len(a.current(user)); got != want {
			c.t.Errorf("%s: worker %d knows %d addresses of %s, want %d", sentence, i, got, user, want)
		}
	}
}

// TestAddressesThatAreUsedCount has each request renew its address, at all workers.
func TestAddressesThatAreUsedCount(t *testing.T) {
	c := newCounting(t, 2)
	c.comes(0, "bob", "10.0.0.1")
	c.comes(1, "bob", "10.0.0.2")
	c.knows("told at once", "bob", 2)
	c.pass(40 * time.Second)
	c.comes(0, "bob", "10.0.0.1")
	c.pass(40 * time.Second)
	c.knows("one was used 40 seconds ago, one 80", "bob", 1)
	c.pass(21 * time.Second)
	c.knows("none was used for a minute", "bob", 0)
}

// TestOthersAreToldOfAddressesNowAndThen bounds what it costs that a user comes again and again.
func TestOthersAreToldOfAddressesNowAndThen(t *testing.T) {
	c := newCounting(t, 2)
	heard := func() time.Time { return c.all[1].current("bob")[0].until }
	c.comes(0, "bob", "10.0.0.1")
	first := heard()
	for range 14 {
		c.pass(time.Second)
		c.comes(0, "bob", "10.0.0.1")
	}
	if heard() != first {
		t.Error("the others are told before a quarter of authenticate_ip_ttl is over")
	}
	c.pass(time.Second)
	c.comes(0, "bob", "10.0.0.1")
	if d := heard().Sub(first); d != 15*time.Second {
		t.Errorf("after a quarter the others are told that it counts for %s longer, want 15s", d)
	}
}

// TestARequestIsCountedOnce, however many acls look at it.
func TestARequestIsCountedOnce(t *testing.T) {
	c := newCounting(t, 1)
	r := c.comes(0, "bob", "10.0.0.1")
	c.pass(40 * time.Second)
	c.all[0].Seen(r)
	c.pass(30 * time.Second)
	c.knows("the request came 70 seconds ago", "bob", 0)
}

// TestWhoComesFromTooManyIsForgottenByAll is for both kinds of max_user_ip.
func TestWhoComesFromTooManyIsForgottenByAll(t *testing.T) {
	for _, row := range []struct {
		strict bool
		left   int
	}{{false, 0}, {true, 2}} {
		c := newCounting(t, 3)
		c.comes(0, "al", "10.0.0.9")
		c.comes(0, "bob", "10.0.0.1")
		c.comes(1, "bob", "10.0.0.2")
		r := c.comes(2, "bob", "10.0.0.3")
		if c.all[2].TooMany(r, 3, row.strict) {
			t.Error("three are too many of three")
		}
		if !c.all[2].TooMany(r, 2, row.strict) {
			t.Error("three are not too many of two")
		}
		c.settle()
		c.knows("forgotten", "bob", row.left)
		c.knows("another's are not", "al", 1)
	}
}

// TestAddressesOfWorkersThatHaveLeft are told nobody.
func TestAddressesOfWorkersThatHaveLeft(t *testing.T) {
	c := newCounting(t, 2)
	c.all[1].close()
	c.comes(0, "bob", "10.0.0.1")
	if n := len(c.all[1].byUser); n > 0 {
		t.Errorf("a worker that has left was told of %d users", n)
	}
	(*addresses)(nil).close()
}
