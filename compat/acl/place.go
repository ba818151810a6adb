package acl

import (
	"net/netip"
	"unsafe"

	"exaproxy/dnsasync"
	"exaproxy/engine"
	"exaproxy/engine/h1"
	"exaproxy/engine/loop"
)

// A Place is where the checking of one request stands: what is being looked up for it, and
// memory for its texts. It belongs to the request's policy, and is used again for other requests
// after Release. The zero Place checks without looking anything up.
type Place struct {
	// Resolver looks up what slow types need. nil: nothing is looked up; dst then knows
	// addresses only, and dstdomain sees an address as "none".
	Resolver *dnsasync.Resolver
	// Waker is woken when Match is worth calling again after Pending. It is the request's.
	Waker *loop.Waker

	request *engine.Request // what Match was given
	target  *h1.Target
	last    string // the acl that was looked at last

	forward pending // addresses of the target's name
	reverse pending // names of the target's address

	url    []byte // the target's URL without escapes; empty until wanted
	text   []byte // another text of the request
	wide   []byte // a text for regexps
	shown  []uint64
	number netip.Addr // the target's host, if it is an address
}

// pending is a lookup, and for which host it was begun.
type pending struct {
	lookup *dnsasync.Lookup
	host   []byte
}

// begin sets the Place on a request and one of its targets.
func (p *Place) begin(r *engine.Request, target *h1.Target) {
	p.request, p.target, p.last = r, target, ""
	p.url = p.url[:0]
	p.number, _ = parseAddr(view(target.Host))
}

// view is b as a string that lives as long as b stays as it is.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// Last names the acl that was looked at last: the one that made a rule match, or the first that
// kept the last rule from matching. Of a group it is the member. deny_info goes by it.
func (p *Place) Last() string { return p.last }

// Release ends the lookups that Match began. The Place may then serve another request.
func (p *Place) Release() {
	p.forward.drop()
	p.reverse.drop()
	p.request, p.target = nil, nil
}

func (l *pending) drop() {
	l.lookup.Cancel()
	l.lookup = nil
}

// settled returns the lookup if it was begun for host, else it begins one with ask.
func (l *pending) settled(host []byte, ask func() *dnsasync.Lookup) (dnsasync.Answer, bool, error) {
	if l.lookup == nil || string(l.host) != string(host) {
		l.drop()
		l.host = append(l.host[:0], host...)
		l.lookup = ask()
	}
	return l.lookup.Result()
}

// addrs are the addresses of the target's host. done is false while they are looked up. There
// are none if they cannot be found.
func (p *Place) addrs() (addrs []netip.Addr, done bool) {
	if p.Resolver == nil || len(p.target.Host) == 0 {
		return nil, true
	}
	answer, done, err := p.forward.settled(p.target.Host, func() *dnsasync.Lookup {
		return p.Resolver.Lookup(string(p.target.Host), p.Waker)
	})
	if err != nil {
		return nil, true
	}
	if done && p.target == &p.request.Target {
		p.request.Judge(answer.Addrs)
	}
	return answer.Addrs, done
}

// name is the name of the target's address, "none" if it has none, as Squid calls it.
func (p *Place) name() (name string, done bool) {
	const unknown = "none"
	if p.Resolver == nil {
		return unknown, true
	}
	answer, done, err := p.reverse.settled(p.target.Host, func() *dnsasync.Lookup {
		return p.Resolver.Reverse(p.number, p.Waker)
	})
	if done && (err != nil || len(answer.Names) == 0) {
		return unknown, true
	}
	if !done {
		return "", false
	}
	return answer.Names[0], true
}

// host is the target's host as Squid writes it: an address in its usual form, an IPv6 one in
// brackets.
func (p *Place) host() []byte {
	switch {
	case !p.number.IsValid():
		return p.target.Host
	case p.number.Is4():
		p.text = p.number.AppendTo(p.text[:0])
	default:
		p.text = append(p.text[:0], '[')
		p.text = p.number.AppendTo(p.text)
		p.text = append(p.text, ']')
	}
	return p.text
}

// URL is the target's URL without escapes.
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
