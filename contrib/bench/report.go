package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// row is a contestant in a table, a cell for each column behind its name.
type row []string

// table gives a workload's columns and rows: medians, and for what the workload is about the least and the most.
func (r result) table() (head row, rows []row) {
	head = row{""}
	for _, m := range r.workload.columns {
		if m != failed || r.anyFailed() {
			head = append(head, string(m))
		}
	}
	for _, c := range r.workload.contestants {
		cells := row{c.name}
		for _, column := range head[1:] {
			cells = append(cells, r.cell(c, metric(column)))
		}
		if len(r.samples[c.name]) == 0 {
			cells[1] = r.why(c.name)
		}
		rows = append(rows, cells)
	}
	return head, rows
}

// cell is the median of a metric, with its range where targets are about it.
func (r result) cell(c contestant, m metric) string {
	if len(r.samples[c.name]) == 0 || m == collections && c.peer != &exaproxy {
		return ""
	}
	s := r.spread(c.name, m)
	if m == failed || m == rate && m != r.mainMetric() || s.median == 0 {
		return fmt.Sprintf("%.0f", s.median)
	}
	if m != r.mainMetric() || len(r.samples[c.name]) == 1 {
		return figure(s.median)
	}
	return fmt.Sprintf("%s (%s–%s)", figure(s.median), figure(s.least), figure(s.most))
}

// mainMetric is what a workload is about.
func (r result) mainMetric() metric {
	if r.workload.drawn != "" {
		return r.workload.drawn
	}
	return cpu
}

func (r result) anyFailed() bool {
	for _, c := range r.workload.contestants {
		if r.spread(c.name, failed).most > 0 {
			return true
		}
	}
	return false
}

// remarks are what stands below a table: comparisons with the baseline, and errors.
func (r result) remarks() []string {
	var remarks []string
	for _, c := range r.workload.contestants {
		if before := strings.Replace(c.name, "exaproxy", "baseline", 1); before != c.name && len(r.samples[before]) > 0 && len(r.samples[c.name]) > 0 {
			m := r.mainMetric()
			ratio := r.spread(c.name, m).median / r.spread(before, m).median
			remarks = append(remarks, fmt.Sprintf("%s: %s is %.3f × %s", m, c.name, ratio, before))
		}
	}
	for _, c := range r.workload.contestants {
		if note := r.notes[c.name]; note != "" {
			remarks = append(remarks, c.name+": "+note)
		}
		if c.peer.remark != "" && r.spread(c.name, failed).most > 0 {
			remarks = append(remarks, c.peer.remark)
		}
	}
	return remarks
}

// printResult prints a workload for a terminal.
func printResult(out io.Writer, r result) {
	fmt.Fprintf(out, "\n%s: %s\n", r.workload.name, r.workload.description)
	head, rows := r.table()
	printAligned(out, 1, append([]row{head}, rows...))
	for _, t := range r.workload.targets {
		o := t.evaluate(r)
		fmt.Fprintf(out, "  target %s: %s, %s\n", o.target, o.measured(), o.status)
	}
	for _, remark := range r.remarks() {
		fmt.Fprintln(out, " ", remark)
	}
}

// printAligned prints rows with each column as wide as it needs: the first ones, of words, to the left, numbers to the
// right.
func printAligned(out io.Writer, words int, rows []row) {
	var widths []int
	for _, cells := range rows {
		for i, cell := range cells {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, cells := range rows {
		var line strings.Builder
		for i, cell := range cells {
			blanks := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i < words {
				line.WriteString("  " + cell + blanks)
			} else {
				line.WriteString("  " + blanks + cell)
			}
		}
		fmt.Fprintln(out, strings.TrimRight(line.String(), " "))
	}
}

// report writes report.md, report.svg and samples.json, and prints which targets are met.
func (b *bench) report() error {
	var outcomes []row
	for _, r := range b.results {
		for _, t := range r.workload.targets {
			o := t.evaluate(r)
			outcomes = append(outcomes, row{r.workload.name, o.target, o.measured(), o.status})
		}
	}
	samples, err := json.MarshalIndent(b.samples(), "", "\t")
	if err != nil {
		return err
	}
	for name, text := range map[string]string{
		"report.md": b.markdown(outcomes), "report.svg": picture(b.results, b.machine), "samples.json": string(samples),
	} {
		if err := os.WriteFile(filepath.Join(b.options.out, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	met := len(outcomes)
	for _, o := range outcomes {
		if o[3] != "met" {
			met--
		}
	}
	fmt.Printf("\n%d of %d targets met\n", met, len(outcomes))
	printAligned(os.Stdout, 4, outcomes)
	fmt.Printf("\n%s\nreport: %s\n", b.machine.disturbance(), filepath.Join(b.options.out, "report.md"))
	return nil
}

// samples is everything that was measured, by work and contestant.
func (b *bench) samples() map[string]map[string][]sample {
	all := map[string]map[string][]sample{}
	for _, r := range b.results {
		all[r.workload.name] = r.samples
	}
	return all
}

// markdown is the report for readers.
func (b *bench) markdown(outcomes []row) string {
	var text strings.Builder
	m := b.machine
	fmt.Fprintf(&text, "# exaproxy beside its peers\n\n%s, %d processors, Linux %s, %s, %s. %s.\n\n", m.Processor, m.Processors,
		m.Kernel, m.System, m.Go, strings.Join(m.Versions, ", "))
	fmt.Fprintf(&text, "%s. Medians of %d interleaved rounds of %d seconds (with the least and the greatest), %d connections. %s\n\n![](report.svg)\n",
		m.When.Format("2 January 2006"), b.options.rounds, b.options.seconds, b.options.connections, m.disturbance())
	text.WriteString("\n## Targets\n\n")
	writeMarkdown(&text, append([]row{{"workload", "target", "measured", ""}}, outcomes...))
	for _, r := range b.results {
		fmt.Fprintf(&text, "\n## %s\n\n%s.\n\n", r.workload.name, r.workload.description)
		head, rows := r.table()
		writeMarkdown(&text, slices.Concat([]row{head}, rows))
		for _, remark := range r.remarks() {
			fmt.Fprintf(&text, "\n%s\n", remark)
		}
	}
	return text.String()
}

// writeMarkdown writes rows as a table, the first as its head.
func writeMarkdown(text *strings.Builder, rows []row) {
	for i, cells := range rows {
		fmt.Fprintf(text, "| %s |\n", strings.Join(cells, " | "))
		if i == 0 {
			text.WriteString("|" + strings.Repeat("---|", len(cells)) + "\n")
		}
	}
}
