package compat

import (
	"fmt"
	"time"
)

// An overload watches the queue before one worker's helpers, tells the administrator when it is
// long, and says when new requests had better not join it. Unlike Squid's it never ends the
// program. It belongs to the policy.
type overload struct {
	p       *policy
	limit   int       // of the queue, this worker's share
	since   time.Time // when the queue was last not too long
	told    time.Time
	shouted bool
}

const (
	tellEvery      = 10 * time.Minute // Squid says it as seldom
	persistentTime = 3 * time.Minute  // after it an overload is Squid's "persistent" one
)

func newOverload(p *policy) *overload {
	workers := max(p.s.Workers, 1)
	if p.s.Workers == 0 {
		workers = max(p.s.Rewriter.Children/max(p.worker.Helpers.Stats().Children, 1), 1)
	}
	return &overload{p: p, limit: p.s.Rewriter.QueueSize / workers, since: p.now()}
}

// skip says whether the request that is about to be asked had better pass unasked: the helpers
// are busy and url_rewrite_bypass or on-persistent-overload=ERR allows it.
func (o *overload) skip() bool {
	pool := o.p.worker.Helpers
	queue := pool.Queue()
	if !pool.Busy() {
		o.since = o.p.now()
		o.shouted = false
		return false
	}
	if queue < o.limit {
		o.since = o.p.now()
		return false
	}
	if o.p.s.Rewriter.Bypass {
		return true
	}
	o.tell(queue)
	return o.persistent()
}

// tell warns, now and then, that questions wait.
func (o *overload) tell(queue int) {
	now := o.p.now()
	if !o.told.IsZero() && now.Sub(o.told) < tellEvery {
		return
	}
	o.told = now
	all := o.p.s.Rewriter.Children
	o.p.log.Warn(fmt.Sprintf("All %d/%d redirector processes are busy.", all, all))
	o.p.log.Warn(fmt.Sprintf("%d pending requests queued", queue))
	o.p.log.Warn("Consider increasing the number of redirector processes in your config file.")
}

// persistent says whether the queue has been too long for so long that new requests pass.
func (o *overload) persistent() bool {
	if o.p.now().Sub(o.since) < persistentTime {
		return false
	}
	bypass := o.p.s.Rewriter.Overload == OverloadBypass
	if !o.shouted {
		o.shouted = true
		if bypass {
			o.p.log.Warn("dropping requests to overloaded redirector helper configured with on-persistent-overload=err")
		} else {
			o.p.log.Error("Too many queued redirector requests; see on-persistent-overload.")
		}
	}
	return bypass
}
