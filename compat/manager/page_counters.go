package manager

import (
	"time"

	"exaproxy/engine/h1"
)

// told is what a worker tells for pages of numbers: those of now, and those of former times.
type told struct {
	now            *figures
	minutes, hours []*figures
	began          *figures
}

func collectFigures(p *Policy) told {
	n, now := p.counts, p.Services.Loop.Now()
	n.roll(now)
	h := &n.past
	return told{n.figures(now), append([]*figures(nil), h.minutes...), append([]*figures(nil), h.hours...), h.began}
}

// at is what the figures were so many minutes, or hours, before the last that has ended.
func (t *told) at(all []*figures, n int) *figures {
	if n < len(all) {
		return all[n]
	}
	return t.began
}

// A sum is what all workers have counted.
type sum struct {
	at                        time.Time
	client, web, tunnels, all traffic
	aborted                   uint64
	hellos                    hellos
	calls                     calls
	process                   process
	turns, events             uint64
}

func (t *traffic) add(o traffic) {
	t.requests, t.errors, t.in, t.out = t.requests+o.requests, t.errors+o.errors, t.in+o.in, t.out+o.out
}

func (c *calls) add(o calls) {
	c.accepts, c.sockets, c.connects, c.binds, c.closes = c.accepts+o.accepts, c.sockets+o.sockets, c.connects+o.connects, c.binds+o.binds, c.closes+o.closes
	c.reads, c.writes, c.receives, c.sends = c.reads+o.reads, c.writes+o.writes, c.receives+o.receives, c.sends+o.sends
}

// add adds a worker's figures. Those of the process are everybody's.
func (s *sum) add(f *figures) {
	if s.at.IsZero() || f.process.cpu > s.process.cpu {
		s.at, s.process = f.at, f.process
	}
	s.client.add(f.client)
	s.web.add(f.web)
	s.tunnels.add(f.tunnels)
	s.all.add(f.web)
	s.all.add(f.tunnels)
	s.aborted += f.aborted
	s.hellos.add(f.hellos)
	s.calls.add(f.calls)
	s.turns += f.turns
	s.events += f.events
}

// A span is what two moments were, and what was counted between them.
type span struct {
	from, to                        sum
	served, misses, resolved, ready *histogram
}

// between adds up workers from one moment to another.
func between(parts []told, moment func(*told) (from, to *figures)) *span {
	s := &span{served: newHistogram(serviceScale), misses: newHistogram(serviceScale), resolved: newHistogram(namesScale), ready: newHistogram(readyScale)}
	for i := range parts {
		from, to := moment(&parts[i])
		s.from.add(from)
		s.to.add(to)
		s.served.add(to.served, from.served)
		s.misses.add(to.misses, from.misses)
		s.resolved.add(to.resolved, from.resolved)
		s.ready.add(to.ready, from.ready)
	}
	return s
}

// lastMinutes is the span of some minutes before the last that has ended.
func lastMinutes(parts []told, n int) *span {
	return between(parts, func(t *told) (from, to *figures) { return t.at(t.minutes, min(n, mostMinutes-1)), t.at(t.minutes, 0) })
}

func lastHours(parts []told, n int) *span {
	return between(parts, func(t *told) (from, to *figures) { return t.at(t.hours, min(n, mostHours-1)), t.at(t.hours, 0) })
}

// sinceStart is the span of everything.
func sinceStart(parts []told) *span {
	return between(parts, func(t *told) (from, to *figures) { return t.began, t.now })
}

func writeCounters(r *report, parts []told) { r.counters(sinceStart(parts)) }

// counters writes what was counted since the start. What only a cache, or ICP, could count is nothing.
func (r *report) counters(s *span) {
	c := &s.to
	r.when("sample_time", c.at)
	r.counter("client_http.requests", c.client.requests)
	r.counter("client_http.hits", 0)
	r.counter("client_http.errors", c.client.errors)
	r.counter("client_http.kbytes_in", c.client.in>>10)
	r.counter("client_http.kbytes_out", c.client.out>>10)
	r.counter("client_http.hit_kbytes_out", 0)
	r.traffic("server.all", &c.all)
	r.traffic("server.http", &c.web)
	r.traffic("server.ftp", &traffic{})
	r.traffic("server.other", &c.tunnels)
	for _, name := range notHere {
		r.counter(name, 0)
	}
	r.counter("page_faults", c.process.faults)
	r.counter("select_loops", c.turns)
	r.printf("cpu_time = %f\n", c.process.cpu.Seconds())
	r.printf("wall_time = %f\n", c.at.Sub(s.from.at).Seconds())
	r.counter("swap.outs", 0)
	r.counter("swap.ins", 0)
	r.counter("swap.files_cleaned", 0)
	r.counter("aborted_requests", c.aborted)
	r.counter("exaproxy.client_hellos", c.hellos.seen)
	r.counter("exaproxy.client_hellos_encrypted", c.hellos.encrypted)
}

// notHere are counters of ICP, of digests of caches, and of unlinkd.
var notHere = []string{
	"icp.pkts_sent", "icp.pkts_recv", "icp.queries_sent", "icp.replies_sent", "icp.queries_recv", "icp.replies_recv", "icp.query_timeouts",
	"icp.replies_queued", "icp.kbytes_sent", "icp.kbytes_recv", "icp.q_kbytes_sent", "icp.r_kbytes_sent", "icp.q_kbytes_recv", "icp.r_kbytes_recv",
	"icp.times_used", "cd.times_used", "cd.msgs_sent", "cd.msgs_recv", "cd.memory", "cd.local_memory", "cd.kbytes_sent", "cd.kbytes_recv",
	"unlink.requests",
}

func (r *report) counter(name string, n uint64) { r.printf("%s = %d\n", name, n) }

// traffic writes what moved between us and servers.
func (r *report) traffic(name string, t *traffic) {
	r.counter(name+".requests", t.requests)
	r.counter(name+".errors", t.errors)
	r.counter(name+".kbytes_in", t.in>>10)
	r.counter(name+".kbytes_out", t.out>>10)
}

// when writes a moment: in seconds, and to be read.
func (r *report) when(name string, at time.Time) {
	r.printf("%s = %d.%06d (%s)\n", name, at.Unix(), at.Nanosecond()/1000, at.UTC().Format(h1.DateLayout))
}
