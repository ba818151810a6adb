package manager

// pages are all that there are, in the order of Squid's menu.
var pages []page

func init() {
	pages = []page{
		alone(page{name: "menu", title: "Cache Manager Menu"}, writeMenu),
		about(page{name: "pconn", title: "Persistent Connection Utilization Histograms"}, collectConnections, writeConnections),
		alone(page{name: "config", title: "Current Squid Configuration", private: true}, writeConfig),
		about(page{name: "client_list", title: "Cache Client List", when: (*Policy).countsClients}, collectClients, writeClients),
		about(page{name: "ipcache", title: "IP Cache Stats and Contents"}, collectNames, writeIPCache),
		about(page{name: "fqdncache", title: "FQDN Cache Stats and Contents"}, collectNames, writeFQDNCache),
		about(page{name: "idns", title: "Internal DNS Statistics"}, collectNames, writeIDNS),
	}
	pages = append(pages, helperPages()...)
	pages = append(pages,
		about(page{name: "info", title: "General Runtime Information"}, collectInfo, writeInfo),
		about(page{name: "service_times", title: "Service Times (Percentiles)"}, collectFigures, writeServiceTimes),
		about(page{name: "filedescriptors", title: "Process Filedescriptor Allocation"}, collectDescriptors, writeDescriptors),
		about(page{name: "counters", title: "Traffic and Resource Counters"}, collectFigures, writeCounters),
		about(page{name: "5min", title: "5 Minute Average of Counters"}, collectFigures, writeAverages(5)),
		about(page{name: "60min", title: "60 Minute Average of Counters"}, collectFigures, writeAverages(60)),
		about(page{name: "utilization", title: "Cache Utilization"}, collectFigures, writeUtilization),
		about(page{name: "histograms", title: "Full Histogram Counts"}, collectFigures, writeHistograms),
		about(page{name: "active_requests", title: "Client-side Active Requests"}, collectRequests, writeRequests),
		about(page{name: "username_cache", title: "Active Cached Usernames", when: (*Policy).knowsUsers}, collectUsers, writeUsers),
		alone(page{name: "server_list", title: "Peer Cache Statistics"}, writePeers),
	)
}

// find returns the page of a name, nil if there is none.
func find(name string) *page {
	for i := range pages {
		if pages[i].name == name {
			return &pages[i]
		}
	}
	return nil
}

// writeMenu lists the pages.
func writeMenu(r *report) {
	for i := range pages {
		if pg := &pages[i]; pg.when == nil || pg.when(r.p) {
			r.printf(" %-22s\t%-32s\t%s\n", pg.name, pg.title, r.p.protection(pg))
		}
	}
}

// writeConfig shows the configuration, line by line.
func writeConfig(r *report) {
	for _, line := range r.p.Settings.lines {
		r.print(line)
		r.print("\n")
	}
}
