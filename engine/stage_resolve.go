package engine

import (
	"errors"
	"net/netip"

	"exaproxy/dnsasync"
)

var errLookupLate = errors.New("no name server answered in time")

// resolve finds the addresses of the next hop; a connection to it that is kept needs none.
func (t *transaction) resolve() stage {
	if t.lookup == nil {
		if next := t.way(); next != resolving {
			return next
		}
		if t.reuse() {
			return sending
		}
		if t.literal() {
			return connecting
		}
		t.lookup = t.setup.resolver.Lookup(string(t.route.Host), t.waiter())
	}
	answer, done, err := t.lookup.Result()
	if !done {
		return resolving
	}
	t.lookup.Cancel()
	t.lookup = nil
	if err != nil {
		return t.unresolved(err)
	}
	t.dial(answer.Addrs...)
	return connecting
}

// way asks the policy where the request goes; resolving means that there is a way.
func (t *transaction) way() stage {
	if scheme := t.request.Effective().Scheme; scheme != "" && scheme != "http" {
		return t.fail(Unsupported, OurSide, errors.New("no way to fetch "+scheme+" URLs"))
	}
	t.route = t.setup.policy.Route(t.request)
	t.record.Forwarded = true
	if f := t.route.Failure; f != nil {
		return t.failed(f)
	}
	t.record.Hierarchy = t.route.Hierarchy
	return resolving
}

// literal takes a next hop that is named by its address.
func (t *transaction) literal() bool {
	addr, err := netip.ParseAddr(string(t.route.Host))
	if err != nil {
		return false
	}
	t.dial(addr)
	return true
}

// dial lends a dialer and gives it the addresses to try.
func (t *transaction) dial(addrs ...netip.Addr) {
	if t.dialer == nil {
		t.dialer = t.client.worker.newDialer()
	}
	t.dialer.begin(addrs, t.route.Port, t.setup.config)
}

// reuse takes an idle connection to the next hop. A request that must not be sent twice gets
// a fresh one: an idle connection may turn out to be dead when the request is under way
// already (RFC 9110, section 9.2.2).
func (t *transaction) reuse() bool {
	if !t.repeatable() || t.attempts > 0 {
		return false
	}
	u := t.client.worker.idle.take(t.route.Host, t.route.Port)
	if u == nil {
		return false
	}
	u.fd.SetWaker(t.waiter())
	t.use(u)
	return true
}

// repeatable says whether the request may be sent again after it was sent in vain.
func (t *transaction) repeatable() bool {
	if !t.up.body.Done() || t.up.moved > 0 {
		return false
	}
	switch t.request.Method {
	case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE":
		return true
	}
	return false
}

// use makes u the transaction's connection to the next hop.
func (t *transaction) use(u *upstream) {
	t.upstream = u
	t.attempts++
	t.record.Upstream, t.record.Outgoing, t.record.Reused = u.peer, u.local, u.used > 0
	u.used++
}

func (t *transaction) unresolved(err error) stage {
	f := &Failure{Kind: NameServerFailed, Side: NameSide, Host: string(t.route.Host), Err: err}
	var e *dnsasync.Error
	if errors.As(err, &e) && (e.Kind == dnsasync.NoSuchName || e.Kind == dnsasync.NoAddress || e.Kind == dnsasync.BadName) {
		f.Kind = NoSuchName
	}
	t.record.Hierarchy = "" // there was nobody to choose
	return t.failed(f)
}
