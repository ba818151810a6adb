package access

import (
	"bytes"
	"errors"
	"net/netip"

	"exaproxy/compat/acl"
	"exaproxy/compat/decision"
	"exaproxy/compat/errpage"
	"exaproxy/dnsasync"
	"exaproxy/engine"
)

// A Policy answers one worker's engine by access lists. It belongs to the worker's goroutine.
type Policy struct {
	Settings *Settings
	Resolver *dnsasync.Resolver // nil: acls look nothing up
	Users    acl.Users          // nil: nobody can prove who he is

	Addresses   acl.UserAddresses    // nil: nobody counts from where users come
	Connections func(netip.Addr) int // nil: nobody counts them
	Externals   acl.Externals        // nil: no helper decides acls
	Observe     func(*acl.Trace)     // nil: nobody wants to know how lists come to their answers
	Pages       *errpage.Policy

	Spare func(r *engine.Request, verdict string) // is told of lines that only report; nil: there are none
}

// A State is what is known of one request. The zero State knows nothing.
type State struct {
	place  acl.Place
	denial *Denial // that the request was refused with
	ofUser bool    // it was refused because of who its client is, or is not
}

// Reset ends what was begun for the request, and makes the State ready for another.
func (s *State) Reset() {
	s.place.Release()
	s.denial, s.ofUser = nil, false
}

// Remembers says whether there are answers of name servers that the request's acls are to see again.
func (s *State) Remembers() bool { return s.place.Remembers() }

// Match asks an access list about a request. Its client is not asked for credentials, but those that it has sent are
// looked at.
func (p *Policy) Match(list *acl.List, r *engine.Request, st *State) acl.Answer {
	st.place.Unasked = true
	answer := p.ask(list, r, st, p.Users)
	st.place.Unasked = false
	return answer
}

// MatchKnown asks an access list that nobody waits for: no helper is asked, and what has to be looked up matches no acl.
func (p *Policy) MatchKnown(list *acl.List, r *engine.Request, st *State) acl.Answer {
	st.place.Known = true
	answer := p.ask(list, r, st, nil)
	st.place.Known = false
	return answer
}

func (p *Policy) ask(list *acl.List, r *engine.Request, st *State, users acl.Users) acl.Answer {
	st.place.Services = acl.Services{Resolver: p.Resolver, Users: users, Addresses: p.Addresses, Connections: p.Connections, Externals: p.Externals}
	st.place.Waker, st.place.Observe = r.Waker, p.Observe
	return list.Match(r, r.Effective(), &st.place)
}

// Admit follows http_access.
func (p *Policy) Admit(r *engine.Request, st *State, m *decision.Memory) engine.Decision {
	if d := p.judge(p.Settings.Rules, r, st, m); d.Action != engine.Proceed {
		return d
	}
	for _, name := range st.place.Reported() {
		p.Spare(r, "http_access:"+name)
	}
	if purges(r) {
		return p.purge(m)
	}
	r.Judged.Allow = st.place.MatchedAddress()
	return engine.Decision{Action: engine.Proceed}
}

// judge is what a list says of a request that asks for credentials if it has to.
func (p *Policy) judge(list *acl.List, r *engine.Request, st *State, m *decision.Memory) engine.Decision {
	switch p.ask(list, r, st, p.Users) {
	case acl.Deny, acl.Unknown:
		return p.refuse(r, st, m, false)
	case acl.Challenge:
		return p.refuse(r, st, m, true)
	case acl.Pending:
		return engine.Decision{Action: engine.Pending}
	case acl.Allow:
		return engine.Decision{Action: engine.Proceed}
	}
	panic("BUG: an access list that neither allows nor denies")
}

// refuse is how http_access says no: with the usual page, or with what deny_info has for the acl
// that decided. If that is one of users the client may come again as somebody else; if it has to prove first who it
// is (unproved), only a page without a status of its own will do.
func (p *Policy) refuse(r *engine.Request, st *State, m *decision.Memory, unproved bool) engine.Decision {
	f := engine.Failure{Kind: engine.Refused, Side: engine.OurSide, Page: errpage.AccessDenied}
	st.ofUser = p.Users != nil && (unproved || st.place.OfUser()) && !inside(r)
	if st.ofUser {
		f.Page = errpage.CacheAccessDenied
	}
	d, ok := p.Settings.DenyInfo[st.place.Last()]
	if ok = ok && !(unproved && (d.URL != "" || d.Status != 0)); ok {
		st.denial = d
		f.Page = d.page()
	}
	if !st.ofUser || ok && (d.Page == "" || d.Status != 0) {
		return m.Refuse(f)
	}
	m.Failure = f
	p.Pages.Write(m, r, &m.Failure, f.Page, errpage.Challenges(r))
	return engine.Decision{Action: engine.Challenge, Reply: &m.Reply}
}

// inside says whether the client thinks that it speaks to a server: it has been told that its tunnel is there, or has never
// heard of us.
func inside(r *engine.Request) bool { return r.TLS != nil || r.Original().IsValid() }

// Page makes the answer that deny_info has for a refusal. ok is false if it has none; the usual
// page is due then.
func (p *Policy) Page(r *engine.Request, f *engine.Failure, st *State, m *decision.Memory) (reply engine.LocalReply, ok bool) {
	d := st.denial
	if d == nil || f.Kind != engine.Refused && f.Kind != engine.ReplyRefused && f.Kind != engine.NotForwarded {
		return engine.LocalReply{}, false
	}
	switch {
	case d.Reset:
		return engine.LocalReply{Reset: true}, true
	case d.URL != "":
		p.redirect(d, r, st, m)
	default:
		_, status := errpage.Name(f)
		if d.Status != 0 {
			status = d.Status
		}
		p.Pages.Write(m, r, f, d.Page, status)
	}
	return m.Reply, true
}

// redirect sends the client to the URL of deny_info.
func (p *Policy) redirect(d *Denial, r *engine.Request, st *State, m *decision.Memory) {
	location := d.appendURL(m.Reply.Body[:0], r, p.Pages)
	reason := 403
	if st.ofUser {
		reason = errpage.Challenges(r)
	}
	if d.Status != 0 {
		reason = d.Status
	}
	fields := p.Pages.Identity.AppendDenial(m.Reply.Fields[:0], reason, location, p.Pages.Now())
	m.Reply = engine.LocalReply{Status: d.status(r), Fields: fields, Body: location[:0], Page: d.URL, ContentType: errpage.ContentType}
}

// Pin has a request connect to the addresses that acls have judged, and to no others, unless it goes
// elsewhere. A failure is why there are none.
func Pin(r *engine.Request, hop *engine.Hop) *engine.Failure {
	judged := &r.Judged
	switch {
	case !judged.Known || !bytes.Equal(hop.Host, r.Target.Host):
		return nil
	case judged.Err != nil:
		return engine.NameFailure(hop.Host, judged.Err)
	case len(judged.Addrs) == 0:
		return &engine.Failure{Kind: engine.Refused, Side: engine.OurSide, Page: errpage.AccessDenied, Err: errNoAddress}
	}
	hop.Addrs = judged.Addrs
	return nil
}

var errNoAddress = errors.New("no address of the host is allowed by all access lists that looked at it")
