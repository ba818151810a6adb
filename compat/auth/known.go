package auth

import (
	"crypto/sha256"
	"time"

	"exaproxy/engine/loop"
)

// A key is the hash of a question to a helper: who has it cannot tell the password.
type key [sha256.Size]byte

// mostKnown is how many entries of a scheme a worker keeps.
const mostKnown = 1 << 15

// known is what the helpers of a scheme have said, or are asked, by the question.
type known[E entry] struct {
	loop   *loop.Loop
	every  time.Duration // how often the entries that are over are forgotten (authenticate_cache_garbage_interval)
	byKey  map[key]E
	forgot time.Time // when they were looked for
}

// An entry is one of them.
type entry interface {
	asking() bool // a helper is asked
	over() bool   // what was said does not count any more
	end()         // nobody wants to know any more
}

func newKnown[E entry](l *loop.Loop, every time.Duration) known[E] {
	return known[E]{loop: l, every: every, byKey: make(map[key]E)}
}

// add adds an entry. Where there are too many all the same, some other goes: that one is asked about again.
func (n *known[E]) add(k key, e E) {
	n.forgetOver()
	n.byKey[k] = e
}

func (n *known[E]) forgetOver() {
	now := n.loop.Now()
	since, full := now.Sub(n.forgot), len(n.byKey) >= mostKnown
	if since >= n.every || full && since >= time.Second { // all are looked at: not for each that comes
		n.forgot = now
		for k, e := range n.byKey {
			if !e.asking() && e.over() {
				delete(n.byKey, k)
			}
		}
	}
	for k, e := range n.byKey {
		if len(n.byKey) < mostKnown {
			break
		}
		if !e.asking() {
			delete(n.byKey, k)
		}
	}
}

// forget forgets an entry, unless another has its place.
func forget[E interface {
	comparable
	entry
}](n *known[E], k key, e E) {
	if n.byKey[k] == e {
		delete(n.byKey, k)
	}
}

// close ends what is asked.
func (n *known[E]) close() {
	for _, e := range n.byKey {
		e.end()
	}
	clear(n.byKey)
}
