package compat

import (
	"exaproxy/compat/acl"
	"exaproxy/compat/logformat"
	"exaproxy/engine"
	"exaproxy/engine/loop"
)

// A journal is an access_log line with its file open. Without a file it is "none": what its acls
// match goes to no journal after it.
type journal struct {
	file   *LogFile
	format *logformat.Format
	access *acl.List // nil: everything
}

// LogReady says whether every access log has room for a line.
func (p *policy) LogReady(w *loop.Waker) bool {
	for i := range p.journal {
		if f := p.journal[i].file; f != nil && !f.Room(p.worker.Loop, w) {
			return false
		}
	}
	return true
}

// Record writes the transaction's line to each access log that wants it.
func (p *policy) Record(rec *engine.Record) {
	for i := range p.journal {
		j := &p.journal[i]
		// What would have to be looked up by now does not match.
		if j.access != nil && p.allows(j.access, rec.Request) != acl.Allow {
			continue
		}
		if j.file == nil {
			break
		}
		p.line = j.format.Append(p.line[:0], rec)
		p.line = append(p.line, '\n')
		j.file.Append(p.line)
	}
	p.forget(rec.Request)
}
