package enginetest

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"exaproxy/engine"
	"exaproxy/engine/loop"
	"exaproxy/engine/loop/looptest"
)

// A World is an engine with one worker, and everybody around it.
type World struct {
	// Log gives the lines that the policy has logged since it was last called. nil: none.
	Log func() string
	// Segment cuts everything that clients and origins send into pieces of so many bytes.
	// 0: it arrives whole.
	Segment int
	// Configuration gives the configuration of a name, for the verb reconfigure.
	Configuration func(name string) (engine.Config, error)
	// Security has what TLS needs, for the verbs of TLS.
	Security Security
	// Secrets are words that no client and no helper may be told, and that stand in no log.
	Secrets []string

	tb      testing.TB
	kernel  *looptest.Kernel
	loop    *loop.Loop
	engine  *engine.Engine
	address netip.AddrPort // where clients connect

	clients map[string]*actor
	origins map[string]*origin
	secure  []*actor // that speak TLS
	helpers *children
	names   *nameServer
	logged  []string // log lines not yet spoken of

	challenge challenge // the last that was read
	where     string    // the script's line, for messages
}

// Resolver is the address of the world's name server; a Config that names it in Names.Servers
// has its names answered by the script.
var Resolver = netip.MustParseAddrPort("198.51.100.53:53")

// NewWorld makes an engine from c, which is changed to run in the world: one worker, a kernel
// in memory, helpers and name server played by the script. c.Log and everything that the
// policy does remain.
func NewWorld(tb testing.TB, c engine.Config) *World {
	tb.Helper()
	w := &World{tb: tb, kernel: looptest.NewKernel(tb), clients: map[string]*actor{}, origins: map[string]*origin{}}
	w.helpers = &children{world: w}
	tb.Cleanup(w.helpers.end)
	w.names = newNameServer(w)
	w.begin(w.adapt(c))
	return w
}

// adapt makes c one that runs in the world.
func (w *World) adapt(c engine.Config) engine.Config {
	c.Workers = 1
	c.NewKernel = func() (loop.Kernel, error) { return w.kernel, nil }
	c.Names.Servers = []netip.AddrPort{Resolver}
	if c.Helper != nil {
		h := *c.Helper
		h.Spawn = w.helpers
		c.Helper = &h
	}
	c.PolicyHelpers = slices.Clone(c.PolicyHelpers)
	for i := range c.PolicyHelpers {
		c.PolicyHelpers[i].Spawn = w.helpers
	}
	return c
}

// Reconfigure has the engine follow c from now on.
func (w *World) Reconfigure(c engine.Config) error {
	w.tb.Helper()
	var err error
	done := false
	go func() {
		failure := w.engine.Reconfigure(w.adapt(c))
		w.loop.Post(func() { err, done = failure, true })
	}()
	for !done {
		w.loop.Turn(true) // until Reconfigure posts
	}
	w.settle()
	return err
}

func (w *World) begin(c engine.Config) {
	w.tb.Helper()
	var err error
	if w.engine, err = engine.New(c); err != nil {
		w.tb.Fatal(err)
	}
	w.address = w.engine.Addrs()[0]
	loops, err := w.engine.Start()
	if err != nil {
		w.tb.Fatal(err)
	}
	w.loop = loops[0]
	w.settle()
}

// Engine gives the engine, to shut it down or to reconfigure it.
func (w *World) Engine() *engine.Engine { return w.engine }

// CheckSecrets fails the test if somebody was told a secret.
func (w *World) CheckSecrets(whom, text string) {
	w.tb.Helper()
	for _, secret := range w.Secrets {
		if at := strings.Index(text, secret); at >= 0 {
			w.tb.Errorf("%s: the secret %q is told to %s: %q", w.where, secret, whom, text[max(0, at-100):min(len(text), at+100)])
		}
	}
}

// settle lets everything happen that can, without the clock moving.
func (w *World) settle() {
	w.tb.Helper()
	for range 10000 {
		looptest.Rest(w.loop)
		switch {
		case w.names.answer():
		case w.helpers.moving():
			w.loop.Turn(true) // until the goroutine of a child posts
		case w.carryTLS():
		default:
			looptest.Settle(w.loop)
			return
		}
	}
	w.tb.Fatalf("%s: the world does not come to rest", w.where)
}

// End ends everybody and checks that the engine has let go of everything.
func (w *World) End() {
	w.tb.Helper()
	w.where = "at the end"
	for _, a := range w.clients {
		a.end.Close()
	}
	w.settle()
	w.engine.Shutdown(0)
	w.settle()
	held := w.engine.Held()
	held.Helpers = 0 // they are ended when the loop is
	if held != (engine.Held{}) {
		w.tb.Errorf("when everybody had left, the engine still held %+v", held)
	}
}

// Held says what the engine has in hand.
func (w *World) Held() engine.Held { return w.engine.Held() }

// log gives the log lines nobody has spoken of yet.
func (w *World) log() []string {
	if w.Log != nil {
		for line := range strings.Lines(w.Log()) {
			w.logged = append(w.logged, strings.TrimRight(line, "\n"))
		}
	}
	return w.logged
}
