package manager

import (
	"bytes"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"exaproxy/compat/conf"
	"exaproxy/compat/decision"
	"exaproxy/compat/errpage"
	"exaproxy/compat/logformat"
	"exaproxy/engine"
	"exaproxy/engine/h1"
	"exaproxy/engine/loop"
)

// A Config is what the policy of one worker is made of.
type Config struct {
	Settings   *Settings
	Services   engine.Services
	Workers    *Workers
	Pages      *errpage.Policy
	Ports      []engine.Port // that we can be asked by
	Whitespace h1.Whitespace // uri_whitespace
	Helpers    []string      // the names of the pools of helpers that are configured
	Peers      func() []Peer
	Users      func() []User    // whom the worker remembers; nil: nobody can prove who he is
	Remembered func(string) int // how many answers of an external acl type the worker remembers
	Clients    bool             // client_db: requests are counted by client
	Version    conf.Version     // of the Squid whose pages these are
	Results    logformat.Results
}

// A Policy answers requests for the cache manager, and counts what it tells. It belongs to the worker's goroutine.
type Policy struct {
	Config
	authority []byte // our host and first port
	counts    *counts
	warnings  loop.Limiter // of passwords that are not right
}

// NewPolicy makes the policy of one worker. It goes on with what its predecessor has counted.
func NewPolicy(c Config) *Policy {
	p := &Policy{Config: c, authority: fmt.Appendf(nil, "%s:%d", c.Pages.Identity.Host, c.Pages.Identity.Port)}
	p.counts = countsOf(&c.Services)
	p.counts.byClient(c.Clients)
	c.Workers.join(p)
	return p
}

// Close ends what the policy has begun.
func (p *Policy) Close() { p.Workers.leave(p) }

// cacheObject is the scheme that Squid had for the manager until 6.
const cacheObject = "cache_object"

// Refuses says whether a request is of that scheme where Squid has it no more.
func (p *Policy) Refuses(r *engine.Request) bool {
	return p.Version >= conf.Squid7 && r.Target.Scheme == cacheObject
}

// Refuse refuses such a request: as a URL of a scheme that nobody knows.
func (p *Policy) Refuse(m *decision.Memory) engine.Decision {
	gone := &h1.SyntaxError{Kind: h1.UnsupportedScheme, What: cacheObject + " in Squid 7"}
	return m.Refuse(engine.Failure{Kind: engine.BadRequest, Side: engine.ClientSide, Err: gone})
}

// place is how the path of a manager's page begins.
var place = []byte("/squid-internal-mgr")

// Asks says whether a request is for the manager, in either of the ways in which Squid is asked for it. The target of one
// that names a path alone becomes a URL at our host, so that access lists and logs see one.
func (p *Policy) Asks(r *engine.Request) bool {
	t := &r.Target
	switch {
	case t.Scheme == cacheObject:
		return true
	case r.TLS != nil || !bytes.HasPrefix(t.Path, place): // inside a tunnel it is some server's
		return false
	case t.Form == h1.Origin:
		return r.Locate("http", p.authority, p.Whitespace) == nil
	}
	return t.Form == h1.Absolute && p.isOurs(string(t.Host)) && p.isPort(r, t.Port)
}

func (p *Policy) isOurs(host string) bool {
	same := func(name string) bool { return strings.EqualFold(name, host) }
	return same(p.Pages.Identity.Host) || slices.ContainsFunc(p.Settings.aliases, same)
}

// isPort says whether a port is one of ours.
func (p *Policy) isPort(r *engine.Request, port uint16) bool {
	return port == r.Local.Port() || slices.ContainsFunc(p.Ports, func(o engine.Port) bool { return o.Addr.Port() == port })
}

// State is what is kept of a request for the manager.
type State struct{ survey *survey }

// Begun says whether http_access has let it pass, and workers are asked.
func (s *State) Begun() bool { return s.survey != nil }

// Reset ends what was begun for a request.
func (s *State) Reset() {
	s.survey.end()
	*s = State{}
}

// Answer answers a request that Asks for a page, and that http_access has allowed. It waits for the other workers.
func (p *Policy) Answer(r *engine.Request, st *State, m *decision.Memory) engine.Decision {
	if st.survey == nil {
		name, word := asked(r)
		pg := find(name)
		if pg == nil || !p.has(pg) {
			return p.refuse(r, m, "ERR_INVALID_URL", 404, nil)
		}
		if !p.opens(pg.name, word) {
			p.warn(r, pg.name, word)
			realm := fmt.Appendf(nil, "WWW-Authenticate: Basic realm=\"%s\"\r\n", pg.name)
			return p.refuse(r, m, "ERR_CACHE_MGR_ACCESS_DENIED", 401, realm)
		}
		st.survey = p.ask(pg, r.Waker)
	}
	if !st.survey.over() {
		return engine.Decision{Action: engine.Pending}
	}
	p.show(r, st.survey, m)
	return m.Serve()
}

// has says whether a page is there to be seen: what it tells of is configured, and nobody has disabled it.
func (p *Policy) has(pg *page) bool {
	return (pg.when == nil || pg.when(p)) && (p.protection(pg) == "public" || p.protection(pg) == "protected")
}

// protection is Squid's word for who may see a page.
func (p *Policy) protection(pg *page) string {
	switch word, ok := p.Settings.password(pg.name); {
	case !ok && pg.private:
		return "hidden"
	case !ok, word == noPassword:
		return "public"
	case word == disabled:
		return "disabled"
	}
	return "protected"
}

// opens says whether somebody who has given a password may see a page.
func (p *Policy) opens(name string, given []byte) bool {
	word, ok := p.Settings.password(name)
	return !ok || word == noPassword || subtle.ConstantTimeCompare([]byte(word), given) == 1
}

// asked is the page that is asked for, and the password that was given; nil: none.
func asked(r *engine.Request) (name string, word []byte) {
	rest, _, _ := bytes.Cut(r.Target.Path, []byte("?"))
	if r.Target.Scheme == cacheObject {
		rest, word = bytes.TrimPrefix(rest, []byte("/")), behindPage(r.RawTarget)
		if len(rest) == 0 {
			rest = []byte("menu") // as squidclient asks for it
		}
	} else {
		rest = bytes.TrimPrefix(rest, place)
		if len(rest) == 0 || rest[0] != '/' {
			return "", nil
		}
		rest = rest[1:]
	}
	if len(word) == 0 {
		word = ofBasic(r.Header.Get("Authorization"))
	}
	return string(rest), word
}

// behindPage is the password in cache_object://HOST/PAGE@PASSWORD, which is no part of the Target, so that nobody else sees it.
func behindPage(raw []byte) []byte {
	_, rest, _ := bytes.Cut(raw, []byte("://"))
	if path := bytes.IndexByte(rest, '/'); path >= 0 {
		_, word, _ := bytes.Cut(rest[path:], []byte("@"))
		return word
	}
	return nil
}

// ofBasic is the password of credentials (RFC 7617), whoever the user; nil if there are none.
func ofBasic(field []byte) []byte {
	scheme, text, _ := bytes.Cut(field, []byte(" "))
	if !strings.EqualFold(string(scheme), "Basic") {
		return nil
	}
	plain, err := base64.StdEncoding.DecodeString(string(bytes.Trim(text, " \t")))
	if err != nil {
		return nil
	}
	_, word, _ := bytes.Cut(plain, []byte(":"))
	return word
}

// lookup is what Cache-Status says of the manager's answers: what is asked for by cache_object is not looked for.
func lookup(r *engine.Request) errpage.Lookup {
	if r.Target.Scheme == cacheObject {
		return errpage.NotAsked
	}
	return errpage.NotFound
}

func (p *Policy) refuse(r *engine.Request, m *decision.Memory, name string, status int, challenge []byte) engine.Decision {
	m.Failure = engine.Failure{Kind: engine.Unsupported, Side: engine.OurSide, Page: name}
	p.Pages.WriteLookedUp(m, r, &m.Failure, name, status, lookup(r), challenge)
	return m.Serve()
}

// warn tells of a password that is missing or wrong, as Squid does.
func (p *Policy) warn(r *engine.Request, name string, word []byte) {
	what := "password needed"
	if len(word) > 0 {
		what = "incorrect password"
	}
	if more, ok := p.warnings.Allow(p.Services.Loop.Now(), time.Second); ok {
		p.Services.Log.Warn(fmt.Sprintf("CacheManager: unknown@%s: %s for '%s'%s", r.Sender(), what, name, loop.SinceLast(more)))
	}
}

// media is the type of every page.
const media = "text/plain;charset=utf-8"

// show writes the page that workers were asked about.
func (p *Policy) show(r *engine.Request, s *survey, m *decision.Memory) {
	rep := &report{p: p, request: r, out: m.Reply.Body[:0]}
	s.page.write(rep, s.parts())
	if late := s.missing(); late > 0 {
		rep.printf("\n%d of %d workers did not answer within %v: what they would tell is not here.\n", late, len(s.answers), patience)
	}
	fields := p.Pages.Identity.AppendReport(m.Reply.Fields[:0], media, len(rep.out), lookup(r), p.Services.Loop.Now())
	m.Reply = engine.LocalReply{Status: 200, Fields: fields, Body: rep.out, ContentType: media}
}
