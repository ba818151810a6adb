package engine

import (
	"errors"
	"fmt"
)

// A change is what one worker has ready for a new configuration: everything that might fail has been
// done, and nothing that clients could notice.
type change struct {
	worker    *worker
	setup     *setup
	listeners []*listener // of all ports of the new configuration
	fresh     []*listener // of them, those that do not accept yet
}

// prepare makes a worker ready to follow c. After an error nothing is left of it.
func (w *worker) prepare(c *Config, ports []opened) (*change, error) {
	s, err := w.newSetup(c)
	if err != nil {
		return nil, err
	}
	ch := &change{worker: w, setup: s}
	for i := range ports {
		l := w.watching(ports[i].of(w.number))
		if l == nil {
			if l, err = w.watch(&ports[i]); err != nil {
				ch.discard()
				return nil, err
			}
			ch.fresh = append(ch.fresh, l)
		}
		ch.listeners = append(ch.listeners, l)
	}
	return ch, nil
}

// commit has the worker follow the new configuration. It cannot fail.
func (ch *change) commit(ports []opened) {
	w := ch.worker
	w.endStandbys()
	w.use(ch.setup)
	w.recount()
	kept := make(map[*listener]bool, len(ch.listeners))
	follows := make(map[*Port]*Port, len(ch.listeners))
	for i, l := range ch.listeners {
		kept[l] = true
		follows[l.port] = ports[i].port
		l.port, l.tls = ports[i].port, ports[i].tls
	}
	w.eachClient(func(c *client) {
		old := c.connection.Port
		if p := follows[old]; p != nil && p.isLike(old) {
			c.connection.Port = p
		}
	})
	for _, l := range w.listeners {
		if !kept[l] {
			l.close()
		}
	}
	w.listeners = ch.listeners
	for _, l := range ch.fresh {
		l.begin()
	}
}

// discard undoes prepare. On a nil change, of a worker that could not prepare, it does nothing.
func (ch *change) discard() {
	if ch == nil {
		return
	}
	ch.setup.close()
	for _, l := range ch.fresh {
		l.close()
	}
}

// Reconfigure makes all transactions that begin from now on follow c. Ports that both
// configurations have stay open throughout. First every worker prepares what it needs; if anything
// of it cannot be had, by any of them, nothing changes. The numbers of workers and of
// descriptors are fixed at the start.
func (e *Engine) Reconfigure(c Config) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.running {
		return errors.New("reconfigure: the engine is not running")
	}
	if e.leaving {
		return errors.New("reconfigure: the engine is shutting down")
	}
	c.Workers, c.Descriptors = len(e.workers), e.config.Descriptors
	if err := e.reconfigure(&c); err != nil {
		return fmt.Errorf("reconfigure: %w", err)
	}
	return nil
}

// RestartHelpers starts new helpers everywhere, which take the place of the present ones as soon as they
// are ready; those finish what they were asked. Nothing else changes, and nobody waits.
func (e *Engine) RestartHelpers() {
	for _, w := range e.workers {
		w.loop.Post(w.restartHelpers)
	}
}

func (e *Engine) reconfigure(c *Config) error {
	ports, err := e.open(c, e.ports)
	if err != nil {
		return err
	}
	changes := make([]*change, len(e.workers)) // each written by its worker, and read when all have answered
	err = e.everywhere(func(w *worker) (err error) {
		changes[w.number], err = w.prepare(c, ports)
		return err
	})
	if err != nil {
		e.everywhere(func(w *worker) error { changes[w.number].discard(); return nil })
		e.closeUnused(ports, e.ports)
		return err
	}
	if err := e.everywhere(func(w *worker) error { changes[w.number].commit(ports); return nil }); err != nil {
		return err // the engine has ended meanwhile
	}
	old := e.ports
	e.config, e.ports = c, ports
	e.closeUnused(old, ports)
	return nil
}

// everywhere runs f on every worker's goroutine, waits for all of them, and returns the first error.
func (e *Engine) everywhere(f func(*worker) error) error {
	results := make(chan error, len(e.workers))
	for _, w := range e.workers {
		w.loop.Post(func() { results <- f(w) })
	}
	var first error
	for range e.workers {
		select {
		case err := <-results:
			if err != nil && first == nil {
				first = err
			}
		case <-e.ended:
			return errors.New("the engine has ended")
		}
	}
	return first
}

// closeUnused closes those of some ports that others do not contain.
func (e *Engine) closeUnused(some, others []opened) {
	for i := range some {
		if !some[i].within(others) {
			some[i].close(e.kernel())
		}
	}
}
