package decision

import (
	"exaproxy/engine"
	"exaproxy/engine/canary"
)

// A Memory is what the decision about one request points to. The engine reads it until the
// transaction is over.
type Memory struct {
	Failure engine.Failure
	Reply   engine.LocalReply // Fields and Body keep their memory from request to request
}

// Refuse answers with the page of a failure.
func (m *Memory) Refuse(f engine.Failure) engine.Decision {
	m.Failure = f
	return engine.Decision{Action: engine.Refuse, Failure: &m.Failure}
}

// Serve answers with Reply.
func (m *Memory) Serve() engine.Decision {
	return engine.Decision{Action: engine.Serve, Reply: &m.Reply}
}

// Redirect answers with Reply, which sends the client to url.
func (m *Memory) Redirect(url string) engine.Decision {
	return engine.Decision{Action: engine.Redirect, Reply: &m.Reply, URL: url}
}

// mostKept is how many bytes of a reply's fields, and of its body, are kept for another.
const mostKept = 64 << 10

// Reset makes m ready for another request, and says whether it is worth keeping: not if a long
// reply has made it large.
func (m *Memory) Reset() bool {
	fields, body := m.Reply.Fields, m.Reply.Body
	*m = Memory{}
	m.Reply.Fields, m.Reply.Body = canary.Again(fields, canary.Reply, 0), canary.Again(body, canary.Reply, 0)
	return cap(fields) <= mostKept && cap(body) <= mostKept
}
