package engine

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"exaproxy/engine/loop"
	"exaproxy/engine/loop/looptest"
)

// A given is what a test begins with. The zero one is a GET of http://a.example/ that needs nothing.
type given struct {
	ask    string          // what the client has sent; "": GET http://a.example/
	port   string          // where we listen; "": 192.0.2.1:3128
	config func(*Config)   // changes the configuration
	policy func(*scripted) // says what the policy answers
	hop    func(*Hop)      // changes the next hop, for the stages after routing
	helped bool            // there is a helper
	saved  bool            // the upstream has served before
	how    ConnectVerdict  // how a refused CONNECT is told, where the test decides
	wanted netip.AddrPort  // whom the client wanted, if it was diverted to us
}

// A played is a transaction that was put at a stage, to be played once, and everybody around it. The
// loop turns only when told, and then the transaction keeps still.
type played struct {
	*transaction
	t       *testing.T
	given   given
	kernel  *looptest.Kernel
	engine  *Engine
	worker  *worker
	policy  *scripted
	browser *looptest.End  // the client's side
	port    *looptest.Port // of a server at 192.0.2.7:80
	server  *looptest.End  // its side of the upstream, once there is one
	names   *looptest.DatagramPort
	helpers *children
	awake   bool
}

const getRequest = "GET http://a.example/ HTTP/1.1\r\n\r\n"

var (
	serverAddr = netip.MustParseAddrPort("192.0.2.7:80")
	namesAddr  = netip.MustParseAddrPort("198.51.100.53:53")
	clientAddr = netip.MustParseAddrPort("10.9.9.9:1234")
)

// newTransaction makes a worker with a client that has sent something, and a transaction at a stage,
// holding what it holds there. When the test is over it ends all that, and checks that nothing is left.
func newTransaction(t *testing.T, at stage, g given) *played {
	t.Helper()
	p := &played{t: t, given: g, kernel: looptest.NewKernel(t), policy: &scripted{}}
	if g.policy != nil {
		g.policy(p.policy)
	}
	p.start()
	p.port, p.names = p.kernel.Listen(serverAddr), p.kernel.ListenDatagram(namesAddr)
	p.addClient()
	t.Cleanup(p.letGo)
	p.bring(at)
	p.turn()
	p.policy.calls = nil
	return p
}

// start makes the engine, and waits for its helper.
func (p *played) start() {
	p.t.Helper()
	at := "192.0.2.1:3128"
	if p.given.port != "" {
		at = p.given.port
	}
	c := Config{
		Workers:   1,
		Ports:     []Port{{Addr: netip.MustParseAddrPort(at)}},
		NewKernel: func() (loop.Kernel, error) { return p.kernel, nil },
		NewPolicy: func(Services) (Policy, error) { return p.policy, nil },
	}
	c.Names.Servers, c.Names.IPv4Only = []netip.AddrPort{namesAddr}, true
	if p.given.helped {
		p.helpers = &children{kernel: p.kernel}
		c.Helper = p.helpers.config()
	}
	if p.given.config != nil {
		p.given.config(&c)
	}
	var err error
	if p.engine, err = New(c); err != nil {
		p.t.Fatal(err)
	}
	if _, err = p.engine.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.worker = p.engine.workers[0]
	for p.given.helped && p.worker.setup.helpers.Stats().Each[0].Starting {
		p.worker.loop.Turn(true) // until the goroutine of the child posts
	}
}

// addClient lets a client connect, whose first bytes begin the transaction.
func (p *played) addClient() {
	p.t.Helper()
	p.browser = p.kernel.DialDiverted(clientAddr, netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), p.engine.Addrs()[0].Port()), p.given.wanted)
	looptest.Rest(p.worker.loop)
	c := p.worker.clients
	c.start()
	p.transaction = c.tx
	ask := p.given.ask
	if ask == "" {
		ask = getRequest
	}
	p.browser.WriteString(ask)
	p.turn()
	if err := c.receive(); err != nil {
		p.t.Fatal(err)
	}
}

// turn lets everybody else go on, until nothing moves.
func (p *played) turn() {
	p.t.Helper()
	p.still(func() { looptest.Rest(p.worker.loop) })
}

// still has the loop do something while the transaction keeps still.
func (p *played) still(f func()) {
	c := p.client
	p.client = nil // a task that has no client does nothing
	f()
	p.client = c
}

// until turns the loop until something has come from another goroutine.
func (p *played) until(done func() bool) {
	p.still(func() {
		for !done() {
			p.worker.loop.Turn(true)
		}
	})
}

// passes lets time pass.
func (p *played) passes(d time.Duration) {
	p.t.Helper()
	p.kernel.Advance(d)
	p.turn()
}

// counted is a task that counts how often it is run.
type counted struct{ runs int }

func (c *counted) Run() { c.runs++ }

// countWakes has a task of the test's woken in place of the transaction, by whom it turns to from now on.
func (p *played) countWakes() *counted {
	c := &counted{}
	p.transaction.waker = p.worker.loop.NewWaker(c)
	return c
}

// woke says whether the transaction, or another task, has been woken since the last turn. Once it was, that
// is remembered.
func (p *played) woke() bool {
	if !p.awake {
		p.still(func() { p.awake = p.worker.loop.Turn(false) })
	}
	return p.awake
}

// letGo ends the transaction and the worker.
func (p *played) letGo() {
	c := p.worker.clients
	p.policy.logFull = false
	if c != nil && c.tx != nil {
		c.tx.enter(over)
		c.tx.finish()
	}
	if c != nil {
		c.close()
	}
	if p.helpers != nil {
		p.helpers.end() // which the worker waits for
	}
	p.worker.end()
	p.engine.closePorts(p.engine.ports)
	if n := p.worker.buffers.inUse; n != 0 {
		p.t.Errorf("%d buffers were not given back", n)
	}
	if n := len(p.policy.records); n != 1 {
		p.t.Errorf("there are %d records of one transaction", n)
	}
	if n := p.kernel.OpenDescriptors(); n != 0 && p.helpers == nil {
		p.t.Errorf("%d descriptors are still open", n)
	}
}

// wants checks which stage follows.
func (p *played) wants(next, want stage) {
	p.t.Helper()
	if next != want {
		p.t.Fatalf("%s goes on to %s, want %s; the failure is %v", p.stage, next, want, p.failure)
	}
}

// wantsFailure checks how the transaction has failed, and that the client is told, or that it is not.
func (p *played) wantsFailure(next stage, kind FailureKind, side Side, answered bool) {
	p.t.Helper()
	want := over
	if answered {
		want = answering
	}
	p.wants(next, want)
	f := p.failure
	if f == nil || f.Kind != kind || f.Side != side || f.During != p.stage.String() {
		p.t.Fatalf("the failure is %+v, want %q on side %d while %s", f, kind, side, p.stage)
	}
	if asked := slices.Contains(p.policy.calls, "page "+kind.String()); asked != answered || answered && p.localReply.Status != kind.Status() {
		p.t.Errorf("the policy was asked %q and the reply is %d; the client is to be answered: %v", p.policy.calls, p.localReply.Status, answered)
	}
	if !answered && p.keepClient {
		p.t.Error("the client's connection is to serve another request")
	}
}

// wantsCalls checks what the policy was asked since the test began, and forgets it.
func (p *played) wantsCalls(want ...string) {
	p.t.Helper()
	if !slices.Equal(p.policy.calls, want) {
		p.t.Errorf("the policy was asked %q, want %q", p.policy.calls, want)
	}
	p.policy.calls = nil
}

// wantsTimeout checks how long the stage may wait, and gives it up when that time is over.
func (p *played) wantsTimeout(want time.Duration) (next stage) {
	p.t.Helper()
	if got := p.stageTimeout(); got != want {
		p.t.Errorf("%s waits for %v, want %v", p.stage, got, want)
	}
	p.await()
	p.passes(want - time.Second)
	if p.overdue() {
		p.t.Errorf("%s is overdue a second early", p.stage)
	}
	p.passes(time.Second + 20*time.Millisecond) // timers are rounded up to the next tick
	if !p.overdue() {
		p.t.Errorf("%s is not overdue after %v", p.stage, want)
	}
	return p.giveUp()
}

// wantsTimeoutForever checks that nothing but the client's lifetime ends the stage's waiting.
func (p *played) wantsTimeoutForever() {
	p.t.Helper()
	if got := p.stageTimeout(); got != forever {
		p.t.Errorf("%s waits for %v", p.stage, got)
	}
	p.await()
	p.passes(24*time.Hour - time.Minute)
	if p.overdue() {
		p.t.Error("it is overdue before the client's lifetime is over")
	}
	p.passes(2 * time.Minute)
	if !p.overdue() {
		p.t.Error("it outlives the client")
	}
	p.wants(p.giveUp(), over)
	if p.keepClient || p.failure != nil {
		p.t.Errorf("kept %v, failure %v", p.keepClient, p.failure)
	}
}

// wantsHeard checks what an end has been sent since it last looked.
func (p *played) wantsHeard(who *looptest.End, want string) {
	p.t.Helper()
	if got := string(who.Read()); got != want {
		p.t.Errorf("it was sent %q, want %q", got, want)
	}
}

// wantsBuffers checks how many buffers are lent.
func (p *played) wantsBuffers(want int) {
	p.t.Helper()
	if p.worker.buffers.inUse != want {
		p.t.Errorf("%d buffers are lent, want %d", p.worker.buffers.inUse, want)
	}
}

// lines makes a head of its lines.
func lines(l ...string) string { return strings.Join(l, "\r\n") + "\r\n\r\n" }

var errTest = errors.New("a test's")
