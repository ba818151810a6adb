package engine

import (
	"slices"

	"exaproxy/dnsasync"
	"exaproxy/helper"
)

// A setup is the immutable configuration that a transaction began with, and what one worker
// made of it.
type setup struct {
	config   *Config
	policy   Policy
	helpers  *helper.Pool
	resolver *dnsasync.Resolver
	passedOn bool // another setup has the helpers, or others have succeeded them
	uses     int  // transactions that began with it and are not over, and connections with its state
	replaced bool // by a newer one
	closed   bool
}

// newSetup makes a setup of c. It changes nothing of the worker.
func (w *worker) newSetup(c *Config) (*setup, error) {
	s := &setup{config: c, resolver: dnsasync.New(w.loop, c.Names)}
	workers := len(w.engine.workers)
	if c.Helper != nil && w.keeps(c) {
		s.helpers, s.passedOn = w.setup.helpers, true // until it is used
	} else if c.Helper != nil {
		s.helpers = w.newHelpers(c)
	}
	var err error
	s.policy, err = c.NewPolicy(Services{Loop: w.loop, Resolver: s.resolver, Helpers: s.helpers, Log: c.logger(),
		Worker: w.number, Workers: workers})
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// close ends what the setup began; its helpers may still finish what they were asked.
func (s *setup) close() {
	if s.closed {
		return
	}
	s.closed = true
	if s.policy != nil {
		s.policy.Close()
	}
	if s.helpers != nil && !s.passedOn {
		s.helpers.Close(true)
	}
	s.resolver.Close()
}

// keeps reports whether a setup of c goes on with the present helpers.
func (w *worker) keeps(c *Config) bool {
	return c.KeepHelpers && w.setup != nil && w.setup.helpers != nil && w.setup.config.Helper.Same(*c.Helper)
}

// newHelpers starts this worker's share of the helpers of c.
func (w *worker) newHelpers(c *Config) *helper.Pool {
	p := helper.NewPool(w.loop, c.Helper.Share(w.number, len(w.engine.workers)))
	w.pools = append(slices.DeleteFunc(w.pools, (*helper.Pool).Closed), p)
	return p
}

// restartHelpers has new helpers take the place of the present ones, as soon as they are ready.
func (w *worker) restartHelpers() {
	s := w.setup
	if s == nil || s.helpers == nil || w.leaving {
		return
	}
	old := s.helpers
	s.helpers = w.newHelpers(s.config)
	s.helpers.Succeed(old)
}

// inherit passes the helpers of a setup on to the one that replaces it: a tunnel or a slow request keeps
// no helpers, and none waits for the change.
func (s *setup) inherit(old *setup) {
	switch {
	case old.helpers == nil || s.helpers == nil:
		return
	case s.passedOn: // it was to keep them
		s.helpers, s.passedOn = old.helpers, false
	default:
		s.helpers.Succeed(old.helpers)
	}
	old.passedOn = true
}

// use has all transactions that begin from now on follow s.
func (w *worker) use(s *setup) {
	if w.setup != nil {
		w.setup.replaced = true
		s.inherit(w.setup)
		w.retired = append(w.retired, w.setup)
	}
	w.setup = s
	w.log = s.config.logger()
	w.idle.configure(s.config)
	w.limits = newDescriptorLimits(s.config, w.number, len(w.engine.workers))
	w.closeRetired()
}

// done counts a use of s as over.
func (w *worker) done(s *setup) {
	s.uses--
	if s.replaced && s.uses == 0 {
		w.closeRetired()
	}
}

// closeRetired closes the replaced setups that nobody uses any more.
func (w *worker) closeRetired() {
	kept := w.retired[:0]
	for _, s := range w.retired {
		if s.uses > 0 {
			kept = append(kept, s)
			continue
		}
		s.close()
	}
	clear(w.retired[len(kept):])
	w.retired = kept
}
