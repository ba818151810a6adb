package main

import (
	"fmt"
	"slices"
)

// workload is a row of what bench measures.
type workload struct {
	name        string
	description string // for readers
	contestants []contestant
	measure     measurement
	columns     []metric
	drawn       metric // what the picture shows; none if empty
	targets     []target
}

func workloadNames() []string {
	var names []string
	for _, w := range workloads {
		names = append(names, w.name)
	}
	return names
}

var (
	underLoadColumns = []metric{rate, cpu, p50, p99, p999, memory, collections, failed}
	helperColumns    = []metric{rate, cpu, helperCPU, p50, p99, p999, memory, failed}
	growthColumns    = []metric{growth, memory, failed}

	everybody = []contestant{
		{name: "exaproxy", peer: &exaproxy}, {name: "haproxy", peer: &haproxy}, {name: "squid", peer: &squid},
		{name: "nginx", peer: &nginx}, {name: "trafficserver", peer: &trafficserver}, {name: "tinyproxy", peer: &tinyproxy},
	}
	tunnellers = []contestant{
		{name: "exaproxy", peer: &exaproxy}, {name: "haproxy tcp", peer: &haproxy, settings: settings{tcp: true}},
		{name: "squid", peer: &squid}, {name: "trafficserver", peer: &trafficserver}, {name: "tinyproxy", peer: &tinyproxy},
	}
)

// manyIdle is how many connections are idle where many are.
const manyIdle = 9000

// manyPatterns is how many regular expressions have a worker need more CPU time than load and origin together, so that
// a second worker has something to take over even on two processors. They have no word that a URL could be searched for
// instead.
const manyPatterns = 100

// manyDomains stands for the file with a million domains, which is written when it is first wanted.
const manyDomains = "a million domains"

var workloads = slices.Concat(plainWorkloads, secureWorkloads)

// plainWorkloads are those without TLS.
var plainWorkloads = []workload{
	{
		name: "get-1k", description: "GET 1 KB, connections kept on both sides", contestants: everybody,
		measure: requests(request{path: "/1k"}), columns: underLoadColumns, drawn: cpu,
		targets: []target{atMost(0.80, cpu, "exaproxy", "haproxy"), atMost(0.13, cpu, "exaproxy", "squid")},
	},
	{
		name: "get-64k", description: "GET 64 KB, connections kept on both sides", contestants: everybody,
		measure: requests(request{path: "/64k"}), columns: underLoadColumns, drawn: cpu,
		targets: []target{atMost(0.90, cpu, "exaproxy", "haproxy")},
	},
	{
		name: "get-close", description: "GET 1 KB, a connection for each", contestants: everybody,
		measure: requests(request{path: "/1k", close: true}), columns: underLoadColumns, drawn: cpu,
		targets: []target{atMost(0.90, cpu, "exaproxy", "haproxy"), atMost(0.25, cpu, "exaproxy", "squid")},
	},
	{
		name: "get-sparse", description: "GET 1 KB every 20 ms, connections kept on both sides", contestants: everybody,
		measure: loads("get", "-connections", "1", "-every", "20ms"), columns: []metric{rate, cpu, p50, p99, failed}, drawn: cpu,
	},
	{
		name: "connect-1k-close", description: "CONNECT, GET 1 KB inside, close", contestants: tunnellers,
		measure: loads("connect"), columns: underLoadColumns, drawn: cpu,
		targets: []target{atMost(0.35, cpu, "exaproxy", "squid"), atMost(0.55, cpu, "exaproxy", "trafficserver")},
	},
	{
		name: "tunnel-bulk", description: "256 MB through a tunnel, 4 at a time", contestants: tunnellers,
		measure: bulk("/bulk"), columns: []metric{perGB, gigabytes, memory, failed}, drawn: perGB,
		targets: []target{atMost(0.85, perGB, "exaproxy", "haproxy tcp")},
	},
	{
		name: "upload-1m", description: "POST 1 MB, connections kept on both sides",
		contestants: everybody, measure: requests(request{path: "/upload", upload: 1 << 20}), columns: underLoadColumns, drawn: cpu,
	},
	{
		name: "helper-conc0", description: "GET 1 KB, each through a Python helper: 4 children, concurrency 0",
		contestants: []contestant{
			{name: "exaproxy plain", peer: &exaproxy},
			{name: "exaproxy", peer: &exaproxy, settings: settings{children: 4}},
			{name: "squid", peer: &squid, settings: settings{children: 4}},
		},
		measure: requests(request{path: "/1k"}), columns: helperColumns, drawn: rate,
		targets: []target{
			atMostAbove(8, cpu, "exaproxy", "exaproxy plain"),
			atLeast(2, rate, "exaproxy", "squid"), atMost(1, p99, "exaproxy", "squid"),
		},
	},
	{
		name: "helper-conc100", description: "GET 1 KB, each through a Python helper: 2 children, concurrency 100",
		contestants: []contestant{
			{name: "exaproxy", peer: &exaproxy, settings: settings{children: 2, concurrency: 100}},
			{name: "squid", peer: &squid, settings: settings{children: 2, concurrency: 100}},
		},
		measure: requests(request{path: "/1k"}), columns: helperColumns, drawn: rate,
		targets: []target{atLeast(2.5, rate, "exaproxy", "squid")},
	},
	{
		name: "idle-clients", description: fmt.Sprintf("%d idle clients after one GET each", manyIdle), contestants: everybody[:5],
		measure: grows("idle", manyIdle), columns: growthColumns, drawn: growth,
		targets: []target{below(1.2*1024, growth, "exaproxy")},
	},
	{
		name: "idle-tunnels", description: "4000 idle tunnels after one GET in each", contestants: tunnellers,
		measure: grows("tunnels", 4000), columns: growthColumns, drawn: growth,
		targets: []target{below(2.5*1024, growth, "exaproxy")},
	},
	{
		name: "two-workers", description: "GET 1 KB with two workers against one, plain and past 100 regular expressions",
		contestants: []contestant{
			{name: "exaproxy", peer: &exaproxy},
			{name: "exaproxy two", peer: &exaproxy, settings: settings{workers: 2}},
			{name: "exaproxy busy", peer: &exaproxy, settings: settings{patterns: manyPatterns}},
			{name: "exaproxy busy two", peer: &exaproxy, settings: settings{patterns: manyPatterns, workers: 2}},
		},
		measure: requests(request{path: "/1k"}), columns: underLoadColumns,
		targets: []target{
			atMost(1.10, cpu, "exaproxy two", "exaproxy"),
			atLeast(1.5, rate, "exaproxy two", "exaproxy").whereProcessors(4),
			atLeast(1.5, rate, "exaproxy busy two", "exaproxy busy"),
		},
	},
	{
		name: "domains-1m", description: "GET 1 KB past a dstdomain acl with a million domains",
		contestants: []contestant{
			{name: "exaproxy", peer: &exaproxy, settings: settings{named: true}},
			{name: "exaproxy million", peer: &exaproxy, settings: settings{named: true, domains: manyDomains}},
		},
		measure: requests(request{path: "/1k"}), columns: underLoadColumns,
		targets: []target{atMost(1.05, cpu, "exaproxy million", "exaproxy")},
	},
	{
		name: "log-on-off", description: "GET 1 KB with an access log against none",
		contestants: []contestant{
			{name: "exaproxy", peer: &exaproxy},
			{name: "exaproxy silent", peer: &exaproxy, settings: settings{silent: true}},
		},
		measure: requests(request{path: "/1k"}), columns: underLoadColumns,
		targets: []target{atMostAbove(1.5, cpu, "exaproxy", "exaproxy silent")},
	},
	{
		name: "start-time", description: "from exec to the first answer, Python helpers with startup=0",
		contestants: []contestant{
			{name: "exaproxy", peer: &exaproxy},
			{name: "exaproxy helpers", peer: &exaproxy, settings: settings{children: 4, lazy: true}},
			{name: "haproxy", peer: &haproxy}, {name: "squid", peer: &squid},
			{name: "squid helpers", peer: &squid, settings: settings{children: 4, lazy: true}},
			{name: "nginx", peer: &nginx}, {name: "trafficserver", peer: &trafficserver}, {name: "tinyproxy", peer: &tinyproxy},
		},
		measure: starts, columns: []metric{firstAnswer, memory}, drawn: firstAnswer,
		targets: []target{below(50, firstAnswer, "exaproxy"), below(50, firstAnswer, "exaproxy helpers")},
	},
	{
		name: "with-9000-idle", description: "GET 1 KB beside 9000 idle connections against none",
		contestants: []contestant{
			{name: "exaproxy", peer: &exaproxy}, {name: "exaproxy crowded", peer: &exaproxy, idle: manyIdle},
			{name: "haproxy", peer: &haproxy}, {name: "haproxy crowded", peer: &haproxy, idle: manyIdle},
			{name: "nginx", peer: &nginx}, {name: "nginx crowded", peer: &nginx, idle: manyIdle},
		},
		measure: requests(request{path: "/1k"}), columns: underLoadColumns,
		targets: []target{atMost(1.10, cpu, "exaproxy crowded", "exaproxy")},
	},
}
