package main

import (
	"encoding/xml"
	"fmt"
	"strings"
)

// Sizes of the picture, in its own units, which are pixels at its natural size.
const (
	pictureWidth = 760
	nameWidth    = 130
	valueWidth   = 190
	barHeight    = 16
	barStep      = 22
	groupGap     = 30
	topMargin    = 64
)

// pictureStyle has colours for light and dark surroundings; there is no background.
const pictureStyle = `<style>
	text { font: 13px system-ui, sans-serif; fill: #24292f; }
	.title { font-size: 19px; font-weight: 600; }
	.work { font-weight: 600; }
	.small { font-size: 12px; fill: #57606a; }
	.ours { fill: #1f6feb; }
	.peer { fill: #b6bec8; }
	.variant { fill: #1f6feb; opacity: .5; }
	@media (prefers-color-scheme: dark) {
		text { fill: #e6edf3; }
		.small { fill: #9198a1; }
		.ours { fill: #4493f8; }
		.peer { fill: #565f6b; }
		.variant { fill: #4493f8; }
	}
</style>
`

// picture draws, for each workload with something to draw, a bar for each contestant. The bars of a workload share a scale,
// which is not another's; what matters is the ratio, which is written behind.
func picture(results []result, m machine) string {
	var body strings.Builder
	y := topMargin
	for _, r := range results {
		if r.workload.drawn == "" || len(r.samples["exaproxy"]) == 0 {
			continue
		}
		y = drawWorkload(&body, r, y)
	}
	var svg strings.Builder
	fmt.Fprintf(&svg, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%[1]d" height="%[2]d" role="img" aria-label="exaproxy beside its peers">`+"\n",
		pictureWidth, y)
	svg.WriteString(pictureStyle)
	write(&svg, "title", 0, 24, "exaproxy beside its peers")
	write(&svg, "small", 0, 44, fmt.Sprintf("%s, %d processors, Linux %s, %s", m.Processor, m.Processors, m.Kernel, m.When.Format("January 2006")))
	svg.WriteString(body.String())
	svg.WriteString("</svg>\n")
	return svg.String()
}

// drawWorkload draws one workload from y on, and gives the y below it.
func drawWorkload(svg *strings.Builder, r result, y int) int {
	m := r.workload.drawn
	better := "shorter is better"
	if m == rate {
		better = "longer is better"
	}
	write(svg, "work", 0, y+14, r.workload.description)
	write(svg, "small", 0, y+32, string(m)+": "+better)
	y += 42
	ours := r.spread("exaproxy", m).median
	most := 0.0
	for _, c := range r.workload.contestants {
		most = max(most, r.spread(c.name, m).median)
	}
	scale := (pictureWidth - nameWidth - valueWidth) / most
	for _, c := range r.workload.contestants {
		if len(r.samples[c.name]) == 0 {
			continue
		}
		value := r.spread(c.name, m).median
		class, behind := "peer", fmt.Sprintf("%s   %.2f ×", figure(value), value/ours)
		switch {
		case c.name == "exaproxy":
			class, behind = "ours", figure(value)
		case c.peer == &exaproxy:
			class = "variant"
		}
		width := max(1, value*scale) // memory may shrink
		write(svg, "", 0, y+barHeight-3, c.name)
		fmt.Fprintf(svg, `<rect class="%s" x="%d" y="%d" width="%.1f" height="%d" rx="2"/>`+"\n", class, nameWidth, y, width, barHeight)
		write(svg, "small", nameWidth+int(width)+8, y+barHeight-3, behind)
		y += barStep
	}
	return y + groupGap
}

// write writes text at a place.
func write(svg *strings.Builder, class string, x, y int, text string) {
	fmt.Fprintf(svg, `<text class="%s" x="%d" y="%d" xml:space="preserve">`, class, x, y)
	xml.EscapeText(svg, []byte(text))
	svg.WriteString("</text>\n")
}
