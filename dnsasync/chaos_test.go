package dnsasync

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"exaproxy/engine/loop/looptest"

	"github.com/miekg/dns"
)

// An unreliable server does to each query whatever its dice say.
type unreliable struct {
	w       *world
	dice    *rand.Rand
	udp     *looptest.DatagramPort
	tcp     *looptest.Port
	streams []*looptest.End
	unread  map[*looptest.End][]byte
	later   []func()
}

func (m *unreliable) turn() {
	for i := m.dice.IntN(len(m.later) + 1); i > 0; i-- { // some of what was delayed, in any order
		at := m.dice.IntN(len(m.later))
		act := m.later[at]
		m.later = append(m.later[:at], m.later[at+1:]...)
		act()
	}
	for from, data, ok := m.udp.Receive(); ok; from, data, ok = m.udp.Receive() {
		m.treat(data, false, func(reply []byte) { m.udp.Send(from, reply) })
	}
	for end := m.tcp.Accept(); end != nil; end = m.tcp.Accept() {
		end.Segment(m.dice.IntN(30))
		m.streams = append(m.streams, end)
	}
	for _, end := range m.streams {
		m.serve(end)
	}
}

func (m *unreliable) serve(end *looptest.End) {
	data := append(m.unread[end], end.Read()...)
	for len(data) >= lengthSize {
		n := lengthSize + int(binary.BigEndian.Uint16(data))
		if len(data) < n {
			break
		}
		m.treat(data[lengthSize:n], true, func(reply []byte) {
			end.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...))
		})
		data = data[n:]
	}
	m.unread[end] = data
	switch m.dice.IntN(12) {
	case 0:
		end.Close()
	case 1:
		end.Reset()
	case 2:
		end.CloseWrite()
	}
}

// treat replies to a query, or not.
func (m *unreliable) treat(data []byte, tcp bool, send func([]byte)) {
	q := new(dns.Msg)
	if err := q.Unpack(data); err != nil {
		m.w.Fatalf("the resolver sent nonsense: %v", err)
	}
	reply := new(dns.Msg).SetReply(q)
	reply.RecursionAvailable = true
	name := q.Question[0].Name
	switch dice := m.dice.IntN(14); {
	case dice == 0:
		return // lost
	case dice == 1:
		reply.Rcode = dns.RcodeServerFailure
	case dice == 2 && !tcp:
		reply.Truncated = true
	case dice == 3:
		reply.Rcode = dns.RcodeFormatError
	case dice == 4:
		reply.Id++
	case dice == 5:
		reply.Answer = []dns.RR{&dns.CNAME{Hdr: header(name, dns.TypeCNAME), Target: "a." + name}}
	case q.Question[0].Qtype == typeA:
		reply.Answer = []dns.RR{&dns.A{Hdr: header(name, typeA), A: []byte{192, 0, 2, 1}}}
	case q.Question[0].Qtype == typeAAAA && dice < 10:
		reply.Answer = []dns.RR{&dns.AAAA{Hdr: header(name, typeAAAA), AAAA: netip.MustParseAddr("2001:db8::1").AsSlice()}}
	}
	packed, err := reply.Pack()
	if err != nil {
		return // the aliases have become too long
	}
	switch dice := m.dice.IntN(10); {
	case dice == 0:
		packed = packed[:m.dice.IntN(len(packed))]
	case dice < 4:
		m.later = append(m.later, func() { send(packed) })
		return
	}
	send(packed)
	if m.dice.IntN(8) == 0 {
		send(packed) // twice
	}
}

func header(name string, qtype uint16) dns.RR_Header {
	return dns.RR_Header{Name: name, Rrtype: qtype, Class: dns.ClassINET, Ttl: 20}
}

// Whatever name servers do, every lookup is settled once, in time, with nothing but what
// a server said, and nothing is left behind.
func TestUnreliableServers(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			dice := rand.New(rand.NewPCG(seed, 0))
			w := newWorld(t, Config{
				Servers: []netip.AddrPort{at(1), at(2), at(3)}, MinTTL: -1, CacheSize: 8,
				Search: []string{"test"}, Defnames: true,
			})
			var servers []*unreliable
			for n := range 3 {
				servers = append(servers, &unreliable{w: w, dice: dice, udp: w.kernel.ListenDatagram(at(n + 1)),
					tcp: w.kernel.Listen(at(n + 1)), unread: map[*looptest.End][]byte{}})
			}
			var clients []*client
			for range 150 {
				clients = append(clients, w.looksAtRandom(dice))
				for _, server := range servers {
					server.turn()
				}
				w.kernel.Advance(time.Duration(dice.IntN(1500)) * time.Millisecond)
				w.settle()
			}
			for range 33 {
				w.kernel.Advance(time.Second)
				w.settle()
			}
			for _, c := range clients {
				c.isSettled()
			}
			if n := len(w.resolver.asked) + len(w.resolver.questions); n != 0 {
				t.Errorf("%d queries and questions are still there", n)
			}
			if n, most := w.kernel.OpenDescriptors(), len(servers)*2; n > most {
				t.Errorf("%d descriptors are open, want at most %d", n, most)
			}
			for _, s := range w.resolver.servers {
				if s.draining != 0 || s.socket != nil && s.socket.waiting != 0 || s.stream != nil && s.stream.waiting != 0 {
					t.Errorf("server %v is believed to owe replies: %+v", s.addr, s)
				}
			}
		})
	}
}

// looksAtRandom begins a lookup of one of a few names or addresses; some are cancelled.
func (w *world) looksAtRandom(dice *rand.Rand) *client {
	w.Helper()
	var c *client
	if n := dice.IntN(20); n < 16 {
		c = w.looks(fmt.Sprintf("n%d.example", n))
	} else if n < 18 {
		c = w.looks(fmt.Sprintf("short%d", n))
	} else {
		c = w.looksBack(fmt.Sprintf("192.0.2.%d", n))
	}
	if dice.IntN(10) == 0 {
		c.lookup.Cancel()
		c.name = ""
	}
	return c
}

func (c *client) isSettled() {
	c.w.Helper()
	answer, done, err := c.lookup.Result()
	if c.name == "" {
		if c.woken > 0 {
			c.w.Errorf("a lookup that was cancelled woke its owner %d times", c.woken)
		}
		return
	}
	var failure *Error
	switch {
	case !done:
		c.w.Errorf("the lookup of %s was never settled", c.name)
	case err == nil && len(answer.Addrs)+len(answer.Names) == 0:
		c.w.Errorf("the lookup of %s found nothing, without error", c.name)
	case err != nil && (!errors.As(err, &failure) || failure.Kind == BadName || failure.Kind == Closed):
		c.w.Errorf("the lookup of %s failed with %v", c.name, err)
	}
	for _, addr := range answer.Addrs {
		if s := addr.String(); s != "192.0.2.1" && s != "2001:db8::1" {
			c.w.Errorf("the lookup of %s found %v, which no server said", c.name, addr)
		}
	}
	if answer.Took > defaultTimeout+2*time.Second {
		c.w.Errorf("the lookup of %s took %v", c.name, answer.Took)
	}
	c.wokenOnce("in the end")
}
