package engine

// heed asks the policy what the helpers' answer means.
func (t *transaction) heed() stage {
	d := t.setup.policy.Heed(t.request, t.answer, t.lost)
	switch d.Kind {
	case Pending:
		return heeding
	case AskAgain:
		t.answer, t.lost = nil, nil
		return asking
	}
	return t.decide(d)
}
