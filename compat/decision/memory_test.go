package decision

import (
	"testing"

	"exaproxy/engine"
	"exaproxy/engine/canary/canarytest"
)

// TestReset has memory used again, but not that of a long reply.
func TestReset(t *testing.T) {
	canarytest.SkipReuse(t)
	for _, row := range []struct {
		fields, body int
		keep         bool
	}{{100, 4000, true}, {100, mostKept + 1, false}, {mostKept + 1, 0, false}} {
		m := Memory{Reply: engine.LocalReply{Status: 200, Fields: make([]byte, row.fields), Body: make([]byte, row.body)}}
		m.Refuse(engine.Failure{Kind: engine.Refused})
		if keep := m.Reset(); keep != row.keep {
			t.Errorf("after %d bytes of fields and %d of a body it is worth keeping: %v", row.fields, row.body, keep)
		}
		if m.Reply.Status != 0 || len(m.Reply.Fields)+len(m.Reply.Body) != 0 || cap(m.Reply.Body) < row.body || m.Failure != (engine.Failure{}) {
			t.Errorf("after Reset there is %+v", m)
		}
	}
}

// TestDecisions has each decision point into the memory.
func TestDecisions(t *testing.T) {
	var m Memory
	m.Reply.Status = 302
	if d := m.Refuse(engine.Failure{Kind: engine.Looping}); d.Action != engine.Refuse || d.Failure != &m.Failure || m.Failure.Kind != engine.Looping {
		t.Errorf("Refuse gives %+v", d)
	}
	if d := m.Redirect("http://b.test/"); d.Action != engine.Redirect || d.Reply != &m.Reply || d.URL != "http://b.test/" {
		t.Errorf("Redirect gives %+v", d)
	}
	if d := m.Serve(); d.Action != engine.Serve || d.Reply != &m.Reply {
		t.Errorf("Serve gives %+v", d)
	}
}
