package dnsasync

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestHowLongAnswersAreKept(t *testing.T) {
	const hour = 3600
	for _, row := range []struct {
		name   string
		config Config
		ttl    uint32
		want   time.Duration // 0: not kept
	}{
		{"as long as the record says", Config{}, 300, 300 * time.Second},
		{"negative_dns_ttl is the lower limit", Config{}, 5, time.Minute},
		{"a lower limit of its own", Config{MinTTL: 10 * time.Second}, 5, 10 * time.Second},
		{"no lower limit", Config{MinTTL: -1}, 5, 5 * time.Second},
		{"no negative_dns_ttl, no lower limit", Config{NegativeTTL: -1}, 5, 5 * time.Second},
		{"positive_dns_ttl is the upper limit", Config{}, 7 * hour, 6 * time.Hour},
		{"an upper limit of its own", Config{MaxTTL: time.Minute}, 300, time.Minute},
		{"the upper limit wins", Config{MaxTTL: time.Second, MinTTL: time.Minute}, 300, time.Second},
		{"zero is never kept", Config{}, 0, 0},
		{"the largest", Config{}, 1<<31 - 1, 6 * time.Hour},
		{"the sign bit makes zero", Config{}, 1 << 31, 0},
		{"all bits", Config{}, 1<<32 - 1, 0},
		{"no cache", Config{CacheSize: -1}, 300, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.config.IPv4Only = true
			w := newWorld(t, row.config)
			server := w.nameServer(1)
			c := w.looks("www.example")
			server.asked("the first time", "A www.example").answers(fmt.Sprintf("www.example. %d IN A 192.0.2.1", row.ttl))
			c.gets("whoever asked may use it", "192.0.2.1")
			if row.want > 0 {
				w.kernel.Advance(row.want - time.Second)
				w.settle()
				if a := w.looks("www.example").gets("a second before the end", "192.0.2.1"); a.TTL != time.Second || !a.Cached || a.Took != 0 {
					t.Errorf("TTL %v, cached %v, took %v; want one second, cached, no time", a.TTL, a.Cached, a.Took)
				}
				w.kernel.Advance(time.Second)
				w.settle()
			}
			w.looks("www.example").waits("it is not kept any more")
			server.asked("the second time", "A www.example")
		})
	}
}

func TestHowLongMissesAreRemembered(t *testing.T) {
	zone := func(ttl, minimum uint32) string {
		return fmt.Sprintf("auth example. %d IN SOA ns.example. hostmaster.example. 1 3600 600 86400 %d", ttl, minimum)
	}
	for _, row := range []struct {
		name   string
		config Config
		code   int
		zone   string
		want   time.Duration
		kind   ErrorKind
	}{
		{"the zone's minimum", Config{}, codeNoSuchName, zone(300, 30), 30 * time.Second, NoSuchName},
		{"the TTL of the SOA", Config{}, codeNoSuchName, zone(20, 30), 20 * time.Second, NoSuchName},
		{"no address", Config{}, codeSuccess, zone(20, 30), 20 * time.Second, NoAddress},
		{"negative_dns_ttl is the upper limit", Config{}, codeNoSuchName, zone(3600, 3600), time.Minute, NoSuchName},
		{"another upper limit", Config{NegativeTTL: time.Hour}, codeNoSuchName, zone(3000, 3600), 3000 * time.Second, NoSuchName},
		{"the zone does not say", Config{}, codeNoSuchName, "", time.Minute, NoSuchName},
		{"not at all", Config{NegativeTTL: -1}, codeNoSuchName, zone(300, 30), 0, NoSuchName},
		{"minimum 0", Config{}, codeNoSuchName, zone(300, 0), 0, NoSuchName},
		{"server failure", Config{}, 2, "", 5 * time.Second, ServerFailure},
		{"server failure, shorter", Config{NegativeTTL: time.Second}, 2, "", time.Second, ServerFailure},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.config.IPv4Only = true
			w := newWorld(t, row.config)
			server := w.nameServer(1)
			c := w.looks("www.example")
			var records []string
			if row.zone != "" {
				records = []string{row.zone}
			}
			server.asked("the first time", "A www.example").says(row.code, records...)
			c.fails("whoever asked", row.kind)
			if row.want > 0 {
				w.kernel.Advance(row.want - time.Millisecond)
				w.settle()
				w.looks("www.example").fails("just before the end", row.kind)
				w.kernel.Advance(time.Millisecond)
				w.settle()
			}
			w.looks("www.example").waits("it is not remembered any more")
			server.asked("the second time", "A www.example")
		})
	}
}

func TestCacheEvictsTheLeastRecentlyUsed(t *testing.T) {
	w := newWorld(t, Config{IPv4Only: true, CacheSize: 3})
	server := w.nameServer(1)
	learn := func(name string) {
		t.Helper()
		w.looks(name)
		server.asked(name, "A "+name).answers(name + ". 300 IN A 192.0.2.1")
		w.passes(time.Second)
	}
	learn("a.example")
	learn("b.example")
	learn("c.example")
	w.looks("a.example").gets("used again", "192.0.2.1")
	learn("d.example")
	var got []string
	w.resolver.Entries(func(e Entry) { got = append(got, e.Name) })
	if want := "[d.example a.example c.example]"; fmt.Sprint(got) != want {
		t.Errorf("the cache has %v, want %v", got, want)
	}
	w.looks("b.example").waits("it had to go")
	w.looks("c.example").gets("it did not", "192.0.2.1")
}

func TestCacheKeepsItsOrder(t *testing.T) {
	c := newCache(2)
	now := time.Now()
	add := func(name string) *entry {
		e := &entry{key: key{name: name}, expires: now.Add(time.Hour)}
		c.put(e)
		return e
	}
	check := func(sentence string, want ...string) {
		t.Helper()
		var forth, back []string
		for e := c.newest; e != nil; e = e.older {
			forth = append(forth, e.key.name)
		}
		for e := c.oldest; e != nil; e = e.newer {
			back = append([]string{e.key.name}, back...)
		}
		if fmt.Sprint(forth) != fmt.Sprint(want) || fmt.Sprint(back) != fmt.Sprint(want) || len(c.byKey) != len(want) {
			t.Errorf("%s: %v forth, %v back, %d in all; want %v", sentence, forth, back, len(c.byKey), want)
		}
	}
	check("empty")
	a := add("a")
	check("one", "a")
	c.fresh(a, now)
	check("the newest used", "a")
	add("b")
	check("two", "b", "a")
	c.fresh(a, now)
	check("the oldest used", "a", "b")
	add("a")
	check("replaced", "a", "b")
	add("c")
	check("full", "c", "a")
	if c.fresh(c.newest, now.Add(time.Hour)) != nil {
		t.Error("an entry is used when it expires")
	}
	check("one expired", "a")
	c.fresh(c.newest, now.Add(time.Hour))
	check("all expired")
	if c.fresh(nil, now) != nil {
		t.Error("there is something where nothing is")
	}
}

func TestMissIsRememberedForTheShorterTime(t *testing.T) {
	short := strings.TrimSuffix(soa, "30") + "20"
	for _, row := range [][2]string{{soa, short}, {short, soa}} {
		w := newWorld(t, Config{})
		server := w.nameServer(1)
		c := w.looks("www.example")
		server.asked("A", "A www.example").answers(row[0])
		server.asked("AAAA", "AAAA www.example").answers(row[1])
		c.fails("neither", NoAddress)
		if answer, _, _ := c.lookup.Result(); answer.TTL != 20*time.Second {
			t.Errorf("remembered for %v, want 20 s", answer.TTL)
		}
	}
}
