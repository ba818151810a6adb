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
		t.dial(t.hop.Addrs...)
		return connecting
	}
	if t.lookup == nil {
		if addr, err := netip.ParseAddr(string(t.hop.Host)); err == nil {
			t.dial(addr)
			return connecting
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
	t.dial(answer.Addrs...)
	return connecting
}

// dial lends a dialer and gives it the addresses to try. The time for all connecting begins with
// the first.
func (t *transaction) dial(addrs ...netip.Addr) {
	if t.dialer == nil {
		t.dialer = t.client.worker.dialers.Get()
	}
	t.dialer.begin(addrs, &t.hop, t.setup.config, t.triesLeft())
	if t.forwardBy.IsZero() {
		t.forwardBy = t.now().Add(t.setup.config.Timeouts.forward())
	}
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
	t.tries++
	return t.anotherHop(f)
}
