package engine

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"exaproxy/engine/loop"
	"exaproxy/engine/loop/looptest"
)

// remembering is a policy that counts the requests of a connection in its State, and answers each
// itself. What it is told it notes in a diary that it shares with the policy that replaces it.
type remembering struct {
	DefaultPolicy
	name   string
	diary  *[]string
	forget bool        // it keeps no State
	waits  bool        // Admit is Pending
	waker  *loop.Waker // then
}

func (p *remembering) note(format string, a ...any) {
	*p.diary = append(*p.diary, p.name+" "+fmt.Sprintf(format, a...))
}

func (p *remembering) Admit(r *Request) Decision {
	if p.waits {
		p.waker = r.Waker
		return Decision{Action: Pending}
	}
	p.note("sees %v", r.Connection.State)
	n, _ := r.Connection.State.(int)
	r.Connection.State = n + 1
	if p.forget {
		r.Connection.State = nil
	}
	return Decision{Action: Serve, Reply: &LocalReply{Status: 204}}
}

func (p *remembering) Disconnected(c *Connection) { p.note("parts with %v", c.State) }
func (p *remembering) Close()                     { p.note("closes") }

// A remembered is an engine whose policies remember, and its clients.
type remembered struct {
	t        *testing.T
	kernel   *looptest.Kernel
	engine   *Engine
	loop     *loop.Loop
	diary    []string
	policies []*remembering
}

func remember(t *testing.T) *remembered {
	t.Helper()
	r := &remembered{t: t, kernel: looptest.NewKernel(t)}
	var err error
	if r.engine, err = New(r.config("first")); err != nil {
		t.Fatal(err)
	}
	loops, err := r.engine.Start()
	if err != nil {
		t.Fatal(err)
	}
	r.loop, r.engine.running = loops[0], true // it is the test that turns the loop
	return r
}

// config is that of a policy of some name.
func (r *remembered) config(name string) Config {
	return Config{
		Workers:   1,
		Ports:     []Port{{Addr: netip.MustParseAddrPort("192.0.2.1:3128")}},
		NewKernel: func() (loop.Kernel, error) { return r.kernel, nil },
		NewPolicy: func(Services) (Policy, error) {
			p := &remembering{name: name, diary: &r.diary}
			r.policies = append(r.policies, p)
			return p, nil
		},
	}
}

// reconfigure puts a policy of another name in place.
func (r *remembered) reconfigure(name string) {
	r.t.Helper()
	finished := false
	go func() {
		err := r.engine.Reconfigure(r.config(name))
		r.loop.Post(func() {
			finished = true
			if err != nil {
				r.t.Error(err)
			}
		})
	}()
	for !finished {
		r.loop.Turn(true)
	}
}

func (r *remembered) dial() *looptest.End {
	c := r.kernel.Dial(r.engine.Addrs()[0])
	looptest.Settle(r.loop)
	return c
}

// asks has clients ask something, one after the other.
func (r *remembered) asks(clients ...*looptest.End) {
	for _, c := range clients {
		c.WriteString(getRequest)
		looptest.Settle(r.loop)
	}
}

// leaves has a client leave.
func (r *remembered) leaves(c *looptest.End) {
	c.Close()
	looptest.Settle(r.loop)
}

// wants checks what the policies were told since it last looked.
func (r *remembered) wants(want ...string) {
	r.t.Helper()
	if !slices.Equal(r.diary, want) {
		r.t.Errorf("the policies were told %q, want %q", r.diary, want)
	}
	r.diary = nil
}

func TestStateIsKeptBetweenTheRequestsOfAConnection(t *testing.T) {
	r := remember(t)
	a, b := r.dial(), r.dial()
	r.asks(a, a, b, a)
	r.wants("first sees <nil>", "first sees 1", "first sees <nil>", "first sees 2")
	a.WriteString(getRequest + getRequest)
	looptest.Settle(r.loop)
	r.wants("first sees 3", "first sees 4")
}

// partings are how a connection with state ends, and what the policy is told.
var partings = []struct {
	name  string
	leave func(*remembered, *looptest.End)
	want  []string
}{
	{"when the client leaves between its requests", (*remembered).leaves, []string{"first parts with 1"}},
	{"when it breaks off", func(r *remembered, c *looptest.End) {
		c.Reset()
		looptest.Settle(r.loop)
	}, []string{"first parts with 1"}},
	{"when it leaves in the middle of a request", func(r *remembered, c *looptest.End) {
		r.policies[0].waits = true
		r.asks(c)
		r.leaves(c)
	}, []string{"first parts with 1"}},
	{"when it leaves in the middle of a head", func(r *remembered, c *looptest.End) {
		c.WriteString("GET ")
		looptest.Settle(r.loop)
		r.leaves(c)
	}, []string{"first parts with 1"}},
	{"when it rests for too long", func(r *remembered, c *looptest.End) {
		r.kernel.Advance(2*time.Minute + time.Second)
		looptest.Settle(r.loop)
	}, []string{"first parts with 1"}},
	{"when its last reply is sent", func(r *remembered, c *looptest.End) {
		c.WriteString("GET http://a.example/ HTTP/1.0\r\n\r\n")
		looptest.Settle(r.loop)
	}, []string{"first sees 1", "first parts with 2"}},
	{"but not if the policy has forgotten it by itself", func(r *remembered, c *looptest.End) {
		r.policies[0].forget = true
		r.asks(c)
		r.leaves(c)
	}, []string{"first sees 1"}},
}

func TestDisconnectedIsCalledOnceForAConnectionWithState(t *testing.T) {
	for _, row := range partings {
		t.Run(row.name, func(t *testing.T) {
			r := remember(t)
			c := r.dial()
			r.asks(c)
			r.wants("first sees <nil>")
			row.leave(r, c)
			r.wants(row.want...)
			if n := r.engine.workers[0].open; n != 0 {
				t.Fatalf("%d clients are still there", n)
			}
			if n := r.engine.workers[0].setup.uses; n != 0 {
				t.Errorf("the setup counts %d uses", n)
			}
			r.reconfigure("second")
			r.wants("first closes")
		})
	}
}

func TestDisconnectedIsNotCalledForAConnectionWithoutState(t *testing.T) {
	r := remember(t)
	r.leaves(r.dial()) // it never asked anything
	c := r.dial()
	r.policies[0].forget = true
	r.asks(c)
	r.leaves(c)
	r.wants("first sees <nil>")
}

// What a policy keeps with a connection means nothing to the next: the one that kept it is told of the end
// before the other sees the connection's next request, and is closed only then.
func TestStateEndsWithItsPolicy(t *testing.T) {
	r := remember(t)
	a, b, idle := r.dial(), r.dial(), r.dial()
	r.asks(a, b)
	r.wants("first sees <nil>", "first sees <nil>")
	r.reconfigure("second")
	r.wants() // two connections still have its state
	r.asks(idle)
	r.wants("second sees <nil>")
	r.asks(a)
	r.wants("first parts with 1", "second sees <nil>")
	r.asks(a)
	r.wants("second sees 1")
	r.leaves(a)
	r.wants("second parts with 2")
	r.leaves(b)
	r.wants("first parts with 1", "first closes")
	r.leaves(idle)
	r.wants("second parts with 1")
}

// A transaction ends under the policy that it began with, and what that keeps in the end is its own.
func TestStateOfATransactionThatOutlivesItsPolicy(t *testing.T) {
	r := remember(t)
	c := r.dial()
	first := r.policies[0]
	first.waits = true
	r.asks(c)
	r.reconfigure("second")
	r.wants()
	first.waits = false
	first.waker.Wake()
	looptest.Settle(r.loop)
	r.wants("first sees <nil>")
	r.asks(c)
	r.wants("first parts with 1", "first closes", "second sees <nil>")
}

func TestAPolicyWithoutConnectionsIsClosedAtOnce(t *testing.T) {
	r := remember(t)
	c := r.dial()
	r.policies[0].forget = true
	r.asks(c)
	r.wants("first sees <nil>")
	r.reconfigure("second")
	r.wants("first closes")
	r.reconfigure("third")
	r.wants("second closes")
	r.asks(c)
	r.wants("third sees <nil>")
}

// When the worker ends, policies are told of their connections before they are closed.
func TestStateEndsWithTheWorker(t *testing.T) {
	r := remember(t)
	r.asks(r.dial())
	r.reconfigure("second")
	r.asks(r.dial())
	r.wants("first sees <nil>", "second sees <nil>")
	r.engine.workers[0].end()
	r.wants("second parts with 1", "first parts with 1", "first closes", "second closes")
}
