package manager

import (
	"net/netip"
	"time"

	"exaproxy/engine/h1"
)

// general is what a worker tells for the page info.
type general struct {
	told
	clients map[netip.Addr]bool
}

func collectInfo(p *Policy) general {
	g := general{told: collectFigures(p), clients: make(map[netip.Addr]bool)}
	for a := range p.counts.clients {
		g.clients[a] = true
	}
	return g
}

// writeInfo writes what monitoring looks at first. What only a cache could count is nothing.
func writeInfo(r *report, parts []general) {
	all, clients := make([]told, len(parts)), make(map[netip.Addr]bool)
	for i := range parts {
		all[i] = parts[i].told
		for a := range parts[i].clients {
			clients[a] = true
		}
	}
	s := sinceStart(all)
	r.head(s)
	r.connections(s, len(clients))
	r.cache()
	r.medians(lastMinutes(all, 5), lastMinutes(all, 60))
	r.resources(s, lastMinutes(all, 5), lastMinutes(all, 60))
	r.openDescriptors()
	r.print("Internal Data Structures:\n\t     0 StoreEntries\n\t     0 StoreEntries with MemObjects\n\t     0 Hot Object Cache Items\n\t     0 on-disk objects\n")
}

func (r *report) head(s *span) {
	date := func(at time.Time) string { return at.UTC().Format(h1.DateLayout) }
	r.printf("Squid Object Cache: Version %s\nBuild Info: ExaProxy\nService Name: squid\n", r.p.Version.Release())
	r.printf("Start Time:\t%s\nCurrent Time:\t%s\n", date(s.from.at), date(s.to.at))
}

func (r *report) connections(s *span, clients int) {
	up := s.to.at.Sub(s.from.at)
	r.print("Connection information for squid:\n")
	if r.p.Clients {
		r.printf("\tNumber of clients accessing cache:\t%d\n", clients)
	} else {
		r.print("\tNumber of clients accessing cache:\t(client_db off)\n")
	}
	r.printf("\tNumber of HTTP requests received:\t%d\n", s.to.client.requests)
	r.print("\tNumber of ICP messages received:\t0\n\tNumber of ICP messages sent:\t0\n\tNumber of queued ICP replies:\t0\n" +
		"\tNumber of HTCP messages received:\t0\n\tNumber of HTCP messages sent:\t0\n\tRequest failure ratio:\t 0.00\n")
	r.printf("\tAverage HTTP requests per minute since start:\t%.1f\n", ratio(float64(s.to.client.requests), up.Minutes()))
	r.print("\tAverage ICP messages per minute since start:\t0.0\n")
	r.printf("\tSelect loop called: %d times, %.3f ms avg\n", s.to.turns, ratio(milliseconds(up), float64(s.to.turns)))
}

// cache says that there is none.
func (r *report) cache() {
	r.print("Cache information for squid:\n" +
		"\tHits as % of all requests:\t5min: 0.0%, 60min: 0.0%\n" +
		"\tHits as % of bytes sent:\t5min: 0.0%, 60min: 0.0%\n" +
		"\tMemory hits as % of hit requests:\t5min: 0.0%, 60min: 0.0%\n" +
		"\tDisk hits as % of hit requests:\t5min: 0.0%, 60min: 0.0%\n" +
		"\tStorage Swap size:\t0 KB\n\tStorage Swap capacity:\t 0.0% used,  0.0% free\n" +
		"\tStorage Mem size:\t0 KB\n\tStorage Mem capacity:\t 0.0% used,  0.0% free\n" +
		"\tMean Object Size:\t0.00 KB\n\tRequests given to unlinkd:\t0\n")
}

func (r *report) medians(five, sixty *span) {
	r.print("Median Service Times (seconds)  5 min    60 min:\n")
	row := func(name string, five, sixty float64) {
		r.printf("\t%-21s %8.5f %8.5f\n", name, five/1000, sixty/1000)
	}
	row("HTTP Requests (All):", five.served.quantile(0.5), sixty.served.quantile(0.5))
	row("Cache Misses:", five.misses.quantile(0.5), sixty.misses.quantile(0.5))
	for _, name := range []string{"Cache Hits:", "Near Hits:", "Not-Modified Replies:"} {
		row(name, 0, 0)
	}
	row("DNS Lookups:", five.resolved.quantile(0.5), sixty.resolved.quantile(0.5))
	row("ICP Queries:", 0, 0)
}

// usage is what share of a processor was used in a span, in percent.
func (s *span) usage() float64 {
	return 100 * ratio((s.to.process.cpu-s.from.process.cpu).Seconds(), s.to.at.Sub(s.from.at).Seconds())
}

func (r *report) resources(s, five, sixty *span) {
	memory := measureMemory()
	up := s.to.at.Sub(s.from.at).Seconds()
	r.printf("Resource usage for squid:\n\tUP Time:\t%.3f seconds\n\tCPU Time:\t%.3f seconds\n\tCPU Usage:\t%.2f%%\n", up,
		s.to.process.cpu.Seconds(), 100*ratio(s.to.process.cpu.Seconds(), up))
	r.printf("\tCPU Usage, 5 minute avg:\t%.2f%%\n\tCPU Usage, 60 minute avg:\t%.2f%%\n", five.usage(), sixty.usage())
	r.printf("\tMaximum Resident Size: %d KB\n\tPage faults with physical i/o: %d\n", s.to.process.resident, s.to.process.faults)
	r.printf("Memory accounted for:\n\tTotal accounted:       %6d KB\n\tmemPoolAlloc calls: %9d\n\tmemPoolFree calls:  %9d\n",
		memory.used>>10, memory.allocated, memory.freed)
}

func (r *report) openDescriptors() {
	most := r.p.Services.View.Descriptors()
	if most == 0 {
		most = descriptorLimit()
	}
	open, largest := 0, 0
	for sys := range descriptors() {
		open, largest = open+1, max(largest, sys)
	}
	r.printf("File descriptor usage for squid:\n\tMaximum number of file descriptors:   %d\n\tLargest file desc currently in use:   %4d\n"+
		"\tNumber of file desc currently in use: %4d\n\tFiles queued for open:                   0\n\tAvailable number of file descriptors: %4d\n"+
		"\tReserved number of file descriptors:   100\n\tStore Disk files open:                   0\n", most, largest, open, most-open)
}
