package explain

import (
	"bytes"
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
}

// head is what a browser would send.
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
	line := method + " " + url + " HTTP/1.1\r\n"
	var r h1.Request
	if _, err := h1.ParseRequest([]byte(line+"\r\n"), &r, h1.Limits{Relaxed: true}); err != nil {
		return nil, "", fmt.Errorf("%s %s is no request: %w", method, url, err)
	}
	var head bytes.Buffer
	fmt.Fprintf(&head, "%sHost: %s\r\n\r\n", line, r.Target.AppendHost(nil))
	return head.Bytes(), method + " " + url, nil
}

// asked is the port that a request comes by: the first one of a forward proxy, else the first.
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
	if len(c.Ports) == 0 {
		return nil, errors.New("the configuration has no port")
	}
	port := c.Ports[asked(c.Ports)]
	port.TLS, port.ProxyHeader = nil, false // what is decided is decided behind them
	s, err := newStage(netip.AddrPortFrom(q.Client, 40000), endOf(&port, q.Client), head)
	if err != nil {
		return nil, err
	}
	defer s.close()
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	o := &observer{user: q.User, program: program, end: func() { end(errDone) }}
	o.told = Explanation{Request: request, Client: q.Client.String(), User: q.User, Fate: Untold}
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
