package helpertest

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"exaproxy/compat/decision"
	"exaproxy/compat/errpage"
	"exaproxy/compat/redirector"
	"exaproxy/engine"
	"exaproxy/engine/h1"
)

// Rewriter makes the Talk of a url_rewrite_program or reqmod_program.
func Rewriter(s *redirector.Settings, ws h1.Whitespace) func(engine.Services) Talk {
	return func(services engine.Services) Talk {
		services.Helpers = nil // it does not ask by itself
		return &rewriter{settings: s, policy: redirector.NewPolicy(redirector.Config{Settings: s, Services: services, Whitespace: ws,
			Identity: &errpage.Identity{Host: "localhost", Product: "exaproxy"}, InTunnel: func(*engine.Request) bool { return false }})}
	}
}

// A rewriter is that Talk.
type rewriter struct {
	settings *redirector.Settings
	policy   *redirector.Policy
}

// anybody asks where nothing is said of a client.
var anybody = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// Question takes a line as redirectors get it, with a channel number or without. Of a URL alone the line is made that the
// proxy would send; and a block is made of either.
func (t *rewriter) Question(line string) (Question, error) {
	words := strings.Fields(line)
	if len(words) > 1 && strings.Trim(words[0], "0123456789") == "" && strings.ContainsAny(words[1], ":/") {
		_, line, _ = strings.Cut(line, " ")
		words = words[1:]
	}
	switch len(words) {
	case 0:
		return nil, errors.New("the line is empty")
	case 1:
		r, err := Request(anybody, "", methodOf(words), words[0])
		if err != nil {
			return nil, err
		}
		return t.OfRequest(r)
	}
	client, err := netip.ParseAddr(strings.SplitN(words[1], "/", 2)[0])
	if err != nil {
		client = anybody
	}
	user := ""
	if len(words) > 2 && words[2] != "-" {
		user = words[2]
	}
	r, err := Request(client, user, methodOf(words), words[0])
	if err != nil {
		return nil, err
	}
	if t.settings.Kind == redirector.Blocks {
		return t.OfRequest(r)
	}
	return &rewriting{t, r, []byte(line)}, nil
}

// methodOf finds the method in a line. Of a target that is no URL there is one only.
func methodOf(words []string) string {
	for _, word := range words[1:] {
		switch word {
		case "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT":
			return word
		}
	}
	if !strings.Contains(words[0], "://") {
		return "CONNECT"
	}
	return "GET"
}

// OfRequest makes the line or block by the code that the proxy makes it by.
func (t *rewriter) OfRequest(r *engine.Request) (Question, error) {
	return &rewriting{t, r, bytes.Clone(t.policy.Compose(r))}, nil
}

// tried is a request that tries something.
type tried struct{ tries, method, url, field string }

// Probes are URLs as clients may send them.
func (t *rewriter) Probes() (all []Probe) {
	probes := []tried{
		{"bytes that are not UTF-8", "GET", "http://probe.example.com/\xff\xfe\x80?\xe9", ""},
		{"a CONNECT", "CONNECT", "probe.example.com:443", ""},
		{"an IPv6 address", "GET", "http://[2001:db8::1]:8080/", ""},
		{"quotation marks and a backslash", "GET", `http://probe.example.com/?a="b"\`, ""},
		{"percent signs", "GET", "http://probe.example.com/%00%0a%s%n%", ""},
	}
	if t.settings.Kind == redirector.Blocks {
		const url = "http://probe.example.com/"
		probes = append(probes, []tried{
			{"bytes that are not UTF-8 in a field", "GET", url, "User-Agent: \xff\xfe\x80"},
			{"a colon and a blank in a field", "GET", url, "Referer: a: b : c"},
			{"a long field", "GET", url, "Cookie: a=" + strings.Repeat("x", longField)},
			{"a long URL", "GET", url + "?" + strings.Repeat("x", longURL), ""},
		}...)
	} else {
		probes = append(probes, tried{
			"the longest line that is sent", "GET", "http://probe.example.com/?" + strings.Repeat("x", t.longest()), ""})
	}
	for _, p := range probes {
		r, err := Request(anybody, "", p.method, p.url, p.field)
		if err != nil {
			continue
		}
		if q, err := t.OfRequest(r); err == nil {
			all = append(all, Probe{p.tries, q})
		}
	}
	return all
}

// What a block holds that is long, but no longer than clients may send (request_header_max_size).
const (
	longField = 16 << 10
	longURL   = 8000
)

// longest is how many bytes a query has with which a line is just not too long, whatever the channel.
func (t *rewriter) longest() int {
	const room, most = 200, 16 << 10 // for the rest of the line
	if t.settings.LineMax == 0 {
		return most
	}
	return max(t.settings.LineMax-room, 1)
}

// A rewriting is a question about one request.
type rewriting struct {
	talk    *rewriter
	request *engine.Request
	line    []byte
}

func (q *rewriting) Line() []byte { return q.line }

// Title implements titled: all blocks begin alike.
func (q *rewriting) Title() string {
	if q.talk.settings.Kind == redirector.Lines {
		return ""
	}
	return q.request.Method + " " + string(q.request.Target.AppendURL(nil))
}

// Means asks the policy that the proxy asks.
func (q *rewriting) Means(answer []byte, err error) Meaning {
	var st redirector.State
	var memory decision.Memory
	q.request.Asked++
	d := q.talk.policy.Interpret(q.request, answer, err, &st, &memory)
	m := Meaning{Does: errpage.Verdict(d), Again: d.Action == engine.Ask, Fault: st.Complaint()}
	if st.Steers() {
		hop := engine.Direct(q.request)
		q.talk.policy.Steer(&st, &hop)
		m.Does = "goes to the server " + string(hop.Host)
	} else if d.Action == engine.Proceed && st.Matters() {
		m.Does += " with other header fields"
	}
	if d.Action == engine.Serve && d.Reply.Page == "" {
		m.Does = fmt.Sprintf("%d, a page of the helper's", d.Reply.Status)
	}
	s := q.talk.settings
	if d.Action == engine.Proceed && (m.Fault != "" || err != nil || s.Kind == redirector.Lines && bytes.HasPrefix(answer, []byte("BH"))) {
		m.Does += " unfiltered (" + s.Failure() + ")"
	}
	if err == nil && s.Kind == redirector.Lines && s.Children.Concurrency == 0 {
		m.expectNumbers(q.line, answer)
	}
	return m
}
