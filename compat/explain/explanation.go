package explain

import (
	"exaproxy/compat/acl"
	"exaproxy/engine"
)

// An Explanation is what would become of a request, in the order in which it is decided.
type Explanation struct {
	Request string `json:"request"` // "GET http://…"
	Client  string `json:"client"`
	User    string `json:"user,omitempty"`
	// For is whom the client is taken for, by what it says (X-Forwarded-For) and the configuration believes.
	For      string `json:"for,omitempty"`
	Original string `json:"original,omitempty"` // whom it wanted to reach, if it was diverted to the proxy

	Lists  []List  `json:"lists"` // that were asked, http_access first
	Access string  `json:"access"`
	Helper *Helper `json:"helper,omitempty"`
	Hop    *Hop    `json:"hop,omitempty"`
	Tunnel string  `json:"tunnel,omitempty"` // what ssl_bump does first
	Page   *Page   `json:"page,omitempty"`
	Notes  []Note  `json:"notes,omitempty"`

	Fate     Fate     `json:"fate"`
	Outcome  string   `json:"outcome"`            // in one sentence
	Messages []string `json:"messages,omitempty"` // what cache.log would have
}

// Fate is what becomes of a request.
type Fate string

const (
	Untold  Fate = "cannot be told"
	Passes  Fate = "passes"
	Refused Fate = "does not pass" // it is refused, redirected, answered by the proxy itself, or cannot be forwarded
)

// A List is an access list, and how it comes to its answer.
type List struct {
	Directive string `json:"directive"`
	Answer    string `json:"answer"`
	Implied   bool   `json:"implied"`           // no line matched: the opposite of the last one's action
	Unknown   bool   `json:"unknown,omitempty"` // nobody can tell whether the last line matches
	Lines     []Line `json:"lines"`             // that were looked at
}

// A Line is one line of a list.
type Line struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Text    string `json:"text"`
	Decides bool   `json:"decides"`
	Reports bool   `json:"reports,omitempty"` // it would decide, but for report_only
	ACLs    []ACL  `json:"acls"`
}

// An ACL is one that was looked at on a line.
type ACL struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Depth   int    `json:"depth,omitempty"` // in how many groups
	Outcome string `json:"outcome"`
	Saw     string `json:"saw,omitempty"`
	Value   string `json:"value,omitempty"`
}

// A Helper is the question to the url_rewrite_program or reqmod_program, and what came of it.
type Helper struct {
	Program string `json:"program"` // the directive
	Line    string `json:"line"`
	Answer  string `json:"answer"`
	Error   string `json:"error,omitempty"`
	Means   string `json:"means"`
}

// A Hop is where a request goes.
type Hop struct {
	Host      string    `json:"host"`
	Port      uint16    `json:"port"`
	Proxy     bool      `json:"proxy"`
	TLS       string    `json:"tls,omitempty"` // the server's name
	Hierarchy string    `json:"hierarchy"`
	Addresses []Address `json:"addresses"`
	Error     string    `json:"error,omitempty"` // why there is no way
}

// An Address is one of a hop's.
type Address struct {
	Address string `json:"address"`
	Refused string `json:"refused,omitempty"` // why it is not connected to (guard)
}

// A Page is an answer of the proxy's own.
type Page struct {
	Status   int    `json:"status"`
	Name     string `json:"name,omitempty"`
	Location string `json:"location,omitempty"`
	Connect  string `json:"connect,omitempty"` // how the client of a CONNECT learns of it
}

// A Note is what was noted of a request, for the log.
type Note struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// connectVerdicts are how clients of a CONNECT learn of a verdict.
var connectVerdicts = [...]string{
	engine.ConnectPage:     "as a page in plaintext inside the tunnel",
	engine.ConnectRedirect: "as the answer to the CONNECT, which browsers do not show",
	engine.ConnectClose:    "not at all: the connection is closed",
	engine.ConnectBump:     "as a page inside TLS",
}

var bumps = [...]string{
	engine.BumpSplice: "splice", engine.BumpPending: "", engine.BumpPeek: "peek", engine.BumpStare: "stare",
	engine.BumpClientFirst: "client-first", engine.BumpServerFirst: "bump", engine.BumpTerminate: "terminate",
}

var answers = [...]string{
	acl.Deny: "deny", acl.Allow: "allow", acl.Pending: "has to wait", acl.Challenge: "needs to know the user",
	acl.Unknown: "nobody can tell",
}

// newList is a trace as it is told.
func newList(t *acl.Trace) List {
	l := List{Directive: t.List, Answer: answers[t.Answer], Implied: t.Implied, Unknown: t.Unknown, Lines: []Line{}}
	for _, rule := range t.Rules {
		line := Line{File: rule.At.File, Line: rule.At.Line, Text: rule.Text, Decides: rule.Decides, Reports: rule.Reports, ACLs: []ACL{}}
		for _, term := range rule.Terms {
			line.ACLs = append(line.ACLs, ACL{term.ACL, term.Type, term.Depth, term.Outcome, term.Saw, term.Value})
		}
		l.Lines = append(l.Lines, line)
	}
	return l
}
