// Bench measures exaproxy beside other proxies, in one run on one machine, and says which of its targets are met.
//
//	go run ./contrib/bench                                  everything, 5 rounds: make bench
//	go run ./contrib/bench -only get-1k,get-close -rounds 3
//	go run ./contrib/bench -baseline /tmp/exaproxy.old      two versions of ours
//	go run ./contrib/bench -rounds 1 -profile FILE          what the compiler optimises ours for: make profile
//	go run ./contrib/bench load connect -h                  the load generator alone
//
// It builds ./cmd/exaproxy, starts one nginx as the origin of everything, and goes through its workloads: the tables in
// workloads.go and workloads_tls.go. A workload has contestants (a proxy and how it is set up), a measurement and targets. Rounds are interleaved:
// each contestant is measured once before any is measured twice, so that what disturbs the machine disturbs all.
// Medians are quoted, with the least and the greatest.
//
// What is fair here:
//
//   - Each measurement starts a fresh proxy and warms it for a second.
//   - One worker, thread or process each, nothing cached, connections to the origin kept, and no limit that the load
//     could meet. exaproxy and Squid write their access log to a file; the others write none.
//   - Every contestant has loopback addresses of its own, for itself and for the origin, so that none looks for a
//     port among the connections that another has left in TIME_WAIT.
//   - Nothing is pinned to a processor. Pinning a proxy to one would take from Go its second thread (which collects
//     garbage) and from trafficserver its background threads, which is not how they are run, and on two processors
//     would push the load generator onto the origin. The scheduler disturbs all alike; the rounds show how much.
//   - TLS is 1.3 with AES-128-GCM, X25519 and certificates on P-256, made for the run; the load generator insists on
//     that, and that bumped connections are under the bumping proxy's authority and no others. Session tickets are
//     what each gives by default.
//   - CPU time is user and system time of the proxy's process and its descendants, running or ended, taken from the
//     kernel's own clocks just before and just after the load. Helpers are counted apart. Loopback traffic is worked
//     on by whoever sends, so that a proxy's time includes delivering what it sends.
//
// The load comes from wrk where wrk can: GET, with absolute URLs, by a script. It cannot CONNECT, nor hold connections
// that do nothing, nor be told how to speak TLS; load_*.go can. Load generators and the origin are processes of their
// own, and not counted.
//
// The report is written to the directory that -out names: report.md, report.svg, and samples.json with each measurement.
package main
