package manager

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"time"

	"exaproxy/compat/logformat"
	"exaproxy/engine"
)

// A request that is not over, as it is shown.
type request struct {
	text    string
	started time.Time
}

func collectRequests(p *Policy) (all []request) {
	now := p.Services.Loop.Now()
	p.Services.View.EachClient(func(c *engine.ShownClient) {
		if c.Request != nil && !c.Request.Unread {
			all = append(all, request{p.describe(c, now), c.Request.Request.Started})
		}
	})
	return all
}

// writeRequests writes what is not over, the youngest first. The addresses of memory in Squid's page tell us nothing.
func writeRequests(r *report, parts [][]request) {
	all := slices.Concat(parts...)
	slices.SortStableFunc(all, func(a, b request) int { return b.started.Compare(a.started) })
	for i := range all {
		r.print(all[i].text)
		r.print("\n")
	}
}

func (p *Policy) describe(c *engine.ShownClient, now time.Time) string {
	rec, r := c.Request, c.Request.Request
	url := string(shownURL(r))
	out := fmt.Appendf(nil, "Connection: (nil)\n\tFD %d, read %d, wrote %d\n\tFD desc: %s\n", c.Descriptor, c.In, c.Out, url)
	out = fmt.Appendf(out, "\tin: buf (nil), used %d, free %d\n", c.Held, c.Room)
	out = fmt.Appendf(out, "\tremote: %s\n\tlocal: %s\n\tnrequests: %d\n", r.Sender(), r.Local, c.Served)
	out = fmt.Appendf(out, "uri %s\nlogType %s\nout.offset %d, out.size %d\nreq_sz %d\n", url, p.logType(rec), 0, rec.Out, rec.In)
	out = fmt.Appendf(out, "entry (nil)/N/A\nstart %d.%06d (%f seconds ago)\nusername %s\ndelay_pool 0\n", r.Started.Unix(),
		r.Started.Nanosecond()/1000, now.Sub(r.Started).Seconds(), shown(cmp.Or(r.User, r.External.User, "-")))
	return string(out)
}

// shownURL is what the client asks for.
func shownURL(r *engine.Request) []byte {
	if len(r.Target.Host) == 0 {
		return r.RawTarget
	}
	return r.Target.AppendURL(nil)
}

// logType is what the log will say, as far as that is known.
func (p *Policy) logType(rec *engine.Record) string {
	if t := &rec.Request.Target; t.Scheme == cacheObject || bytes.HasPrefix(t.Path, place) && rec.Request.TLS == nil {
		return logformat.Miss // a page of the manager, such as this one
	}
	return p.Results.Of(rec)
}
