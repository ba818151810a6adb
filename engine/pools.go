package engine

import (
	"slices"

	"exaproxy/helper"
)

// A pool is one of helpers that a setup uses. The zero pool has nobody to be asked.
type pool struct {
	*helper.Pool
	config   *helper.Config
	passedOn bool // another setup has it, or another pool has succeeded it
}

// newPool starts this worker's share of the helpers of hc, unless the present ones are kept.
func (w *worker) newPool(c *Config, hc *helper.Config) pool {
	if w.setup != nil && c.KeepHelpers {
		if present := w.setup.pool(hc.Name); present != nil && present.config.Same(*hc) {
			return pool{present.Pool, hc, true} // until it is used
		}
	}
	return w.startPool(hc)
}

// startPool starts this worker's share of the helpers of hc.
func (w *worker) startPool(hc *helper.Config) pool {
	p := helper.NewPool(w.loop, hc.Share(w.number, len(w.engine.workers)))
	w.pools = append(slices.DeleteFunc(w.pools, (*helper.Pool).Closed), p)
	return pool{Pool: p, config: hc}
}

// close lets the pool finish what it was asked, unless somebody else has it.
func (p *pool) close() {
	if !p.passedOn {
		p.Close(true)
	}
}

// eachPool calls do with every pool of the setup.
func (s *setup) eachPool(do func(*pool)) {
	if s.helpers.Pool != nil {
		do(&s.helpers)
	}
	for i := range s.others {
		do(&s.others[i])
	}
}

// pool returns the setup's pool of that name, nil if there is none.
func (s *setup) pool(name string) (found *pool) {
	s.eachPool(func(p *pool) {
		if p.config.Name == name {
			found = p
		}
	})
	return found
}

// restartHelpers has new helpers take the place of the present ones, as soon as they are ready.
func (w *worker) restartHelpers() {
	if w.setup == nil || w.leaving {
		return
	}
	w.setup.eachPool(func(p *pool) {
		old := p.Pool
		*p = w.startPool(p.config)
		p.Succeed(old)
	})
}

// inheritPools passes the helpers of a setup on to the one that replaces it: a tunnel or a slow request keeps
// no helpers, and none waits for the change.
func (s *setup) inheritPools(old *setup) {
	s.eachPool(func(p *pool) {
		o := old.pool(p.config.Name)
		switch {
		case o == nil:
			return
		case p.passedOn: // it was to keep them
			p.Pool, p.passedOn = o.Pool, false
		default:
			p.Succeed(o.Pool)
		}
		o.passedOn = true
	})
}
