package engine

import (
	"exaproxy/dnsasync"
	"exaproxy/helper"
)

// A setup is the immutable configuration that a transaction began with, and what one worker
// made of it.
type setup struct {
	config   *Config
	policy   Policy
	helpers  pool   // that the asking stage asks
	others   []pool // that the policy asks
	resolver *dnsasync.Resolver
	uses     int  // transactions that began with it and are not over, and connections with its state
	replaced bool // by a newer one
	closed   bool
}

// newSetup makes a setup of c. It changes nothing of the worker.
func (w *worker) newSetup(c *Config) (*setup, error) {
	s := &setup{config: c, resolver: dnsasync.New(w.loop, c.Names)}
	services := Services{Loop: w.loop, Resolver: s.resolver, Log: c.logger(), Worker: w.number, Workers: len(w.engine.workers)}
	services.Lasting, services.View = &w.lasting, View{w}
	services.ConnectionsOf = w.connectionsOf
	services.Probe = func(h *Hop) *Probe { return w.newProbe(s, h) }
	if c.Helper != nil {
		s.helpers = w.newPool(c, c.Helper)
		services.Helpers = s.helpers.Pool
	}
	services.Pools = make(map[string]*helper.Pool, len(c.PolicyHelpers))
	for i := range c.PolicyHelpers {
		hc := &c.PolicyHelpers[i]
		s.others = append(s.others, w.newPool(c, hc))
		services.Pools[hc.Name] = s.others[i].Pool
	}
	var err error
	s.policy, err = c.NewPolicy(services)
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
	s.eachPool((*pool).close)
	s.resolver.Close()
}

// use has all transactions that begin from now on follow s.
func (w *worker) use(s *setup) {
	if w.setup != nil {
		w.setup.replaced = true
		s.inheritPools(w.setup)
		s.resolver.Inherit(w.setup.resolver)
		w.retired = append(w.retired, w.setup)
	}
	w.setup = s
	w.log = s.config.logger()
	w.idle.configure(s.config)
	w.tunnels.configure()
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
