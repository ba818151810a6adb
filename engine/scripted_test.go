package engine

import (
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"exaproxy/engine/h1"
	"exaproxy/engine/loop"
	"exaproxy/engine/loop/looptest"
	"exaproxy/helper"

	"github.com/miekg/dns"
)

// scripted is a policy that answers what the test has set, and notes what it was asked.
type scripted struct {
	DefaultPolicy
	calls []string

	complete  func(*Request) *Failure // nil: nothing is
	admit     Decision
	line      string // of Question
	question  Action
	interpret Decision
	bump      []Bump       // the answers, one after the other
	route     *Route       // nil: the default's
	forbidden []netip.Addr // Permit says no
	edit      func(*h1.Header, Direction)
	page      func(*Failure) LocalReply // nil: the default's
	logFull   bool
	records   []Record // shallow copies
	recorded  []string // whose requests they are
}

func (s *scripted) note(format string, a ...any) {
	s.calls = append(s.calls, fmt.Sprintf(format, a...))
}

func (s *scripted) Complete(r *Request) *Failure {
	if s.complete == nil {
		return nil
	}
	return s.complete(r)
}

func (s *scripted) Admit(*Request) Decision {
	s.note("admit")
	return s.admit
}

func (s *scripted) Question(*Request) ([]byte, Action) {
	s.note("question")
	return []byte(s.line), s.question
}

func (s *scripted) Interpret(_ *Request, answer []byte, err error) Decision {
	s.note("interpret %q %v", answer, err)
	return s.interpret
}

func (s *scripted) Bump(r *Request) Bump {
	s.note("bump at %d", r.TLS.Step)
	b := s.bump[0]
	s.bump = s.bump[1:]
	return b
}

func (s *scripted) Route(r *Request, failed []Attempt) Route {
	s.note("route after %d", len(failed))
	if s.route != nil {
		return *s.route
	}
	return s.DefaultPolicy.Route(r, failed)
}

func (s *scripted) Permit(_ *Request, _ *Hop, to netip.AddrPort) *Failure {
	if slices.Contains(s.forbidden, to.Addr()) {
		return &Failure{Kind: Refused, Side: OurSide, Remote: to, Err: errTest}
	}
	return nil
}

func (s *scripted) Edit(_ *Request, h *h1.Header, d Direction) {
	s.note("edit %d", d)
	if s.edit != nil {
		s.edit(h, d)
	}
}

func (s *scripted) Page(r *Request, f *Failure) LocalReply {
	s.note("page %s", f.Kind)
	if s.page != nil {
		return s.page(f)
	}
	return s.DefaultPolicy.Page(r, f)
}

func (s *scripted) LogReady(*loop.Waker) bool { return !s.logFull }

func (s *scripted) Record(rec *Record) {
	s.records = append(s.records, *rec)
	r := rec.Request
	s.recorded = append(s.recorded, fmt.Sprintf("%s %s from %s", r.Method, r.Target.Host, r.Client))
}

// children are a helper whose process the test plays.
type children struct {
	kernel *looptest.Kernel
	once   sync.Once
	sys    int
	far    *looptest.End
	ended  chan string
}

func (c *children) config() *helper.Config {
	c.sys, c.far = c.kernel.Pair()
	c.ended = make(chan string, 1)
	return &helper.Config{Name: "judge", Argv: []string{"/bin/judge"}, Children: 1, Startup: 1, Spawn: c}
}

func (c *children) Spawn(*helper.Config, int) (helper.Process, error) { return c, nil }

func (c *children) Questions() int { return c.sys }
func (c *children) Answers() int   { return c.sys }
func (c *children) PID() int       { return 1001 }

// Wait implements helper.Process; the helper reads its input at once.
func (c *children) Wait(ready func()) helper.Ending {
	ready()
	return helper.Ending{How: <-c.ended}
}

func (c *children) Kill(time.Duration) { c.end() }
func (c *children) Sweep()             {}
func (c *children) Look(func(bool))    {}

// end ends the process.
func (c *children) end() {
	c.once.Do(func() {
		c.far.Close()
		c.ended <- "exit status 0"
		close(c.ended) // one that takes its place ends too
	})
}

// namesSay answers what the name server was asked: so, or with addresses.
func (p *played) namesSay(code int, addrs ...string) {
	p.t.Helper()
	from, query, asked := p.names.Receive()
	if !asked {
		p.t.Fatal("the name server was not asked")
	}
	q := new(dns.Msg)
	if err := q.Unpack(query); err != nil {
		p.t.Fatal(err)
	}
	m := new(dns.Msg).SetRcode(q, code)
	m.RecursionAvailable = true
	for _, a := range addrs {
		head := dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 300}
		m.Answer = append(m.Answer, &dns.A{Hdr: head, A: netip.MustParseAddr(a).AsSlice()})
	}
	packed, err := m.Pack()
	if err != nil {
		p.t.Fatal(err)
	}
	p.names.Send(from, packed)
	p.turn()
}

// unasked checks that the name server was not asked.
func (p *played) namesUnasked() {
	p.t.Helper()
	if _, _, asked := p.names.Receive(); asked {
		p.t.Error("the name server was asked")
	}
}

func dialSpec(to netip.AddrPort) loop.DialSpec { return loop.DialSpec{Type: loop.Stream, Remote: to} }
