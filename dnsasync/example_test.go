package dnsasync_test

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/miekg/dns"

	"exaproxy/dnsasync"
	"exaproxy/engine/loop"
	"exaproxy/engine/loop/looptest"
)

// client looks one name up and prints the answer.
type client struct{ lookup *dnsasync.Lookup }

// Run is called by the loop when the waker was woken.
func (c *client) Run() {
	answer, done, err := c.lookup.Result()
	if !done {
		return // woken again
	}
	var failure *dnsasync.Error
	if errors.As(err, &failure) {
		fmt.Println(failure.Kind)
		return
	}
	fmt.Println(answer.Addrs, answer.TTL)
}

// A lookup on a loop in memory, with a name server played by the example.
func Example() {
	kernel := looptest.NewKernel(nil)
	l, err := loop.New(kernel)
	if err != nil {
		panic(err)
	}
	at := netip.MustParseAddrPort("192.0.2.53:53")
	server := kernel.ListenDatagram(at)
	resolver := dnsasync.New(l, dnsasync.Config{Servers: []netip.AddrPort{at}, IPv4Only: true})
	defer resolver.Close()

	c := &client{}
	c.lookup = resolver.Lookup("www.example.com", l.NewWaker(c))
	for l.Turn(false) { // sends the query
	}
	reply(server, "www.example.com. 300 IN A 192.0.2.80")
	for l.Turn(false) { // reads the reply, and wakes the client
	}
	// Output: [192.0.2.80] 5m0s
}

// reply answers the query that has come with a record.
func reply(server *looptest.DatagramPort, record string) {
	from, query, _ := server.Receive()
	var m dns.Msg
	if err := m.Unpack(query); err != nil {
		panic(err)
	}
	answer, err := dns.NewRR(record)
	if err != nil {
		panic(err)
	}
	m.Response, m.RecursionAvailable, m.Answer = true, true, []dns.RR{answer}
	packed, err := m.Pack()
	if err != nil {
		panic(err)
	}
	server.Send(from, packed)
}

// What needs no name server is done at once: here names of the hosts file.
func ExampleResolver_Reverse() {
	hosts, err := dnsasync.ReadHosts(strings.NewReader("192.0.2.80 www.example.com www\n"))
	if err != nil {
		panic(err)
	}
	l, err := loop.New(looptest.NewKernel(nil))
	if err != nil {
		panic(err)
	}
	resolver := dnsasync.New(l, dnsasync.Config{Hosts: hosts})
	defer resolver.Close()
	answer, done, err := resolver.Reverse(netip.MustParseAddr("192.0.2.80"), nil).Result()
	fmt.Println(answer.Names, done, err)
	// Output: [www.example.com www] true <nil>
}
