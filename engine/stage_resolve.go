package engine

import (
	"errors"
	"net/netip"

	"exaproxy/dnsasync"
)

var errLookupLate = errors.New("no name server answered in time")

// resolve finds the addresses of the next hop, unless it is known which they are to be.
func (t *transaction) resolve() stage {
	if len(t.hop.Addrs) > 0 {
		return t.dial(t.hop.Addrs...)
	}
	if t.lookup == nil {
		if addr, err := netip.ParseAddr(string(t.hop.Host)); err == nil {
			return t.dial(addr)
		}
		t.lookup = t.setup.resolver.Lookup(string(t.hop.Host), t.waker)
	}
	answer, done, err := t.lookup.Result()
	if !done {
		return resolving
	}
	t.lookup = nil
	if err != nil {
		return t.unresolved(err)
	}
	return t.dial(answer.Addrs...)
}

// dial lends a dialer and gives it the addresses to try, as far as the policy permits them. The time
// for all connecting begins with the first.
func (t *transaction) dial(addrs ...netip.Addr) stage {
	if t.dialer == nil {
		t.dialer = t.client.worker.dialers.Get()
	}
	t.dialer.begin(addrs, &t.hop, t.setup.config, t.triesLeft())
	if f := t.onlyPermitted(t.dialer); f != nil {
		return t.refuseHop(f)
	}
	if t.forwardBy.IsZero() {
		t.forwardBy = t.now().Add(t.setup.config.Timeouts.forward())
	}
	return connecting
}

// onlyPermitted leaves the dialer those addresses that the policy permits. If that is none of them it
// returns why.
func (t *transaction) onlyPermitted(d *dialer) (why *Failure) {
	permitted := d.addrs[:0]
	for _, a := range d.addrs {
		if f := t.setup.policy.Permit(t.request, &t.hop, netip.AddrPortFrom(a, d.port)); f != nil {
			why = f
			continue
		}
		permitted = append(permitted, a)
	}
	d.addrs = permitted
	if len(permitted) > 0 {
		return nil
	}
	return why
}

// NameFailure is the failure of looking a name up.
func NameFailure(host []byte, err error) *Failure {
	f := &Failure{Kind: NameServerFailed, Side: NameSide, During: resolving.String(), Host: string(host), Err: err}
	var e *dnsasync.Error
	if errors.As(err, &e) && (e.Kind == dnsasync.NoSuchName || e.Kind == dnsasync.NoAddress || e.Kind == dnsasync.BadName) {
		f.Kind = NoSuchName
	}
	return f
}

// unresolved notes that the next hop's name leads nowhere.
func (t *transaction) unresolved(err error) stage {
	f := NameFailure(t.hop.Host, err)
	t.record.Hierarchy = "" // there was nobody to choose
	notice(t.hop.Peer, PeerUnreached)
	t.tries++
	return t.anotherHop(f)
}
