package main

var (
	// front is TLS that clients speak to the proxy.
	front = settings{secure: true}

	terminators = []contestant{
		{name: "exaproxy", peer: &exaproxy, settings: front}, {name: "haproxy", peer: &haproxy, settings: front},
		{name: "squid", peer: &squid, settings: front}, {name: "nginx", peer: &nginx, settings: front},
	}
	bumpers = []contestant{
		{name: "exaproxy", peer: &exaproxy, settings: settings{https: true, bump: "bump"}},
		{name: "squid", peer: &squid, settings: settings{https: true, bump: "bump"}},
	}
	splicers = []contestant{
		{name: "exaproxy plain", peer: &exaproxy, settings: settings{https: true}},
		{name: "exaproxy", peer: &exaproxy, settings: settings{https: true, bump: "splice"}},
		{name: "squid plain", peer: &squid, settings: settings{https: true}},
		{name: "squid", peer: &squid, settings: settings{https: true, bump: "splice"}},
	}
)

// secureWorkloads are those with TLS 1.3: AES-128-GCM, X25519, certificates on P-256.
var secureWorkloads = []workload{
	{
		name: "tls-get-1k", description: "TLS to the proxy: GET 1 KB, connections kept on both sides", contestants: terminators,
		measure: loads("get"), columns: underLoadColumns, drawn: cpu,
		targets: []target{atMost(1, cpu, "exaproxy", "haproxy")},
	},
	{
		name: "tls-full", description: "TLS to the proxy: full handshakes", contestants: terminators,
		measure: loads("handshake"), columns: underLoadColumns, drawn: cpu,
		targets: []target{atMost(1.2, cpu, "exaproxy", "haproxy")},
	},
	{
		name: "tls-resumed", description: "TLS to the proxy: resumed handshakes", contestants: terminators,
		measure: loads("handshake", "-resume"), columns: underLoadColumns, drawn: cpu,
		targets: []target{atMost(1.2, cpu, "exaproxy", "haproxy")},
	},
	{
		name: "tls-idle", description: "4000 idle clients that speak TLS to the proxy, after one GET each", contestants: terminators,
		measure: grows("idle", 4000), columns: growthColumns, drawn: growth,
		targets: []target{below(10*1024, growth, "exaproxy"), atMost(1, growth, "exaproxy", "haproxy"), atMost(1, growth, "exaproxy", "squid")},
	},
	{
		name: "bump-get-1k", description: "bumped: GET 1 KB, connections kept on both sides", contestants: bumpers,
		measure: loads("get"), columns: underLoadColumns, drawn: cpu,
		targets: []target{atMost(0.35, cpu, "exaproxy", "squid")},
	},
	{
		name: "bump-64m", description: "bumped: 64 MB, 4 at a time", contestants: bumpers,
		measure: bulk("/64m"), columns: []metric{perGB, gigabytes, memory, failed}, drawn: perGB,
		targets: []target{atMost(0.8, perGB, "exaproxy", "squid")},
	},
	{
		name: "splice-connect", description: "peeked at and spliced: CONNECT, handshake and GET 1 KB inside, close", contestants: splicers,
		measure: loads("connect"), columns: underLoadColumns, drawn: cpu,
		targets: []target{atMost(1.15, cpu, "exaproxy", "exaproxy plain")},
	},
	{
		name: "splice-bulk", description: "peeked at and spliced: 256 MB, 4 at a time", contestants: splicers,
		measure: bulk("/bulk"), columns: []metric{perGB, gigabytes, memory, failed}, drawn: perGB,
		targets: []target{atMost(1.05, perGB, "exaproxy", "exaproxy plain")},
	},
}
