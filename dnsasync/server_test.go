package dnsasync

import (
	"fmt"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestPortsChange(t *testing.T) {
	w := newWorld(t, Config{IPv4Only: true})
	server := w.nameServer(1)
	ask := func(name string) *inquiry {
		w.looks(name)
		return server.asked(name, "A "+name)
	}
	first := ask("a.example")
	second := ask("b.example")
	if first.from != second.from {
		t.Errorf("asked from %v and %v at the same time; want one socket", first.from, second.from)
	}
	w.passes(59 * time.Second)
	third := ask("c.example")
	w.passes(2 * time.Second)
	fourth := ask("d.example")
	if third.from != first.from || fourth.from == first.from {
		t.Errorf("ports %v, after 59 s %v, after 61 s %v; want a new one after a minute", first.from, third.from, fourth.from)
	}
	if n := w.kernel.OpenDescriptors(); n != 2 {
		t.Errorf("%d descriptors are open; want the old one kept for its reply", n)
	}
	third.answers("c.example. 300 IN A 192.0.2.3")
	w.looks("c.example").gets("a reply to the old port", "192.0.2.3")
	if n := w.kernel.OpenDescriptors(); n != 1 {
		t.Errorf("%d descriptors are open; want the old one closed after its last reply", n)
	}
}

func TestPortsChangeWithUse(t *testing.T) {
	w := newWorld(t, Config{IPv4Only: true})
	server := w.nameServer(1)
	ports := map[netip.AddrPort]int{}
	for i := range maxSent + 1 {
		name := "n" + strings.ReplaceAll(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}).String(), ".", "-") + ".example"
		w.looks(name)
		q := server.asked(name, "A "+name)
		ports[q.from]++
		q.answers(name + ". 300 IN A 192.0.2.1")
	}
	if len(ports) != 2 {
		t.Errorf("%d queries from %d ports, want 2", maxSent+1, len(ports))
	}
	if n := w.kernel.OpenDescriptors(); n != 1 {
		t.Errorf("%d descriptors are open", n)
	}
}

func TestDrainingSocketsAreBounded(t *testing.T) {
	config := Config{IPv4Only: true, Timeout: time.Hour, Retransmit: time.Hour}
	w := newWorld(t, config)
	w.nameServer(1)
	for i := range 20 {
		w.looks(string(rune('a'+i)) + ".example")
		w.passes(61 * time.Second)
	}
	if n := w.kernel.OpenDescriptors(); n != maxDraining+1 {
		t.Errorf("%d descriptors are open, want %d", n, maxDraining+1)
	}
}

func TestSocketLearnsOfRefusalWhileWriting(t *testing.T) {
	w := newWorld(t, Config{Servers: []netip.AddrPort{at(1), at(2)}})
	second := w.nameServer(2)
	c := w.looks("www.example") // the refusal of A is there when AAAA is sent
	second.both("both go to the next server", "www.example", []string{"192.0.2.1"}, []string{"2001:db8::1"})
	c.gets("from the second", "192.0.2.1", "2001:db8::1")
	if n := w.kernel.OpenDescriptors(); n != 1 {
		t.Errorf("%d descriptors are open, want the second server's alone", n)
	}
}

func TestManyRepliesAtOnce(t *testing.T) {
	w := newWorld(t, Config{IPv4Only: true})
	server := w.nameServer(1)
	var clients []*client
	for i := range 3 * maxDatagrams {
		clients = append(clients, w.looks(fmt.Sprintf("n%d.example", i)))
	}
	for _, c := range clients {
		data, err := server.asked("each", "A "+c.name).reply(codeSuccess, c.name+". 300 IN A 192.0.2.1").Pack()
		if err != nil {
			t.Fatal(err)
		}
		server.udp.Send(w.socketName(), data)
	}
	w.settle()
	for _, c := range clients {
		c.gets("all are there", "192.0.2.1")
	}
}

// socketName is the address of the first server's socket.
func (w *world) socketName() netip.AddrPort {
	w.Helper()
	name, _, err := w.resolver.servers[0].socket.fd.Names()
	if err != nil {
		w.Fatal(err)
	}
	return name
}

func TestManyServers(t *testing.T) {
	var servers []netip.AddrPort
	for i := range maxServers + 1 {
		servers = append(servers, netip.AddrPortFrom(at(i+1).Addr(), 0))
	}
	w := newWorld(t, Config{Servers: servers, IPv4Only: true})
	past := w.nameServer(maxServers + 1)
	if e := w.looks("www.example").fails("no server is there", ServerFailure); e.Server != at(maxServers) {
		t.Errorf("the last server asked was %v, want %v: port 53, and no more than %d", e.Server, at(maxServers), maxServers)
	}
	past.notAsked("it is one too many")
}

func TestRefusalConcernsOneSocket(t *testing.T) {
	config := two()
	config.Timeout, config.Retransmit = time.Hour, time.Hour
	w := newWorld(t, config)
	first, second := w.nameServer(1), w.nameServer(2)
	old := w.looks("old.example")
	q := first.asked("by the first socket", "A old.example")
	w.passes(61 * time.Second)
	w.kernel.Refuse(at(1))
	c := w.looks("new.example")
	second.asked("the second socket was refused", "A new.example").answers("new.example. 300 IN A 192.0.2.2")
	second.notAsked("the first socket was not")
	c.gets("from the second server", "192.0.2.2")
	q.answers("old.example. 300 IN A 192.0.2.1")
	old.gets("from the first server", "192.0.2.1")
}

func TestOccasionalSilenceIsNotLogged(t *testing.T) {
	w := newWorld(t, Config{IPv4Only: true})
	server := w.nameServer(1)
	for i := range 4 {
		name := fmt.Sprintf("n%d.example", i)
		w.looks(name)
		server.asked("once", "A "+name)
		w.passes(4900 * time.Millisecond)
		w.passes(200 * time.Millisecond)
		server.asked("twice", "A "+name).answers(name + ". 300 IN A 192.0.2.1")
	}
	if log := w.log.String(); log != "" {
		t.Errorf("one datagram in two was lost: %s", log)
	}
}

// Where there is no descriptor for a question it waits for one: that is no failure of the server's.
func TestLookupWaitsForADescriptor(t *testing.T) {
	w := newWorld(t, Config{IPv4Only: true})
	server := w.nameServer(1)
	w.kernel.FailConnect(syscall.EMFILE, 3)
	first := w.looks("a.example")
	for range 3 {
		w.passes(2 * makeRoomEvery)
	}
	server.asked("it asks when there is one", "A a.example").answers("a.example. 300 IN A 192.0.2.1")
	first.gets("it was answered", "192.0.2.1")

	w.passes(maxAge + time.Second) // another socket is due
	w.kernel.FailConnect(syscall.ENFILE, 1)
	second := w.looks("b.example")
	w.passes(2 * makeRoomEvery)
	server.asked("so is one that is to take the place of the first", "A b.example").answers("b.example. 300 IN A 192.0.2.2")
	second.gets("it was answered", "192.0.2.2")
}
