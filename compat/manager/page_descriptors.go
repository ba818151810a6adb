package manager

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"exaproxy/engine"
	"exaproxy/helper"
)

// opened is a descriptor that is open.
type opened struct {
	number   int
	kind     string
	in, out  uint64
	waits    bool // somebody waits to read from it
	remote   string
	describe string
}

func collectDescriptors(p *Policy) (all []opened) {
	view := p.Services.View
	view.EachPort(func(s engine.ShownPort) {
		all = append(all, opened{number: s.Descriptor, kind: "Socket", waits: true, remote: s.Addr.String(), describe: "HTTP Socket"})
	})
	view.EachClient(func(c *engine.ShownClient) {
		o := opened{number: c.Descriptor, kind: "Socket", in: c.In, out: c.Out, waits: true, remote: c.Connection.Client.String(), describe: "Reading next request"}
		switch {
		case c.Request != nil && !c.Request.Unread:
			o.describe = string(shownURL(c.Request.Request))
		case c.Served == 0:
			o.describe = "Idle client: Waiting for first request"
		case c.Lingers:
			o.describe = "Closing"
		}
		all = append(all, o)
	})
	view.EachUpstream(func(u *engine.ShownUpstream) {
		o := opened{number: u.Descriptor, kind: "Socket", in: u.In, out: u.Out, waits: true, remote: u.Peer.String(), describe: "Idle server: " + u.Key()}
		if !u.Idle {
			o.describe = string(shownURL(u.Request.Request))
		}
		all = append(all, o)
	})
	view.EachPool(func(s helper.Stats) {
		for i := range s.Each {
			if c := &s.Each[i]; c.Descriptor >= 0 {
				all = append(all, opened{number: c.Descriptor, kind: "Pipe", in: c.Read, out: c.Written, waits: true, describe: fmt.Sprintf("%s #%d", path.Base(s.Argv[0]), c.Number)})
			}
		}
	})
	return all
}

// writeDescriptors lists what is open: what workers share is there once.
func writeDescriptors(r *report, parts [][]opened) {
	all := append(slices.Concat(parts...), others()...)
	slices.SortStableFunc(all, func(a, b opened) int { return cmp.Compare(a.number, b.number) })
	all = slices.CompactFunc(all, func(a, b opened) bool { return a.number == b.number })
	r.print("Active file descriptors:\n")
	r.printf("%-4s %-6s %-4s %-7s* %-7s* %-21s %s\n", "File", "Type", "Tout", "Nread", "Nwrite", "Remote Address", "Description")
	r.print("---- ------ ---- -------- -------- --------------------- ------------------------------\n")
	for _, o := range all {
		mark := " "
		if o.waits {
			mark = "*"
		}
		r.printf("%4d %-6.6s %4d %7d%s %7d%s %-21s %s\n", o.number, o.kind, 0, o.in, mark, o.out, " ", o.remote, o.describe)
	}
}

// others are all descriptors of the process, for those that are not the business of workers.
func others() (all []opened) {
	for number, what := range descriptors() {
		o := opened{number: number, kind: "None", describe: what}
		kind, _, _ := strings.Cut(what, ":")
		switch {
		case number < 3:
			o.kind, o.describe = "Log", [...]string{"stdin", "stdout", "stderr"}[number]
		case strings.HasPrefix(what, "/"):
			o.kind = "File"
		case kind == "socket":
			o.kind = "Socket"
		case kind == "pipe":
			o.kind = "Pipe"
		}
		all = append(all, o)
	}
	return all
}

// connections are a worker's to next hops.
type connections struct {
	uses []uint64
	idle []string
}

func collectConnections(p *Policy) connections {
	c := connections{uses: slices.Clone(p.Services.View.Uses())}
	p.Services.View.EachUpstream(func(u *engine.ShownUpstream) {
		if u.Idle {
			c.idle = append(c.idle, u.Key())
		}
	})
	return c
}

// writeConnections writes how many requests connections to next hops have served, and which wait for one.
func writeConnections(r *report, parts []connections) {
	r.print("\n Pool 0 Stats\nserver-peers persistent connection counts:\n\n\t Requests\t Connection Count\n\t --------\t ----------------\n")
	var idle []string
	for i := range parts {
		idle = append(idle, parts[i].idle...)
	}
	for requests := 1; len(parts) > 0 && requests < len(parts[0].uses); requests++ {
		n := uint64(0)
		for i := range parts {
			n += parts[i].uses[requests]
		}
		if n > 0 {
			r.printf("\t%d\t%d\n", requests, n)
		}
	}
	r.print("\n Pool 0 Hash Table\n")
	slices.Sort(idle)
	for i, key := range slices.Compact(idle) {
		r.printf("\t item %d:\t%s\n", i, key)
	}
}
