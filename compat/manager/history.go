package manager

import (
	"time"

	"exaproxy/engine"
)

// figures are all numbers of a worker at a moment. They are not changed, so that other workers may read them.
type figures struct {
	at                   time.Time
	client, web, tunnels traffic
	aborted              uint64
	hellos               hellos
	calls                calls
	process              process
	turns, events        uint64

	served, misses, resolved, ready curve
}

// calls are system calls for sockets.
type calls struct {
	accepts, sockets, connects, binds, closes, reads, writes, receives, sends uint64
}

// figures are what n is at a moment, with what requests that are not over have moved so far.
func (n *counts) figures(at time.Time) *figures {
	a := n.loop.Activity()
	f := &figures{at: at, client: n.client, web: n.web, tunnels: n.tunnels, aborted: n.aborted, hellos: n.hellos, process: measure(),
		turns: a.Turns(), events: a.Events,
		calls:  calls{a.Accepts, a.Sockets, a.Connects, a.Binds, a.Closes, a.Reads, a.Writes, a.Receives, a.Sends},
		served: curveOf(n.served[:]), misses: curveOf(n.misses[:]), resolved: curveOf(n.resolved[:]), ready: curveOf(a.Ready[:])}
	n.view.EachClient(func(c *engine.ShownClient) {
		if c.Request != nil {
			f.begun(n, c.Request)
		}
	})
	return f
}

// begun adds what a request that is not over has moved.
func (f *figures) begun(n *counts, rec *engine.Record) {
	f.client.in += uint64(rec.In)
	f.client.out += uint64(rec.Out)
	to := &f.web
	if rec.Request.IsConnect() {
		to = &f.tunnels
	}
	if n.hop(rec) != nil {
		to.requests++ // which Squid counts when it is sent
	}
	to.in += uint64(rec.UpstreamIn)
	to.out += uint64(rec.UpstreamOut)
}

// How far back averages go.
const (
	mostMinutes = 60
	mostHours   = 72
)

// history is what a worker's figures were: at the end of each of the last minutes, and of each of the last hours, the last
// first. Before it began they were those of the beginning.
type history struct {
	began   *figures
	minutes []*figures
	hours   []*figures
	next    time.Time // when a minute ends
	ended   int       // minutes so far
}

func (h *history) begin(now time.Time) {
	h.began, h.next = &figures{at: now}, now.Add(time.Minute)
}

// roll notes the figures of the minutes that have ended. They are those of now: what happened since was before any of
// these ends, or else they would have been noted then.
func (n *counts) roll(now time.Time) {
	h := &n.past
	if now.Before(h.next) {
		return
	}
	f := n.figures(now)
	if behind := now.Sub(h.next) - mostHours*time.Hour; behind > 0 {
		h.next = h.next.Add(behind.Truncate(time.Hour))
	}
	for ; !now.Before(h.next); h.next = h.next.Add(time.Minute) {
		noted := *f
		noted.at = h.next
		h.ended++
		h.minutes = pushed(h.minutes, &noted, mostMinutes)
		if h.ended%60 == 0 {
			h.hours = pushed(h.hours, &noted, mostHours)
		}
	}
}

// pushed puts one in front, and drops what is one too many.
func pushed(all []*figures, f *figures, most int) []*figures {
	if len(all) < most {
		all = append(all, nil)
	}
	copy(all[1:], all)
	all[0] = f
	return all
}
