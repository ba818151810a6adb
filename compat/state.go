package compat

import (
	"exaproxy/compat/access"
	"exaproxy/compat/auth"
	"exaproxy/compat/bump"
	"exaproxy/compat/decision"
	"exaproxy/compat/indirect"
	"exaproxy/compat/intercept"
	"exaproxy/compat/manager"
	"exaproxy/compat/peers"
	"exaproxy/compat/redirector"
	"exaproxy/engine"
	"exaproxy/engine/loop"
)

// A requestState is what the features keep of a request between the engine's questions, each in a
// part of its own that the others do not see. It is used again for other requests.
type requestState struct {
	decision   decision.Memory // the failure or reply that was decided on last, whichever feature's
	indirect   indirect.State
	auth       auth.State
	access     access.State
	bump       bump.State
	intercept  intercept.State
	redirector redirector.State
	peers      peers.State
	manager    manager.State
	adapted    adapted
}

// needed says whether a feature keeps something that matters after Interpret for a request that goes on
// as it is.
func (st *requestState) needed() bool { return st.redirector.Matters() || st.intercept.Matters() }

// reset ends what was begun for the request, and says whether the memory is worth keeping.
func (st *requestState) reset() bool {
	st.access.Reset()
	st.intercept.Reset()
	st.peers.Reset()
	st.manager.Reset()
	st.adapted = adapted{}
	st.redirector = redirector.State{}
	st.indirect = indirect.State{}
	st.auth = auth.State{}
	st.bump = bump.State{}
	return st.decision.Reset()
}

// requestStates lends the states of one worker's requests, which stand in Request.State.
type requestStates struct{ free loop.FreeList[requestState] }

// mostStates is how many states a worker keeps for other requests.
const mostStates = 256

func newRequestStates() requestStates {
	return requestStates{loop.FreeList[requestState]{Most: mostStates}}
}

// kept returns the state of r, nil if there is none.
func kept(r *engine.Request) *requestState {
	st, _ := r.State.(*requestState)
	return st
}

// of returns the state of r, which it begins to keep if there is none.
func (s *requestStates) of(r *engine.Request) *requestState {
	if st := kept(r); st != nil {
		return st
	}
	st := s.free.Get()
	r.State = st
	return st
}

// OfRequest implements auth.Memory.
func (s *requestStates) OfRequest(r *engine.Request) *auth.State { return &s.of(r).auth }

// A connectionState is what the features keep of a client's connection, each in a part of its own.
type connectionState struct{ auth auth.Connection }

// OfConnection implements auth.Memory.
func (s *requestStates) OfConnection(r *engine.Request, begin bool) *auth.Connection {
	st, ok := r.Connection.State.(*connectionState)
	switch {
	case ok:
		return &st.auth
	case !begin:
		return nil
	}
	st = &connectionState{}
	r.Connection.State = st
	return &st.auth
}

// releaseIdle releases the state of r if the request's acls have asked nobody, and nothing of it matters later.
func (s *requestStates) releaseIdle(r *engine.Request) {
	if st := kept(r); st != nil && !st.access.Remembers() && !st.intercept.Matters() && !st.redirector.Matters() {
		s.release(r)
	}
}

// release ends what the state of r began, and keeps its memory for another request.
func (s *requestStates) release(r *engine.Request) {
	st := kept(r)
	if st == nil {
		return
	}
	r.State = nil
	if st.reset() {
		s.free.Put(st)
	}
}
