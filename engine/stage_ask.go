package engine

import "errors"

// errNoHelpers is why a question has no answer that the policy wants asked where there are no helpers.
var errNoHelpers = errors.New("ask helper: no helpers are configured")

// ask puts the policy's question to the helpers and waits for the answer.
func (t *transaction) ask() stage {
	if t.question == nil {
		line, action := t.setup.policy.Question(t.request)
		switch action {
		case Pending:
			return asking
		case Proceed:
			return interpreting // adapted access is checked all the same
		case Ask:
		default:
			panic("BUG: a question that neither asks nor waits")
		}
		if t.setup.helpers.Pool == nil {
			t.helperErr = errNoHelpers
			return interpreting
		}
		t.request.Asked++
		t.question = t.setup.helpers.Ask(line, t.waker)
		t.entered, t.timed = t.now(), false // what the policy waited for before was not the helpers' time
	}
	answer, done, err := t.question.Answer()
	if !done {
		t.holdLess()
		return asking
	}
	t.holdAll()
	if err == nil {
		t.helperAnswer = t.request.Keep(answer)
	}
	t.helperErr = err
	t.question.Cancel()
	t.question = nil
	return interpreting
}
