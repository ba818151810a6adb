package engine

import (
	"bytes"
	"errors"
	"net/netip"
)

// route asks the policy for the next hop; a connection to it that is kept needs no other.
func (t *transaction) route() stage {
	scheme := t.request.Effective().Scheme
	if scheme != "" && scheme != "http" && scheme != "https" {
		return t.fail(Unsupported, OurSide, errors.New("no way to fetch "+scheme+" URLs"))
	}
	route := t.setup.policy.Route(t.request, t.failed)
	switch route.Action {
	case Pending:
		return routing
	case Refuse:
		return t.noRoute(route.Failure)
	case Proceed:
	default:
		panic("BUG: a route that leads nowhere")
	}
	t.hop = route.Hop
	t.record.ToServer = Packets{t.hop.TOS, t.hop.Mark}
	t.hop.owner = t.owner()
	if t.hop.Proxy && t.wantsTunnel() {
		if why := t.goThrough(); why != nil && t.hop.Elsewhere {
			return t.anotherHop(why)
		} else if why != nil {
			return t.failWith(why)
		}
	}
	if t.reveals() {
		t.hop.TLS.ServerName = t.request.TLS.PeerName()
	}
	if t.hop.TLS.ServerName != "" && t.hop.TLS.Config == nil {
		t.hop.TLS.Config = t.setup.config.OutgoingTLS
	}
	t.chosen()
	if t.hop.Peer != nil && t.hop.Peer.Standby() > 0 {
		t.client.worker.keepReady(t.setup, &t.hop)
	}
	if t.reuse() {
		return sending
	}
	return resolving
}

// chosen notes which hop it is to be.
func (t *transaction) chosen() {
	t.record.Forwarded, t.record.Hierarchy = true, t.hop.Hierarchy
	t.record.Peer = ""
	if t.hop.Peer != nil {
		t.record.Peer = t.hop.Peer.PeerName()
	}
	t.request.Hierarchy, t.request.Peer = t.record.Hierarchy, t.record.Peer
}

// noRoute ends the search for a next hop, for a reason of the policy's or else that of the last attempt.
func (t *transaction) noRoute(f *Failure) stage {
	t.record.Forwarded = true
	switch {
	case f != nil && f.Kind == Refused:
		return t.refuseHop(f)
	case f != nil:
	case t.unreached != nil:
		f = t.unreached
	default:
		f = &Failure{Kind: NoRoute, Side: OurSide, Err: errors.New("there is no next hop for it")}
	}
	return t.failWith(f)
}

// refuseHop refuses a request because of where it would go. That is a verdict as any other.
func (t *transaction) refuseHop(f *Failure) stage {
	t.record.Forwarded, t.record.Hierarchy = false, ""
	return t.decide(Decision{Action: Refuse, Failure: f, Connect: ConnectRedirect})
}

// anotherHop asks for another next hop after one could not be reached, unless there were enough.
func (t *transaction) anotherHop(f *Failure) stage {
	f.During = t.stage.String()
	t.unreached = f
	t.failed = append(t.failed, Attempt{Hop: t.hop, Err: f.Err})
	if t.triesLeft() <= 0 {
		return t.failWith(f)
	}
	return routing
}

// elsewhere drops the connection, over which the hop does not do what is asked of it, and asks for another hop.
func (t *transaction) elsewhere(f *Failure) stage {
	t.dropUpstream()
	return t.anotherHop(f)
}

// mayGoElsewhere says whether there is another hop, and the request may be sent to it though this one may have read it.
func (t *transaction) mayGoElsewhere() bool {
	return t.hop.Elsewhere && (t.repeatable() || t.request.IsConnect()) && t.triesLeft() > 0
}

// triesLeft is how many addresses may still be tried for the request (forward_max_tries).
func (t *transaction) triesLeft() int { return t.setup.config.Limits.forwardTries() - t.tries }

// reuse takes an idle connection to the next hop. A request that must not be sent twice gets
// a fresh one: an idle connection may turn out to be dead when the request is under way
// already (RFC 9110, section 9.2.2). A client's own may be proved, and then another will not do.
func (t *transaction) reuse() bool {
	if !t.repeatable() && t.hop.owner == 0 || t.sent > 0 {
		return false
	}
	u := t.client.worker.idle.take(&t.hop)
	if u == nil {
		return false
	}
	if t.setup.policy.Permit(t.request, &t.hop, u.remote) != nil || t.distrusts(u.shown) != nil {
		u.pool.put(u) // for whom it was opened; this request is told why when it comes to dial
		return false
	}
	u.end.SetWaker(t.waker)
	t.use(u)
	t.record.Attempts++
	if u.shown != nil {
		t.record.Server = &u.shown.agreed
	}
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
	t.request.Connected = netip.Addr{}
	if !t.hop.Proxy && bytes.Equal(t.hop.Host, t.request.Effective().Host) {
		t.request.Connected = u.remote.Addr()
	}
	t.record.Server = nil // until it is trusted
	t.sent++
	t.record.Upstream, t.record.Outgoing, t.record.Reused = u.remote, u.local, u.used > 0
	u.used++
}
