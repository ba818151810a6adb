package engine

// ask puts the policy's question to the helpers and waits for the answer.
func (t *transaction) ask() stage {
	if t.question == nil {
		line, wanted := t.setup.policy.Question(t.request)
		if !wanted || t.setup.helpers == nil {
			return heeding // adapted access is checked all the same
		}
		t.request.Asked++
		t.question = t.setup.helpers.Ask(line, t.waiter())
	}
	answer, done, err := t.question.Answer()
	if !done {
		return asking
	}
	if err == nil {
		t.answer = t.request.Keep(answer)
	}
	t.lost = err
	t.question.Cancel()
	t.question = nil
	return heeding
}
