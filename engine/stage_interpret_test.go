package engine

import (
	"testing"

	"exaproxy/engine/h1"
)

func interpreted(d Decision) func(*scripted) { return func(s *scripted) { s.interpret = d } }

func TestInterpretLeadsOn(t *testing.T) {
	redirect := Decision{Action: Redirect, Reply: &page, URL: "http://b.example/"}
	for _, row := range []struct {
		name   string
		given  given
		decide Decision
		next   stage
		status int
	}{
		{"a request that may pass", given{}, Decision{}, routing, 0},
		{"a request that is redirected", given{}, redirect, answering, 403},
		{"a request that gets a page of ours", given{}, Decision{Action: Serve, Reply: &page}, answering, 403},
		{"a request that needs credentials", given{}, Decision{Action: Challenge, Reply: &challenge}, answering, 407},
		{"a CONNECT that needs credentials", given{ask: connectRequest}, Decision{Action: Challenge, Reply: &challenge}, answering, 407},
		{"a CONNECT that is redirected", given{ask: connectRequest}, redirect, establishing, 403},
		{"a CONNECT that is redirected directly", given{ask: connectRequest}, told(redirect, ConnectRedirect), answering, 403},
		{"a CONNECT that is redirected by closing it", given{ask: connectRequest}, told(redirect, ConnectClose), over, 403},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.given.policy = interpreted(row.decide)
			p := newTransaction(t, interpreting, row.given)
			p.helperAnswer = []byte("answer")
			p.wants(p.play(), row.next)
			p.wantsCalls(`interpret "answer" <nil>`)
			if p.localReply.Status != row.status || p.failure != nil || p.request.WasRewritten {
				t.Errorf("the reply is %d, the failure %v, rewritten %v", p.localReply.Status, p.failure, p.request.WasRewritten)
			}
			if p.record.Decided != row.decide.Action || p.record.URL != row.decide.URL {
				t.Errorf("the record says %d %q", p.record.Decided, p.record.URL)
			}
		})
	}
}

func TestInterpretRewrites(t *testing.T) {
	p := newTransaction(t, interpreting, given{})
	target, _, err := h1.ParseTarget("GET", []byte("http://b.example:81/x"), h1.Strip, nil)
	if err != nil {
		t.Fatal(err)
	}
	p.policy.interpret = Decision{Action: Rewrite, Target: target}
	p.wants(p.play(), routing)
	if hop := Direct(p.request); string(hop.Host) != "b.example" || hop.Port != 81 {
		t.Errorf("it goes to %s:%d", hop.Host, hop.Port)
	}
	if string(p.request.Target.Host) != "a.example" || p.record.Decided != Rewrite {
		t.Errorf("the client asked for %s, decided is %d", p.request.Target.Host, p.record.Decided)
	}
}

func TestInterpretRefuses(t *testing.T) {
	t.Run("for its own reason", func(t *testing.T) {
		p := newTransaction(t, interpreting, given{policy: interpreted(Decision{Action: Refuse})})
		p.wantsFailure(p.play(), Refused, OurSide, true)
	})
	t.Run("because the helpers are lost", func(t *testing.T) {
		why := &Failure{Kind: HelperLost, Side: HelperSide, Err: errTest}
		p := newTransaction(t, interpreting, given{policy: interpreted(Decision{Action: Refuse, Failure: why})})
		p.helperErr = errTest
		p.wantsFailure(p.play(), HelperLost, HelperSide, true)
		p.wantsCalls(`interpret "" a test's`, "page helpers lost")
	})
	t.Run("a CONNECT, in its tunnel", func(t *testing.T) {
		p := newTransaction(t, interpreting, given{ask: connectRequest, policy: interpreted(Decision{Action: Refuse})})
		p.wants(p.play(), establishing)
		if p.failure == nil || p.localReply.Status != 403 {
			t.Errorf("failure %v, reply %d", p.failure, p.localReply.Status)
		}
	})
}

func TestInterpretWaitsForThePolicy(t *testing.T) {
	p := newTransaction(t, interpreting, given{policy: interpreted(Decision{Action: Pending})})
	p.helperAnswer, p.helperErr = []byte("answer"), errTest
	p.wants(p.play(), interpreting)
	p.wants(p.play(), interpreting)
	const asked = `interpret "answer" a test's`
	p.wantsCalls(asked, asked)
	p.policy.interpret = Decision{}
	p.wants(p.play(), routing)
	p.wantsTimeoutForever()
}

func TestInterpretAsksOnceMore(t *testing.T) {
	p := newTransaction(t, interpreting, given{helped: true, policy: func(s *scripted) {
		s.interpret, s.line, s.question = Decision{Action: Ask}, "again", Ask
	}})
	p.helperAnswer, p.helperErr, p.request.Asked = []byte("answer"), errTest, 1
	p.wants(p.play(), asking)
	if p.helperAnswer != nil || p.helperErr != nil {
		t.Errorf("answer %q and error %v of the first question are still there", p.helperAnswer, p.helperErr)
	}
	p.enter(asking)
	p.wants(p.play(), asking)
	p.turn()
	p.wantsHeard(p.helpers.far, "again\n")
	if p.request.Asked != 2 {
		t.Errorf("the helpers were asked %d times", p.request.Asked)
	}
}
