package acl

import (
	"strings"
	"time"

	"exaproxy/compat/conf"
)

// A Trace is how one Match came to its answer.
type Trace struct {
	List   string // the directive
	Rules  []RuleTrace
	Answer Answer
	// Implied says that no line matched: the answer is the opposite of the last line's action.
	Implied bool
	// Unknown says that nobody can tell whether the last line matches: the list has an answer for that.
	Unknown bool

	depth int
}

// A RuleTrace is a line that was looked at.
type RuleTrace struct {
	At    conf.Pos
	Text  string // as it stands in the file
	Terms []TermTrace
	// Decides says that all its acls matched, so that it is the answer.
	Decides bool
	Reports bool // they did, and the line only reports
}

// A TermTrace is an acl that was looked at, on a line or in a group.
type TermTrace struct {
	ACL, Type string
	Depth     int    // 0: on the line; 1: in a group on it; …
	Outcome   string // one of outcomes
	Saw       string // what it looked at; "" if nobody can tell
	Value     string // which of its values matched; "" if nobody can tell
}

// observed is match with somebody who wants to know.
func (l *List) observed(p *Place) Answer {
	p.trace = &Trace{List: l.directive}
	answer := l.match(p)
	t := p.trace
	p.trace = nil
	t.Answer = answer
	t.Implied = answer != Pending && answer != Challenge && !t.Unknown && (len(t.Rules) == 0 || !t.Rules[len(t.Rules)-1].Decides)
	p.Observe(t)
	return answer
}

// begin begins with a line.
func (t *Trace) begin(r *rule) {
	t.Rules = append(t.Rules, RuleTrace{At: r.at, Text: r.text})
}

// unknown says that nobody can tell of the present line.
func (t *Trace) unknown() { t.Unknown = true }

// decides says that the present line does.
func (t *Trace) decides() { t.Rules[len(t.Rules)-1].Decides = true }

// test tests an acl, and notes what came of it.
func (t *Trace) test(a *namedTest, p *Place) outcome {
	rule := &t.Rules[len(t.Rules)-1]
	at := len(rule.Terms)
	rule.Terms = append(rule.Terms, TermTrace{ACL: a.name, Type: a.typeName, Depth: t.depth})
	t.depth++
	result := p.test(a.test)
	t.depth--
	term := &rule.Terms[at]
	term.Outcome = outcomes[result]
	if _, ok := a.test.(*markTest); ok && result == unknown {
		term.Outcome = "may match or not: nobody knows the mark of the client's connection"
	}
	if result == match || result == mismatch || result == unknown {
		term.Saw = a.saw(p)
	}
	if result == match {
		term.Value = a.valueThatMatches(p)
	}
	return result
}

var outcomes = [...]string{
	mismatch: "does not match", match: "matches", wait: "has to wait", challenge: "needs to know the user",
	unknown: "may match or not: its helper does not tell",
}

// saw is what an acl of a type looks at.
func (a *namedTest) saw(p *Place) string {
	r := p.request
	switch a.typeName {
	case "src":
		return r.Client.Addr().Unmap().String()
	case "localip":
		return r.Local.Addr().Unmap().String()
	case "dst":
		var all []string
		for _, addr := range r.Judged.Addrs {
			all = append(all, addr.String())
		}
		return strings.Join(all, " ")
	case "dstdomain", "dstdom_regex":
		return string(p.host())
	case "url_regex":
		return string(p.unescapedURL())
	case "urlpath_regex":
		return string(p.path())
	case "port":
		return string(p.target.AppendHost(nil))
	case "method":
		return r.Method
	case "proto":
		return p.target.Scheme
	case "proxy_auth", "proxy_auth_regex":
		return r.User
	case "ext_user", "ext_user_regex":
		return r.External.User
	case "tag":
		return r.External.Tag
	case "browser":
		return string(r.Header.Get("User-Agent"))
	case "referer_regex":
		return string(r.Header.Get("Referer"))
	case "myportname":
		return r.Port.Name
	case "max_user_ip":
		if p.Addresses != nil {
			return "one address: explain does not know where the user came from before"
		}
	case "time":
		return r.Started.Format(time.RFC1123)
	case "external":
		if t, ok := a.test.(*externalTest); ok && p.Externals != nil {
			return string(p.Externals.Question(&t.ExternalACL, r))
		}
	}
	return ""
}

// keptValues are those of one line of an acl.
type keptValues struct {
	flags map[string]bool
	items []conf.Item
}

// keep keeps the values of a line, if the Set does.
func (a *namedTest) keep(v *values) {
	if v.set.Keep {
		a.kept = append(a.kept, keptValues{v.flags, v.items})
	}
}

// alternatives are the types that match if any of their values does.
var alternatives = map[string]bool{
	"src": true, "dst": true, "localip": true, "dstdomain": true, "dstdom_regex": true, "url_regex": true, "urlpath_regex": true,
	"browser": true, "referer_regex": true, "req_mime_type": true, "port": true, "localport": true, "myportname": true,
	"proto": true, "method": true, "proxy_auth": true, "proxy_auth_regex": true, "ext_user": true, "ext_user_regex": true, "tag": true,
	"ssl::server_name": true, "ssl::server_name_regex": true,
}

// valueThatMatches finds it by halves, with acls of the same type that have fewer and fewer values.
func (a *namedTest) valueThatMatches(p *Place) string {
	for _, line := range a.kept {
		switch _, isGroup := a.test.(*group); {
		case isGroup:
			return "" // its members tell
		case !alternatives[a.typeName]:
			return wordsOf(line.items)
		}
		from, to := 0, len(line.items)
		if !a.matchesWith(line, from, to, p) {
			continue
		}
		for to-from > 1 {
			half := (from + to) / 2
			if a.matchesWith(line, from, half, p) {
				to = half
			} else {
				from = half
			}
		}
		return wordsOf(line.items[from:to])
	}
	return ""
}

// matchesWith says whether an acl would match that has the values of a line from one place to another.
func (a *namedTest) matchesWith(line keptValues, from, to int, p *Place) bool {
	before, trace := len(p.matched), p.trace
	defer func() { p.matched, p.trace = p.matched[:before], trace }()
	p.trace = nil
	test := types[a.typeName].new()
	v := &values{set: &Set{Schemes: func() bool { return true }}, line: &conf.Line{}, acl: a.name, flags: line.flags}
	for i := from - 1; i >= 0; i-- { // what is in force there
		if text := line.items[i].Text; text == "-i" || text == "+i" {
			v.items = append(v.items, line.items[i])
			break
		}
	}
	v.items = append(v.items, line.items[from:to]...)
	if err := test.add(v); err != nil || test.empty() {
		return false
	}
	test.finish(a.name)
	return test.match(p) == match
}

// wordsOf are some values as they may stand in a file, of many the first.
func wordsOf(items []conf.Item) string {
	const most = 8
	var words []string
	for i, item := range items {
		if i == most {
			return strings.Join(words, " ") + " …"
		}
		words = append(words, item.Text)
	}
	if len(items) == 1 && items[0].Pos.File != "" {
		return words[0] + " at " + items[0].Pos.String()
	}
	return strings.Join(words, " ")
}
