package packets

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"exaproxy/compat/acl"
	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
	"exaproxy/engine"
)

// Settings are what a configuration says of packets.
type Settings struct {
	local    [2]choice[netip.Addr] // tcp_outgoing_address, of IPv4 and IPv6
	tos      choice[int]           // tcp_outgoing_tos
	mark     choice[int]           // tcp_outgoing_mark
	client   choice[int]           // clientside_tos
	toClient choice[int]           // mark_client_packet
	headers  choice[version]       // proxy_protocol_out

	flowTOS, flowMark flows // qos_flows

	toConnection choice[engine.MarkChange] // mark_client_connection
	// ReadsConnMarks says that there are acls of the type client_connection_mark.
	ReadsConnMarks bool
}

// A choice is lines that each have a value and acls. The first whose acls all match decides.
type choice[V any] []line[V]

type line[V any] struct {
	value V
	when  *acl.List
	known bool // nobody waits for its acls
}

// A version is that of PROXY headers.
type version byte

// Directives are the setters.
func (s *Settings) Directives() directive.Set {
	return directive.Set{
		"tcp_outgoing_address": s.setAddress,
		"tcp_outgoing_tos":     setter(&s.tos, readTOS),
		"clientside_tos":       setter(&s.client, readTOS),
		"tcp_outgoing_mark":    setter(&s.mark, readMark),
		"mark_client_packet":   setter(&s.toClient, readMark),
		"proxy_protocol_out":   setter(&s.headers, readVersion),
		"qos_flows":            s.setFlows,

		"mark_client_connection": setter(&s.toConnection, readChange),
	}
}

// Marks says whether packets are marked for the packet filter, for which the proxy needs a right of root's.
func (s *Settings) Marks() bool { return len(s.mark) > 0 || len(s.toClient) > 0 || s.flowMark.active() }

// ConnMarks says whether marks that the packet filter keeps with connections are read or changed, for which the proxy needs
// another.
func (s *Settings) ConnMarks() bool {
	return len(s.toConnection) > 0 || s.ReadsConnMarks || s.flowMark.kept(allMarks) != 0
}

// Finish looks whether acls are about such marks.
func (s *Settings) Finish(c *directive.Context) {
	s.ReadsConnMarks = c.ACLs.HasType("client_connection_mark")
	s.finishFlows(c)
}

// Configure has the engine read them, if acls are about them, and mark packets once a request is answered.
func (s *Settings) Configure(c *engine.Config) {
	c.ConnMarks, c.ReplyPackets = s.ReadsConnMarks, s.replyPackets()
}

// Empty says whether nothing is configured that depends on the request.
func (s *Settings) Empty() bool {
	return len(s.local[0])+len(s.local[1])+len(s.tos)+len(s.mark)+len(s.client)+len(s.toClient)+len(s.headers)+len(s.toConnection) == 0
}

// setter makes the setter of a directive whose value is read by read.
func setter[V any](into *choice[V], read func(c *directive.Context, l *conf.Line, word string) (V, error)) directive.Setter {
	return func(c *directive.Context, l *conf.Line) error {
		word, err := firstWord(l)
		if err != nil {
			return err
		}
		v, err := read(c, l, word)
		if err != nil {
			return err
		}
		return into.add(c, l, v)
	}
}

func firstWord(l *conf.Line) (string, error) {
	if len(l.Tokens) == 0 {
		return "", conf.Invalid(nil)
	}
	return l.Tokens[0].Text, nil
}

// add adds a line whose acls stand behind its first word. Names are looked up for them; helpers are not asked.
func (ch *choice[V]) add(c *directive.Context, l *conf.Line, v V) error {
	when, err := c.Conditions(l, 1)
	if err != nil {
		return err
	}
	c.SayKnown(l, when)
	*ch = append(*ch, line[V]{v, when, when.AsksHelpers()})
	return nil
}

// setAddress takes an address, or the name of a host, whose first address counts.
func (s *Settings) setAddress(c *directive.Context, l *conf.Line) error {
	word, err := firstWord(l)
	if err != nil {
		return err
	}
	addr, err := netip.ParseAddr(word)
	if err != nil {
		found, failed := net.LookupHost(word)
		if failed != nil || len(found) == 0 {
			return conf.Invalid{fmt.Sprintf("FATAL: invalid IP address or domain name '%s'", word)}
		}
		if addr, err = netip.ParseAddr(found[0]); err != nil {
			return conf.Invalid{fmt.Sprintf("FATAL: invalid IP address or domain name '%s'", word)}
		}
	}
	if addr = addr.Unmap(); addr.IsUnspecified() {
		return conf.Invalid{fmt.Sprintf("FATAL: %s: %s is no address to connect from", l.Name, word)}
	}
	if addr.Is4() {
		return s.local[0].add(c, l, addr)
	}
	return s.local[1].add(c, l, addr)
}

// readTOS reads a type of service. Its two lowest bits are those of congestion notification, and the kernel's.
func readTOS(c *directive.Context, l *conf.Line, word string) (int, error) {
	n, err := strconv.ParseUint(word, 0, 8)
	if err != nil {
		return 0, conf.Invalid{fmt.Sprintf("ERROR: %s: '%s' is no type of service from 0 to 255", l.Name, word)}
	}
	tos := int(n) &^ 3
	if tos != int(n) {
		c.Say(1, "WARNING: Tos value '%d' adjusted to '%d'", n, tos)
	}
	return tos, nil
}

// readMark reads a mark for the packet filter.
func readMark(_ *directive.Context, l *conf.Line, word string) (int, error) {
	digits, _, masked := strings.Cut(word, "/")
	if masked {
		return 0, conf.Invalid{fmt.Sprintf("ERROR: '%s' does not support masked marks", l.Name)}
	}
	n, err := strconv.ParseUint(digits, 0, 32)
	if err != nil {
		return 0, conf.Invalid{fmt.Sprintf("ERROR: NfMarkConfig: invalid value '%s' in '%s'", digits, word)}
	}
	return int(n), nil
}

// readChange reads a mark for a connection, and which of its bits are cleared before.
func readChange(_ *directive.Context, _ *conf.Line, word string) (engine.MarkChange, error) {
	m, err := acl.ParseMark(word)
	return engine.MarkChange(m), err
}

func readVersion(_ *directive.Context, l *conf.Line, word string) (version, error) {
	switch word {
	case "v1":
		return 1, nil
	case "v2":
		return 2, nil
	case "none":
		return 0, nil
	}
	return 0, conf.Invalid{fmt.Sprintf("ERROR: %s: '%s' is none of v1, v2 and none", l.Name, word)}
}
