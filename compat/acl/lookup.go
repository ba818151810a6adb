package acl

import (
	"net/netip"

	"exaproxy/dnsasync"
)

// lookup is a question to name servers.
type lookup struct{ *dnsasync.Lookup }

func (l lookup) settled() bool {
	_, done, _ := l.Result()
	return done
}

func (l lookup) cancel() { l.Cancel() }

// addressLookup looks up the addresses of a host name.
type addressLookup struct{}

func (addressLookup) ask(p *Place, host []byte) lookup {
	return lookup{p.Resolver.LookupAll(string(host), p.Waker)}
}

// nameLookup looks up the name of the target's address.
type nameLookup struct{}

func (nameLookup) ask(p *Place, _ []byte) lookup {
	return lookup{p.Resolver.Reverse(p.hostAddr, p.Waker)}
}

// diverted reports whether the request goes to an address that was known before its host.
func (p *Place) diverted() bool {
	return p.request.Judged.Known && p.target == &p.request.Target && p.request.Original().IsValid()
}

// addrs are the addresses of the target's host. done is false while they are looked up. There
// are none if they cannot be found.
func (p *Place) addrs() (addrs []netip.Addr, done bool) {
	if p.Resolver == nil || len(p.target.Host) == 0 {
		return nil, true
	}
	own := p.target == &p.request.Target
	if judged := &p.request.Judged; own && judged.Known {
		return judged.Addrs, true
	}
	if at := p.request.Connected; at.IsValid() { // whatever the name leads to by now
		return []netip.Addr{at.Unmap()}, true
	}
	found, done := ask(p, addressLookup{}, p.target.Host)
	if !done {
		return nil, false
	}
	answer, _, err := found.Result()
	if own {
		p.request.Judge(answer.Addrs, err)
	}
	return answer.Addrs, true
}

// name is the name of the target's address. done is false while it is looked up.
func (p *Place) name() (name string, done bool) { return p.lookedUp(nameLookup{}, p.target.Host) }

// lookedUp is the name of an address, "none" if it has none, as Squid calls it. done is false while it is looked up.
func (p *Place) lookedUp(from source[lookup], subject []byte) (name string, done bool) {
	if p.Resolver == nil {
		return noName, true
	}
	found, done := ask(p, from, subject)
	if !done {
		return "", false
	}
	if answer, _, err := found.Result(); err == nil && len(answer.Names) > 0 {
		return answer.Names[0], true
	}
	return noName, true
}
