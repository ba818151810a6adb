package explain

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"exaproxy/compat/acl"
	"exaproxy/engine"
	"exaproxy/engine/h1"
	"exaproxy/engine/loop"
)

// A Request is what is to be explained.
type Request struct {
	URL    string // of a page; of a CONNECT a host and a port, or the URL of a page there
	Method string // "": GET, or CONNECT for an https URL, as browsers do
	Client netip.Addr
	User   string // who the client has proved to be; "": nobody

	Header []string // more fields of the head: "Name: value"
	// Original is whom the client wanted to reach, who has never heard of the proxy; not valid: it asks the proxy.
	Original netip.AddrPort
}

// head is what a browser would send, and what it asks for in a line.
func (q *Request) head() ([]byte, string, error) {
	method, url := strings.ToUpper(q.Method), q.URL
	scheme, rest, found := strings.Cut(url, "://")
	if method == "" {
		method = "GET"
		if strings.EqualFold(scheme, "https") && found {
			method = "CONNECT"
		}
	}
	if method == "CONNECT" {
		if found {
			url, _, _ = strings.Cut(rest, "/")
		}
		if authority := url[strings.LastIndexByte(url, ']')+1:]; !strings.Contains(authority, ":") {
			url += ":443"
		}
	} else if !found {
		url = "http://" + url
	}
	var r h1.Request
	if _, err := h1.ParseRequest([]byte(method+" "+url+" HTTP/1.1\r\n\r\n"), &r, h1.Limits{Relaxed: true}); err != nil {
		return nil, "", fmt.Errorf("%s %s is no request: %w", method, url, err)
	}
	fields, err := q.fields()
	if err != nil {
		return nil, "", err
	}
	what, target := method+" "+url, url
	switch {
	case !q.Original.IsValid():
	case r.Method == "CONNECT":
		return []byte{tlsHandshake}, "CONNECT " + q.Original.String(), nil
	default:
		target = string(r.Target.Path)
	}
	return fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", method, target, r.Target.AppendHost(nil), fields), what, nil
}

// tlsHandshake is what a client of TLS says first.
const tlsHandshake = 22

// taken are fields that are made of the URL, or say what follows the head.
var taken = []string{"Host", "Content-Length", "Transfer-Encoding"}

// fields are the lines of the fields that are given.
func (q *Request) fields() (lines []byte, err error) {
	for _, field := range q.Header {
		name, value, ok := strings.Cut(field, ":")
		if !ok {
			return nil, fmt.Errorf("%q is no field: expected Name: value", field)
		}
		lines = fmt.Appendf(lines, "%s: %s\r\n", name, strings.TrimSpace(value))
		if slices.ContainsFunc(taken, func(t string) bool { return strings.EqualFold(t, name) }) {
			return nil, fmt.Errorf("the field %s is not to be given: it is made of the URL, or there is none", name)
		}
		var r h1.Request
		n, err := h1.ParseRequest(fmt.Appendf(nil, "GET http://a/ HTTP/1.1\r\n%s\r\n", lines), &r, h1.Limits{})
		if err != nil || n == 0 || r.Header.Len() != strings.Count(string(lines), "\r\n") || strings.ContainsAny(field, "\r\n") {
			return nil, fmt.Errorf("%q is no field: expected Name: value", field)
		}
	}
	return lines, nil
}

// by is the port that a request comes by: the first one of a forward proxy, else the first. That of a client who has never
// heard of the proxy is one that intercepts.
func (q *Request) by(ports []engine.Port, tunnel bool) (*engine.Port, error) {
	if !q.Original.IsValid() {
		if len(ports) == 0 {
			return nil, errors.New("the configuration has no port")
		}
		return &ports[asked(ports)], nil
	}
	for i := range ports {
		if ports[i].Mode.Diverted() && ports[i].Tunnels == tunnel {
			return &ports[i], nil
		}
	}
	kind := "http_port"
	if tunnel {
		kind = "https_port"
	}
	return nil, fmt.Errorf("the configuration has no %s of intercept or tproxy, by which such a client comes", kind)
}

// asked is the port that a proxy's client asks by.
func asked(ports []engine.Port) int {
	return max(0, slices.IndexFunc(ports, func(p engine.Port) bool { return p.Mode == engine.Forward }))
}

// Run has a configuration decide about a request. program is the directive that names its helper, if it has one. observe is
// given who is to be told of access lists, before the policy is made. The explanation is as complete as it could be made if the context ends before; then the error says so.
func Run(ctx context.Context, c engine.Config, program string, q Request, observe func(func(*acl.Trace))) (*Explanation, error) {
	head, request, err := q.head()
	if err != nil {
		return nil, err
	}
	by, err := q.by(c.Ports, strings.HasPrefix(request, "CONNECT "))
	if err != nil {
		return nil, err
	}
	port := *by
	port.TLS, port.ProxyHeader = nil, false // what is decided is decided behind them
	s, err := newStage(netip.AddrPortFrom(q.Client, 40000), endOf(&port, q.Client), head)
	if err != nil {
		return nil, err
	}
	s.original = q.Original
	defer s.close()
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	o := &observer{client: q.Client, user: q.User, program: program, end: func() { end(errDone) }}
	o.told = Explanation{Request: request, Client: q.Client.String(), User: q.User, Fate: Untold}
	if q.Original.IsValid() {
		o.told.Original = q.Original.String()
	}
	observe(o.observe)
	c.Ports, c.Workers = []engine.Port{port}, 1
	c.NewKernel = func() (loop.Kernel, error) { return s, nil }
	policyOf := c.NewPolicy
	c.NewPolicy = func(services engine.Services) (engine.Policy, error) {
		o.Policy, err = policyOf(services)
		return o, err
	}
	e, err := engine.New(fewHelpers(c))
	if err != nil {
		return nil, err
	}
	if err := e.Run(ctx); err != nil {
		return nil, err
	}
	if cause := context.Cause(ctx); cause != errDone {
		return &o.told, o.undecided(cause)
	}
	return &o.told, nil
}

// errDone says that all is told.
var errDone = errors.New("the request is explained")

// undecided says what has not come to its end.
func (o *observer) undecided(cause error) error {
	what := "nothing has been decided"
	switch h := o.told.Helper; {
	case h != nil && h.Means == "":
		what = "the helper has not answered"
	case len(o.told.Lists) > 0 && o.told.Access == "":
		what = "an acl still waits for an answer"
	case o.told.Hop != nil && len(o.told.Hop.Addresses) == 0:
		what = "no name server has answered for " + o.told.Hop.Host
	}
	o.told.Outcome = what
	return fmt.Errorf("%s: %w", what, cause)
}

// fewHelpers is the configuration with no more processes than one request needs.
func fewHelpers(c engine.Config) engine.Config {
	if c.Helper != nil {
		h := *c.Helper
		h.Startup, h.Idle = 0, 1
		c.Helper = &h
	}
	helpers := append(c.PolicyHelpers[:0:0], c.PolicyHelpers...)
	for i := range helpers {
		helpers[i].Startup, helpers[i].Idle = 0, 0
	}
	c.PolicyHelpers = helpers
	return c
}

// endOf is the proxy's end of a connection from a client.
func endOf(p *engine.Port, client netip.Addr) netip.AddrPort {
	addr := p.Addr.Addr()
	if addr.IsUnspecified() {
		addr = netip.AddrFrom4([4]byte{127, 0, 0, 1})
		if client.Is6() && !client.Is4In6() {
			addr = netip.IPv6Loopback()
		}
	}
	return netip.AddrPortFrom(addr, p.Addr.Port())
}
