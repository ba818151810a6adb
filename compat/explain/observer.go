package explain

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"reflect"

	"exaproxy/compat/acl"
	"exaproxy/compat/errpage"
	"exaproxy/engine"
	"exaproxy/engine/loop"
)

// An observer stands between the engine and the policy, and notes what they say to each other. It belongs to the worker's
// goroutine, and after the engine's end to whoever called Run.
type observer struct {
	engine.Policy
	client  netip.Addr
	user    string
	program string // the directive of the helper
	told    Explanation
	by      string // who has decided that it does not pass
	over    bool
	end     func()
}

const (
	byAccess = "http_access"
	byHelper = "the helper"
	// byAdapted is the list that judges what the helper has made of a request.
	byAdapted = "adapted_http_access"
)

// finish ends it all: what there is to tell is known.
func (o *observer) finish() {
	if !o.over {
		o.over = true
		o.end()
	}
}

// observe notes how an access list came to its answer. What it said while it had to wait counts for nothing, and what it says
// once more is told once.
func (o *observer) observe(t *acl.Trace) {
	if o.over {
		return
	}
	list := newList(t)
	if n := len(o.told.Lists); n > 0 && o.told.Lists[n-1].Directive == list.Directive {
		if last := &o.told.Lists[n-1]; last.Answer == answers[acl.Pending] || reflect.DeepEqual(*last, list) {
			o.told.Lists = o.told.Lists[:n-1]
		}
	}
	o.told.Lists = append(o.told.Lists, list)
}

// Admit implements engine.Policy. The client is who it is said to be.
func (o *observer) Admit(r *engine.Request) engine.Decision {
	if r.User == "" && o.user != "" {
		r.User, r.Claimed = o.user, o.user
	}
	d := o.Policy.Admit(r)
	if d.Action != engine.Pending {
		if told := r.TellClient().Addr().Unmap(); r.Client.Addr() != o.client || told != o.client.Unmap() {
			o.told.For = r.Client.Addr().String()
		}
		o.told.Access = errpage.Verdict(d)
		o.decided(r, d, byAccess)
	}
	return d
}

// Question implements engine.Policy.
func (o *observer) Question(r *engine.Request) ([]byte, engine.Action) {
	line, action := o.Policy.Question(r)
	if action == engine.Ask {
		o.told.Helper = &Helper{Program: o.program, Line: string(line)}
	}
	return line, action
}

// Interpret implements engine.Policy.
func (o *observer) Interpret(r *engine.Request, answer []byte, err error) engine.Decision {
	d := o.Policy.Interpret(r, answer, err)
	if h := o.told.Helper; h != nil && d.Action != engine.Pending {
		h.Answer, h.Means = string(answer), errpage.Verdict(d)
		if err != nil {
			h.Error = err.Error()
		}
		by := byHelper
		if o.told.adaptedDenies() {
			by, h.Means = byAdapted, "is for "+byAdapted+" to judge"
		}
		o.decided(r, d, by)
	}
	return d
}

// decided notes a decision, which may be the last.
func (o *observer) decided(r *engine.Request, d engine.Decision, by string) {
	o.notes(r)
	if d.Action.Verdict() || d.Action == engine.Challenge {
		o.by, o.told.Fate = by, Refused
		o.told.Outcome = by + " answers: " + errpage.Verdict(d)
		o.told.Page = &Page{Location: d.URL}
		if r.IsConnect() && d.Action.Verdict() {
			o.told.Page.Connect = connectVerdicts[d.Connect]
		}
	}
	switch d.Action {
	case engine.Redirect, engine.Serve, engine.Challenge:
		o.told.Page.Status, o.told.Page.Name = d.Reply.Status, d.Reply.Page
		o.finish()
	case engine.Proceed, engine.Pending, engine.Ask, engine.Rewrite, engine.Refuse: // what follows tells
	}
}

func (o *observer) notes(r *engine.Request) {
	o.told.Notes = nil
	for _, n := range r.Notes {
		o.told.Notes = append(o.told.Notes, Note{string(n.Key), string(n.Value)})
	}
}

// Bump implements engine.Policy. Who is looked into has a ClientHello, of which nobody knows anything here.
func (o *observer) Bump(r *engine.Request) engine.Bump {
	b := o.Policy.Bump(r)
	if b == engine.BumpPending {
		return b
	}
	if o.told.Tunnel = "ssl_bump " + bumps[b]; b != engine.BumpSplice {
		o.told.Outcome = "the tunnel is looked into (" + o.told.Tunnel + "): what its client says in it decides what follows"
		if b == engine.BumpTerminate {
			o.told.Outcome, o.told.Fate = "the tunnel is ended ("+o.told.Tunnel+")", Refused
		}
		o.finish()
	}
	return b
}

// Route implements engine.Policy.
func (o *observer) Route(r *engine.Request, failed []engine.Attempt) engine.Route {
	route := o.Policy.Route(r, failed)
	if route.Action == engine.Proceed {
		h := &route.Hop
		o.told.Hop = &Hop{Host: string(h.Host), Port: h.Port, Proxy: h.Proxy, TLS: h.TLS.ServerName, Hierarchy: h.Hierarchy, Addresses: []Address{}}
	}
	return route
}

// errEnough is why nobody is connected to.
var errEnough = errors.New("nobody is connected to for an explanation")

// Permit implements engine.Policy. Nothing may be connected to.
func (o *observer) Permit(r *engine.Request, h *engine.Hop, to netip.AddrPort) *engine.Failure {
	f := o.Policy.Permit(r, h, to)
	address := Address{Address: to.String()}
	if f == nil {
		f = &engine.Failure{Kind: engine.Refused, Side: engine.OurSide, Err: errEnough}
	} else {
		if address.Refused = f.Error(); f.Err != nil {
			address.Refused = f.Err.Error()
		}
	}
	o.told.Hop.Addresses = append(o.told.Hop.Addresses, address)
	return f
}

// permitted says whether an address of the hop may be connected to.
func (o *observer) permitted() bool {
	if o.told.Hop == nil {
		return false
	}
	for _, a := range o.told.Hop.Addresses {
		if a.Refused == "" {
			return true
		}
	}
	return false
}

// Page implements engine.Policy: something has been refused, or cannot be done.
func (o *observer) Page(r *engine.Request, f *engine.Failure) engine.LocalReply {
	reply := o.Policy.Page(r, f)
	switch {
	case o.over:
	case o.permitted():
		o.told.Outcome, o.told.Fate = "passes to "+o.told.Hop.Host, Passes
	default:
		o.refused(r, f, reply)
	}
	o.finish()
	return reply
}

// refused notes the page of a refusal.
func (o *observer) refused(r *engine.Request, f *engine.Failure, reply engine.LocalReply) {
	if o.told.Fate = Refused; f.Kind == engine.Internal {
		o.told.Fate = Untold
	}
	if o.told.Page == nil {
		o.told.Page = &Page{}
		o.told.Outcome = f.Error()
		if o.told.Hop != nil {
			o.told.Hop.Error = f.Error()
		}
	}
	o.notes(r)
	o.told.Page.Status, o.told.Page.Name = reply.Status, reply.Page
	if reply.Reset {
		o.told.Page.Name = "TCP_RESET"
	}
	if to := location(&reply); to != "" {
		o.redirected(to)
	}
}

// redirected notes where the client is sent in the place of a page (deny_info).
func (o *observer) redirected(to string) {
	page := o.told.Page
	page.Name, page.Location = "", to
	verdict := fmt.Sprintf("%d %s", page.Status, to)
	switch o.by {
	case byAccess:
		o.told.Access = verdict
	case byHelper:
		o.told.Helper.Means = verdict
	case byAdapted:
	default:
		return
	}
	o.told.Outcome = o.by + " answers: " + verdict
}

// location is the field of that name in an answer of the proxy's own; "": there is none.
func location(reply *engine.LocalReply) string {
	for line := range bytes.Lines(reply.Fields) {
		if name, value, _ := bytes.Cut(line, []byte(": ")); string(name) == "Location" {
			return string(bytes.TrimSpace(value))
		}
	}
	return ""
}

// LogReady implements engine.Policy.
func (o *observer) LogReady(*loop.Waker) bool { return true }

// Record implements engine.Policy. Nothing is logged.
func (o *observer) Record(rec *engine.Record) {
	if !o.over && rec.Failure != nil {
		o.told.Outcome = rec.Failure.Error()
		if rec.Failure.Kind == engine.Internal {
			o.told.Fate = Untold
		}
	}
	o.finish()
}
