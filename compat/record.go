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
	if p.logsReplies {
		p.showReply(rec)
	}
	p.notes.Annotate(rec.Request)
	p.logs.Record(rec)
	p.manager.Record(rec)
	p.states.release(rec.Request)
}
