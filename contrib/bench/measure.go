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

// measurement measures one contestant of a work once. Number tells it from the others of the work.
type measurement func(b *bench, number int, c contestant) (sample, string, error)

// result is what has been measured for a work.
type result struct {
	work    work
	samples map[string][]sample // by the contestant's name, in order of rounds
	absent  map[string]string   // why a contestant has none
	notes   map[string]string   // a contestant's first error, which is not the end of the measurement
}

// measure goes through the rounds of a work.
func (b *bench) measure(w work) (result, error) {
	r := result{work: w, samples: map[string][]sample{}, absent: map[string]string{}, notes: map[string]string{}}
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

// progress replaces the line that says what is being done, if somebody is looking.
func progress(format string, arguments ...any) {
	if about, err := os.Stderr.Stat(); err == nil && about.Mode()&os.ModeCharDevice != 0 {
		fmt.Fprintf(os.Stderr, "\r\x1b[K"+format, arguments...)
	}
}

// requests measures requests that wrk can send.
func requests(r request) measurement {
	return func(b *bench, number int, c contestant) (sample, string, error) {
		return b.underLoad(number, c, func(p *proxy, seconds int) (loaded, error) {
			return b.wrk(p, r, seconds)
		})
	}
}

// connects measures CONNECT, a GET inside, close.
func connects(b *bench, number int, c contestant) (sample, string, error) {
	return b.underLoad(number, c, func(p *proxy, seconds int) (loaded, error) {
		return b.ours(p, "connect", "/1k", "-connections", strconv.Itoa(b.options.connections), "-duration", strconv.Itoa(seconds)+"s")
	})
}

// sparse measures a GET from time to time.
func sparse(b *bench, number int, c contestant) (sample, string, error) {
	return b.underLoad(number, c, func(p *proxy, seconds int) (loaded, error) {
		return b.ours(p, "sparse", "/1k", "-connections", "1", "-every", "20ms", "-duration", strconv.Itoa(seconds)+"s")
	})
}

// underLoad starts a proxy, gathers who is idle beside the load, and measures what the load costs.
func (b *bench) underLoad(number int, c contestant, generate func(*proxy, int) (loaded, error)) (sample, string, error) {
	p, err := b.start(number, c)
	if err != nil {
		return nil, "", err
	}
	defer p.stop()
	if c.idle == 0 {
		return b.cost(p, generate)
	}
	crowd, err := b.gather(p, "idle", c.idle)
	if err != nil {
		return nil, "", err
	}
	s, note, err := b.cost(p, generate)
	told, dismissed := crowd.dismiss()
	if err = errors.Join(err, dismissed); err != nil {
		return nil, "", err
	}
	s[failed] += float64(told.Errors)
	return s, note + told.Error, nil
}

// cost warms a proxy for a second, and measures what the load costs it.
func (b *bench) cost(p *proxy, generate func(*proxy, int) (loaded, error)) (sample, string, error) {
	if _, err := generate(p, 1); err != nil {
		return nil, "", fmt.Errorf("warm: %w", err)
	}
	before, err := p.cpu()
	if err != nil {
		return nil, "", err
	}
	collected := p.collections()
	told, err := generate(p, b.options.seconds)
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
	if told.Requests == 0 {
		return nil, "", fmt.Errorf("no request succeeds: %s", told.Error)
	}
	each := 1 / float64(told.Requests)
	return sample{
		rate: float64(told.Requests) / told.Seconds, cpu: (after.proxy - before.proxy) * each,
		helperCPU: (after.helpers - before.helpers) * each, p50: told.P50, p99: told.P99, p999: told.P999,
		memory: resident / 1e6, collections: float64(collected) * each * 1e6, failed: float64(told.Errors),
	}, told.Error, nil
}

// collections counts the garbage collections that one of ours has reported: see GODEBUG in package runtime.
func (p *proxy) collections() int {
	text, _ := os.ReadFile(p.said)
	n := bytes.Count(text, []byte("\ngc "))
	if bytes.HasPrefix(text, []byte("gc ")) {
		n++
	}
	return n
}

// bulk measures a large file in each of four tunnels.
func bulk(b *bench, number int, c contestant) (sample, string, error) {
	p, err := b.start(number, c)
	if err != nil {
		return nil, "", err
	}
	defer p.stop()
	before, err := p.cpu()
	if err != nil {
		return nil, "", err
	}
	told, err := b.ours(p, "bulk", "/bulk", "-connections", "4")
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
	if told.Bytes == 0 {
		return nil, "", fmt.Errorf("nothing comes through: %s", told.Error)
	}
	return sample{
		perGB:     (after.proxy - before.proxy) / 1e6 / (told.Bytes / 1e9),
		gigabytes: told.Bytes / 1e9 / told.Seconds, memory: resident / 1e6, failed: float64(told.Errors),
	}, told.Error, nil
}

// grows measures how much memory each of some idle connections or tunnels holds.
func grows(kind string, some int) measurement {
	return func(b *bench, number int, c contestant) (sample, string, error) {
		p, err := b.start(number, c)
		if err != nil {
			return nil, "", err
		}
		defer p.stop()
		// What the first connections need once is not theirs.
		few, err := b.gather(p, kind, 64)
		if err != nil {
			return nil, "", err
		}
		if _, err := few.dismiss(); err != nil {
			return nil, "", err
		}
		if err := b.pause(time.Second); err != nil {
			return nil, "", err
		}
		before, err := p.resident()
		if err != nil {
			return nil, "", err
		}
		many, err := b.gather(p, kind, some)
		if err != nil {
			return nil, "", err
		}
		if err := b.pause(2 * time.Second); err != nil {
			return nil, "", err
		}
		after, residentErr := p.resident()
		told, err := many.dismiss()
		if err == nil {
			err = residentErr
		}
		return sample{
			growth: (after - before) / float64(some), memory: after / 1e6, failed: float64(told.Errors),
		}, told.Error, err
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
