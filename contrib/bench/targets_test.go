package main

import (
	"encoding/xml"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestSpread(t *testing.T) {
	for _, row := range []struct {
		name string
		all  []float64
		want spread
	}{
		{"nothing", nil, spread{}},
		{"one", []float64{3}, spread{3, 3, 3}},
		{"an odd number, in any order", []float64{9, 1, 2}, spread{2, 1, 9}},
		{"an even number has its median between", []float64{4, 1, 2, 9}, spread{3, 1, 9}},
	} {
		if got := spreadOf(row.all); got != row.want {
			t.Errorf("%s: the spread is %v, not %v", row.name, got, row.want)
		}
	}
}

// measured is a result in which ours costs 8, 10 and 30 µs, and theirs 20.
func measured(targets ...target) result {
	return result{
		workload: workload{name: "w", description: "a & b", columns: []metric{cpu, failed}, drawn: cpu, targets: targets, contestants: []contestant{
			{name: "exaproxy", peer: &exaproxy}, {name: "haproxy", peer: &haproxy}, {name: "nginx", peer: &nginx},
		}},
		samples: map[string][]sample{
			"exaproxy": {{cpu: 30}, {cpu: 8}, {cpu: 10}}, "haproxy": {{cpu: 20}},
		},
		absent: map[string]string{"nginx": "not installed"},
	}
}

func TestEvaluate(t *testing.T) {
	for _, row := range []struct {
		name   string
		target target
		value  float64
		status string
	}{
		{"a ratio of medians at its limit", atMost(0.5, cpu, "exaproxy", "haproxy"), 0.5, "met"},
		{"a ratio above its limit", atMost(0.4, cpu, "exaproxy", "haproxy"), 0.5, "not met"},
		{"a ratio that is to be large", atLeast(2, cpu, "haproxy", "exaproxy"), 2, "met"},
		{"a ratio that is not large enough", atLeast(2.1, cpu, "haproxy", "exaproxy"), 2, "not met"},
		{"too few processors excuse nothing", atLeast(3, cpu, "haproxy", "exaproxy").whereProcessors(1), 2, "not met"},
		{"a difference", atMostAbove(10, cpu, "haproxy", "exaproxy"), 10, "met"},
		{"a difference above its limit", atMostAbove(9, cpu, "haproxy", "exaproxy"), 10, "not met"},
		{"a value", below(10, cpu, "exaproxy"), 10, "met"},
		{"a value above its limit", below(9, cpu, "exaproxy"), 10, "not met"},
		{"a peer that is not there", atMost(1, cpu, "exaproxy", "nginx"), math.NaN(), "not measured: nginx not installed"},
		{"a peer that was not asked for", atMost(1, cpu, "exaproxy", "squid"), math.NaN(), "not measured: squid left out"},
	} {
		got := row.target.evaluate(measured())
		if got.status != row.status || got.value != row.value && !(math.IsNaN(got.value) && math.IsNaN(row.value)) {
			t.Errorf("%s: %s is judged %v, %s; it is %v, %s", row.name, got.target, got.value, got.status, row.value, row.status)
		}
	}
}

func TestStatusNamesProcessors(t *testing.T) {
	if got := status(false, 4, 2); got != "not met: load, origin and proxy share 2 processors" {
		t.Errorf("what 2 processors cannot show of 4 is judged %q", got)
	}
	if got := status(true, 4, 2); got != "met" {
		t.Errorf("what 2 processors show nevertheless is judged %q", got)
	}
}

func TestTableSaysWhatIsMissing(t *testing.T) {
	head, rows := measured().table()
	if want := (row{"", "CPU µs each"}); !slices.Equal(head, want) {
		t.Errorf("without errors the columns are %q, not %q", head, want)
	}
	for i, want := range []string{"10.0 (8.00–30.0)", "20.0", "not installed"} {
		if rows[i][1] != want {
			t.Errorf("the cell of %s is %q, not %q", rows[i][0], rows[i][1], want)
		}
	}
}

func TestPictureIsXML(t *testing.T) {
	svg := picture([]result{measured()}, machine{Processor: "A <B> & C"})
	decoder := xml.NewDecoder(strings.NewReader(svg))
	bars := 0
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("the picture is not XML: %v\n%s", err, svg)
		}
		if element, ok := token.(xml.StartElement); ok && element.Name.Local == "rect" {
			bars++
		}
	}
	if bars != 2 {
		t.Errorf("the picture has %d bars for two contestants with samples", bars)
	}
	if !strings.Contains(svg, "2.00 ×") {
		t.Errorf("the picture does not say that haproxy needs twice as much:\n%s", svg)
	}
}

// TestWorkloadsAreComplete finds misspelt names in the table of workloads, whose targets would be left unmeasured.
func TestWorkloadsAreComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, w := range workloads {
		if seen[w.name] {
			t.Errorf("two workloads are called %s", w.name)
		}
		seen[w.name] = true
		var names []string
		for _, c := range w.contestants {
			names = append(names, c.name)
		}
		if 2*len(names) > originHosts {
			t.Errorf("%s: %d contestants and their baselines have no addresses of their own", w.name, len(names))
		}
		if w.drawn != "" && !slices.Contains(w.columns, w.drawn) {
			t.Errorf("%s: %s is drawn and not shown", w.name, w.drawn)
		}
		for _, target := range w.targets {
			if !slices.Contains(names, target.of) || target.to != "" && !slices.Contains(names, target.to) {
				t.Errorf("%s: %q is about a contestant that is not among %q", w.name, target.description(), names)
			}
			if !slices.Contains(w.columns, target.metric) {
				t.Errorf("%s: %q is about what is not shown", w.name, target.description())
			}
		}
	}
}

func TestChoose(t *testing.T) {
	chosen, err := chooseWorkloads(options{only: "tunnel-bulk", peers: "squid", baseline: "/tmp/old"})
	if err != nil || len(chosen) != 1 {
		t.Fatalf("one work is asked for, %d come: %v", len(chosen), err)
	}
	var names []string
	for _, c := range chosen[0].contestants {
		names = append(names, c.name)
	}
	if want := []string{"exaproxy", "baseline", "squid"}; !slices.Equal(names, want) {
		t.Errorf("the contestants are %q, not %q", names, want)
	}
	for _, o := range []options{{only: "get-2k"}, {peers: "apache"}} {
		if _, err := chooseWorkloads(o); err == nil {
			t.Errorf("%+v is taken, and there is no such thing", o)
		}
	}
}
