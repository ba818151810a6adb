package engine

// interpret asks the policy what the helpers' answer means.
func (t *transaction) interpret() stage {
	d := t.setup.policy.Interpret(t.request, t.helperAnswer, t.helperErr)
	switch d.Action {
	case Pending:
		return interpreting
	case Ask:
		t.helperAnswer, t.helperErr = nil, nil
		return asking
	}
	return t.decide(d)
}
