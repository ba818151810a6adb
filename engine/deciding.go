package engine

import "errors"

// decide notes a decision of the policy and goes where it leads.
func (t *transaction) decide(d Decision) stage {
	t.record.Decided, t.record.URL = d.Action, d.URL
	switch d.Action {
	case Proceed:
		return t.allowed()
	case Rewrite:
		t.request.Rewritten, t.request.WasRewritten = d.Target, true
		t.request.appendDomain(&t.request.Rewritten, t.setup.config.Names.AppendDomain)
		return t.allowed()
	case Challenge: // whoever is to come again with credentials must see that in the answer itself
		t.setReply(*d.Reply)
		return t.tell()
	case Redirect, Serve:
		t.setReply(*d.Reply)
		return t.answerVerdict(d.Connect)
	case Refuse:
		f := d.Failure
		if f == nil {
			f = &Failure{Kind: Refused, Side: OurSide, Err: errors.New("refused")}
		}
		if !t.noteFailure(f) {
			return t.drop()
		}
		return t.answerVerdict(d.Connect)
	}
	panic("BUG: a decision that decides nothing")
}

// answerVerdict begins the answer to a verdict; a CONNECT gets it as the policy wants it told.
func (t *transaction) answerVerdict(how ConnectVerdict) stage {
	if !t.request.IsConnect() || t.localReply.Reset {
		return answering // a reset is no page that could be told in another way
	}
	if t.established && how != ConnectClose {
		return t.tell()
	}
	switch how {
	case ConnectPage:
		t.inTunnel = true
		return t.inside(hearing)
	case ConnectBump:
		t.inTunnel = true
		return t.inside(securing)
	case ConnectClose:
		if t.established {
			t.alert()
		}
		return t.drop()
	case ConnectRedirect:
		return answering
	}
	panic("BUG: no such way to tell a verdict")
}
