package manager

import (
	"strings"
	"testing"

	"exaproxy/compat/compattest"
	"exaproxy/compat/decision"
	"exaproxy/engine"
	"exaproxy/engine/loop/looptest"
)

// crew are two workers of one configuration, and a request of the first's.
func crew(t *testing.T) (first, second *Policy, r *engine.Request) {
	first = newPolicy(t, "")
	c := newPolicy(t, "").Config
	c.Workers = first.Workers
	second = NewPolicy(c)
	r = compattest.NewRequest(t, "GET /squid-internal-mgr/server_list HTTP/1.0")
	r.Waker = first.Services.Loop.NewWaker(task(func() {}))
	first.Asks(r)
	return first, second, r
}

type task func()

func (f task) Run() { f() }

// TestSurvey has a page wait for the other worker, however late it is, but not for ever.
func TestSurvey(t *testing.T) {
	first, second, r := crew(t)
	var st State
	var m decision.Memory
	if d := first.Answer(r, &st, &m); d.Action != engine.Pending || !st.Begun() {
		t.Fatalf("it decides %v before the other has told", d.Action)
	}
	second.Services.Loop.Turn(false)
	first.Services.Loop.Turn(false)
	if d := first.Answer(r, &st, &m); d.Action != engine.Serve || strings.Contains(string(m.Reply.Body), "did not answer") {
		t.Errorf("it decides %v, with\n%s", d.Action, m.Reply.Body)
	}
	st.Reset()

	first.Answer(r, &st, &m)
	first.Services.Loop.Kernel().(*looptest.Kernel).Advance(patience + patience/10)
	first.Services.Loop.Turn(false)
	if d := first.Answer(r, &st, &m); d.Action != engine.Serve || !strings.Contains(string(m.Reply.Body), "1 of 2 workers did not answer") {
		t.Errorf("it decides %v without the other, with\n%s", d.Action, m.Reply.Body)
	}
}

// TestSurveyAbandoned has a client leave while its page waits for the other worker, which tells all the same.
func TestSurveyAbandoned(t *testing.T) {
	first, second, r := crew(t)
	var st State
	var m decision.Memory
	first.Answer(r, &st, &m)
	st.Reset()
	second.Services.Loop.Turn(false)
	first.Services.Loop.Turn(false)
	if st.Begun() {
		t.Error("it waits again")
	}
	second.Close()
	if d := first.Answer(r, &st, &m); d.Action != engine.Serve {
		t.Errorf("it decides %v when the other is gone", d.Action)
	}
}
