package peers

import (
	"sync/atomic"
	"time"

	"exaproxy/engine/loop"
)

// Shared is what all workers know of the peers of one configuration. It is used by all of them at once.
type Shared struct {
	states  []state      // of the settings' peers
	cleared atomic.Int64 // when whose turn it is was last begun anew, in seconds; 0: not yet
}

// state is what is known of one peer.
type state struct {
	lives     atomic.Int32       // failures until it is dead; 0: it is dead
	open      atomic.Int32       // connections to it
	fetches   atomic.Uint64      // requests that were sent there
	kept      atomic.Uint64      // connections that were kept after a request
	failed    atomic.Int64       // when a connection could not be made last, in seconds; 0: never
	turns     atomic.Int64       // how often it was its turn
	untrusted loop.SharedLimiter // of what is logged of handshakes with it
	probing   atomic.Bool        // somebody is trying whether it has come back
	probed    atomic.Int64       // when that was last begun, on the loop's clock
}

// NewShared begins with peers that are all there.
func NewShared(s *Settings) *Shared {
	shared := &Shared{states: make([]state, len(s.peers))}
	for i, p := range s.peers {
		shared.states[i].lives.Store(int32(p.failLimit))
	}
	if len(s.peers) > 0 {
		shared.states[0].turns.Store(1) // as in Squid
	}
	return shared
}

// clearEvery is how long turns are counted, as in Squid: after that who had few for a reason that is over gets no more than others.
const clearEvery = 5 * time.Minute

// clearTurns begins counting turns anew.
func (s *Shared) clearTurns() {
	for i := range s.states {
		s.states[i].turns.Store(1)
	}
}

// clearInTime does so every few minutes.
func (s *Shared) clearInTime(now time.Time) {
	last, n := s.cleared.Load(), now.Unix()
	switch {
	case last == 0:
		s.cleared.CompareAndSwap(0, n)
	case n-last >= int64(clearEvery/time.Second) && s.cleared.CompareAndSwap(last, n):
		s.clearTurns()
	}
}

// reached notes that a peer answers; revived is true if it was dead.
func (s *state) reached(limit int) (revived bool) {
	if s.lives.Load() == int32(limit) {
		return false
	}
	return s.lives.Swap(int32(limit)) == 0
}

// unreached notes that it does not; was says whether it was there until now, and died that it is not any more.
func (s *state) unreached() (was, died bool) {
	for {
		n := s.lives.Load()
		if n == 0 {
			return false, false
		}
		if s.lives.CompareAndSwap(n, n-1) {
			return true, n == 1
		}
	}
}

func (s *state) alive() bool { return s.lives.Load() > 0 }

// probeEvery is how often it is tried at most whether a dead peer has come back.
const probeEvery = time.Second

// beginProbe says whether that is to be tried now. Who does it says endProbe.
func (s *state) beginProbe(now time.Time) bool {
	if !s.probing.CompareAndSwap(false, true) {
		return false
	}
	if last := s.probed.Load(); last != 0 && now.UnixNano()-last < int64(probeEvery) {
		s.probing.Store(false)
		return false
	}
	s.probed.Store(now.UnixNano())
	return true
}

func (s *state) endProbe() { s.probing.Store(false) }
