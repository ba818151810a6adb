package access

import (
	"exaproxy/compat/acl"
	"exaproxy/compat/conf"
	"exaproxy/compat/decision"
	"exaproxy/compat/directive"
	"exaproxy/compat/errpage"
	"exaproxy/engine"
)

// A replySize is a line of reply_body_max_size.
type replySize struct {
	most int64 // bytes of the body; 0: any number
	when *acl.List
}

// setReplySize takes a size, or none, and acls. The first line that matches counts.
func (s *Settings) setReplySize(c *directive.Context, l *conf.Line) error {
	args := c.Args(l)
	most, err := args.Size("bytes")
	if err != nil {
		return err
	}
	when, err := c.KnownConditions(l, args.Taken())
	if err != nil {
		return err
	}
	s.largest = append(s.largest, replySize{max(most, 0), when})
	return nil
}

// AdmitReply follows http_reply_access and reply_body_max_size.
func (p *Policy) AdmitReply(r *engine.Request, length int64, st *State, m *decision.Memory) (d engine.Decision, most int64) {
	if most = p.largestReply(r, st); most > 0 && length > most {
		return m.Refuse(engine.Failure{Kind: engine.ReplyRefused, Side: engine.OurSide, Page: "ERR_TOO_BIG"}), 0
	}
	switch p.Match(p.Settings.Replies, r, st) {
	case acl.Allow:
		return engine.Decision{}, most
	case acl.Pending:
		return engine.Decision{Action: engine.Pending}, 0
	}
	f := engine.Failure{Kind: engine.ReplyRefused, Side: engine.OurSide, Page: errpage.AccessDenied}
	if d, ok := p.Settings.DenyInfo[st.place.Last()]; ok {
		st.denial = d
		f.Page = d.page()
	}
	return m.Refuse(f), 0
}

// largestReply is how many bytes of a reply's body may pass; 0: any number.
func (p *Policy) largestReply(r *engine.Request, st *State) int64 {
	for i := range p.Settings.largest {
		if size := &p.Settings.largest[i]; p.MatchKnown(size.when, r, st) == acl.Allow {
			return size.most
		}
	}
	return 0
}

// JudgesReplies says whether anything is said of replies.
func (s *Settings) JudgesReplies() bool { return !s.Replies.Empty() || len(s.largest) > 0 }
