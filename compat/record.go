package compat

import (
	"exaproxy/engine"
	"exaproxy/engine/h1"
)

// showReply has acls see the reply that the client was given.
func (p *policy) showReply(rec *engine.Record) {
	if rec.Status == 0 {
		return
	}
	p.reply.Reset()
	if len(rec.ReplyHead) > 0 {
		h1.ParseReply(rec.ReplyHead, &p.reply, h1.Limits{Head: len(rec.ReplyHead), ICY: true, Relaxed: true}) // it was
	}
	p.reply.Status = rec.Status
	rec.Request.Reply = &p.reply
}

// Record notes what the configuration has to say of the transaction, and writes the transaction's line to each access log
// that wants it.
func (p *policy) Record(rec *engine.Record) {
	p.names.Tell(rec.Request)
	p.logs.Tell(rec.Request)
	if rec.Open {
		p.recordOpen(rec)
		return
	}
	if p.logsReplies {
		p.showReply(rec)
	}
	p.notes.Annotate(rec.Request)
	p.logs.Record(rec)
	p.manager.Record(rec)
	p.states.release(rec.Request)
}

// recordOpen writes a line of a tunnel that is still open, and leaves its request as it is: the one at its end is another.
func (p *policy) recordOpen(rec *engine.Record) {
	r := rec.Request
	notes, reply, state := r.Notes, r.Reply, r.State
	if p.logsReplies {
		p.showReply(rec)
	}
	p.notes.Annotate(r)
	p.logs.Record(rec)
	r.Notes, r.Reply = notes, reply
	if state == nil {
		p.states.release(r)
	}
}
