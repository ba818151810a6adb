package manager

// writeAverages makes the writer of averages over some minutes.
func writeAverages(minutes int) func(*report, []told) {
	return func(r *report, parts []told) { r.averages(lastMinutes(parts, minutes)) }
}

// averages writes a span, by the second. As in Squid it ends with the last full minute.
func (r *report) averages(s *span) {
	a, b := &s.from, &s.to
	r.when("sample_start_time", a.at)
	r.when("sample_end_time", b.at)
	r.averageTraffic(s)
	r.rate(s, "icp.", 0, 0, "pkts_sent", "pkts_recv", "queries_sent", "replies_sent", "queries_recv", "replies_recv", "replies_queued", "query_timeouts",
		"kbytes_sent", "kbytes_recv", "q_kbytes_sent", "r_kbytes_sent", "q_kbytes_recv", "r_kbytes_recv")
	r.printf("icp.query_median_svc_time = %f seconds\nicp.reply_median_svc_time = %f seconds\n", 0.0, 0.0)
	r.median("dns.median_svc_time", s.resolved)
	r.rate(s, "", 0, 0, "unlink.requests")
	r.rate(s, "", a.process.faults, b.process.faults, "page_faults")
	r.rate(s, "", a.turns, b.turns, "select_loops")
	r.rate(s, "", a.events, b.events, "select_fds")
	r.printf("average_select_fd_period = %f/fd\n", ratio(s.seconds(), float64(b.events-a.events)))
	r.printf("median_select_fds = %f\n", s.ready.quantile(0.5))
	r.rate(s, "swap.", 0, 0, "outs", "ins", "files_cleaned")
	r.rate(s, "", a.aborted, b.aborted, "aborted_requests")
	r.averageCalls(s)
	cpu := (b.process.cpu - a.process.cpu).Seconds()
	r.printf("cpu_time = %f seconds\nwall_time = %f seconds\ncpu_usage = %f%%\n", cpu, s.seconds(), 100*ratio(cpu, s.seconds()))
}

// averageTraffic writes what clients asked, and what was asked of servers.
func (r *report) averageTraffic(s *span) {
	a, b := &s.from, &s.to
	r.rate(s, "client_http.", a.client.requests, b.client.requests, "requests")
	r.rate(s, "client_http.", 0, 0, "hits")
	r.rate(s, "client_http.", a.client.errors, b.client.errors, "errors")
	r.rate(s, "client_http.", a.client.in>>10, b.client.in>>10, "kbytes_in")
	r.rate(s, "client_http.", a.client.out>>10, b.client.out>>10, "kbytes_out")
	r.median("client_http.all_median_svc_time", s.served)
	r.median("client_http.miss_median_svc_time", s.misses)
	for _, name := range []string{"nm", "nh", "hit"} {
		r.printf("client_http.%s_median_svc_time = %f seconds\n", name, 0.0)
	}
	for _, hop := range []struct {
		name     string
		from, to traffic
	}{{"server.all.", a.all, b.all}, {"server.http.", a.web, b.web}, {"server.ftp.", traffic{}, traffic{}}, {"server.other.", a.tunnels, b.tunnels}} {
		r.rate(s, hop.name, hop.from.requests, hop.to.requests, "requests")
		r.rate(s, hop.name, hop.from.errors, hop.to.errors, "errors")
		r.rate(s, hop.name, hop.from.in>>10, hop.to.in>>10, "kbytes_in")
		r.rate(s, hop.name, hop.from.out>>10, hop.to.out>>10, "kbytes_out")
	}
}

// averageCalls writes how often the kernel was asked for what. Logs are written by others than workers.
func (r *report) averageCalls(s *span) {
	a, b := &s.from.calls, &s.to.calls
	r.rate(s, "syscalls.disk.", 0, 0, "opens", "closes", "reads", "writes", "seeks", "unlinks")
	r.rate(s, "syscalls.sock.", a.accepts, b.accepts, "accepts")
	r.rate(s, "syscalls.sock.", a.sockets, b.sockets, "sockets")
	r.rate(s, "syscalls.sock.", a.connects, b.connects, "connects")
	r.rate(s, "syscalls.sock.", a.binds, b.binds, "binds")
	r.rate(s, "syscalls.sock.", a.closes, b.closes, "closes")
	r.rate(s, "syscalls.sock.", a.reads, b.reads, "reads")
	r.rate(s, "syscalls.sock.", a.writes, b.writes, "writes")
	r.rate(s, "syscalls.sock.", a.receives, b.receives, "recvfroms")
	r.rate(s, "syscalls.sock.", a.sends, b.sends, "sendtos")
}

// rate writes by how much numbers have grown in a second of a span.
func (r *report) rate(s *span, group string, from, to uint64, names ...string) {
	grown := float64(to - min(from, to)) // what a request that goes on has moved may turn out to be less
	for _, name := range names {
		r.printf("%s%s = %f/sec\n", group, name, ratio(grown, s.seconds()))
	}
}

// seconds is how long the span is.
func (s *span) seconds() float64 { return s.to.at.Sub(s.from.at).Seconds() }

// median writes the time that half of what was counted took no longer than.
func (r *report) median(name string, h *histogram) {
	r.printf("%s = %f seconds\n", name, h.quantile(0.5)/1000)
}

// ratio is a by b; of nothing it is nothing.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// writeUtilization writes how much was asked lately, and in all.
func writeUtilization(r *report, parts []told) {
	r.print("Cache Utilisation:\n\n")
	minutes, hours := 0, 0
	for i := range parts {
		minutes, hours = len(parts[i].minutes), len(parts[i].hours)
	}
	for _, last := range []struct {
		name           string
		minutes, hours int
	}{{"5 minutes", 5, 0}, {"15 minutes", 15, 0}, {"hour", 59, 0}, {"8 hours", 0, 8}, {"day", 0, 24}, {"3 days", 0, 71}} {
		r.printf("Last %s:\n", last.name)
		switch {
		case last.minutes >= minutes && last.hours == 0, last.hours >= hours && last.minutes == 0:
			r.print("(no values recorded yet)\n")
		case last.hours == 0:
			r.averages(lastMinutes(parts, last.minutes))
		default:
			r.averages(lastHours(parts, last.hours))
		}
		r.print("\n")
	}
	r.print("Totals since cache startup:\n")
	r.counters(sinceStart(parts))
}

// writeServiceTimes writes how long requests took, in twentieths.
func writeServiceTimes(r *report, parts []told) {
	five, sixty := lastMinutes(parts, 5), lastMinutes(parts, 60)
	none := newHistogram(serviceScale)
	r.print("Service Time Percentiles            5 min    60 min:\n")
	for _, row := range []struct {
		name        string
		five, sixty *histogram
	}{
		{"HTTP Requests (All):", five.served, sixty.served}, {"Cache Misses:", five.misses, sixty.misses}, {"Cache Hits:", none, none},
		{"Near Hits:", none, none}, {"Not-Modified Replies:", none, none}, {"DNS Lookups:", five.resolved, sixty.resolved}, {"ICP Queries:", none, none},
	} {
		for percent := 5; percent < 100; percent += 5 {
			share := float64(percent) / 100
			r.printf("\t%-21s %3d%%  %8.5f %8.5f\n", row.name, percent, row.five.quantile(share)/1000, row.sixty.quantile(share)/1000)
		}
	}
}

// writeHistograms writes what the times since the start were, bin by bin.
func writeHistograms(r *report, parts []told) {
	s := sinceStart(parts)
	none := newHistogram(serviceScale)
	for _, row := range []struct {
		name string
		h    *histogram
	}{
		{"client_http.allSvcTime", s.served}, {"client_http.missSvcTime", s.misses}, {"client_http.nearMissSvcTime", none},
		{"client_http.nearHitSvcTime", none}, {"client_http.hitSvcTime", none}, {"icp.querySvcTime", none}, {"icp.replySvcTime", none},
		{"dns.svc_time", s.resolved}, {"select_fds_hist", s.ready},
	} {
		r.printf("%s histogram:\n", row.name)
		r.histogram(row.h)
	}
}

func (r *report) histogram(h *histogram) {
	first := 0
	if h.factor == 0 {
		first = 1 // as Squid numbers them
	}
	for bin, n := range h.counted {
		if n > 0 {
			r.printf("\t%3d/%f\t%d\t%f\n", bin+first, h.value(bin), n, float64(n)/(h.value(bin+1)-h.value(bin)))
		}
	}
}
