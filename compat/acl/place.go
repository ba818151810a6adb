package acl

import (
	"net/netip"
	"slices"
	"unsafe"

	"exaproxy/engine"
	"exaproxy/engine/canary"
	"exaproxy/engine/h1"
	"exaproxy/engine/loop"
)

// A Place is where the checking of one request stands: the questions that slow acls have put for
// it, and memory for its texts. It belongs to the request's policy, and is used again for other
// requests after Release. The zero Place checks without looking anything up.
type Place struct {
	Services
	// Waker is woken when Match is worth calling again after Pending. It is the request's.
	Waker *loop.Waker
	// Observe, if set, is told how each Match came to its answer. It may keep what it is given.
	Observe func(*Trace)
	// Unasked has nobody be asked for credentials: who has not proved who he is, by those that he has sent, is nobody.
	Unasked bool
	// Known has no helper be asked, since nobody waits: what helpers have said before counts.
	Known bool

	trace   *Trace          // of the present Match, for Observe
	request *engine.Request // what Match was given
	target  *h1.Target
	last    string // the acl that was looked at last

	lastTest tester // of that acl

	questions questions      // that were put for the request
	reported  []string       // the last acls of rules that matched and only report
	matched   []*addressTest // that matched an address of the host, in the rule at hand

	waiting *List     // that could not be checked to its end yet
	settled []outcome // of the acls that were tested in it before one that has to wait, in the order of the tests
	tested  int       // of these, in the present Match
	open    openInquiry

	url      []byte // the target's URL without escapes; empty until wanted
	text     []byte // another text of the request
	utf8     []byte // a text for regexps
	tried    []uint64
	hostAddr netip.Addr // the target's host, if it is an address
}

// begin sets the Place on a request and one of its targets.
func (p *Place) begin(r *engine.Request, target *h1.Target) {
	p.request, p.target, p.last, p.lastTest = r, target, "", nil
	p.matched, p.reported = p.matched[:0], p.reported[:0]
	p.url = p.url[:0]
	p.hostAddr, _ = parseAddr(view(target.Host))
}

// resume says which list is checked: if it is the one that had to wait, its acls are not tested again up to there, for
// they may have done something, and what a helper has said since must not matter to acls before the one that asked it. A list
// that nobody waits for is checked beside.
func (p *Place) resume(l *List) {
	p.tested = 0
	if p.Known {
		p.tested = -1
		return
	}
	if p.waiting != l {
		p.settled, p.open = p.settled[:0], openInquiry{}
	}
	p.waiting = nil
}

// test is what came of an acl: what came of it before the list had to wait, or what comes of it now.
func (p *Place) test(t tester) outcome {
	if _, ok := t.(*group); ok || p.tested < 0 {
		return t.match(p)
	}
	if p.tested < len(p.settled) {
		p.tested++
		return p.replay(t, p.settled[p.tested-1])
	}
	result := t.match(p)
	if result != wait {
		p.settled = append(p.settled, result)
		p.tested++
	}
	return result
}

// replay is an outcome from before. That an address of the host matched is a reason for the rule at hand once more.
func (p *Place) replay(t tester, result outcome) outcome {
	if a, ok := t.(*addressTest); ok && a.of == nil && result == match {
		p.matched = append(p.matched, a)
	}
	return result
}

// view is b as a string that lives as long as b stays as it is.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// narrow keeps of the host's addresses those that made a rule match, since some of them may not have:
// an acl matches if any address does, and others must not be connected to on its word.
func (p *Place) narrow() {
	for _, t := range p.matched {
		if p.target == &p.request.Target {
			p.request.Narrow(t.networks.contains)
		}
	}
}

// MatchedAddress reports whether the rule that matched names the host's addresses, by an acl of the
// type dst that is not negated.
func (p *Place) MatchedAddress() bool { return len(p.matched) > 0 }

// Last names the acl that was looked at last: the one that made a rule match, or the first that
// kept the last rule from matching. Of a group it is the member. deny_info goes by it.
func (p *Place) Last() string { return p.last }

// Remembers reports whether there are answers to questions that were put for the request, but for what
// the request has itself: the addresses of its host (Judged), and its User.
func (p *Place) Remembers() bool {
	return slices.ContainsFunc(p.questions.list, func(q keyedQuestion) bool {
		return q.source != any(addressLookup{}) && q.source != any(credentials{})
	})
}

// Release ends the questions that Match put. The Place may then serve another request.
func (p *Place) Release() {
	p.questions.cancel()
	p.request, p.target, p.waiting = nil, nil, nil
	p.settled, p.open = p.settled[:0], openInquiry{}
	p.url, p.text, p.utf8 = blank(p.url), blank(p.text), blank(p.utf8)
}

// blank is b for another request.
func blank(b []byte) []byte { return canary.Again(b, canary.Text, 0) }

// host is the target's host as Squid writes it: an address in its usual form, an IPv6 one in
// brackets.
func (p *Place) host() []byte {
	switch {
	case !p.hostAddr.IsValid():
		return p.target.Host
	case p.hostAddr.Is4():
		p.text = p.hostAddr.AppendTo(p.text[:0])
	default:
		p.text = append(p.text[:0], '[')
		p.text = p.hostAddr.AppendTo(p.text)
		p.text = append(p.text, ']')
	}
	return p.text
}

// unescapedURL is the target's URL without escapes.
func (p *Place) unescapedURL() []byte {
	if len(p.url) == 0 {
		p.url = unescape(p.target.AppendURL(p.url))
	}
	return p.url
}

// path is the target's path and query without escapes.
func (p *Place) path() []byte {
	p.text = append(p.text[:0], p.target.Path...)
	return unescape(p.text)
}
