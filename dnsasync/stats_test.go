package dnsasync

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// busyWorld is a resolver that has had lookups of all kinds, and has two queries in flight.
func busyWorld(t *testing.T) *world {
	hosts, err := ReadHosts(strings.NewReader("192.0.2.80 printer.example lp.example\n"))
	if err != nil {
		t.Fatal(err)
	}
	config := two()
	config.IPv4Only, config.Hosts = false, hosts
	w := newWorld(t, config)
	first, second := w.nameServer(1), w.nameServer(2)

	w.looks("192.0.2.7")
	w.looks("no name")
	w.looks("printer.example")
	w.looks("www.example")
	first.both("found", "www.example", []string{"192.0.2.1"}, []string{"2001:db8::1"})
	w.looks("www.example")
	w.looks("nx.example")
	first.asked("A", "A nx.example").says(dns.RcodeServerFailure)
	second.asked("A", "A nx.example").says(dns.RcodeNameError, soa)
	first.asked("AAAA", "AAAA nx.example").says(dns.RcodeNameError, soa)
	w.looks("nx.example")
	w.looks("alias.example")
	first.asked("A", "A alias.example").answers("alias.example. 300 IN CNAME a.example.", "a.example. 300 IN A 192.0.2.1")
	first.asked("AAAA", "AAAA alias.example").answers("alias.example. 300 IN CNAME a.example.", soa)
	w.looksBack("192.0.2.80")
	w.looksBack("192.0.2.1")
	first.asked("PTR", "PTR 1.2.0.192.in-addr.arpa").answers("1.2.0.192.in-addr.arpa. 300 IN PTR www.example.")
	w.looksBack("192.0.2.1")
	w.looks("slow.example")
	first.asked("A", "A slow.example").truncates()
	w.passes(2 * time.Second)
	return w
}

func TestStats(t *testing.T) {
	got := busyWorld(t).resolver.Stats()
	got.Queue = nil
	var codes [17][3]uint64
	codes[dns.RcodeSuccess][0] = 6
	codes[dns.RcodeServerFailure][0] = 1
	codes[dns.RcodeNameError] = [3]uint64{1, 1, 0}
	want := Stats{
		Servers:     []ServerStats{{at(1), 10, 8}, {at(2), 1, 1}},
		Codes:       codes,
		Retransmits: 1,
		Names:       LookupStats{Entries: 5, Requests: 9, Hits: 2, NegativeHits: 1, Numeric: 1, Misses: 4, Invalid: 1},
		Addrs:       LookupStats{Entries: 2, Requests: 3, Hits: 2, Misses: 1},
		A:           2, AAAA: 1, PTR: 1, CNAME: 2, CNAMEOnly: 1,
	}
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("stats are\n%+v, want\n%+v", got, want)
	}
}

func TestStatsOfQueriesInFlight(t *testing.T) {
	queue := busyWorld(t).resolver.Stats().Queue
	if len(queue) != 2 {
		t.Fatalf("queue %+v, want two queries", queue)
	}
	a, aaaa := queue[0], queue[1]
	if a.Name != "slow.example" || !a.TCP || aaaa.TCP || a.ID == aaaa.ID || a.Size != headerSize+14+4+11 || a.Sends != 1 {
		t.Errorf("queue %+v", queue)
	}
	if a.First != 2*time.Second || a.Last != 2*time.Second {
		t.Errorf("first sent %v ago, last %v ago; want 2 s", a.First, a.Last)
	}
}

func TestEntries(t *testing.T) {
	hosts, err := ReadHosts(strings.NewReader("192.0.2.80 printer.example lp.example\n"))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, Config{Hosts: hosts, IPv4Only: true})
	server := w.nameServer(1)
	w.looks("www.example")
	server.asked("A", "A www.example").answers(record)
	w.looksBack("192.0.2.1")
	server.asked("PTR", "PTR 1.2.0.192.in-addr.arpa").answers("1.2.0.192.in-addr.arpa. 100 IN PTR www.example.")
	w.looks("nx.example")
	server.asked("A", "A nx.example").says(dns.RcodeNameError, soa)
	w.kernel.Advance(10 * time.Second)
	w.settle()
	w.looks("www.example")
	w.kernel.Advance(5 * time.Second)
	w.settle()
	var got []string
	w.resolver.Entries(func(e Entry) {
		got = append(got, fmt.Sprintf("%s%v %v%v negative=%v hosts=%v ttl=%v used=%v", e.Name, e.Addr, e.Addrs, e.Names, e.Negative, e.Hosts, e.TTL, e.Used))
	})
	want := []string{
		"www.exampleinvalid IP [192.0.2.1][] negative=false hosts=false ttl=4m45s used=5s",
		"nx.exampleinvalid IP [][] negative=true hosts=false ttl=15s used=15s",
		"192.0.2.1 [][www.example] negative=false hosts=false ttl=1m25s used=15s",
		"lp.exampleinvalid IP [192.0.2.80][] negative=false hosts=true ttl=-1s used=0s",
		"printer.exampleinvalid IP [192.0.2.80][] negative=false hosts=true ttl=-1s used=0s",
		"192.0.2.80 [][printer.example lp.example] negative=false hosts=true ttl=-1s used=0s",
	}
	if !slices.Equal(got, want) {
		t.Errorf("entries are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestErrors(t *testing.T) {
	for _, row := range []struct {
		err  Error
		want string
	}{
		{Error{Name: "a.example", Kind: NoSuchName, Server: at(1)}, `look up "a.example": no such name (asked 192.0.2.1:53)`},
		{Error{Name: "a\nb", Kind: BadName}, `look up "a\nb": not a valid name`},
		{Error{Name: "a.example", Kind: Timeout}, `look up "a.example": no name server answered in time`},
		{Error{Name: "a.example", Kind: 99}, `look up "a.example": kind 99`},
	} {
		if got := row.err.Error(); got != row.want {
			t.Errorf("got %s, want %s", got, row.want)
		}
	}
}
