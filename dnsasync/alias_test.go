package dnsasync

import (
	"fmt"
	"testing"
	"time"
)

func TestAliases(t *testing.T) {
	for _, row := range []struct {
		name    string
		answers []string
		want    []string // nil: no address
		ttl     time.Duration
	}{
		{"one", []string{"www.example. 300 IN CNAME a.example.", "a.example. 200 IN A 192.0.2.1"}, []string{"192.0.2.1"}, 200 * time.Second},
		{"in any order and case", []string{"B.example. 200 IN A 192.0.2.1", "a.example. 100 IN CNAME b.EXAMPLE.", "WWW.example. 300 IN CNAME A.example."},
			[]string{"192.0.2.1"}, 100 * time.Second},
		{"addresses of others are not taken", []string{"www.example. 300 IN CNAME a.example.", "a.example. 300 IN A 192.0.2.1",
			"www.example. 300 IN A 192.0.2.66", "b.example. 1 IN A 192.0.2.66"}, []string{"192.0.2.1"}, 300 * time.Second},
		{"another class", []string{"www.example. 300 CH A 192.0.2.66", "www.example. 300 IN A 192.0.2.1"}, []string{"192.0.2.1"}, 300 * time.Second},
		{"to nothing, says the zone", []string{"www.example. 300 IN CNAME a.example.", soa}, nil, 30 * time.Second},
		{"to the root", []string{"www.example. 300 IN CNAME ."}, nil, time.Minute},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t, Config{IPv4Only: true, MinTTL: -1})
			server := w.nameServer(1)
			c := w.looks("www.example")
			server.asked("the name", "A www.example").answers(row.answers...)
			server.notAsked("everything is there")
			if row.want == nil {
				c.fails("no address", NoAddress)
			} else {
				c.gets("where the aliases lead", row.want...)
			}
			if answer, _, _ := c.lookup.Result(); answer.TTL != row.ttl {
				t.Errorf("TTL %v, want %v", answer.TTL, row.ttl)
			}
		})
	}
}

func TestAliasWithoutItsTarget(t *testing.T) {
	w := newWorld(t, Config{MinTTL: -1})
	server := w.nameServer(1)
	c := w.looks("www.example")
	first := server.asked("the name", "A www.example")
	first.answers("www.example. 100 IN CNAME a.example.")
	server.asked("the name", "AAAA www.example").hasNothing()
	c.waits("the alias is asked for")
	next := server.asked("the alias is asked for", "A a.example")
	if next.Id == first.Id {
		t.Error("another name was asked for with the same identifier")
	}
	next.answers("a.example. 200 IN CNAME b.example.", "b.example. 200 IN CNAME c.example.")
	server.asked("and the next", "A c.example").answers("c.example. 300 IN A 192.0.2.1")
	if a := c.gets("found in the end", "192.0.2.1"); a.TTL != 100*time.Second {
		t.Errorf("TTL %v, want the smallest along the way", a.TTL)
	}
	w.looks("www.example").gets("cached under the name", "192.0.2.1")
	w.looks("a.example").waits("not under the alias")
}

func TestAliasesInACircle(t *testing.T) {
	w := newWorld(t, Config{IPv4Only: true})
	server := w.nameServer(1)
	c := w.looks("a.example")
	for asked := 0; ; asked++ {
		server.receive()
		if len(server.held) == 0 {
			if asked != 1+maxFollowed {
				t.Errorf("asked %d times, want %d", asked, 1+maxFollowed)
			}
			break
		}
		if asked > 100 {
			t.Fatal("the circle has no end")
		}
		server.asked("round and round", server.held[0].what()).answers("a.example. 300 IN CNAME b.example.", "b.example. 300 IN CNAME a.example.")
	}
	c.fails("a circle", NoAddress)

	c = w.looks("self.example")
	for range 1 + maxFollowed {
		server.asked("itself", "A self.example").answers("self.example. 300 IN CNAME self.example.")
	}
	c.fails("its own alias", NoAddress)
}

// TestLongChainOfAliases has chains be followed beyond what is read of one answer, but not for ever.
func TestLongChainOfAliases(t *testing.T) {
	for _, row := range []struct{ length, asked int }{{maxAliases - 1, 1}, {3 * maxAliases, 3}, {100 * maxAliases, 1 + maxFollowed}} {
		w := newWorld(t, Config{IPv4Only: true})
		server := w.nameServer(1)
		c := w.looks("n0.example")
		asked := 0
		for server.receive(); len(server.held) > 0; server.receive() {
			var from int
			q := server.held[0]
			if _, err := fmt.Sscanf(q.what(), "A n%d.example", &from); err != nil {
				t.Fatal(err)
			}
			server.held = server.held[1:]
			var records []string
			for n := from; n < row.length && n < from+2*maxAliases; n++ { // more than are followed
				records = append(records, fmt.Sprintf("n%d.example. 300 IN CNAME n%d.example.", n, n+1))
			}
			if from+2*maxAliases > row.length {
				records = append(records, fmt.Sprintf("n%d.example. 300 IN A 192.0.2.1", row.length))
			}
			asked++
			q.answers(records...)
		}
		if asked != row.asked {
			t.Errorf("a chain of %d: asked %d times, want %d", row.length, asked, row.asked)
		}
		if row.asked > maxFollowed {
			c.fails("too long a chain", NoAddress)
		} else {
			c.gets("at the end of the chain", "192.0.2.1")
		}
	}
}

// TestNamesOfURLs looks up all that may stand in the place of a host in a URL.
func TestNamesOfURLs(t *testing.T) {
	for name, onWire := range map[string]string{
		"a~b.example": "a~b.example", "B\u00fc.example": `b\195\188.example`, "b\xfc.example": `b\252.example`,
		"a!$&'()*+,;=b.example": `a!$&\'\(\)*+,\;=b.example`,
	} {
		w := newWorld(t, Config{IPv4Only: true, Search: []string{"test"}, Defnames: true, Ndots: 2})
		server := w.nameServer(1)
		c := w.looks(name)
		server.asked("with a domain", "A "+onWire+".test").says(codeNoSuchName, soa)
		server.asked("by its bytes", "A "+onWire).answers(onWire + ". 300 IN A 192.0.2.1")
		c.gets("as others", "192.0.2.1")
		w.looks(name).gets("from the cache", "192.0.2.1")
	}
}

func TestAliasOfAnyBytes(t *testing.T) {
	w := newWorld(t, Config{IPv4Only: true})
	server := w.nameServer(1)
	c := w.looks("www.example")
	server.asked("the name", "A www.example").answers(`www.example. 300 IN CNAME a\.b\000\\c.example.`)
	server.asked("bytes of any kind", `A a\.b\000\\c.example`).answers(`a\.b\000\\c.example. 300 IN A 192.0.2.1`)
	c.gets("an alias may have any bytes", "192.0.2.1")
}
