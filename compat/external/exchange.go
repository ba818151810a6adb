package external

import (
	"slices"
	"sync"
	"sync/atomic"
)

// An Exchange has the workers of one configuration hear what helpers have said to the others: whoever is asked the same
// need not ask again. Nobody waits for that, and no request takes its lock: the members are changed when a policy is made
// or closed, and an answer is posted to their loops.
type Exchange struct {
	mu      sync.Mutex // of those that change members
	members atomic.Pointer[[]*Policy]
}

// join has a policy hear what the others do.
func (x *Exchange) join(p *Policy) { x.change(func(all []*Policy) []*Policy { return append(all, p) }) }

// leave has it hear no more.
func (x *Exchange) leave(p *Policy) {
	x.change(func(all []*Policy) []*Policy {
		return slices.DeleteFunc(all, func(other *Policy) bool { return other == p })
	})
}

func (x *Exchange) change(how func([]*Policy) []*Policy) {
	x.mu.Lock()
	defer x.mu.Unlock()
	all := how(slices.Clone(x.all()))
	x.members.Store(&all)
}

func (x *Exchange) all() []*Policy {
	if all := x.members.Load(); all != nil {
		return *all
	}
	return nil
}

// tell passes on what a helper of a type has said to a worker.
func (x *Exchange) tell(from *Policy, name string, k key, s *said) {
	for _, p := range x.all() {
		if p != from {
			p.loop.Post(func() { p.hear(name, k, s) })
		}
	}
}

// hear remembers what another worker's helper has said.
func (p *Policy) hear(name string, k key, s *said) {
	if t := p.asked[name]; t != nil && !p.closed {
		t.known.Put(k, s)
	}
}
