package engine

import (
	"errors"
	"testing"
	"time"

	"exaproxy/helper"
)

func questioned(line string, a Action) func(*scripted) {
	return func(s *scripted) { s.line, s.question = line, a }
}

func TestAskGoesOnUnasked(t *testing.T) {
	for _, row := range []struct {
		name   string
		helped bool
		action Action
		lost   error
	}{
		{"what the policy wants nobody asked about", true, Proceed, nil},
		{"what the policy wants nobody asked about, where there is nobody", false, Proceed, nil},
		{"what it wants asked where there is nobody has no answer", false, Ask, errNoHelpers},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newTransaction(t, asking, given{helped: row.helped, policy: questioned("line", row.action)})
			p.wants(p.play(), interpreting)
			p.wantsCalls("question")
			if p.helperErr != row.lost || p.helperAnswer != nil || p.question != nil || p.request.Asked != 0 {
				t.Errorf("lost %v, answer %q, question %v, asked %d", p.helperErr, p.helperAnswer, p.question, p.request.Asked)
			}
			if row.helped {
				p.wantsHeard(p.helpers.far, "")
			}
		})
	}
}

// What the helpers were to judge and did not does not pass.
func TestAskWithoutHelpersFailsClosed(t *testing.T) {
	p := newTransaction(t, asking, given{policy: questioned("line", Ask)})
	p.wants(p.play(), interpreting)
	if d := (DefaultPolicy{}).Interpret(p.request, p.helperAnswer, p.helperErr); d.Action != Refuse || d.Failure.Err != errNoHelpers {
		t.Errorf("the default policy makes %+v of it", d)
	}
	p.enter(interpreting)
	p.wants(p.play(), routing) // as this policy says, which was told
	p.wantsCalls("question", `interpret "" ask helper: no helpers are configured`)
}

func TestAskWaitsForThePolicy(t *testing.T) {
	p := newTransaction(t, asking, given{helped: true, policy: questioned("", Pending)})
	p.wants(p.play(), asking)
	p.wants(p.play(), asking)
	p.wantsCalls("question", "question")
	if p.question != nil || p.request.Asked != 0 {
		t.Errorf("question %v, asked %d", p.question, p.request.Asked)
	}
	p.policy.line, p.policy.question = "line", Ask
	p.wants(p.play(), asking)
	p.turn()
	p.wantsHeard(p.helpers.far, "line\n")
}

func TestAskWaitsForTheAnswer(t *testing.T) {
	p := newTransaction(t, asking, given{helped: true, policy: questioned("a line", Ask)})
	p.wants(p.play(), asking)
	p.turn()
	p.wantsHeard(p.helpers.far, "a line\n")
	held := p.question
	p.wants(p.play(), asking)
	p.turn()
	p.wantsHeard(p.helpers.far, "")
	p.wantsCalls("question")
	if p.question != held || p.request.Asked != 1 {
		t.Errorf("another question is held, or it was asked %d times", p.request.Asked)
	}
	p.helpers.far.WriteString("the answer\n")
	p.turn()
	p.wants(p.play(), interpreting)
	p.wantsCalls()
	if string(p.helperAnswer) != "the answer" || p.helperErr != nil || p.question != nil {
		t.Errorf("answer %q, lost %v, question %v", p.helperAnswer, p.helperErr, p.question)
	}
	other := p.setup.helpers.Ask([]byte("another's"), nil) // in the same memory
	if other != held {
		t.Error("the question was not given back to the pool")
	}
	p.turn()
	p.wantsHeard(p.helpers.far, "another's\n")
	p.helpers.far.WriteString("OTHER WORD\n")
	p.turn()
	if string(p.helperAnswer) != "the answer" {
		t.Errorf("the answer has become %q", p.helperAnswer)
	}
	other.Cancel()
}

// asked is a transaction that has asked the helper a line.
func asked(t *testing.T, line string, c func(*Config)) *played {
	t.Helper()
	p := newTransaction(t, asking, given{helped: true, policy: questioned(line, Ask), config: c})
	p.wants(p.play(), asking)
	p.turn()
	return p
}

// wantsLost checks that there is no answer, and why.
func (p *played) wantsLost(next stage, want error) {
	p.t.Helper()
	p.wants(next, interpreting)
	if !errors.Is(p.helperErr, want) || p.helperAnswer != nil || p.question != nil || p.failure != nil {
		p.t.Errorf("lost %v, answer %q, question %v, failure %v", p.helperErr, p.helperAnswer, p.question, p.failure)
	}
}

func TestAskGetsNoAnswer(t *testing.T) {
	t.Run("from a helper that dies", func(t *testing.T) {
		p := asked(t, "line", nil)
		p.wantsHeard(p.helpers.far, "line\n")
		p.helpers.end()
		p.until(func() bool {
			_, done, _ := p.question.Answer()
			return done
		})
		p.wantsLost(p.play(), helper.ErrLost)
	})
	t.Run("to two lines", func(t *testing.T) {
		p := newTransaction(t, asking, given{helped: true, policy: questioned("two\nlines", Ask)})
		p.wantsLost(p.play(), helper.ErrLineFeed)
		p.turn()
		p.wantsHeard(p.helpers.far, "")
	})
	t.Run("from a pool that is closed meanwhile", func(t *testing.T) {
		p := asked(t, "line", nil)
		p.setup.helpers.Close(false)
		p.wantsLost(p.play(), helper.ErrClosed)
	})
	t.Run("in time", func(t *testing.T) {
		p := asked(t, "line", func(c *Config) { c.Helper.Timeout = 8 * time.Second })
		p.kernel.Advance(8*time.Second + 20*time.Millisecond) // more than a timer may be late
		p.turn()
		p.wantsLost(p.play(), ErrHelperLate)
		if n := p.setup.helpers.Stats().Late; n != 1 {
			t.Errorf("the pool knows of %d questions that were late", n)
		}
	})
	t.Run("in a day, if nobody said how long", func(t *testing.T) {
		p := asked(t, "line", nil)
		if got := p.stageTimeout(); got != forever {
			t.Errorf("it waits for %v", got)
		}
	})
}
