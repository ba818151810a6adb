package packets

import (
	"fmt"
	"strconv"
	"strings"

	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
	"exaproxy/engine"
)

// flows are what qos_flows says of types of service, or of marks. The zero Flows say nothing.
type flows struct {
	hits      bool // there is a value for hits: those of a cache, which is not here, and those told by ICP, which nobody is asked by
	preserves bool // what comes from the server goes on to the client
	miss      uint32
	overrides uint32 // the bits that are of miss, whatever comes from the server
	masked    bool   // miss-mask= is there, and
	passes    uint32 // these bits alone go on
}

// A quality is one of the two that qos_flows is about.
type quality struct {
	flows *flows
	name  string // in messages
	all   uint32 // its bits
}

// active says whether packets to clients that are answered bear what is said here, even if that is 0.
func (f *flows) active() bool { return f.hits || f.preserves || f.miss != 0 }

// fixed are the bits that packets bear wherever the reply comes from.
func (f *flows) fixed() uint32 { return f.miss & f.overrides }

// kept are the bits that are what they were on the connection to the server.
func (f *flows) kept(all uint32) uint32 {
	if !f.preserves {
		return 0
	}
	if f.masked {
		all = f.passes
	}
	return all &^ f.overrides
}

const (
	allTOS   = 0xff
	allMarks = 0xffffffff
)

// setFlows takes a line of qos_flows. Lines add to each other.
func (s *Settings) setFlows(c *directive.Context, l *conf.Line) error {
	if len(l.Tokens) == 0 {
		c.Say(1, "NOTICE: qos_flows alone has no effect: it is qos_flows tos or qos_flows mark")
		return nil
	}
	q, options := quality{&s.flowTOS, "TOS", allTOS}, l.Tokens
	switch first := l.Tokens[0].Text; first {
	case "mark":
		q, options = quality{&s.flowMark, "mark", allMarks}, options[1:]
	case "tos":
		options = options[1:]
	}
	q.flows.preserves = true
	for _, t := range options {
		if err := q.set(c, t.Text); err != nil {
			return err
		}
	}
	return nil
}

// set takes one option.
func (q *quality) set(c *directive.Context, option string) error {
	f := q.flows
	name, value, _ := strings.Cut(option, "=")
	switch name {
	case "local-hit", "sibling-hit", "parent-hit":
		v, err := q.read(name, value)
		f.hits = f.hits || v != 0
		return err
	case "miss":
		return q.setMiss(c, value)
	case "disable-preserve-miss":
		if f.masked {
			return conf.Invalid{"ERROR: miss-mask feature cannot be set with disable-preserve-miss"}
		}
		f.preserves = false
		return nil
	case "miss-mask":
		if !f.preserves {
			return conf.Invalid{"ERROR: miss-mask feature cannot be set without miss-preservation enabled"}
		}
		v, err := q.read("miss-mark", value) // as Squid calls it
		f.masked, f.passes = true, v
		return err
	}
	return conf.Invalid{fmt.Sprintf("ERROR: qos_flows: unknown option '%s' (tos or mark stands first)", option)}
}

// setMiss takes a value, and behind a slash which of its bits count.
func (q *quality) setMiss(c *directive.Context, text string) (err error) {
	value, mask, masked := strings.Cut(text, "/")
	if q.flows.miss, err = q.read("miss", value); err != nil {
		return err
	}
	if q.flows.overrides = q.all; masked {
		n, err := strconv.ParseUint(mask, 0, 32)
		if err != nil || uint32(n) > q.all {
			c.Say(0, "ERROR: Bad %s miss mask value %s. Using 0x%X instead.", q.name, mask, q.all)
			return nil
		}
		q.flows.overrides = uint32(n)
	}
	return nil
}

func (q *quality) read(option, value string) (uint32, error) {
	n, err := strconv.ParseUint(value, 0, 32)
	if err != nil || uint32(n) > q.all {
		return 0, conf.Invalid{fmt.Sprintf("ERROR: Bad %s %s value %s", q.name, option, value)}
	}
	return uint32(n), nil
}

// finishFlows says what is not as a reader may think. Packets of TCP do not tell us what they have borne (Linux has IP_RECVTOS for
// datagrams, and IP_PKTOPTIONS says 0 of a connection that we have made).
func (s *Settings) finishFlows(c *directive.Context) {
	if s.flowTOS.hits || s.flowMark.hits {
		c.Say(1, "NOTICE: what qos_flows says of hits is never given: nothing is served from a cache, and no peer is asked by ICP what it has; all replies are misses")
	}
	if f := &s.flowTOS; f.active() && f.tos() != int(f.fixed()) {
		c.Say(1, "WARNING: qos_flows tos: Tos value '%d' adjusted to '%d'", f.fixed(), f.tos())
	}
	if f := &s.flowTOS; f.kept(allTOS)&^3 != 0 {
		c.Say(1, "WARNING: qos_flows tos: Linux does not tell which type of service the packets of a server bear, so that those to the client of its reply bear %#x; write miss= for another value", f.tos())
	}
}

// tos is the type of service of replies. Its two lowest bits are the kernel's.
func (f *flows) tos() int { return int(f.fixed()) &^ 3 }

// replyPackets are what packets to clients that are answered bear; nil: what they have borne before.
func (s *Settings) replyPackets() *engine.ReplyPackets {
	if !s.flowTOS.active() && !s.flowMark.active() {
		return nil
	}
	p := &engine.ReplyPackets{TOS: -1, Mark: -1}
	if f := &s.flowTOS; f.active() {
		p.TOS = f.tos()
	}
	if f := &s.flowMark; f.active() {
		p.Mark, p.Kept = int(f.fixed()), f.kept(allMarks)
	}
	return p
}
