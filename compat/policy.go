package compat

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net/netip"

	"exaproxy/compat/accel"
	"exaproxy/compat/access"
	"exaproxy/compat/acl"
	"exaproxy/compat/auth"
	"exaproxy/compat/bump"
	"exaproxy/compat/certs"
	"exaproxy/compat/errpage"
	"exaproxy/compat/external"
	"exaproxy/compat/guard"
	"exaproxy/compat/headers"
	"exaproxy/compat/indirect"
	"exaproxy/compat/intercept"
	"exaproxy/compat/logs"
	"exaproxy/compat/manager"
	"exaproxy/compat/names"
	"exaproxy/compat/notes"
	"exaproxy/compat/packets"
	"exaproxy/compat/peers"
	"exaproxy/compat/redirector"
	"exaproxy/compat/reportonly"
	"exaproxy/compat/tunnel"
	"exaproxy/compat/upgrade"
	"exaproxy/compat/verdict"
	"exaproxy/engine"
	"exaproxy/engine/h1"
	"exaproxy/engine/loop"
	"exaproxy/engine/tlshello"
)

// A policy answers one worker's engine: it hands each question to the features in their order. It
// belongs to the worker's goroutine; what it shares with other workers, the settings and the log
// files, is not changed or guards itself.
type policy struct {
	engine.DefaultPolicy

	accel      *accel.Policy
	indirect   *indirect.Policy
	names      *names.Policy // nil: nobody wants to know
	manager    *manager.Policy
	auth       *auth.Policy // nil: nobody can prove who he is
	external   *external.Policy
	access     *access.Policy
	guard      *guard.Policy
	intercept  *intercept.Policy
	headers    *headers.Policy
	packets    *packets.Policy // nil: they bear nothing in particular
	upgrade    *upgrade.Policy
	redirector *redirector.Policy
	verdict    *verdict.Policy
	tunnel     *tunnel.Policy
	bump       *bump.Policy
	certs      *certs.Policy
	peers      *peers.Policy // nil: every request goes to its server
	pages      *errpage.Policy
	notes      *notes.Policy
	logs       *logs.Policy

	states requestStates

	logsReplies bool     // acls of the log and of notes are to see the reply
	reply       h1.Reply // for them
}

// newPolicy makes the policy of one worker.
func newPolicy(s *Settings, services engine.Services, opened *logs.OpenedLogs, shared *shared) *policy {
	if services.Log == nil {
		services.Log = slog.New(slog.DiscardHandler)
	}
	p := &policy{states: newRequestStates()}
	p.accel = &accel.Policy{Whitespace: s.Connection.Limits.Whitespace, Log: services.Log, Now: services.Loop.Now}
	if s.namesClients() {
		p.names = names.NewPolicy(&s.Names, services)
	}
	p.setPages(s, services)
	reported := &reportonly.Policy{Log: services.Log, Now: services.Loop.Now}
	p.access.Spare = reported.Spare
	var spare func(*engine.Request, string)
	if s.ReportOnly.Helper {
		spare = reported.Spare
	}
	p.setHelpers(s, services, &shared.external)
	p.indirect = indirect.NewPolicy(&s.Indirect, services, p.match, p.matchKnown)
	p.guard = guard.NewPolicy(&s.Guard, services.Log, services.Loop)
	p.intercept = &intercept.Policy{Settings: &s.Intercept, Resolver: services.Resolver, Whitespace: s.Connection.Limits.Whitespace,
		Log: services.Log, Now: services.Loop.Now, Match: p.matchKnown, Alerts: &shared.alerts}
	p.headers = headers.NewPolicy(&s.Headers, s.Ports.First(), services.Log)
	p.headers.Match, p.headers.Now = p.matchKnown, services.Loop.Now
	p.packets = packets.NewPolicy(&s.Packets, p.match, p.matchKnown)
	p.upgrade = &upgrade.Policy{Settings: &s.Upgrade, Match: p.matchKnown}
	p.tunnel = &tunnel.Policy{Settings: &s.Tunnel, Log: services.Log, Now: services.Loop.Now, Match: p.matchKnown}
	p.bump = &bump.Policy{Settings: &s.Bump, Match: p.match}
	p.certs = &certs.Policy{Settings: &s.Certs, Match: p.matchKnown}
	p.verdict = &verdict.Policy{Settings: &s.Verdict, Match: p.matchKnown}
	p.redirector = redirector.NewPolicy(redirector.Config{
		Settings: &s.Redirector, Services: services, Identity: p.pages.Identity, Match: p.match, Spare: spare,
		Whitespace: s.Connection.Limits.Whitespace,
		InTunnel: func(r *engine.Request) bool {
			v := p.verdict.OfHelpers(r)
			return v == engine.ConnectPage || v == engine.ConnectBump
		},
	})
	p.peers = peers.NewPolicy(peers.Config{
		Settings: &s.Peers, Shared: shared.peers, Services: services, Match: p.match, Known: p.matchKnown, Direct: p.direct,
	})
	p.notes = &notes.Policy{Settings: &s.Notes, Match: p.matchKnown}
	p.logs = opened.NewPolicy(services.Loop, p.matchKnown)
	p.logsReplies = s.logsReplies()
	p.setManager(s, services, &shared.managers)
	return p
}

// setPages makes those that answer with pages of our own.
func (p *policy) setPages(s *Settings, services engine.Services) {
	p.pages = &errpage.Policy{Settings: &s.Pages, Identity: s.Headers.Identity(s.Ports.First()), Now: services.Loop.Now, Log: services.Log}
	p.access = &access.Policy{Settings: &s.Access, Resolver: services.Resolver, Pages: p.pages, Observe: s.observe, Connections: services.ConnectionsOf}
}

// setHelpers makes those that decide for access lists.
func (p *policy) setHelpers(s *Settings, services engine.Services, exchange *external.Exchange) {
	if p.auth = auth.NewPolicy(&s.Auth, services, &p.states); p.auth != nil {
		p.access.Users, p.pages.Challenge = p.auth, p.auth.Challenge
		if addresses := p.auth.Addresses(); addresses != nil {
			p.access.Addresses = addresses
		}
	}
	p.external = external.NewPolicy(&s.External, services, exchange)
	p.access.Externals = p.external
}

// Close ends what is asked, and gives up the log files.
func (p *policy) Close() {
	p.names.Close()
	p.auth.Close()
	p.external.Close()
	p.peers.Close()
	p.manager.Close()
	p.logs.Close()
}

// match asks an access list about a request.
func (p *policy) match(list *acl.List, r *engine.Request) acl.Answer {
	return p.access.Match(list, r, &p.states.of(r).access)
}

// matchKnown asks an access list that nobody waits for.
func (p *policy) matchKnown(list *acl.List, r *engine.Request) acl.Answer {
	return p.access.MatchKnown(list, r, &p.states.of(r).access)
}

// MayAnnounce says who may send a PROXY header.
func (p *policy) MayAnnounce(c *engine.Connection) error {
	r := engine.Request{Connection: c, Client: c.Client, Local: c.Local, Port: c.Port}
	defer p.states.release(&r)
	return p.indirect.MayAnnounce(&r)
}

// Complete makes the target of a request that names a path alone a URL. Of an accelerator's port it is asked about all.
func (p *policy) Complete(r *engine.Request) *engine.Failure {
	if r.Port.Mode.Diverted() {
		return p.intercept.Complete(r)
	}
	return p.accel.Complete(r)
}

// Foreign says whether a diverted client that speaks no HTTP may go on.
func (p *policy) Foreign(r *engine.Request, f *engine.Failure) engine.Action {
	wrong := *f
	wrong.Page, _ = errpage.Name(f) // squid_error acls go by it
	r.Wrong = &wrong
	a := p.bump.Foreign(r, &p.states.of(r).bump)
	r.Wrong = nil
	return a
}

// Admit asks, in this order, who the client is, whether one that was diverted to us asks for whom it wanted to
// reach, whether http_access allows the request, whether it is for the cache manager, and whether it has gone round in a loop.
func (p *policy) Admit(r *engine.Request) engine.Decision {
	if p.indirect.Follows() && p.indirect.Follow(r, &p.states.of(r).indirect) == engine.Pending {
		return engine.Decision{Action: engine.Pending}
	}
	p.names.Tell(r)
	p.logs.Tell(r)
	d := p.admit(r, p.states.of(r))
	if d.Action != engine.Pending {
		p.packets.MarkClient(r)
	}
	if r.IsConnect() && d.Action.Verdict() {
		d.Connect = p.verdict.OfAccess(r)
	}
	return d
}

func (p *policy) admit(r *engine.Request, st *requestState) engine.Decision {
	if d := p.intercept.Admit(r, &st.intercept, &st.decision); d.Action != engine.Proceed {
		return d
	}
	if p.manager.Refuses(r) {
		return p.manager.Refuse(&st.decision)
	}
	if st.manager.Begun() {
		return p.manager.Answer(r, &st.manager, &st.decision)
	}
	manages := p.manager.Asks(r)
	if !st.intercept.NameAdmitted() {
		if d := p.access.Admit(r, &st.access, &st.decision); d.Action != engine.Proceed {
			return d
		}
		st.intercept.AdmitName()
	}
	if manages {
		return p.manager.Answer(r, &st.manager, &st.decision)
	}
	if st.intercept.Forged() {
		if d := p.admitAddress(r, st); d.Action != engine.Proceed {
			return d
		}
	}
	return p.headers.Admit(r, &st.decision)
}

// Question puts the URL to the redirectors. A request that waits for them keeps no state that does not matter
// any more: it may wait for long, among thousands.
func (p *policy) Question(r *engine.Request) (line []byte, a engine.Action) {
	if st := kept(r); st != nil && st.intercept.Asking() {
		return p.askOfAddress(r)
	}
	line, a = p.redirector.Question(r)
	if a == engine.Ask && r.Asked == 0 {
		p.states.releaseIdle(r)
	}
	return line, a
}

// Bump says what becomes of a tunnel.
func (p *policy) Bump(r *engine.Request) engine.Bump {
	return p.bump.Bump(r, &p.states.of(r).bump)
}

// Certify gives the certificates for the client of a decrypted tunnel.
func (p *policy) Certify(r *engine.Request) func(host string) (*tls.Certificate, error) {
	return p.certs.Certify(r)
}

// Trusts says why a server may not be used with whose certificates something is wrong.
func (p *policy) Trusts(r *engine.Request, chain []*x509.Certificate, errs []error) *engine.Failure {
	return p.certs.Trusts(r, chain, errs)
}

// Route sends a request to a peer, or to its server.
func (p *policy) Route(r *engine.Request, failed []engine.Attempt) engine.Route {
	if len(failed) == 0 && !p.access.Settings.Misses.Empty() {
		if f := p.access.AdmitMiss(r, &p.states.of(r).access); f != nil {
			return engine.Route{Action: engine.Refuse, Failure: f}
		}
	}
	if p.packets == nil {
		return p.way(r, failed)
	}
	var bears engine.Hop // what is asked before a way is chosen: it may have to wait
	if p.packets.Mark(r, &bears) == engine.Pending {
		return engine.Route{Action: engine.Pending}
	}
	route := p.way(r, failed)
	if route.Action == engine.Proceed {
		packets.Give(&bears, &route.Hop)
	}
	return route
}

// way chooses the next hop.
func (p *policy) way(r *engine.Request, failed []engine.Attempt) engine.Route {
	switch {
	case p.peers != nil:
		st := p.states.of(r)
		return p.peers.Route(r, &st.peers, st.redirector.Steers() || st.intercept.Forged())
	case len(failed) > 0:
		return engine.Route{Action: engine.Refuse} // there is one way to a server
	}
	if st := kept(r); r.Bound() && !(st != nil && st.redirector.Steers()) {
		f := accel.NoServer
		return engine.Route{Action: engine.Refuse, Failure: &f}
	}
	return p.direct(r)
}

// direct is the way to the server that a request's URL names, or to the one that a helper named in its place.
func (p *policy) direct(r *engine.Request) (route engine.Route) {
	route.Hop = engine.Direct(r)
	st := kept(r)
	if st != nil {
		p.redirector.Steer(&st.redirector, &route.Hop)
	}
	if f := access.Pin(r, &route.Hop); f != nil {
		return engine.Route{Action: engine.Refuse, Failure: f}
	}
	if r.Original().IsValid() {
		p.divert(r, st, &route.Hop)
	}
	return route
}

// Permit keeps clients from addresses that are the proxy's machine's business.
func (p *policy) Permit(r *engine.Request, h *engine.Hop, to netip.AddrPort) *engine.Failure {
	return p.guard.Permit(r, h, to)
}

// Looks says whether the client of a tunnel is listened to.
func (p *policy) Looks(r *engine.Request) bool {
	looks := p.tunnel.Looks(r)
	if st := kept(r); st != nil && !st.needed() {
		p.states.release(r) // a tunnel may last for days
	}
	return looks
}

// Hello judges what it says.
func (p *policy) Hello(r *engine.Request, h *tlshello.Hello, err error) *engine.Failure {
	return p.tunnel.Hello(r, h, err)
}

// Edit makes the changes of Squid's that are not a matter of HTTP.
func (p *policy) Edit(r *engine.Request, h *h1.Header, d engine.Direction) {
	if d == engine.Downstream {
		p.auth.Edit(r, h)
		p.headers.Edit(r, h)
		return
	}
	st := kept(r)
	if st == nil || !p.peers.Passes(&st.peers) {
		p.auth.Spent(r, h)
	}
	switch {
	case d == engine.Through: // what helpers say is of what goes on in the tunnel
	case st == nil:
		p.redirector.Edit(r, h, nil)
	default:
		p.redirector.Edit(r, h, &st.redirector)
	}
	p.headers.EditRequest(r, h)
	if p.peers != nil && st != nil {
		p.peers.Edit(r, h, &st.peers, d)
	}
	p.headers.EndRequest(r, h)
}

// Upgrade follows http_upgrade_request_protocols.
func (p *policy) Upgrade(r *engine.Request) []byte { return p.upgrade.Upgrade(r) }

// AdmitReply follows http_reply_access and reply_body_max_size.
func (p *policy) AdmitReply(r *engine.Request, length int64) (d engine.Decision, most int64) {
	if !p.access.Settings.JudgesReplies() {
		return
	}
	st := p.states.of(r)
	return p.access.AdmitReply(r, length, &st.access, &st.decision)
}

// EditOwn follows reply_header_access and its kind.
func (p *policy) EditOwn(r *engine.Request, h *h1.Header) { p.headers.EditOwn(r, h) }

// Page makes the answer to a transaction that went wrong or was refused: what deny_info has for
// it, or an error page of Squid's name and status.
func (p *policy) Page(r *engine.Request, f *engine.Failure) engine.LocalReply {
	st := p.states.of(r)
	if reply, ok := p.access.Page(r, f, &st.access, &st.decision); ok {
		return reply
	}
	return p.pages.Page(r, f, &st.decision)
}

// LogReady says whether every access log has room for a line.
func (p *policy) LogReady(w *loop.Waker) bool { return p.logs.LogReady(w) }

// Disconnected ends what was kept of a client's connection.
func (p *policy) Disconnected(c *engine.Connection) {
	if st, ok := c.State.(*connectionState); ok {
		p.auth.Disconnected(&st.auth)
	}
}
