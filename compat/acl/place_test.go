package acl

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"

	"exaproxy/dnsasync"
	"exaproxy/engine"
	"exaproxy/engine/h1"
	"exaproxy/engine/loop"
	"exaproxy/engine/loop/looptest"
)

// A resolving is a worker's loop and resolver in memory, and a scripted name server.
type resolving struct {
	*testing.T
	loop   *loop.Loop
	place  Place
	server *looptest.DatagramPort
	woken  int
}

func (w *resolving) Run() { w.woken++ }

func newResolving(t *testing.T) *resolving {
	t.Helper()
	kernel := looptest.NewKernel(t)
	l, err := loop.New(kernel)
	if err != nil {
		t.Fatal(err)
	}
	at := netip.MustParseAddrPort("203.0.113.53:53")
	w := &resolving{T: t, loop: l, server: kernel.ListenDatagram(at)}
	w.place.Resolver = dnsasync.New(l, dnsasync.Config{Servers: []netip.AddrPort{at}, IPv4Only: true})
	w.place.Waker = l.NewWaker(w)
	t.Cleanup(func() {
		w.place.Resolver.Close()
		looptest.Settle(l)
		if n := kernel.OpenDescriptors(); n != 0 {
			t.Errorf("after Close %d descriptors are open", n)
		}
	})
	return w
}

// says checks the answer to a request.
func (w *resolving) says(sentence string, c *config, r *engine.Request, target *h1.Target, want Answer) {
	w.Helper()
	if c.err != nil {
		w.Fatal(c.err)
	}
	if got := c.access.Match(r, target, &w.place); got != want {
		w.Fatalf("%s: got %v, want %v", sentence, got, want)
	}
	looptest.Settle(w.loop)
}

// answers lets the name server answer the one question that it was asked: with an address, with
// a name, or that there is no such name.
func (w *resolving) answers(sentence, question, answer string) {
	w.Helper()
	from, query, ok := w.server.Receive()
	if !ok {
		w.Fatalf("%s: the name server was not asked", sentence)
	}
	if got := questionOf(query); got != question {
		w.Fatalf("%s: the name server was asked for %s, want %s", sentence, got, question)
	}
	w.server.Send(from, reply(query, answer))
	before := w.woken
	looptest.Settle(w.loop)
	if w.woken != before+1 {
		w.Fatalf("%s: woken %d times, want once", sentence, w.woken-before)
	}
}

func (w *resolving) notAsked(sentence string) {
	w.Helper()
	if _, query, ok := w.server.Receive(); ok {
		w.Fatalf("%s: the name server was asked for %s", sentence, questionOf(query))
	}
}

const dnsHeader = 12 // RFC 1035 section 4.1.1

// questionOf reads the name in a query.
func questionOf(query []byte) string {
	var labels []string
	for at := dnsHeader; query[at] != 0; at += int(query[at]) + 1 {
		labels = append(labels, string(query[at+1:at+1+int(query[at])]))
	}
	return strings.ToLower(strings.Join(labels, "."))
}

// reply makes the answer to a query with one record, or with none if answer is empty. Only the
// question of the query is kept.
func reply(query []byte, answer string) []byte {
	const question, noSuchName, pointer, internet, ttl = 4, 3, 0xc00c, 1, 300
	end := dnsHeader + bytes.IndexByte(query[dnsHeader:], 0) + 1 + question
	r := append([]byte(nil), query[:end]...)
	binary.BigEndian.PutUint16(r[2:], 0x8180)
	binary.BigEndian.PutUint16(r[10:], 0)
	if answer == "" {
		r[3] |= noSuchName
		return r
	}
	var content []byte
	if addr, err := netip.ParseAddr(answer); err == nil {
		content = addr.AsSlice()
	} else {
		for _, label := range strings.Split(answer, ".") {
			content = append(append(content, byte(len(label))), label...)
		}
		content = append(content, 0)
	}
	binary.BigEndian.PutUint16(r[6:], 1)
	r = binary.BigEndian.AppendUint16(r, pointer)
	r = append(r, query[end-question:end-2]...)
	r = binary.BigEndian.AppendUint16(r, internet)
	r = binary.BigEndian.AppendUint32(r, ttl)
	r = binary.BigEndian.AppendUint16(r, uint16(len(content)))
	return append(r, content...)
}

func TestDestinationIsLookedUp(t *testing.T) {
	w := newResolving(t)
	c := load(t, "acl a dst 10.0.0.0/8\nhttp_access deny a\nhttp_access allow all", nil)
	r := asked(t, get)
	w.says("the address is not known", c, r, &r.Target, Pending)
	w.says("asking again does not help", c, r, &r.Target, Pending)
	w.answers("the address", "www.example.com", "10.1.2.3")
	w.notAsked("one question is enough")
	w.says("the address is known", c, r, &r.Target, Deny)
	if w.place.Last() != "a" {
		t.Errorf("denied by %q, want a", w.place.Last())
	}
	w.place.Release()
}

func TestALookupThatFailsIsNoMatch(t *testing.T) {
	w := newResolving(t)
	c := load(t, "acl a dst all\nhttp_access deny a\nhttp_access allow all", nil)
	r := asked(t, get)
	w.says("the address is not known", c, r, &r.Target, Pending)
	w.answers("there is none", "www.example.com", "")
	w.says("a name without address is nowhere", c, r, &r.Target, Allow)
	w.place.Release()
}

func TestNothingIsLookedUpNeedlessly(t *testing.T) {
	w := newResolving(t)
	c := load(t, `
acl far dst 10.0.0.0/8
acl near src 192.0.2.1
acl lit dst -n 10.0.0.0/8
acl name dstdomain .ads.example
acl any any-of near far
acl both all-of !near far
http_access deny lit
http_access deny name
http_access deny both
http_access allow any`, nil)
	r := asked(t, get)
	w.says("what comes first decides", c, r, &r.Target, Allow)
	w.notAsked("nothing depended on the address")
	r = asked(t, "GET http://10.1.2.3/")
	w.says("an address needs no question", c, r, &r.Target, Deny)
	w.notAsked("it is an address")
}

func TestGroupsAndNegationWait(t *testing.T) {
	w := newResolving(t)
	c := load(t, `
acl a dst 10.0.0.0/8
acl g any-of CONNECT a
acl h all-of all !g
http_access allow !h`, nil)
	r := asked(t, get)
	w.says("the address is not known", c, r, &r.Target, Pending)
	w.answers("the address", "www.example.com", "10.1.2.3")
	w.says("the address is known", c, r, &r.Target, Allow)
	w.place.Release()
}

func TestAnAddressIsAskedForItsName(t *testing.T) {
	c := load(t, "acl d dstdomain .example.com\nacl n dstdom_regex ^none$\nhttp_access deny d\nhttp_access deny n\nhttp_access allow all", nil)
	for _, tt := range []struct {
		name, answer string
		want         Answer
	}{
		{"a name that matches", "WWW.Example.com", Deny},
		{"a name that does not", "www.example.org", Allow},
		{"no name is none", "", Deny},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newResolving(t)
			r := asked(t, "CONNECT 192.0.2.80:443")
			w.says("the name is not known", c, r, &r.Target, Pending)
			w.answers("the name", "80.2.0.192.in-addr.arpa", tt.answer)
			w.says("the name is known", c, r, &r.Target, tt.want)
			w.notAsked("one question is enough for two acls")
			w.place.Release()
		})
	}
}

func TestAnotherTargetIsAnotherLookup(t *testing.T) {
	w := newResolving(t)
	c := load(t, "acl a dst 10.0.0.0/8\nhttp_access allow a", nil)
	r := asked(t, get)
	other := asked(t, "GET http://other.example/")
	w.says("the address is not known", c, r, &r.Target, Pending)
	w.answers("the address", "www.example.com", "192.0.2.9")
	w.says("it is elsewhere", c, r, &r.Target, Deny)
	w.says("the rewritten target", c, r, &other.Target, Pending)
	w.answers("the other address", "other.example", "10.0.0.1")
	w.says("it is there", c, r, &other.Target, Allow)
	w.place.Release()
}

func TestReleaseEndsTheLookup(t *testing.T) {
	w := newResolving(t)
	c := load(t, "acl a dst 10.0.0.0/8\nhttp_access allow a", nil)
	r := asked(t, get)
	w.says("the address is not known", c, r, &r.Target, Pending)
	w.place.Release()
	from, query, _ := w.server.Receive()
	w.server.Send(from, reply(query, "10.0.0.1"))
	looptest.Settle(w.loop)
	if w.woken != 0 {
		t.Error("woken for a lookup that nobody wants any more")
	}
	w.place.Release()
}
