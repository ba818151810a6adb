package auth

import (
	"bytes"
	"cmp"
	"strings"

	"exaproxy/compat/acl"
	"exaproxy/compat/children"
	"exaproxy/engine"
	"exaproxy/engine/loop"
	"exaproxy/helper"
)

// phase is where a handshake is.
type phase uint8

const (
	asking     phase = iota // the helper has a token → challenged, proved, failed
	challenged              // the client has the helper's, and is to come again with another → asking, failed
	proved                  // the client is known for as long as its connection lasts
	failed                  // it is over; the next token begins another
)

// A handshake is how the client of one connection proves who it is, and then who that is. It is a session and a task
// of the worker's loop. It belongs to its connection, and is never another's.
type handshake struct {
	prover *statefulProver
	phase  phase

	talk     *helper.Conversation // with the helper; nil: it has ended
	question *helper.Question     // nil: nobody is asked
	waker    *loop.Waker
	asked    *turn // the request whose token the helper has

	user  string        // once it is proved, as the notes
	notes []engine.Note // what the helper has said of the user
}

// A turn is one request of a handshake, whose token the helper has. It implements acl.Inquiry.
type turn struct {
	handshake *handshake // nil: nobody waits any more
	request   *engine.Request
	state     *State
	waker     *loop.Waker
	outcome   acl.Answer
}

// Outcome implements acl.Inquiry.
func (t *turn) Outcome() acl.Answer { return t.outcome }

// Cancel implements acl.Inquiry. A handshake whose client does not wait for the answer is over.
func (t *turn) Cancel() {
	if h := t.handshake; h != nil && t.outcome == acl.Pending {
		h.fail()
	}
}

// ask puts a token to the helper.
func (h *handshake) ask(verb string, r *engine.Request, st *State, token []byte, w *loop.Waker) acl.Inquiry {
	h.phase = asking
	h.asked = &turn{handshake: h, request: r, state: st, waker: w, outcome: acl.Pending}
	h.question = h.talk.Ask(h.prover.question(verb, token, r), h.waker)
	return h.asked
}

// prove implements session. Whoever is proved stays so, whatever credentials come: a connection has one user.
func (h *handshake) prove(r *engine.Request, st *State, field []byte, w *loop.Waker) (answer acl.Answer, inquiry acl.Inquiry, over bool) {
	switch h.phase {
	case proved:
		r.User = h.user
		children.Note(r, h.notes)
		return acl.Allow, nil, false
	case challenged:
		name, token, _ := bytes.Cut(field, []byte(" "))
		token = bytes.Trim(token, " \t")
		if strings.EqualFold(string(name), h.prover.Name) && isToken68(token) {
			return acl.Pending, h.ask("KK ", r, st, token, w), false
		}
	case asking, failed:
	}
	return acl.Challenge, nil, true
}

// Run looks for the helper's answer.
func (h *handshake) Run() {
	if h.question == nil {
		return
	}
	line, done, err := h.question.Answer()
	if !done {
		return
	}
	turn := h.asked
	if err != nil {
		h.broken(err.Error())
	} else {
		h.hear(parseStep(line), turn)
	}
	h.question.Cancel() // the line is not needed any more
	h.question, h.asked = nil, nil
	turn.handshake = nil
	if h.phase != challenged {
		h.release()
	}
	turn.waker.Wake()
}

// hear does what the helper says.
func (h *handshake) hear(s step, turn *turn) {
	turn.outcome = acl.Challenge
	children.Note(turn.request, s.notes)
	switch s.result {
	case another:
		h.challenge(&s, turn)
	case accepted:
		h.accept(&s, turn)
	case rejected:
		h.phase = failed
	case unable:
		h.broken(cmp.Or(s.message, "it cannot tell (BH)"))
	}
}

// challenge has the client come again with a token, which it has to do on this connection.
func (h *handshake) challenge(s *step, turn *turn) {
	if !turn.request.Persistent {
		h.phase = failed
		turn.state.unkept = true
		return
	}
	h.phase = challenged
	turn.state.ask(h.prover, h.withToken(s.token), true)
}

// accept takes the client for who the helper says it is.
func (h *handshake) accept(s *step, turn *turn) {
	if h.prover.Mutual && s.token == "" {
		h.broken("it accepted a client without a token for it")
		return
	}
	h.phase, h.user, h.notes = proved, s.user, s.notes
	turn.request.User = s.user
	if len(s.token) > 0 {
		turn.state.ask(h.prover, h.withToken(s.token), false) // if its request is refused all the same
	}
	turn.outcome = acl.Allow
}

// withToken is the value of a field that has a token of the helper's.
func (h *handshake) withToken(token string) []byte { return []byte(h.prover.Name + " " + token) }

// broken ends a handshake that nobody could judge.
func (h *handshake) broken(why string) {
	h.phase = failed
	if h.asked != nil {
		h.asked.outcome = acl.Challenge
	}
	h.prover.policy.report(h.prover.Name, "", why)
}

// fail ends a handshake that does not go on.
func (h *handshake) fail() {
	h.phase = failed
	h.question.Cancel()
	h.question, h.asked = nil, nil
	h.release()
}

// release lets go of the helper. What is known of the client stays.
func (h *handshake) release() {
	h.talk.End()
	h.talk = nil
	h.waker.Retire()
}

// close implements session.
func (h *handshake) close() {
	if h.asked != nil {
		h.asked.handshake = nil
	}
	h.fail()
}
