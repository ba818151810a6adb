package compat

import (
	"exaproxy/compat/access"
	"exaproxy/compat/decision"
	"exaproxy/compat/redirector"
	"exaproxy/engine"
)

// A requestState is what the features keep of a request between the engine's questions, each in a
// part of its own that the others do not see. It is used again for other requests.
type requestState struct {
	decision   decision.Memory // the failure or reply that was decided on last, whichever feature's
	access     access.State
	redirector redirector.State
}

// keptStates is how many states a worker keeps for other requests.
const keptStates = 256

// kept returns the state of r, nil if there is none.
func kept(r *engine.Request) *requestState {
	st, _ := r.State.(*requestState)
	return st
}

// state returns the state of r, which it begins to keep if there is none.
func (p *policy) state(r *engine.Request) *requestState {
	if st := kept(r); st != nil {
		return st
	}
	st := p.states.Get()
	r.State = st
	return st
}

// release ends what the state of r began, and keeps its memory for another request.
func (p *policy) release(r *engine.Request) {
	st := kept(r)
	if st == nil {
		return
	}
	r.State = nil
	st.access.Reset()
	st.redirector = redirector.State{}
	if st.decision.Reset() {
		p.states.Put(st)
	}
}
