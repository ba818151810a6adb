package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"exaproxy/engine/loop"
	"exaproxy/engine/tlsend"
	"exaproxy/helper"
)

// An Engine is the proxy: its listening ports and its workers. Its methods may be called from
// any goroutine but a worker's.
type Engine struct {
	mu      sync.Mutex // guards what Run, Reconfigure and Shutdown change; never held by a worker
	config  *Config
	ports   []opened
	workers []*worker
	running bool
	leaving bool
	begun   chan struct{} // closed when Run has begun
	ended   chan struct{} // closed when the last worker has ended

	listening atomic.Int32 // workers that have not begun to leave
	// Of TLS handshakes those of clients of an https_port, of clients that were refused, and with next hops
	// do not wait for each other.
	handshakes, verdicts, fetches tlsend.Queue

	tickets tickets

	// Of what workers log of clients and their connections.
	handshakeWarnings, divertedWarnings loop.SharedLimiter
	headerWarnings                      loop.SharedLimiter // of PROXY headers that are wrong
	strangerWarnings                    loop.SharedLimiter // of who may send none

	letGo atomic.Int64 // bytes of buffers that workers have let go of since the last Trim
}

// New makes an engine and opens its ports, so that a port that is taken, or that needs
// privileges which the caller is about to give up, is known at once. Nobody is served
// before Run.
func New(c Config) (*Engine, error) {
	if c.NewPolicy == nil || len(c.Ports) == 0 {
		return nil, errors.New("make an engine: a policy and at least one port are needed")
	}
	e := &Engine{config: &c, begun: make(chan struct{}), ended: make(chan struct{}),
		handshakes: tlsend.NewQueue(), verdicts: tlsend.NewQueue(), fetches: tlsend.NewQueue()}
	for n := range c.workers() {
		w, err := newWorker(e, n, &c)
		if err != nil {
			e.closeAll()
			return nil, fmt.Errorf("make worker %d: %w", n, err)
		}
		e.workers = append(e.workers, w)
	}
	var err error
	if e.ports, err = e.open(&c, nil); err != nil {
		e.closeAll()
		return nil, err
	}
	e.listening.Store(int32(len(e.workers)))
	return e, nil
}

func (e *Engine) kernel() loop.Kernel { return e.workers[0].loop.Kernel() }

// open opens the ports of c, taking over those of held that are the same. If one cannot be
// opened, those that were opened for it are closed again.
func (e *Engine) open(c *Config, held []opened) ([]opened, error) {
	var all []opened
	for i := range c.Ports {
		o, err := e.openPort(&c.Ports[i], held, all, c.Bind)
		if err != nil {
			e.closeUnused(all, held)
			return nil, c.Ports[i].placed(err)
		}
		o.tls = e.tickets.serve(o.port, c.KeyLog)
		all = append(all, o)
	}
	return all, nil
}

// openPort opens a port, or takes it over from held, unless those before it have taken it.
func (e *Engine) openPort(p *Port, held, before []opened, bind binder) (opened, error) {
	for i := range before {
		if before[i].port.Addr == p.Addr && p.Addr.Port() != 0 {
			return opened{}, fmt.Errorf("listen on %s: it is one of the ports already", p.Addr)
		}
	}
	for i := range held {
		o := &held[i]
		if o.port.Addr == p.Addr && (o.port.Mode == TPROXY) != (p.Mode == TPROXY) && p.Addr.Port() != 0 {
			return opened{}, fmt.Errorf("listen on %s: a port becomes one of tproxy, or another kind, at the next start", p.Addr)
		}
		if o.port.Addr == p.Addr && o.port.WorkerQueues == p.WorkerQueues && !o.within(before) {
			return opened{port: p, addr: o.addr, sys: o.sys}, nil
		}
	}
	return open(e.kernel(), p, len(e.workers), bind)
}

// Addrs gives the addresses that the engine listens on, in the order of Config.Ports.
func (e *Engine) Addrs() []netip.AddrPort {
	e.mu.Lock()
	defer e.mu.Unlock()
	var addrs []netip.AddrPort
	for _, o := range e.ports {
		addrs = append(addrs, o.addr)
	}
	return addrs
}

// Workers says how many workers there are.
func (e *Engine) Workers() int { return len(e.workers) }

// Begun is closed when Run has begun: from then on there is somebody to follow a Reconfigure.
func (e *Engine) Begun() <-chan struct{} { return e.begun }

// Run serves until Shutdown or Stop has ended the last worker, or ctx is done, which is Stop.
func (e *Engine) Run(ctx context.Context) error {
	e.mu.Lock()
	e.running = true
	close(e.begun)
	e.mu.Unlock()
	failures := make(chan error, len(e.workers))
	for _, w := range e.workers {
		go func() { failures <- w.run(e.config, e.ports) }()
	}
	stop := context.AfterFunc(ctx, e.Stop)
	defer stop()
	var first error
	for range e.workers {
		if err := <-failures; err != nil && first == nil {
			first = err
			e.Stop()
		}
	}
	close(e.ended) // before the lock: a Reconfigure that holds it may be waiting for a worker
	e.mu.Lock()
	defer e.mu.Unlock()
	e.running = false
	e.closePorts(e.ports)
	return first
}

// Start starts the workers without running them, for whoever turns their loops himself, and
// returns these. It takes Run's place in tests with a kernel in memory; there is no Run after it.
func (e *Engine) Start() ([]*loop.Loop, error) {
	var loops []*loop.Loop
	e.running = true
	for _, w := range e.workers {
		if err := w.start(e.config, e.ports); err != nil {
			return nil, fmt.Errorf("start worker %d: %w", w.number, err)
		}
		loops = append(loops, w.loop)
	}
	return loops, nil
}

// Held counts what an engine has in hand.
type Held struct {
	Clients, Transactions, Buffers, IdleUpstreams int

	Helpers int // processes that are starting or have not ended
}

// Held says what the workers have in hand. Their loops must not be running.
func (e *Engine) Held() (h Held) {
	for _, w := range e.workers {
		h.Clients += w.open
		for _, p := range w.pools {
			h.Helpers += len(p.Stats().Each)
		}
		h.Buffers += w.buffers.inUse
		w.eachClient(func(c *client) {
			if c.tx != nil {
				h.Transactions++
			}
		})
		for u := w.idle.oldest; u != nil; u = u.newer {
			h.IdleUpstreams++
		}
	}
	return h
}

// Helpers says how every pool of helpers is doing, those that are ending included. The loops of the workers
// must not be running.
func (e *Engine) Helpers() (all []helper.Stats) {
	for _, w := range e.workers {
		for _, p := range w.pools {
			all = append(all, p.Stats())
		}
	}
	return all
}

// run is a worker's whole life.
func (w *worker) run(c *Config, ports []opened) error {
	defer w.end()
	if err := w.start(c, ports); err != nil {
		return fmt.Errorf("start worker %d: %w", w.number, err)
	}
	w.loop.Run()
	return nil
}

// Shutdown stops listening and lets transactions end; Run returns as soon as the last is over,
// or after lifetime (shutdown_lifetime; zero: at once). Called again, it changes the lifetime.
func (e *Engine) Shutdown(lifetime time.Duration) {
	e.mu.Lock()
	e.leaving = true
	ports := e.ports // final: nothing is reconfigured any more
	e.mu.Unlock()
	for _, w := range e.workers {
		w.loop.Post(func() {
			// While a worker watches a descriptor its number must not become another's.
			if w.shutDown(lifetime) && e.listening.Add(-1) == 0 {
				e.closePorts(ports)
			}
		})
	}
}

// Trim has the workers let go of buffers and the like that nobody has needed since the last Trim. It does not
// wait for them, and returns how many bytes they have let go of since it was last called.
func (e *Engine) Trim() (bytes int64) {
	for _, w := range e.workers {
		w.loop.Post(w.trim)
	}
	return e.letGo.Swap(0)
}

// Stop ends all workers at once.
func (e *Engine) Stop() {
	for _, w := range e.workers {
		w.loop.Stop()
	}
}

func (e *Engine) closePorts(ports []opened) {
	for i := range ports {
		ports[i].close(e.kernel())
	}
}

// closeAll undoes what New did before it failed.
func (e *Engine) closeAll() {
	if len(e.workers) > 0 {
		e.closePorts(e.ports)
	}
	for _, w := range e.workers {
		w.loop.Close()
	}
}

// childrenEach is how many helpers a worker has at least where the number of workers is ours
// to choose: the clients of a worker with a single one would all wait for a question that takes
// long, while the helpers of other workers are idle.
const childrenEach = 4

// workers says how many workers c asks for (see Config.Workers).
func (c *Config) workers() int {
	if c.Workers > 0 {
		return c.Workers
	}
	n := runtime.NumCPU()
	if c.Helper != nil {
		n = min(n, c.Helper.Children/childrenEach)
	}
	for i := range c.PolicyHelpers { // each worker has one at least, and some keep what only a single process can know
		n = min(n, c.PolicyHelpers[i].Children)
	}
	return max(n, 1)
}

func (c *Config) kernel() (loop.Kernel, error) {
	if c.NewKernel != nil {
		return c.NewKernel()
	}
	return loop.Linux()
}

func (c *Config) logger() *slog.Logger {
	if c.Log != nil {
		return c.Log
	}
	return slog.New(slog.DiscardHandler)
}
