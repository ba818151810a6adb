package dnsasync

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unsafe"
)

func TestLookupNeedsNoServer(t *testing.T) {
	hosts, err := ReadHosts(strings.NewReader("127.0.0.1 localhost\n::1 localhost ip6\n192.0.2.80 Printer.Example.\n192.0.2.81 short\n"))
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("a.", 126) + "b" // 253 bytes
	for _, row := range []struct {
		name, lookup string
		want         []string
		kind         ErrorKind
	}{
		{name: "IPv4 address", lookup: "192.0.2.7", want: []string{"192.0.2.7"}},
		{name: "IPv6 address", lookup: "2001:DB8::7", want: []string{"2001:db8::7"}},
		{name: "IPv4-mapped address", lookup: "::ffff:192.0.2.7", want: []string{"192.0.2.7"}},
		{name: "hosts file", lookup: "localhost", want: []string{"127.0.0.1", "::1"}},
		{name: "hosts file, other case", lookup: "PRINTER.example", want: []string{"192.0.2.80"}},
		{name: "hosts file, rooted", lookup: "printer.example.", want: []string{"192.0.2.80"}},
		{name: "hosts file, asked with append_domain", lookup: "short.corp.example", want: []string{"192.0.2.81"}},
		{name: "empty", lookup: "", kind: BadName},
		{name: "dot", lookup: ".", kind: BadName},
		{name: "empty label", lookup: "a..b", kind: BadName},
		{name: "begins with a dot", lookup: ".a", kind: BadName},
		{name: "two dots at the end", lookup: "a..", kind: BadName},
		{name: "label of 64 bytes", lookup: strings.Repeat("a", 64) + ".example", kind: BadName},
		{name: "254 bytes", lookup: long + "b", kind: BadName},
		{name: "space", lookup: "a b.example", kind: BadName},
		{name: "NUL", lookup: "a\x00.example", kind: BadName},
		{name: "line end", lookup: "a\r\n.example", kind: BadName},
		{name: "backslash", lookup: `a\.example`, kind: BadName},
		{name: "per cent", lookup: "a%62.example", kind: BadName},
		{name: "brackets", lookup: "a<b>.example", kind: BadName},
		{name: "DEL", lookup: "a\x7f.example", kind: BadName},
		{name: "half an IPv6 address", lookup: "2001:db8:", kind: BadName},
		{name: "IPv6 address with a zone", lookup: "fe80::1%eth0", kind: BadName},
		{name: "bracketed", lookup: "[::1]", kind: BadName},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t, Config{Hosts: hosts, AppendDomain: ".Corp.example"})
			server := w.nameServer(1)
			c := w.looks(row.lookup)
			if row.kind != 0 {
				if e := c.fails("it can be no name", row.kind); e.Name != row.lookup {
					t.Errorf("the error is about %q", e.Name)
				}
			} else if a := c.gets("it is known", row.want...); a.TTL >= 0 || !a.Cached {
				t.Errorf("TTL %v, cached %v; want one that never ends, from here", a.TTL, a.Cached)
			}
			server.notAsked("no server needs to be asked")
		})
	}
}

func TestNamesAtTheLimitsAreAsked(t *testing.T) {
	for _, name := range []string{
		strings.Repeat("a.", 126) + "b", strings.Repeat("a", 63) + ".example", "under_score.example",
		"-x-.example", "1.2.3", "127.1", "1.2.3.04", "0x7f.1", "256.1.1.1", "1.2.3.4.5",
	} {
		w := newWorld(t, Config{})
		server := w.nameServer(1)
		c := w.looks(name)
		server.both("a name like others", name, []string{"192.0.2.1"}, nil)
		c.gets("a name like others", "192.0.2.1")
	}
}

func TestBothFamiliesAreAskedAtOnce(t *testing.T) {
	w := newWorld(t, Config{})
	server := w.nameServer(1)
	c := w.looks("WWW.Example.")
	a := server.asked("A goes out", "A www.example")
	aaaa := server.asked("AAAA goes out with it", "AAAA www.example")
	if a.Id == aaaa.Id || a.from != aaaa.from {
		t.Errorf("identifiers %d and %d, from %v and %v; want two from one socket", a.Id, aaaa.Id, a.from, aaaa.from)
	}
	if e := a.IsEdns0(); e == nil || e.UDPSize() != 1232 || e.Do() || !a.RecursionDesired {
		t.Errorf("the query is %v, want EDNS with 1232 bytes, recursion desired", a)
	}
	c.waits("nothing has come yet")
	a.answers("www.example. 300 IN A 192.0.2.1", "www.example. 300 IN A 192.0.2.2", "www.example. 300 IN A 192.0.2.3")
	c.waits("the other family has its grace")
	aaaa.answers("www.example. 200 IN AAAA 2001:db8::1")
	answer := c.gets("families in turns, that of the first answer first", "192.0.2.1", "2001:db8::1", "192.0.2.2", "192.0.2.3")
	if answer.TTL != 200*time.Second || answer.Cached {
		t.Errorf("TTL %v, cached %v; want the smallest, 200 s, and not cached", answer.TTL, answer.Cached)
	}
}

func TestFirstAnswerLeads(t *testing.T) {
	w := newWorld(t, Config{})
	server := w.nameServer(1)
	c := w.looks("www.example")
	server.asked("AAAA goes out", "AAAA www.example").answers("www.example. 300 IN AAAA 2001:db8::1", "www.example. 300 IN AAAA 2001:db8::2")
	w.passes(20 * time.Millisecond)
	server.asked("A too", "A www.example").answers("www.example. 300 IN A 192.0.2.1")
	if answer := c.gets("IPv6 came first", "2001:db8::1", "192.0.2.1", "2001:db8::2"); answer.Took != 20*time.Millisecond {
		t.Errorf("it took %v", answer.Took)
	}
}

// The preferred family leads, whichever answer came first, if it is there in time.
func TestPreferredFamilyLeads(t *testing.T) {
	for _, row := range []struct {
		prefer Family
		early  string // whose answer comes first
		late   time.Duration
		want   []string
	}{
		{IPv4, "AAAA", 40 * time.Millisecond, []string{"192.0.2.1", "2001:db8::1", "192.0.2.2"}},
		{IPv4, "A", 40 * time.Millisecond, []string{"192.0.2.1", "2001:db8::1", "192.0.2.2"}},
		{IPv6, "A", 40 * time.Millisecond, []string{"2001:db8::1", "192.0.2.1", "192.0.2.2"}},
		{AnyFamily, "AAAA", 40 * time.Millisecond, []string{"2001:db8::1", "192.0.2.1", "192.0.2.2"}},
		{IPv6, "A", 100 * time.Millisecond, []string{"192.0.2.1", "192.0.2.2"}},
	} {
		w := newWorld(t, Config{Prefer: row.prefer})
		server := w.nameServer(1)
		c := w.looks("www.example")
		answers := map[string][]string{"A": {"www.example. 300 IN A 192.0.2.1", "www.example. 300 IN A 192.0.2.2"}, "AAAA": {"www.example. 300 IN AAAA 2001:db8::1"}}
		server.asked("both go out", row.early+" www.example").answers(answers[row.early]...)
		w.passes(row.late)
		for kind, records := range answers {
			if kind != row.early {
				server.asked("both go out", kind+" www.example").answers(records...)
			}
		}
		c.gets(fmt.Sprintf("%d is preferred, %s came first", row.prefer, row.early), row.want...)
		if row.late > familyGrace {
			w.looks("www.example").gets("the next time", "2001:db8::1", "192.0.2.1", "192.0.2.2")
		}
	}
}

func TestLateFamily(t *testing.T) {
	w := newWorld(t, Config{})
	server := w.nameServer(1)
	c := w.looks("www.example")
	server.asked("A goes out", "A www.example").answers("www.example. 300 IN A 192.0.2.1")
	late := server.asked("AAAA too", "AAAA www.example")
	w.passes(40 * time.Millisecond)
	c.waits("40 ms after the first family")
	w.passes(30 * time.Millisecond)
	c.gets("after the grace", "192.0.2.1")
	w.looks("www.example").gets("the cache has what there was", "192.0.2.1")
	late.answers("www.example. 200 IN AAAA 2001:db8::1")
	answer := w.looks("www.example").gets("the late family joins the cache", "192.0.2.1", "2001:db8::1")
	if answer.TTL != 200*time.Second {
		t.Errorf("TTL %v, want that of the shorter family", answer.TTL)
	}
	if got, _, _ := c.lookup.Result(); len(got.Addrs) != 1 {
		t.Errorf("the answer that a Lookup has changed: %v", got.Addrs)
	}
	server.notAsked("there was one question")
}

// Who has to judge the addresses gets those of both families, or what there is after a while.
func TestLookupAllWaitsForBothFamilies(t *testing.T) {
	w := newWorld(t, Config{})
	server := w.nameServer(1)
	quick, all := w.looks("www.example"), w.looksForAll("www.example")
	server.asked("A goes out", "A www.example").answers("www.example. 300 IN A 192.0.2.1")
	late := server.asked("AAAA too", "AAAA www.example")
	w.passes(70 * time.Millisecond)
	quick.gets("after the grace", "192.0.2.1")
	all.waits("for the other family")
	again := w.looksForAll("www.example")
	again.waits("what the cache has is not all")
	w.passes(100 * time.Millisecond)
	late.answers("www.example. 300 IN AAAA 2001:db8::1")
	all.gets("both", "192.0.2.1", "2001:db8::1")
	again.gets("both", "192.0.2.1", "2001:db8::1")
	w.looksForAll("www.example").gets("from the cache", "192.0.2.1", "2001:db8::1")
	server.notAsked("there was one question")
}

func TestLookupAllDoesWithoutAFamilyThatNeverComes(t *testing.T) {
	w := newWorld(t, Config{})
	server := w.nameServer(1)
	all := w.looksForAll("www.example")
	server.asked("A goes out", "A www.example").answers("www.example. 300 IN A 192.0.2.1")
	w.passes(1900 * time.Millisecond)
	all.waits("for the other family")
	w.passes(200 * time.Millisecond)
	all.gets("what there is", "192.0.2.1")
}

func TestLateFamilyNeverComes(t *testing.T) {
	w := newWorld(t, Config{})
	server := w.nameServer(1)
	c := w.looks("www.example")
	server.asked("A goes out", "A www.example").answers("www.example. 300 IN A 192.0.2.1")
	w.passes(70 * time.Millisecond)
	c.gets("after the grace", "192.0.2.1")
	for range 40 {
		w.passes(time.Second)
	}
	if stats := w.resolver.Stats(); len(stats.Queue) != 0 || stats.Timeouts != 1 {
		t.Errorf("queue %v, %d timeouts; want the late query to have given up", stats.Queue, stats.Timeouts)
	}
	if answer := w.looks("www.example").gets("what was known remains known", "192.0.2.1"); answer.TTL > 261*time.Second {
		t.Errorf("TTL %v; want it to run from when the answer came", answer.TTL)
	}
}

func TestLookupsJoin(t *testing.T) {
	w := newWorld(t, Config{})
	server := w.nameServer(1)
	first, second, third := w.looks("www.example"), w.looks("WWW.EXAMPLE"), w.looks("www.example.")
	server.both("one question for three lookups", "www.example", []string{"192.0.2.1"}, nil)
	server.notAsked("one question for three lookups")
	first.gets("the first", "192.0.2.1")
	second.gets("the second", "192.0.2.1")
	third.gets("the third", "192.0.2.1")
	w.looks("www.example").gets("the cache", "192.0.2.1")
	server.notAsked("it is in the cache")
}

func TestCancel(t *testing.T) {
	w := newWorld(t, Config{})
	server := w.nameServer(1)
	var none *Lookup
	none.Cancel()
	clients := []*client{w.looks("www.example"), w.looks("www.example"), w.looks("www.example")}
	clients[0].lookup.Cancel()
	clients[0].lookup.Cancel()
	clients[2].lookup.Cancel()
	server.both("the question goes on", "www.example", []string{"192.0.2.1"}, nil)
	clients[0].waits("it was cancelled")
	clients[1].gets("it was not", "192.0.2.1")
	clients[2].waits("it was cancelled")
	clients[1].lookup.Cancel()
	clients[1].gets("cancelling what is done changes nothing", "192.0.2.1")
	hit := w.looks("www.example")
	hit.lookup.Cancel()
	hit.gets("cancelling a cache hit changes nothing", "192.0.2.1")

	last := w.looks("other.example")
	last.lookup.Cancel()
	server.both("the question goes on although no lookup waits", "other.example", []string{"192.0.2.2"}, nil)
	last.waits("it was cancelled")
	w.looks("other.example").gets("for the cache", "192.0.2.2")
}

func TestNameMayChangeAfterTheCall(t *testing.T) {
	w := newWorld(t, Config{})
	server := w.nameServer(1)
	buffer := []byte("www.example")
	view := unsafe.String(&buffer[0], len(buffer))
	c := w.looks(view)
	copy(buffer, "evil.nowher")
	server.both("the name as it was", "www.example", []string{"192.0.2.1"}, nil)
	c.gets("the name as it was", "192.0.2.1")
	w.looks("www.example").gets("in the cache under the name as it was", "192.0.2.1")

	copy(buffer, "bad name!<>")
	bad := w.looks(view)
	copy(buffer, "xxxxxxxxxxx")
	if e := bad.fails("a bad name", BadName); e.Name != "bad name!<>" {
		t.Errorf("the error is about %q", e.Name)
	}
}

func TestClose(t *testing.T) {
	w := newWorld(t, Config{})
	w.nameServer(1)
	sent := w.looks("www.example")
	unsent := &client{w: w, name: "new.example"}
	unsent.lookup = w.resolver.Lookup("new.example", w.loop.NewWaker(unsent))
	w.resolver.Close()
	w.resolver.Close()
	w.settle()
	sent.fails("the resolver is closed", Closed)
	unsent.fails("the resolver is closed", Closed)
	w.looks("later.example").fails("the resolver is closed", Closed)
	sent.lookup.Cancel()
	w.passes(time.Minute)
	if n := w.kernel.OpenDescriptors(); n != 0 {
		t.Errorf("%d descriptors are open", n)
	}
}

func TestNamesThatAreSearchedFor(t *testing.T) {
	search := []string{"a.test", "b.test"}
	for _, row := range []struct {
		name, lookup string
		config       Config
		want         []string // asked, all but the last without success
	}{
		{"no search list is used unless wanted", "www", Config{Search: search}, []string{"www"}},
		{"short name", "www", Config{Search: search, Defnames: true}, []string{"www.a.test", "www.b.test", "www"}},
		{"name with a dot", "www.x", Config{Search: search, Defnames: true}, []string{"www.x", "www.x.a.test", "www.x.b.test"}},
		{"name with fewer than ndots", "www.x", Config{Search: search, Defnames: true, Ndots: 2}, []string{"www.x.a.test", "www.x.b.test", "www.x"}},
		{"no dots are enough", "www", Config{Search: search, Defnames: true, Ndots: -1}, []string{"www", "www.a.test", "www.b.test"}},
		{"rooted", "www.", Config{Search: search, Defnames: true, AppendDomain: ".c.test"}, []string{"www"}},
		{"append_domain", "www", Config{Search: search, Defnames: true, AppendDomain: ".C.test"}, []string{"www.c.test"}},
		{"append_domain leaves names with dots alone", "www.x", Config{AppendDomain: ".c.test"}, []string{"www.x"}},
		{"too long with the domain", strings.Repeat("a", 60), Config{AppendDomain: "." + strings.Repeat("b.", 100) + "test"}, []string{strings.Repeat("a", 60)}},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.config.IPv4Only = true
			w := newWorld(t, row.config)
			server := w.nameServer(1)
			c := w.looks(row.lookup)
			for i, name := range row.want {
				c.waits("there is more to try")
				q := server.asked("the next candidate", "A "+name)
				server.notAsked("one candidate at a time")
				if i < len(row.want)-1 {
					q.says(codeNoSuchName, soa)
				} else {
					q.answers(name + ". 300 IN A 192.0.2.1")
				}
			}
			c.gets("found under the last", "192.0.2.1")
			w.looks(row.lookup).gets("cached under the name that was looked up", "192.0.2.1")
			server.notAsked("it is in the cache")
		})
	}
}

func TestSearchThatFindsNothing(t *testing.T) {
	w := newWorld(t, Config{Search: []string{"a.test"}, Defnames: true, IPv4Only: true})
	server := w.nameServer(1)
	c := w.looks("www")
	server.asked("the first candidate", "A www.a.test").hasNothing()
	server.asked("the name itself", "A www").says(codeNoSuchName, soa)
	c.fails("one of them exists, without address", NoAddress)
	w.looks("www.").waits("the rooted name is another")
	server.asked("the rooted name is another", "A www")
}

func TestReverse(t *testing.T) {
	hosts, err := ReadHosts(strings.NewReader("192.0.2.80 printer.example lp\n"))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, Config{Hosts: hosts})
	server := w.nameServer(1)
	w.looksBack("192.0.2.80").gets("hosts file", "printer.example", "lp")
	server.notAsked("it is in the hosts file")

	c := w.looksBack("::ffff:192.0.2.7")
	server.asked("IPv4", "PTR 7.2.0.192.in-addr.arpa").answers("7.2.0.192.in-addr.arpa. 300 IN PTR WWW.example.",
		`7.2.0.192.in-addr.arpa. 300 IN PTR evil\010name.example.`, "7.2.0.192.in-addr.arpa. 300 IN PTR second.example.")
	c.gets("names that hosts may have", "www.example", "second.example")
	w.looksBack("192.0.2.7").gets("the cache", "www.example", "second.example")

	const six = "7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
	c = w.looksBack("2001:db8::7")
	server.asked("IPv6", "PTR "+six).says(codeNoSuchName, soa)
	if e := c.fails("it has no name", NoSuchName); e.Name != "2001:db8::7" {
		t.Errorf("the error is about %q", e.Name)
	}
	w.looksBack("2001:db8::7").fails("the cache", NoSuchName)
	server.notAsked("it is in the cache")

	w.looks("7.2.0.192.in-addr.arpa").waits("addresses of such a name are another matter")
	invalid := w.resolver.Reverse(netip.Addr{}, nil)
	if _, done, err := invalid.Result(); !done || err == nil {
		t.Errorf("the reverse of no address: done %v, error %v", done, err)
	}
}

func TestReverseOfHostsWithADomain(t *testing.T) {
	hosts, err := ReadHosts(strings.NewReader("192.0.2.80 printer lp.example\n"))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, Config{Hosts: hosts, AppendDomain: ".Corp.example"})
	for range 2 {
		w.looksBack("192.0.2.80").gets("append_domain is for hosts, too", "printer.corp.example", "lp.example")
	}
}

func TestReverseThroughAlias(t *testing.T) {
	w := newWorld(t, Config{})
	server := w.nameServer(1)
	c := w.looksBack("192.0.2.7")
	server.asked("IPv4", "PTR 7.2.0.192.in-addr.arpa").answers(
		`7.2.0.192.in-addr.arpa. 300 IN CNAME 7.0/25.2.0.192.in-addr.arpa.`,
		`7.0/25.2.0.192.in-addr.arpa. 100 IN PTR www.example.`)
	if a := c.gets("classless delegation (RFC 2317)", "www.example"); a.TTL != 100*time.Second {
		t.Errorf("TTL %v", a.TTL)
	}
}

func TestIPv4Only(t *testing.T) {
	w := newWorld(t, Config{IPv4Only: true})
	server := w.nameServer(1)
	c := w.looks("www.example")
	server.asked("A", "A www.example").answers("www.example. 300 IN A 192.0.2.1")
	c.gets("without waiting for anything", "192.0.2.1")
	server.notAsked("no AAAA")
}

func TestAllocations(t *testing.T) {
	hosts, err := ReadHosts(strings.NewReader("192.0.2.80 printer.example\n"))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, Config{Hosts: hosts, AppendDomain: ".corp.example"})
	server := w.nameServer(1)
	w.looks("www.example")
	server.both("the first time", "www.example", []string{"192.0.2.1"}, []string{"2001:db8::1"})
	w.looksBack("192.0.2.7")
	server.asked("the first time", "PTR 7.2.0.192.in-addr.arpa").answers("7.2.0.192.in-addr.arpa. 300 IN PTR www.example.")
	waker := w.loop.NewWaker(&client{})
	for _, name := range []string{"192.0.2.7", "2001:db8::7", "printer.example", "www.example", "WWW.Example"} {
		if n := testing.AllocsPerRun(1000, func() {
			if _, done, err := w.resolver.Lookup(name, waker).Result(); !done || err != nil {
				t.Fatalf("%s: done %v, error %v", name, done, err)
			}
		}); n != 0 {
			t.Errorf("looking up %s costs %v allocations", name, n)
		}
	}
	addr := netip.MustParseAddr("192.0.2.7")
	if n := testing.AllocsPerRun(1000, func() { w.resolver.Reverse(addr, waker) }); n != 0 {
		t.Errorf("looking up the name of an address costs %v allocations", n)
	}
}

func TestLookupsDoNotShareLiterals(t *testing.T) {
	w := newWorld(t, Config{})
	var clients []*client
	var want []string
	for i := range 3 * lookupBlock {
		want = append(want, netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}).String())
		clients = append(clients, w.looks(want[i]))
	}
	for i, c := range clients {
		c.gets("each has its own", want[i])
	}
}
