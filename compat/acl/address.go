package acl

import (
	"net/netip"
	"slices"
)

// addressTest is an acl of addresses: src, localip, dst.
type addressTest struct {
	networks networks
	of       func(p *Place) netip.Addr // whose address; nil: the target's
	noLookup bool                      // -n: only targets that are addresses
}

func newSource() tester {
	return &addressTest{of: func(p *Place) netip.Addr { return p.request.Client.Addr() }}
}

func newLocal() tester {
	return &addressTest{of: func(p *Place) netip.Addr { return p.request.Local.Addr() }}
}

func newDestination() tester { return &addressTest{} }

func (t *addressTest) add(v *values) error {
	t.noLookup = t.noLookup || v.flags["-n"]
	reader := networkReader{into: &t.networks, resolve: v.set.Resolve, warn: v.warn}
	for _, item := range v.items {
		if err := reader.read(item.Text); err != nil {
			return err
		}
	}
	return nil
}

func (t *addressTest) finish(acl string) []string { return t.networks.finish(acl) }

func (t *addressTest) empty() bool { return t.networks.size() == 0 }

func (t *addressTest) slow() bool { return t.of == nil && !t.noLookup }

func (t *addressTest) match(p *Place) outcome {
	switch {
	case t.of != nil:
		return outcomeOf(t.networks.contains(t.of(p)))
	case p.diverted():
		return t.matchAny(p, p.request.Judged.Addrs...)
	case p.hostAddr.IsValid():
		return t.matchAny(p, p.hostAddr)
	case t.noLookup:
		return mismatch
	}
	addrs, done := p.addrs()
	if !done {
		return wait
	}
	return t.matchAny(p, addrs...)
}

// matchAny matches if any address of the host does.
func (t *addressTest) matchAny(p *Place, addrs ...netip.Addr) outcome {
	if !slices.ContainsFunc(addrs, t.networks.contains) {
		return mismatch
	}
	p.matched = append(p.matched, t)
	return match
}
