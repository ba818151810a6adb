package intercept

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/decision"
	"exaproxy/compat/logformat"
	"exaproxy/dnsasync"
	"exaproxy/engine"
	"exaproxy/engine/h1"
	"exaproxy/engine/loop"
)

// A Policy answers one worker's engine about diverted connections.
type Policy struct {
	Settings   *Settings
	Resolver   *dnsasync.Resolver
	Whitespace h1.Whitespace
	Log        *slog.Logger
	Now        func() time.Time
	// Match asks an access list that nobody waits for.
	Match acl.Match

	// Alerts are what is logged of forged names, by whichever worker.
	Alerts *loop.SharedLimiter

	genuine known
}

// A State is what is known of one request. The zero State knows nothing.
type State struct {
	lookup   *dnsasync.Lookup // of the name that the client says
	verified bool             // it is known whether that leads to the address
	step     int              // of ssl_bump, at which it was verified
	forged   bool             // it does not

	admitted bool            // the name was, by http_access: it is the address that is asked about
	asking   bool            // the helpers are asked about the address
	named    engine.Decision // what they said of the name
}

// Forged says whether the client asks for another server than it wanted to reach.
func (s *State) Forged() bool { return s.forged }

// AdmitName notes that http_access has let the name pass, so that it is not asked again while it has to wait to judge the address.
func (s *State) AdmitName() { s.admitted = s.forged }

// NameAdmitted says whether that was noted.
func (s *State) NameAdmitted() bool { return s.admitted }

// Matters says whether the State of a request that goes on as it is matters after Interpret.
func (s *State) Matters() bool { return s.forged }

// Reset ends what was begun for the request, and makes the State ready for another.
func (s *State) Reset() {
	s.lookup.Cancel()
	*s = State{}
}

var errManyHosts = &h1.SyntaxError{Kind: h1.BadURL, What: "more than one Host field"}

// Complete makes the target of a request that names a path alone a URL: at the host that Host names, or else at the
// address that the client connected to.
func (p *Policy) Complete(r *engine.Request) *engine.Failure {
	original := r.Original()
	host := r.Header.Get("Host")
	var err error
	switch {
	case !original.IsValid():
		return nil // it has come before the port was one for such clients
	case r.Header.Count("Host") > 1:
		err = errManyHosts
	default:
		if len(bytes.TrimSpace(host)) == 0 {
			at := target(original)
			host = at.AppendHost(nil)
		}
		err = r.Locate("http", host, p.Whitespace)
	}
	if err != nil {
		return &engine.Failure{Kind: engine.BadRequest, Side: engine.ClientSide, Err: err}
	}
	return nil
}

// target is the URL of an address, without a path.
func target(at netip.AddrPort) h1.Target {
	return h1.Target{Form: h1.Absolute, Scheme: "http", Host: []byte(at.Addr().String()), IPv6: at.Addr().Is6(), Port: at.Port()}
}

// Admit finds out whether what a client asks for is whom it wanted to reach, and has dst acls judge the address that
// is going to be connected to.
func (p *Policy) Admit(r *engine.Request, st *State, m *decision.Memory) engine.Decision {
	original := r.Original()
	if !original.IsValid() {
		return engine.Decision{}
	}
	if step := stepOf(r); !st.verified || st.step != step {
		why, done := p.verify(r, original, st)
		if !done {
			return engine.Decision{Action: engine.Pending}
		}
		st.verified, st.step, st.forged, st.admitted = true, step, why != nil, false
		if st.forged {
			p.alert(r, original, why)
		}
	}
	if st.forged && (p.Settings.Strict || r.IsConnect() || r.TLS != nil) {
		return m.Refuse(engine.Failure{Kind: engine.Conflict, Side: engine.ClientSide})
	}
	if st.forged || p.Settings.Passthru {
		r.Judge([]netip.Addr{original.Addr()}, nil)
	}
	return engine.Decision{}
}

// stepOf is the step of ssl_bump: at each of them a tunnel may have another name.
func stepOf(r *engine.Request) int {
	if r.TLS == nil {
		return 0
	}
	return r.TLS.Step
}

var errAddress = errors.New("local IP does not match any domain IP")

// verify says why a request is not for the address that the client connected to. done is false while a name is looked up.
func (p *Policy) verify(r *engine.Request, original netip.AddrPort, st *State) (why error, done bool) {
	t := &r.Target
	if st.lookup == nil {
		switch addr, is := address(t); {
		case is:
			return compare(t, original, addr), true
		case t.Port != original.Port() || len(t.Host) == 0:
			return compare(t, original), true
		case p.genuine.leads(t.Host, original.Addr(), p.Now()):
			return nil, true
		}
		st.lookup = p.Resolver.LookupAll(string(t.Host), r.Waker)
	}
	answer, done, _ := st.lookup.Result()
	if !done {
		return nil, false
	}
	st.lookup = nil
	if why = compare(t, original, answer.Addrs...); why == nil {
		p.genuine.learn(t.Host, original.Addr(), p.Now(), answer.TTL)
	}
	return why, true
}

// address is the host of a target, if that is an address.
func address(t *h1.Target) (addr netip.Addr, ok bool) {
	if last := len(t.Host) - 1; last < 0 || !t.IPv6 && (t.Host[last] < '0' || t.Host[last] > '9') {
		return addr, false // most are names, and to try costs memory
	}
	addr, err := netip.ParseAddr(string(t.Host))
	return addr, err == nil
}

// compare says, in Squid's words, why a target whose host has these addresses is not what the client connected to.
func compare(t *h1.Target, original netip.AddrPort, addrs ...netip.Addr) error {
	if t.Port != original.Port() {
		return fmt.Errorf("intercepted port does not match %s", strconv.Itoa(int(t.Port)))
	}
	if !slices.ContainsFunc(addrs, func(a netip.Addr) bool { return a.Unmap() == original.Addr() }) {
		return errAddress
	}
	return nil
}

// alertEvery is how often a forged name is logged: clients could fill the log otherwise.
const alertEvery = time.Minute

// alert logs a name that does not lead to the address, as Squid does.
func (p *Policy) alert(r *engine.Request, original netip.AddrPort, why error) {
	suppressed, ok := p.Alerts.Allow(p.Now(), alertEvery)
	if !ok {
		return
	}
	p.Log.Info(fmt.Sprintf("SECURITY ALERT: Host header forgery detected on local=%s remote=%s (%s)%s", original, r.Client, why, loop.SinceLast(suppressed)))
	if agent := r.Header.Get("User-Agent"); len(agent) > 0 {
		p.Log.Info("SECURITY ALERT: By user agent: " + string(logformat.OneLine(bytes.Clone(agent))))
	}
	p.Log.Info("SECURITY ALERT: on URL: " + string(logformat.OneLine(r.Target.AppendURL(nil))))
}

// Address is the target by which the address that the client connected to is judged, if the request is for another host.
func Address(r *engine.Request) h1.Target {
	t := target(r.Original())
	t.Path = r.Target.Path
	return t
}

// AskOfAddress says whether the helpers, who let the name pass by d, have to be asked about the address.
func (s *State) AskOfAddress(r *engine.Request, d engine.Decision) bool {
	switch {
	case !s.forged || s.asking:
		return false
	case d.Action == engine.Rewrite && !bytes.Equal(d.Target.Host, r.Target.Host):
		return false // it goes elsewhere
	case d.Action != engine.Proceed && d.Action != engine.Rewrite:
		return false
	}
	s.asking, s.named = true, d
	return true
}

// Asking says whether it is the address that the helpers are asked about.
func (s *State) Asking() bool { return s.asking }

// Named is what the helpers said of the name.
func (s *State) Named() engine.Decision { return s.named }

// Steer has a request of a diverted client go to the address that it connected to, and servers see the client's own by a port of tproxy.
// st is nil if nothing is kept of the request.
func (p *Policy) Steer(r *engine.Request, st *State, hop *engine.Hop) {
	original := r.Original()
	if (p.Settings.Passthru || st != nil && st.forged) && bytes.Equal(hop.Host, r.Target.Host) && hop.Port == r.Target.Port {
		hop.Port, hop.Hierarchy = original.Port(), "ORIGINAL_DST"
	}
	if h := r.Connection.ProxyHeader; h != nil && h.Forwards() {
		return // as in Squid nobody takes an address that a balancer has named
	}
	if r.Port.Mode == engine.TPROXY && p.Match(p.Settings.Spoof, r) == acl.Allow {
		hop.Local, hop.Transparent = p.spoofed(r).Addr().Unmap(), true
	}
}

// spoofed is the client whose address servers see.
func (p *Policy) spoofed(r *engine.Request) netip.AddrPort {
	switch sender := r.Sender(); {
	case !p.Settings.Indirect:
		return sender
	case r.Client != sender:
		return r.Client
	}
	return r.TellClient()
}
