package dnsasync

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"exaproxy/engine/loop"
	"exaproxy/engine/loop/looptest"

	"github.com/miekg/dns"
)

// A world is a resolver on a kernel in memory, with scripted name servers around it.
type world struct {
	*testing.T
	kernel   *looptest.Kernel
	loop     *loop.Loop
	resolver *Resolver
	log      bytes.Buffer
}

// at is the address of the n-th name server.
func at(n int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(n)}), 53)
}

// chance is a random source that is the same in each run.
type chance struct{ *rand.ChaCha8 }

func newChance() *chance { return &chance{rand.NewChaCha8([32]byte{})} }

func newWorld(t *testing.T, c Config) *world {
	t.Helper()
	w := &world{T: t, kernel: looptest.NewKernel(t)}
	l, err := loop.New(w.kernel)
	if err != nil {
		t.Fatal(err)
	}
	if c.Servers == nil {
		c.Servers = []netip.AddrPort{at(1)}
	}
	c.Random = newChance()
	c.Log = slog.New(slog.NewTextHandler(&w.log, nil))
	w.loop, w.resolver = l, New(l, c)
	t.Cleanup(func() {
		w.resolver.Close()
		w.settle()
		if n := w.kernel.OpenDescriptors(); n != 0 {
			t.Errorf("after Close %d descriptors are open", n)
		}
		if n := len(w.resolver.asked) + len(w.resolver.questions); n != 0 {
			t.Errorf("after Close %d queries and questions are left", n)
		}
	})
	return w
}

func (w *world) settle() {
	w.Helper()
	looptest.Settle(w.loop)
}

// passes lets time go by in steps that no timer can miss.
func (w *world) passes(d time.Duration) {
	w.Helper()
	const step = 10 * time.Millisecond
	for ; d > step && d < 5*time.Second; d -= step {
		w.kernel.Advance(step)
		w.settle()
	}
	w.kernel.Advance(d)
	w.settle()
}

// A client looks something up, and counts how often that woke it.
type client struct {
	w      *world
	name   string
	lookup *Lookup
	woken  int
}

func (c *client) Run() { c.woken++ }

// looks up a name; the name servers have the queries when it returns.
func (w *world) looks(name string) *client {
	w.Helper()
	c := &client{w: w, name: name}
	c.lookup = w.resolver.Lookup(name, w.loop.NewWaker(c))
	if _, done, _ := c.lookup.Result(); done && !c.lookup.cached {
		w.Errorf("a lookup of %s, for which a server must be asked, was settled at once", name)
	}
	w.settle()
	return c
}

// looksForAll looks up all addresses of a name.
func (w *world) looksForAll(name string) *client {
	w.Helper()
	c := &client{w: w, name: name}
	c.lookup = w.resolver.LookupAll(name, w.loop.NewWaker(c))
	w.settle()
	return c
}

func (w *world) looksBack(addr string) *client {
	w.Helper()
	c := &client{w: w, name: addr}
	c.lookup = w.resolver.Reverse(netip.MustParseAddr(addr), w.loop.NewWaker(c))
	w.settle()
	return c
}

// gets checks the addresses, or names, that the lookup found.
func (c *client) gets(sentence string, want ...string) Answer {
	c.w.Helper()
	answer, done, err := c.lookup.Result()
	if !done || err != nil {
		c.w.Fatalf("%s: lookup of %s: done %v, error %v", sentence, c.name, done, err)
	}
	got := slices.Clone(answer.Names)
	for _, addr := range answer.Addrs {
		got = append(got, addr.String())
	}
	if !slices.Equal(got, want) {
		c.w.Errorf("%s: %s is %v, want %v", sentence, c.name, got, want)
	}
	c.wokenOnce(sentence)
	return answer
}

// fails checks that there is no answer, and why.
func (c *client) fails(sentence string, want ErrorKind) *Error {
	c.w.Helper()
	_, done, err := c.lookup.Result()
	var failure *Error
	if !done || !errors.As(err, &failure) {
		c.w.Fatalf("%s: lookup of %s: done %v, error %v, want %v", sentence, c.name, done, err, want)
	}
	if failure.Kind != want {
		c.w.Errorf("%s: lookup of %s failed with %v, want %v", sentence, c.name, failure, want)
	}
	c.wokenOnce(sentence)
	return failure
}

func (c *client) wokenOnce(sentence string) {
	c.w.Helper()
	if want := 1; c.lookup.cached != (c.woken == 0) || c.woken > want {
		c.w.Errorf("%s: the owner of the lookup of %s was woken %d times, cached %v", sentence, c.name, c.woken, c.lookup.cached)
	}
}

func (c *client) waits(sentence string) {
	c.w.Helper()
	if answer, done, err := c.lookup.Result(); done || c.woken > 0 {
		c.w.Errorf("%s: lookup of %s is done (%v, %v), woken %d times", sentence, c.name, answer, err, c.woken)
	}
}

// A nameServer is scripted by the test.
type nameServer struct {
	w    *world
	at   netip.AddrPort
	udp  *looptest.DatagramPort
	tcp  *looptest.Port
	held []*inquiry // received, and not wanted yet
}

func (w *world) nameServer(n int) *nameServer {
	return &nameServer{w: w, at: at(n), udp: w.kernel.ListenDatagram(at(n)), tcp: w.kernel.Listen(at(n))}
}

// An inquiry is a query as a name server received it.
type inquiry struct {
	*dns.Msg
	server *nameServer
	from   netip.AddrPort
	stream *looptest.End // nil: it came by UDP
}

func (s *nameServer) receive() {
	s.w.Helper()
	for {
		from, data, ok := s.udp.Receive()
		if !ok {
			return
		}
		q := &inquiry{Msg: new(dns.Msg), server: s, from: from}
		if err := q.Unpack(data); err != nil || len(q.Question) != 1 {
			s.w.Fatalf("name server %v received nonsense: %x: %v", s.at, data, err)
		}
		s.held = append(s.held, q)
	}
}

// asked returns the query for "TYPE name", which must be there.
func (s *nameServer) asked(sentence, what string) *inquiry {
	s.w.Helper()
	s.receive()
	for i, q := range s.held {
		if q.what() == what {
			s.held = slices.Delete(s.held, i, i+1)
			return q
		}
	}
	s.w.Fatalf("%s: name server %v was not asked for %q, but for %q", sentence, s.at, what, s.waiting())
	return nil
}

func (s *nameServer) notAsked(sentence string) {
	s.w.Helper()
	s.receive()
	if len(s.held) > 0 {
		s.w.Errorf("%s: name server %v was asked for %q", sentence, s.at, s.waiting())
		s.held = nil
	}
}

// forgets drops what has come so far.
func (s *nameServer) forgets() {
	s.w.Helper()
	s.receive()
	s.held = nil
}

func (s *nameServer) waiting() []string {
	var all []string
	for _, q := range s.held {
		all = append(all, q.what())
	}
	return all
}

func (q *inquiry) what() string {
	return dns.TypeToString[q.Question[0].Qtype] + " " + strings.TrimSuffix(q.Question[0].Name, ".")
}

// reply is a reply with these records; one that begins with "auth " belongs into the
// authority section.
func (q *inquiry) reply(code int, records ...string) *dns.Msg {
	q.server.w.Helper()
	m := new(dns.Msg).SetRcode(q.Msg, code)
	m.RecursionAvailable = true
	if q.IsEdns0() != nil {
		m.SetEdns0(udpSize, false)
	}
	for _, text := range records {
		rest, authority := strings.CutPrefix(text, "auth ")
		record, err := dns.NewRR(rest)
		if err != nil {
			q.server.w.Fatalf("record %q: %v", text, err)
		}
		if authority {
			m.Ns = append(m.Ns, record)
		} else {
			m.Answer = append(m.Answer, record)
		}
	}
	return m
}

func (q *inquiry) answers(records ...string) {
	q.server.w.Helper()
	q.send(q.reply(codeSuccess, records...))
}

func (q *inquiry) says(code int, records ...string) {
	q.server.w.Helper()
	q.send(q.reply(code, records...))
}

const soa = "auth example. 300 IN SOA ns.example. hostmaster.example. 1 3600 600 86400 30"

// hasNothing is the regular reply of a server that knows that there is no such record.
func (q *inquiry) hasNothing() {
	q.server.w.Helper()
	q.says(codeSuccess, soa)
}

func (q *inquiry) send(m *dns.Msg) {
	q.server.w.Helper()
	data, err := m.Pack()
	if err != nil {
		q.server.w.Fatal(err)
	}
	q.sendBytes(data)
	q.server.w.settle()
}

func (q *inquiry) sendBytes(data []byte) {
	if q.stream != nil {
		q.stream.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(data))), data...))
		return
	}
	q.server.udp.Send(q.from, data)
}

// truncates sends a truncated reply.
func (q *inquiry) truncates() {
	q.server.w.Helper()
	m := q.reply(codeSuccess)
	m.Truncated = true
	q.send(m)
}

// askedByTCP returns the queries that have come on a stream.
func (s *nameServer) askedByTCP(sentence string, end *looptest.End, want ...string) []*inquiry {
	s.w.Helper()
	var all []*inquiry
	var got []string
	for data := end.Read(); len(data) > 0; {
		n := lengthSize + int(binary.BigEndian.Uint16(data))
		q := &inquiry{Msg: new(dns.Msg), server: s, stream: end}
		if err := q.Unpack(data[lengthSize:n]); err != nil {
			s.w.Fatalf("%s: name server %v received nonsense by TCP: %v", sentence, s.at, err)
		}
		all, got, data = append(all, q), append(got, q.what()), data[n:]
	}
	if !slices.Equal(got, want) {
		s.w.Fatalf("%s: name server %v was asked for %q by TCP, want %q", sentence, s.at, got, want)
	}
	return all
}

func (s *nameServer) accepts(sentence string) *looptest.End {
	s.w.Helper()
	end := s.tcp.Accept()
	if end == nil {
		s.w.Fatalf("%s: there is no connection to name server %v", sentence, s.at)
	}
	return end
}

// both answers A and AAAA of a name.
func (s *nameServer) both(sentence, name string, a, aaaa []string) {
	s.w.Helper()
	for _, family := range []struct {
		kind  string
		addrs []string
	}{{"A", a}, {"AAAA", aaaa}} {
		q := s.asked(sentence, family.kind+" "+name)
		var records []string
		for _, addr := range family.addrs {
			records = append(records, fmt.Sprintf("%s. 300 IN %s %s", name, family.kind, addr))
		}
		if records == nil {
			records = []string{soa}
		}
		q.answers(records...)
	}
}
