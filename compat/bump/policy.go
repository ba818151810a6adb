package bump

import (
	"exaproxy/compat/acl"
	"exaproxy/engine"
	"exaproxy/engine/tlshello"
)

// A Policy answers one worker's engine.
type Policy struct {
	Settings *Settings
	// Match asks an access list about a request.
	Match acl.Match
}

// A State is where the checking of the rules for one request stands. The zero State begins.
type State struct {
	step int // of ssl_bump
	line int // that waits for an answer: those before it are not looked at again
}

// from is the line to look at first at a step.
func (s *State) from(step int) int {
	if s.step != step {
		*s = State{step: step}
	}
	return s.line
}

// foreignStep stands for the rules about what is no TLS.
const foreignStep = -1

// Bump says what becomes of the tunnel of a CONNECT. Where a helper cannot tell whether a line matches, the tunnel ends:
// the client may be the reason.
func (p *Policy) Bump(r *engine.Request, st *State) engine.Bump {
	seen := r.TLS
	switch {
	case seen.NotTLS == tlshello.ErrMalformed:
		return engine.BumpTerminate // it could be TLS for a server: nobody would know whom it asks for
	case seen.NotTLS != nil:
		return p.foreign(r, st)
	case seen.Step == 2 && seen.Mode == ServerFirst.String():
		return engine.BumpServerFirst // that is settled
	}
	for i := st.from(seen.Step); i < len(p.Settings.rules); i++ {
		rule := &p.Settings.rules[i]
		if !possible(rule.action, seen) {
			continue
		}
		switch p.Match(rule.when, r) {
		case acl.Pending:
			st.line = i
			return engine.BumpPending
		case acl.Allow:
			return choose(rule.action, seen)
		case acl.Unknown:
			return engine.BumpTerminate
		case acl.Deny, acl.Challenge:
		}
	}
	return otherwise(seen)
}

// Foreign says whether a client that speaks another protocol than that of its port may have a tunnel.
func (p *Policy) Foreign(r *engine.Request, st *State) engine.Action {
	switch p.foreign(r, st) {
	case engine.BumpPending:
		return engine.Pending
	case engine.BumpSplice:
		return engine.Proceed
	}
	return engine.Refuse
}

// foreign says what becomes of a tunnel in which no TLS is spoken, and of a client that speaks no HTTP
// (on_unsupported_protocol).
func (p *Policy) foreign(r *engine.Request, st *State) engine.Bump {
	for i := st.from(foreignStep); i < len(p.Settings.unsupported); i++ {
		rule := &p.Settings.unsupported[i]
		switch p.Match(rule.when, r) {
		case acl.Pending:
			st.line = i
			return engine.BumpPending
		case acl.Unknown:
			return engine.BumpTerminate
		case acl.Allow:
			if rule.action {
				return engine.BumpSplice
			}
			return engine.BumpTerminate
		case acl.Deny, acl.Challenge:
		}
	}
	return engine.BumpTerminate
}

// possible says whether a rule counts at the present step: which the later ones are depends on what was
// chosen before. A server that has been given the client's own words cannot be spoken to by the proxy any
// more, and one that the proxy has spoken to not by the client.
func possible(a Action, seen *engine.SeenTLS) bool {
	switch seen.Step {
	case 1:
		return true
	case 2:
		return a != ClientFirst && a != ServerFirst
	}
	switch a {
	case Terminate:
		return true
	case Splice:
		return seen.Action == engine.BumpPeek
	case Bump:
		return seen.Action == engine.BumpStare
	}
	return false
}

// choose is what an action has the engine do at the present step.
func choose(a Action, seen *engine.SeenTLS) engine.Bump {
	seen.Mode = a.String()
	switch a {
	case None, Splice:
		if seen.Step > 1 {
			seen.Mode = Splice.String()
		}
		return engine.BumpSplice
	case Peek:
		return engine.BumpPeek
	case Stare:
		return engine.BumpStare
	case ClientFirst:
		return engine.BumpClientFirst
	case ServerFirst:
		return engine.BumpPeek // whose name the server's certificate has to have is in the ClientHello
	case Terminate:
		return engine.BumpTerminate
	case Bump:
		if seen.Step == 1 {
			return engine.BumpClientFirst
		}
		return engine.BumpServerFirst
	}
	panic("BUG: no such action of ssl_bump")
}

// otherwise is what becomes of a tunnel for which no rule matches.
func otherwise(seen *engine.SeenTLS) engine.Bump {
	if seen.Step == 3 && seen.Action == engine.BumpStare {
		seen.Mode = Bump.String()
		return engine.BumpServerFirst
	}
	seen.Mode = Splice.String()
	return engine.BumpSplice
}
