package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"
)

// metric is a thing that is measured, as it is called in tables.
type metric string

const (
	rate        metric = "per second"
	cpu         metric = "CPU µs each"
	helperCPU   metric = "helpers' µs each"
	p50         metric = "p50 ms"
	p99         metric = "p99 ms"
	p999        metric = "p99.9 ms"
	memory      metric = "RSS MB"
	growth      metric = "bytes each"
	perGB       metric = "CPU s/GB"
	gigabytes   metric = "GB/s"
	firstAnswer metric = "ms to answer"
	collections metric = "GC per million"
	failed      metric = "errors"
)

// sample is one measurement of one contestant.
type sample map[metric]float64

// measurement measures one contestant of a workload once. Number tells it from the others of the workload.
type measurement func(b *bench, number int, c contestant) (sample, string, error)

// result is what has been measured for a workload.
type result struct {
	workload workload
	samples  map[string][]sample // by the contestant's name, in order of rounds
	absent   map[string]string   // why a contestant has none
	notes    map[string]string   // a contestant's first error, which is not the end of the measurement
}

// measure goes through the rounds of a workload.
func (b *bench) measure(w workload) (result, error) {
	r := result{workload: w, samples: map[string][]sample{}, absent: map[string]string{}, notes: map[string]string{}}
	for _, c := range w.contestants {
		if c.program == "" && c.peer != &exaproxy {
			if _, err := c.peer.find(); err != nil {
				r.absent[c.name] = "not installed"
			}
		}
	}
	for round := range b.options.rounds {
		for number, c := range w.contestants {
			if r.absent[c.name] != "" {
				continue
			}
			progress("%s, round %d of %d: %s", w.name, round+1, b.options.rounds, c.name)
			s, note, err := w.measure(b, number, c)
			if b.ctx.Err() != nil {
				return r, b.ctx.Err()
			}
			if err != nil {
				r.absent[c.name] = "failed"
				r.notes[c.name] = err.Error()
				continue
			}
			r.samples[c.name] = append(r.samples[c.name], s)
			if note != "" && r.notes[c.name] == "" {
				r.notes[c.name] = note
			}
		}
	}
	progress("")
	return r, nil
}

// progress replaces the line that shows what is being done, if standard error is a terminal.
func progress(format string, arguments ...any) {
	if about, err := os.Stderr.Stat(); err == nil && about.Mode()&os.ModeCharDevice != 0 {
		fmt.Fprintf(os.Stderr, "\r\x1b[K"+format, arguments...)
	}
}

// requests measures requests that wrk can send.
func requests(r request) measurement {
	return func(b *bench, number int, c contestant) (sample, string, error) {
		return b.underLoad(number, c, func(p *proxy, seconds int) (loadResult, error) {
			return b.wrk(p, r, seconds)
		})
	}
}

// loads measures a kind of load of ours, with 1 KB where something is fetched.
func loads(kind string, more ...string) measurement {
	return func(b *bench, number int, c contestant) (sample, string, error) {
		return b.underLoad(number, c, func(p *proxy, seconds int) (loadResult, error) {
			common := []string{"-connections", strconv.Itoa(b.options.connections), "-duration", strconv.Itoa(seconds) + "s"}
			return b.ours(p, kind, "/1k", append(common, more...)...)
		})
	}
}

// underLoad starts a proxy, opens the idle connections beside the load, and measures what the load costs.
func (b *bench) underLoad(number int, c contestant, generate func(*proxy, int) (loadResult, error)) (sample, string, error) {
	p, err := b.start(number, c)
	if err != nil {
		return nil, "", err
	}
	defer p.stop()
	if c.idle == 0 {
		return b.cost(p, generate)
	}
	idle, err := b.openIdle(p, "idle", c.idle)
	if err != nil {
		return nil, "", err
	}
	s, note, err := b.cost(p, generate)
	idleLoad, closeErr := idle.close()
	if err = errors.Join(err, closeErr); err != nil {
		return nil, "", err
	}
	s[failed] += float64(idleLoad.Errors)
	return s, note + idleLoad.Error, nil
}

// cost warms a proxy for a second, and measures what the load costs it.
func (b *bench) cost(p *proxy, generate func(*proxy, int) (loadResult, error)) (sample, string, error) {
	if _, err := generate(p, 1); err != nil {
		return nil, "", fmt.Errorf("warm: %w", err)
	}
	before, err := p.cpu()
	if err != nil {
		return nil, "", err
	}
	collected := p.collections()
	load, err := generate(p, b.options.seconds)
	if err != nil {
		return nil, "", err
	}
	after, err := p.cpu()
	if err != nil {
		return nil, "", err
	}
	collected = p.collections() - collected
	resident, err := p.resident()
	if err != nil {
		return nil, "", err
	}
	if load.Requests == 0 {
		return nil, "", fmt.Errorf("no request succeeds: %s", load.Error)
	}
	each := 1 / float64(load.Requests)
	return sample{
		rate: float64(load.Requests) / load.Seconds, cpu: (after.proxy - before.proxy) * each,
		helperCPU: (after.helpers - before.helpers) * each, p50: load.P50, p99: load.P99, p999: load.P999,
		memory: resident / 1e6, collections: float64(collected) * each * 1e6, failed: float64(load.Errors),
	}, load.Error, nil
}

// collections counts the garbage collections that one of ours has reported: see GODEBUG in package runtime.
func (p *proxy) collections() int {
	text, _ := os.ReadFile(p.output)
	n := bytes.Count(text, []byte("\ngc "))
	if bytes.HasPrefix(text, []byte("gc ")) {
		n++
	}
	return n
}

// bulk measures a large file in each of four tunnels.
func bulk(path string) measurement {
	return func(b *bench, number int, c contestant) (sample, string, error) {
		return b.bulk(number, c, path)
	}
}

func (b *bench) bulk(number int, c contestant, path string) (sample, string, error) {
	p, err := b.start(number, c)
	if err != nil {
		return nil, "", err
	}
	defer p.stop()
	before, err := p.cpu()
	if err != nil {
		return nil, "", err
	}
	load, err := b.ours(p, "bulk", path, "-connections", "4")
	if err != nil {
		return nil, "", err
	}
	after, err := p.cpu()
	if err != nil {
		return nil, "", err
	}
	resident, err := p.resident()
	if err != nil {
		return nil, "", err
	}
	if load.Bytes == 0 {
		return nil, "", fmt.Errorf("nothing comes through: %s", load.Error)
	}
	return sample{
		perGB:     (after.proxy - before.proxy) / 1e6 / (load.Bytes / 1e9),
		gigabytes: load.Bytes / 1e9 / load.Seconds, memory: resident / 1e6, failed: float64(load.Errors),
	}, load.Error, nil
}

// grows measures how much memory each of some idle connections or tunnels holds.
func grows(kind string, some int) measurement {
	return func(b *bench, number int, c contestant) (sample, string, error) {
		p, err := b.start(number, c)
		if err != nil {
			return nil, "", err
		}
		defer p.stop()
		// What the first connections allocate once does not count.
		few, err := b.openIdle(p, kind, 64)
		if err != nil {
			return nil, "", err
		}
		if _, err := few.close(); err != nil {
			return nil, "", err
		}
		if err := b.pause(time.Second); err != nil {
			return nil, "", err
		}
		before, err := p.resident()
		if err != nil {
			return nil, "", err
		}
		many, err := b.openIdle(p, kind, some)
		if err != nil {
			return nil, "", err
		}
		if err := b.pause(2 * time.Second); err != nil {
			return nil, "", err
		}
		after, residentErr := p.resident()
		load, err := many.close()
		if err == nil {
			err = residentErr
		}
		return sample{
			growth: (after - before) / float64(some), memory: after / 1e6, failed: float64(load.Errors),
		}, load.Error, err
	}
}

// starts measures the time from exec to the first answer.
func starts(b *bench, number int, c contestant) (sample, string, error) {
	p, err := b.start(number, c)
	if err != nil {
		return nil, "", err
	}
	defer p.stop()
	resident, err := p.resident()
	return sample{firstAnswer: p.started.Seconds() * 1000, memory: resident / 1e6}, "", err
}
