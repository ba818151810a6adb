package main

import (
	"fmt"
	"math"
	"runtime"
	"slices"
)

// target is what a workload shall show, of medians.
type target struct {
	comparison comparison
	limit      float64
	metric     metric
	of, to     string // contestants; to is empty if a value stands alone
	processors int    // how many it takes to show it; 0 is any
}

// comparison is how a target compares a value with its limit.
type comparison int

const (
	ratioAtMost comparison = iota
	ratioAtLeast
	differenceBelow // of minus to
	valueBelow
)

func atMost(limit float64, m metric, of, to string) target {
	return target{comparison: ratioAtMost, limit: limit, metric: m, of: of, to: to}
}

func atLeast(limit float64, m metric, of, to string) target {
	return target{comparison: ratioAtLeast, limit: limit, metric: m, of: of, to: to}
}

func atMostAbove(limit float64, m metric, of, to string) target {
	return target{comparison: differenceBelow, limit: limit, metric: m, of: of, to: to}
}

func below(limit float64, m metric, of string) target {
	return target{comparison: valueBelow, limit: limit, metric: m, of: of}
}

// whereProcessors returns the target for machines with n processors at least; with fewer the result means nothing.
func (t target) whereProcessors(n int) target {
	t.processors = n
	return t
}

// description is the target as it is printed.
func (t target) description() string {
	switch t.comparison {
	case ratioAtMost:
		return fmt.Sprintf("%s: %s ≤ %.2f × %s", t.metric, t.of, t.limit, t.to)
	case ratioAtLeast:
		return fmt.Sprintf("%s: %s ≥ %.2f × %s", t.metric, t.of, t.limit, t.to)
	case differenceBelow:
		return fmt.Sprintf("%s: %s ≤ %s + %.1f", t.metric, t.of, t.to, t.limit)
	case valueBelow:
		return fmt.Sprintf("%s: %s ≤ %.0f", t.metric, t.of, t.limit)
	}
	panic(fmt.Sprintf("BUG: comparison %d", t.comparison))
}

// outcome is a target with what was measured for it.
type outcome struct {
	target string
	value  float64 // NaN if it was not measured
	status string  // "met", "not met", or why neither is known
}

// measured is the value as it is printed.
func (o outcome) measured() string {
	if math.IsNaN(o.value) {
		return "–"
	}
	return figure(o.value)
}

// evaluate compares a target with what was measured.
func (t target) evaluate(r result) outcome {
	o := outcome{target: t.description(), value: math.NaN()}
	for _, name := range []string{t.of, t.to} {
		if name != "" && len(r.samples[name]) == 0 {
			o.status = "not measured: " + name + " " + r.why(name)
			return o
		}
	}
	of, to := r.spread(t.of, t.metric).median, 0.0
	if t.to != "" {
		to = r.spread(t.to, t.metric).median
	}
	met := false
	switch t.comparison {
	case ratioAtMost:
		o.value = of / to
		met = o.value <= t.limit
	case ratioAtLeast:
		o.value = of / to
		met = o.value >= t.limit
	case differenceBelow:
		o.value = of - to
		met = o.value <= t.limit
	case valueBelow:
		o.value = of
		met = o.value <= t.limit
	}
	o.status = status(met, t.processors, runtime.NumCPU())
	return o
}

// status is "met" or "not met"; it mentions that more processors would be needed.
func status(met bool, processors, have int) string {
	switch {
	case met:
		return "met"
	case have < processors:
		return fmt.Sprintf("not met: load, origin and proxy share %d processors", have)
	default:
		return "not met"
	}
}

// why returns why a contestant has no samples.
func (r result) why(name string) string {
	if reason := r.absent[name]; reason != "" {
		return reason
	}
	return "left out"
}

// spread is what the rounds gave for one metric.
type spread struct {
	median, least, most float64
}

func (r result) spread(contestant string, m metric) spread {
	var all []float64
	for _, s := range r.samples[contestant] {
		all = append(all, s[m])
	}
	return spreadOf(all)
}

func spreadOf(all []float64) spread {
	if len(all) == 0 {
		return spread{}
	}
	all = slices.Sorted(slices.Values(all))
	middle := len(all) / 2
	median := all[middle]
	if len(all)%2 == 0 {
		median = (all[middle-1] + all[middle]) / 2
	}
	return spread{median: median, least: all[0], most: all[len(all)-1]}
}

// figure prints a number with about three digits that mean something.
func figure(v float64) string {
	switch size := math.Abs(v); {
	case size >= 100:
		return fmt.Sprintf("%.0f", v)
	case size >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}
