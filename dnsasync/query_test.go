package dnsasync

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

func two() Config   { return Config{Servers: []netip.AddrPort{at(1), at(2)}, IPv4Only: true} }
func three() Config { return Config{Servers: []netip.AddrPort{at(1), at(2), at(3)}, IPv4Only: true} }

const record = "www.example. 300 IN A 192.0.2.1"

func TestRetransmitsToTheNextServer(t *testing.T) {
	w := newWorld(t, two())
	first, second := w.nameServer(1), w.nameServer(2)
	c := w.looks("www.example")
	early := first.asked("the first", "A www.example")
	w.passes(4900 * time.Millisecond)
	second.notAsked("before dns_retransmit_interval")
	w.passes(200 * time.Millisecond)
	second.asked("after 5 s the second", "A www.example")
	first.notAsked("one server at a time")
	w.passes(4800 * time.Millisecond)
	first.notAsked("5 s later")
	w.passes(200 * time.Millisecond)
	again := first.asked("the first again", "A www.example")
	w.passes(9 * time.Second)
	second.notAsked("the interval is doubled in the second round")
	w.passes(1200 * time.Millisecond)
	last := second.asked("10 s later the second again", "A www.example")
	if early.Id != again.Id || again.Id != last.Id {
		t.Errorf("identifiers %d, %d, %d; a query keeps its own", early.Id, again.Id, last.Id)
	}
	last.answers(record)
	c.gets("the second answered", "192.0.2.1")
	if stats := w.resolver.Stats(); stats.Retransmits != 3 {
		t.Errorf("%d retransmits, want 3", stats.Retransmits)
	}
}

func TestLateReplyIsAccepted(t *testing.T) {
	w := newWorld(t, two())
	first, second := w.nameServer(1), w.nameServer(2)
	c := w.looks("www.example")
	late := first.asked("the first", "A www.example")
	w.passes(5100 * time.Millisecond)
	second.asked("then the second", "A www.example").says(dns.RcodeServerFailure)
	c.waits("the first is waited for again")
	late.answers(record)
	c.gets("the first answered after all", "192.0.2.1")
}

func TestTimeout(t *testing.T) {
	w := newWorld(t, Config{Servers: []netip.AddrPort{at(1), at(2)}})
	first := w.nameServer(1)
	w.kernel.Blackhole(at(2))
	c := w.looks("www.example")
	for range 29 {
		w.passes(time.Second)
	}
	c.waits("29 s have passed")
	for range 2 {
		w.passes(time.Second)
	}
	if e := c.fails("30 s have passed", Timeout); !e.Server.IsValid() {
		t.Errorf("error %v names no server", e)
	}
	if stats := w.resolver.Stats(); stats.Timeouts != 2 || len(stats.Queue) != 0 {
		t.Errorf("%d timeouts, queue %v; want both families to have timed out", stats.Timeouts, stats.Queue)
	}
	if log := w.log.String(); strings.Count(log, "does not answer") != 2 {
		t.Errorf("each server is to be blamed once in the log: %s", log)
	}
	first.receive()
	first.held = nil
	w.looks("www.example").fails("cached for 5 s", Timeout)
	w.passes(6 * time.Second)
	w.looks("www.example").waits("not for longer")
	first.both("the server is asked again", "www.example", []string{"192.0.2.1"}, nil)
	if log := w.log.String(); strings.Count(log, "answers again") != 1 {
		t.Errorf("that a server is back is to be said once: %s", log)
	}
}

func TestConfiguredTimeouts(t *testing.T) {
	config := two()
	config.Retransmit, config.Timeout = time.Second, 2500*time.Millisecond
	w := newWorld(t, config)
	first, second := w.nameServer(1), w.nameServer(2)
	c := w.looks("www.example")
	first.asked("at once", "A www.example")
	w.passes(1100 * time.Millisecond)
	second.asked("after a second", "A www.example")
	w.passes(1300 * time.Millisecond)
	c.waits("2.4 s")
	w.passes(200 * time.Millisecond)
	c.fails("2.6 s", Timeout)
}

func TestServerThatIsOfNoUse(t *testing.T) {
	for _, row := range []struct {
		name  string
		reply func(*inquiry)
	}{
		{"server failure", func(q *inquiry) { q.says(dns.RcodeServerFailure) }},
		{"refused", func(q *inquiry) { q.says(dns.RcodeRefused) }},
		{"refused, with nothing but a header", func(q *inquiry) {
			m := q.reply(dns.RcodeRefused)
			m.Question = nil
			q.send(m)
		}},
		{"not authoritative", func(q *inquiry) { q.says(dns.RcodeNotAuth) }},
		{"format error, with EDNS", func(q *inquiry) { q.says(dns.RcodeFormatError) }},
		{"referral by one that does not ask others", func(q *inquiry) {
			m := q.reply(dns.RcodeSuccess, "auth example. 300 IN NS ns.example.")
			m.RecursionAvailable = false
			q.send(m)
		}},
		{"nonsense behind the question", func(q *inquiry) {
			data, err := q.reply(dns.RcodeSuccess, record).Pack()
			if err != nil {
				t.Fatal(err)
			}
			q.sendBytes(data[:len(data)-20])
			q.server.w.settle()
		}},
		{"ICMP port unreachable", func(q *inquiry) {
			q.server.udp.Close()
			q.server.w.looks("other.example")
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t, two())
			first, second := w.nameServer(1), w.nameServer(2)
			c := w.looks("www.example")
			row.reply(first.asked("the first", "A www.example"))
			c.waits("there is another")
			second.asked("the next at once", "A www.example").answers(record)
			c.gets("from the second", "192.0.2.1")
		})
	}
}

func TestAllServersFail(t *testing.T) {
	w := newWorld(t, three())
	c := w.looks("www.example")
	e := c.fails("no server listens", ServerFailure)
	if e.Server != at(3) {
		t.Errorf("the last to fail was %v, want %v", e.Server, at(3))
	}
	if log := w.log.String(); strings.Count(log, "cannot be reached") != 3 {
		t.Errorf("each server is to be blamed once in the log: %s", log)
	}
	server := w.nameServer(2)
	w.looks("www.example").fails("cached for 5 s", ServerFailure)
	w.passes(6 * time.Second)
	c = w.looks("www.example")
	server.asked("a new socket reaches it", "A www.example").answers(record)
	c.gets("it is back", "192.0.2.1")
}

func TestUnreachableNetwork(t *testing.T) {
	w := newWorld(t, two())
	w.kernel.Unreachable(at(1))
	second := w.nameServer(2)
	c := w.looks("www.example")
	second.asked("there is no way to the first", "A www.example").answers(record)
	c.gets("from the second", "192.0.2.1")
	w.kernel.Unreachable(at(2))
	w.passes(2 * time.Minute) // so that a new socket is needed
	w.looks("other.example").fails("there is no way to any, which Lookup does not say itself", ServerFailure)
}

func TestServerFailureForOneFamily(t *testing.T) {
	w := newWorld(t, Config{})
	server := w.nameServer(1)
	c := w.looks("www.example")
	server.asked("AAAA", "AAAA www.example").says(dns.RcodeServerFailure)
	server.asked("A", "A www.example").answers(record)
	c.gets("the other family will do", "192.0.2.1")

	c = w.looks("other.example")
	server.asked("AAAA", "AAAA other.example").says(dns.RcodeServerFailure)
	server.asked("A", "A other.example").hasNothing()
	c.fails("it is not known whether there are IPv6 addresses", ServerFailure)
}

func TestNoSuchName(t *testing.T) {
	w := newWorld(t, Config{})
	server := w.nameServer(1)
	c := w.looks("www.example")
	server.asked("A", "A www.example").says(dns.RcodeNameError, soa)
	server.asked("AAAA", "AAAA www.example").says(dns.RcodeNameError, soa)
	if e := c.fails("there is none", NoSuchName); e.Name != "www.example" || e.Server != at(1) {
		t.Errorf("the error is about %q, by %v", e.Name, e.Server)
	}
	c = w.looks("empty.example")
	server.both("neither family", "empty.example", nil, nil)
	c.fails("it exists", NoAddress)
}

func TestServerWithoutEDNS(t *testing.T) {
	for _, row := range []struct {
		name string
		send func(*inquiry)
	}{
		{"format error", func(q *inquiry) {
			m := q.reply(dns.RcodeFormatError)
			m.Extra = nil
			q.send(m)
		}},
		{"not implemented, without the question", func(q *inquiry) {
			m := q.reply(dns.RcodeNotImplemented)
			m.Extra, m.Question = nil, nil
			q.send(m)
		}},
		{"another version", func(q *inquiry) {
			m := q.reply(dns.RcodeSuccess)
			m.Rcode = dns.RcodeBadVers
			q.send(m)
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t, Config{})
			server := w.nameServer(1)
			c := w.looks("www.example")
			row.send(server.asked("with EDNS", "A www.example"))
			row.send(server.asked("with EDNS", "AAAA www.example"))
			plain := server.asked("again", "A www.example")
			if plain.IsEdns0() != nil {
				t.Errorf("asked with EDNS again: %v", plain)
			}
			plain.answers(record)
			server.asked("again", "AAAA www.example").hasNothing()
			c.gets("without EDNS", "192.0.2.1")
			w.looks("other.example")
			if server.asked("another name", "A other.example").IsEdns0() != nil {
				t.Error("the server was asked with EDNS again")
			}
			if log := w.log.String(); log != "" {
				t.Errorf("no server was silent: %s", log)
			}
		})
	}
}

// TestPacketMax has queries announce how large a datagram may be.
func TestPacketMax(t *testing.T) {
	for _, row := range []struct{ max, want int }{{0, udpSize}, {-1, 0}, {1, 512}, {4096, 4096}, {65535, 16383}} {
		config := two()
		config.PacketMax = row.max
		w := newWorld(t, config)
		server := w.nameServer(1)
		c := w.looks("www.example")
		q := server.asked("a query", "A www.example")
		size := 0
		if e := q.IsEdns0(); e != nil {
			size = int(e.UDPSize())
		}
		if size != row.want {
			t.Errorf("PacketMax %d: %d bytes are announced, want %d", row.max, size, row.want)
		}
		m := q.reply(dns.RcodeSuccess, record)
		for len(m.Answer)*16+33+11 <= max(row.want, minPacket)-16 { // an answer that fits
			m.Answer = append(m.Answer, m.Answer[0])
		}
		m.Compress = true
		q.send(m)
		if answer, done, err := c.lookup.Result(); !done || err != nil || len(answer.Addrs) == 0 {
			t.Errorf("PacketMax %d: an answer of %d bytes is not read: %v", row.max, m.Len(), err)
		}
	}
}

// forgeries are messages that are no reply to the query.
var forgeries = []struct {
	name  string
	forge func(q *inquiry)
}{
	{"another identifier", func(q *inquiry) {
		m := q.reply(dns.RcodeSuccess, record)
		m.Id++
		q.send(m)
	}},
	{"another name", func(q *inquiry) {
		m := q.reply(dns.RcodeSuccess, "evil.example. 300 IN A 192.0.2.66")
		m.Question[0].Name = "evil.example."
		q.send(m)
	}},
	{"a name that begins alike", func(q *inquiry) {
		m := q.reply(dns.RcodeSuccess, record)
		m.Question[0].Name = "www.example.evil."
		q.send(m)
	}},
	{"another type", func(q *inquiry) {
		m := q.reply(dns.RcodeSuccess, record)
		m.Question[0].Qtype = dns.TypeMX
		q.send(m)
	}},
	{"another class", func(q *inquiry) {
		m := q.reply(dns.RcodeSuccess, record)
		m.Question[0].Qclass = dns.ClassCHAOS
		q.send(m)
	}},
	{"two questions", func(q *inquiry) {
		m := q.reply(dns.RcodeSuccess, record)
		m.Question = append(m.Question, m.Question[0])
		q.send(m)
	}},
	{"success without a question", func(q *inquiry) {
		m := q.reply(dns.RcodeSuccess, record)
		m.Question = nil
		q.send(m)
	}},
	{"a query", func(q *inquiry) {
		m := q.reply(dns.RcodeSuccess, record)
		m.Response = false
		q.send(m)
	}},
	{"an update", func(q *inquiry) {
		m := q.reply(dns.RcodeSuccess, record)
		m.Opcode = dns.OpcodeUpdate
		q.send(m)
	}},
	{"nothing at all", func(q *inquiry) { q.sendBytes(nil) }},
	{"half a header", func(q *inquiry) { q.sendBytes([]byte{1, 2, 0x80, 0, 0, 1}) }},
	{"noise", func(q *inquiry) { q.sendBytes([]byte(strings.Repeat("\xff", 512))) }},
}

func TestForgedMessagesAreDropped(t *testing.T) {
	for _, row := range forgeries {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t, two())
			server := w.nameServer(1)
			c := w.looks("www.example")
			q := server.asked("the first", "A www.example")
			row.forge(q)
			w.settle()
			c.waits("that was no reply")
			if n := w.resolver.Stats().Dropped; n != 1 {
				t.Errorf("%d messages were dropped, want 1", n)
			}
			q.answers("WwW.eXample. 300 IN A 192.0.2.1")
			c.gets("the real reply", "192.0.2.1")
			q.answers(record)
			if n := w.resolver.Stats().Dropped; n != 2 {
				t.Errorf("%d messages were dropped, want the repeated reply too", n)
			}
		})
	}
}

func TestReplyFromAnotherServer(t *testing.T) {
	w := newWorld(t, two())
	first, second := w.nameServer(1), w.nameServer(2)
	w.looks("a.example")
	first.asked("the first fails", "A a.example").says(dns.RcodeServerFailure)
	other := second.asked("the first has failed", "A a.example")
	c := w.looks("www.example")
	q := first.asked("another name", "A www.example")
	forged := *q
	forged.server, forged.from = second, other.from
	forged.answers("www.example. 300 IN A 192.0.2.66")
	c.waits("the second was not asked")
	q.answers(record)
	c.gets("the first was", "192.0.2.1")
	if n := w.resolver.Stats().Dropped; n != 1 {
		t.Errorf("%d messages were dropped, want 1", n)
	}
}

// crowd asks for as many names of a silent zone as there can be questions.
func (w *world) crowd() (all []*Lookup) {
	for i := range maxAsked / 2 {
		all = append(all, w.resolver.Lookup(fmt.Sprintf("n%d.silent.example", i), nil))
	}
	w.settle()
	if n := len(w.resolver.asked); n != maxAsked {
		w.Fatalf("%d queries are in flight, want %d", n, maxAsked)
	}
	return all
}

// Names that nobody waits for any more take nobody's place.
func TestAbandonedQuestionsLeaveWhenThereAreTooMany(t *testing.T) {
	w := newWorld(t, Config{})
	server := w.nameServer(1)
	for _, l := range w.crowd() {
		l.Cancel()
	}
	server.forgets()
	c := w.looks("www.example")
	server.asked("at once", "A www.example").answers("www.example. 300 IN A 192.0.2.1")
	w.passes(time.Second)
	c.gets("an answer in time", "192.0.2.1")
}

// A zone whose servers are silent cannot keep other names from being asked, even if clients wait for
// all its names.
func TestASilentZoneDoesNotKeepOthersFromBeingAsked(t *testing.T) {
	w := newWorld(t, Config{})
	server := w.nameServer(1)
	w.crowd()
	server.forgets()
	c := w.looks("www.example")
	server.notAsked("there is no identifier for it")
	c.waits("for its turn")
	for range 30 {
		w.passes(100 * time.Millisecond)
	}
	q := server.asked("after 3 s", "A www.example")
	q.answers("www.example. 300 IN A 192.0.2.1")
	w.passes(100 * time.Millisecond)
	c.gets("although all the others still wait", "192.0.2.1")
}

func TestLateFailureChangesNothing(t *testing.T) {
	w := newWorld(t, two())
	first, second := w.nameServer(1), w.nameServer(2)
	c := w.looks("www.example")
	late := first.asked("the first", "A www.example")
	w.passes(4900 * time.Millisecond)
	w.passes(200 * time.Millisecond)
	q := second.asked("then the second", "A www.example")
	late.says(dns.RcodeServerFailure)
	second.notAsked("it has time to answer")
	q.answers(record)
	c.gets("from the second", "192.0.2.1")
}

func TestTimeoutEndsTheSearch(t *testing.T) {
	w := newWorld(t, Config{Search: []string{"a.test", "b.test"}, Defnames: true, IPv4Only: true, Timeout: time.Second})
	w.kernel.Blackhole(at(1))
	c := w.looks("www")
	w.passes(1100 * time.Millisecond)
	c.fails("there is no time for more", Timeout)
	if n := w.resolver.Stats().Timeouts; n != 1 {
		t.Errorf("%d timeouts, want that of the first candidate alone", n)
	}
}
