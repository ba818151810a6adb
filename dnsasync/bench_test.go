package dnsasync

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"exaproxy/engine/loop"
	"exaproxy/engine/loop/looptest"
)

func BenchmarkCacheHit(b *testing.B) {
	l, err := loop.New(looptest.NewKernel(b))
	if err != nil {
		b.Fatal(err)
	}
	r := New(l, Config{})
	for i := range 10000 {
		e := r.newEntry(key{name: fmt.Sprintf("www.host%d.example", i)}, time.Hour)
		e.addrs = []netip.Addr{netip.AddrFrom4([4]byte{192, 0, 2, 1})}
		r.cache.put(e)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, done, _ := r.Lookup("www.host4711.example", nil).Result(); !done {
			b.Fatal("not in the cache")
		}
	}
}

func BenchmarkLiteral(b *testing.B) {
	l, err := loop.New(looptest.NewKernel(b))
	if err != nil {
		b.Fatal(err)
	}
	r := New(l, Config{})
	b.ReportAllocs()
	for b.Loop() {
		r.Lookup("192.0.2.1", nil)
	}
}
