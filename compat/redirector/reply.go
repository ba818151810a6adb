package redirector

import (
	"strconv"

	"exaproxy/compat/decision"
	"exaproxy/compat/reqmod"
	"exaproxy/engine"
	"exaproxy/engine/h1"
)

// serveReply answers with a reply of a helper's own. Of what it wrote goes on what was understood. The client of a
// CONNECT may take a reply for its tunnel.
func (p *Policy) serveReply(r *engine.Request, reply *reqmod.Reply, m *decision.Memory) engine.Decision {
	fields := reply.Header.AppendTo(m.Reply.Fields[:0])
	if !reply.Header.Has("Date") {
		fields = append(p.now().UTC().AppendFormat(append(fields, "Date: "...), h1.DateLayout), "\r\n"...)
	}
	if reply.Status != 204 && reply.Status != 304 {
		fields = append(strconv.AppendInt(append(fields, "Content-Length: "...), int64(len(reply.Body)), 10), "\r\n"...)
	}
	m.Reply = engine.LocalReply{Status: reply.Status, Reason: reply.Reason, Fields: fields, Body: append(m.Reply.Body[:0], reply.Body...),
		ContentType: string(reply.Header.Get("Content-Type")), Close: mayPassForTunnel(r, reply.Status)}
	switch location := reply.Header.Get("Location"); {
	case reply.Status == 401 || reply.Status == 407:
		return engine.Decision{Action: engine.Challenge, Reply: &m.Reply}
	case reply.Status >= 300 && reply.Status < 400 && len(location) > 0:
		return m.Redirect(string(location))
	}
	return m.Serve()
}

// mayPassForTunnel says whether the client of a CONNECT would go on to speak to its server after a reply of that status.
func mayPassForTunnel(r *engine.Request, status int) bool { return r.IsConnect() && status < 300 }

// readChanges reads what an answer of a redirector says of header fields (headers=on). One that cannot be
// done refuses the request: who wanted it made wanted it for a reason.
func (p *Policy) readChanges(r *engine.Request, st *State, m *decision.Memory) (d engine.Decision, ok bool) {
	st.changes = nil
	if !p.settings.Children.Headers {
		return d, true
	}
	changes, err := st.answer.Changes()
	if err != nil {
		p.report(r, badTarget, refused+", whatever url_rewrite_failure says", "%s: a change of a header field cannot be made: %s", p.settings.Kind, err)
		return fault(Deny, m, engine.HelperLost, nil), false
	}
	st.changes = changes
	return d, true
}
