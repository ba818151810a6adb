package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math"
	"slices"
	"time"
)

// loadResult is what a load generator reports, as JSON: ours in this form and wrk by its script.
type loadResult struct {
	Requests int     `json:"requests"`
	Seconds  float64 `json:"seconds"`
	Bytes    float64 `json:"bytes"` // of bodies; 0 if not counted
	P50      float64 `json:"p50"`   // milliseconds
	P99      float64 `json:"p99"`
	P999     float64 `json:"p999"`
	Errors   int     `json:"errors"`
	Error    string  `json:"error,omitempty"` // the first
}

// loadOptions are the command line behind "load KIND".
type loadOptions struct {
	proxy       string
	url         string
	connections int
	duration    time.Duration
	every       time.Duration
	direct      bool
	sources     int
	secure      bool
	resume      bool
	trusted     string
}

// load runs the load generator alone: "bench load KIND", with what it needs to know in flags.
func load(arguments []string, in io.Reader, out io.Writer) error {
	kinds := map[string]func(loadOptions, io.Reader, io.Writer) (loadResult, error){
		"connect": loadConnect, "get": loadGet, "idle": loadIdle, "tunnels": loadTunnels, "bulk": loadBulk,
		"handshake": loadHandshake,
	}
	if len(arguments) == 0 || kinds[arguments[0]] == nil {
		return fmt.Errorf("usage: bench load connect|get|idle|tunnels|bulk|handshake [-h]")
	}
	var o loadOptions
	flags := flag.NewFlagSet("load "+arguments[0], flag.ContinueOnError)
	flags.StringVar(&o.proxy, "proxy", "", "host:port of the proxy")
	flags.StringVar(&o.url, "url", "", "what to GET at the origin; one of https is fetched through a tunnel")
	flags.IntVar(&o.connections, "connections", 64, "how many at a time; for idle and tunnels, how many in all")
	flags.DurationVar(&o.duration, "duration", 4*time.Second, "how long, for connect, get and handshake")
	flags.DurationVar(&o.every, "every", 0, "the pause between two GETs, for get")
	flags.BoolVar(&o.direct, "direct", false, "do not CONNECT: the proxy forwards connections as they are")
	flags.IntVar(&o.sources, "sources", 4, "how many addresses to connect from, 127.0.3.1 and what follows")
	flags.BoolVar(&o.secure, "secure", false, "speak TLS to the proxy")
	flags.BoolVar(&o.resume, "resume", false, "resume the session of the first, for handshake")
	flags.StringVar(&o.trusted, "trusted", "", "the file with the authority that is trusted, where TLS is spoken")
	if err := flags.Parse(arguments[1:]); err != nil {
		return err
	}
	raiseDescriptors()
	r, err := kinds[arguments[0]](o, in, out)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(r)
}

// percentile of a sorted list: the least of which that part of all is not above.
func percentile(sorted []float64, part float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max(0, int(math.Ceil(part*float64(len(sorted))))-1)]
}

// latencies sets the percentiles from milliseconds in any order.
func (l *loadResult) latencies(all []float64) {
	slices.Sort(all)
	l.P50, l.P99, l.P999 = percentile(all, 0.50), percentile(all, 0.99), percentile(all, 0.999)
}

// fail counts an error and keeps the first.
func (l *loadResult) fail(err error) {
	l.Errors++
	if l.Error == "" {
		l.Error = err.Error()
	}
}
