package manager

import (
	"errors"
	"math"
	"net/netip"
	"testing"
	"time"

	"exaproxy/engine"
	"exaproxy/engine/tlshello"
)

// newRecord is of a request that went to a server, and came from an address.
func newRecord(p *Policy, from string) *engine.Record {
	client := netip.MustParseAddrPort(from)
	r := &engine.Request{Client: client, Connection: &engine.Connection{Client: client}}
	r.Method = "GET"
	return &engine.Record{Request: r, Forwarded: true, Status: 200, Ended: p.Services.Loop.Now(), Took: 1234 * time.Microsecond,
		In: 100, Out: 2048, UpstreamIn: 2000, UpstreamOut: 120}
}

// BenchmarkRecord is what counting costs each request.
func BenchmarkRecord(b *testing.B) {
	p := newPolicy(b, "")
	rec := newRecord(p, "192.0.2.7:40000")
	b.ReportAllocs()
	for b.Loop() {
		p.Record(rec)
	}
}

// TestRecord counts what has ended in each of the ways that Squid tells apart.
func TestRecord(t *testing.T) {
	p := newPolicy(t, "")
	for _, change := range []func(*engine.Record){
		func(*engine.Record) {},
		func(rec *engine.Record) { rec.Aborted = true },
		func(rec *engine.Record) { // a CONNECT that led nowhere
			rec.Request.Method = "CONNECT"
			rec.UpstreamIn, rec.UpstreamOut, rec.Failure = 0, 0, &engine.Failure{Kind: engine.CannotConnect, Side: engine.UpstreamSide, Err: errors.New("no")}
		},
		func(rec *engine.Record) { // a tunnel that was looked into
			rec.Request.Method, rec.Request.Connection.Hello = "CONNECT", &tlshello.Hello{Encrypted: true}
		},
		func(rec *engine.Record) { // a request in it
			rec.Request.Connection.Hello = &tlshello.Hello{Encrypted: true}
		},
		func(rec *engine.Record) { // a page of the manager's that is not there
			rec.Forwarded, rec.UpstreamIn, rec.UpstreamOut, rec.Decided, rec.Page, rec.Status = false, 0, 0, engine.Serve, "ERR_INVALID_URL", 404
		},
		func(rec *engine.Record) { // no request
			rec.Forwarded, rec.UpstreamIn, rec.UpstreamOut, rec.Failure = false, 0, 0, &engine.Failure{Kind: engine.BadRequest, Side: engine.ClientSide}
		},
		func(rec *engine.Record) { rec.Unread, rec.Forwarded, rec.UpstreamOut = true, false, 0 },
	} {
		rec := newRecord(p, "192.0.2.7:40000")
		change(rec)
		p.Record(rec)
	}
	n := p.counts
	if want := (traffic{requests: 7, errors: 3, in: 700, out: 7 * 2048}); n.client != want {
		t.Errorf("of clients: %+v, want %+v", n.client, want)
	}
	if n.web.requests != 3 || n.web.errors != 0 || n.hellos != (hellos{1, 1}) || n.tunnels.requests != 2 || n.tunnels.errors != 1 || n.aborted != 1 {
		t.Errorf("of servers: %+v, of tunnels: %+v, aborted %d", n.web, n.tunnels, n.aborted)
	}
	if got := n.clients[netip.MustParseAddr("192.0.2.7")].results; got != [...]uint64{4, 4, 0, 0, 0, 0} {
		t.Errorf("results of the client: %v", got)
	}
}

// TestClientsAreForgotten keeps the counts of as many clients as there is room for.
func TestClientsAreForgotten(t *testing.T) {
	p := newPolicy(t, "")
	first := newRecord(p, "192.0.2.7:40000")
	p.Record(first)
	for i := range mostClients {
		rec := newRecord(p, "10.0.0.1:40000")
		rec.Request.Client = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 1)
		p.Record(rec)
	}
	if n := len(p.counts.clients); n > mostClients {
		t.Errorf("%d clients are kept", n)
	}
	p.Record(first) // whose connection remembers where it was counted
	if got := p.counts.clients[netip.MustParseAddr("192.0.2.7")].results[1]; got != 1 {
		t.Errorf("one who was forgotten has asked %d times since", got)
	}
}

// TestHistory has averages be those of the minutes that have ended, also if nothing happened meanwhile.
func TestHistory(t *testing.T) {
	p := newPolicy(t, "")
	began := p.Services.Loop.Now()
	at := func(minutes float64, requests int) {
		for range requests {
			rec := newRecord(p, "192.0.2.7:40000")
			rec.Ended = began.Add(time.Duration(minutes * float64(time.Minute)))
			p.Record(rec)
		}
	}
	at(0.5, 60)
	at(1.5, 30)
	at(9.5, 1)
	at(100, 600)
	p.counts.roll(began.Add(200 * time.Minute))
	h := &p.counts.past
	if len(h.minutes) != mostMinutes || len(h.hours) != 3 || h.ended != 200 {
		t.Fatalf("%d minutes and %d hours are kept of %d minutes", len(h.minutes), len(h.hours), h.ended)
	}
	requests := func(f *figures) uint64 { return f.client.requests }
	if got := requests(h.hours[0]) - requests(h.hours[2]); got != 600 {
		t.Errorf("in two hours there were %d", got)
	}
	if got := requests(h.minutes[0]) - requests(h.minutes[59]); got != 0 {
		t.Errorf("in the last hour there were %d", got)
	}
	if !h.minutes[0].at.Equal(began.Add(200 * time.Minute)) {
		t.Errorf("the last minute ended at %v", h.minutes[0].at)
	}
}

// TestBins has every value be in the bin that the logarithm says.
func TestBins(t *testing.T) {
	for v := 0.0; v < 5e7; v = v*1.0007 + 0.0003 {
		want := min(int(serviceScale.factor*math.Log1p(v)+0.5), serviceScale.bins-1)
		if got := serviceScale.bin(v); got != want {
			t.Fatalf("%v is in bin %d, want %d", v, got, want)
		}
	}
}

// TestHistogram finds quantiles in the bins that they are in.
func TestHistogram(t *testing.T) {
	bins := make([]uint32, serviceScale.bins)
	for _, ms := range []float64{1, 1, 1, 2, 10, 100, 1000, 1000, 1000, 1e9} {
		bins[serviceScale.bin(ms)]++
	}
	h := newHistogram(serviceScale)
	h.add(curveOf(bins), nil)
	for share, near := range map[float64]float64{0.1: 1, 0.35: 2, 0.5: 10, 0.6: 100, 0.85: 1000} {
		if got := h.quantile(share); got < near*0.9 || got > near*1.15 {
			t.Errorf("%v are not above %v ms, want about %v", share, got, near)
		}
	}
	if newHistogram(serviceScale).quantile(0.5) != 0 {
		t.Error("of nothing there is a median")
	}
}
