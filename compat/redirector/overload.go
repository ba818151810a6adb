package redirector

import (
	"fmt"
	"log/slog"
	"time"

	"exaproxy/compat/children"
	"exaproxy/engine"
	"exaproxy/engine/loop"
)

// An overload watches the queue before one worker's helpers, warns the administrator when it is
// long, and says when new requests had better not join it. Unlike Squid's it never ends the
// program. It belongs to the policy.
type overload struct {
	settings *Settings
	pool     queue
	log      *slog.Logger
	now      func() time.Time

	worker, workers int          // counted from 0; how many there are
	limit           int          // of the queue, this worker's share
	since           time.Time    // when the queue was last not too long
	warnings        loop.Limiter // of those to the administrator
	passed          loop.Limiter // that requests pass
	logged          bool         // that this overload is persistent
}

// A queue is what is looked at of the helpers' pool: *helper.Pool.
type queue interface {
	Queue() int
	Busy() bool
	Serving() (ready, most int)
}

const (
	warnEvery      = 10 * time.Minute // Squid says it as seldom
	tellPassed     = time.Minute      // how often it is said that requests pass
	persistentTime = 3 * time.Minute  // after it an overload is Squid's "persistent" one
)

func newOverload(s *Settings, w engine.Services) *overload {
	o := &overload{settings: s, pool: w.Helpers, log: w.Log, now: w.Loop.Now,
		worker: w.Worker, workers: max(w.Workers, 1), limit: s.Children.QueueSize / max(w.Workers, 1)}
	o.since = o.now()
	return o
}

// skip says whether the request that is about to be asked had better pass unasked: the helpers
// are busy and url_rewrite_bypass or on-persistent-overload=ERR allows it.
func (o *overload) skip() bool {
	queue := o.pool.Queue()
	if !o.pool.Busy() {
		o.since = o.now()
		o.logged = false
		return false
	}
	if queue < o.limit {
		o.since = o.now()
		return false
	}
	if o.settings.Bypass {
		o.reportBypass()
		return true
	}
	o.warn(queue)
	return o.persistent()
}

// reportBypass says, now and then, that requests pass because of url_rewrite_bypass, and why.
func (o *overload) reportBypass() {
	more, ok := o.passed.Allow(o.now(), tellPassed)
	if !ok {
		return
	}
	why := "no redirector process is running"
	if serving, most := o.pool.Serving(); serving > 0 {
		why = fmt.Sprintf("all %d/%d redirector processes are busy", serving, most)
	}
	o.log.Warn("requests pass unfiltered (" + o.settings.Kind.prefix() + "bypass on), since " + why + o.of() + sinceLast(more))
}

// warn says, now and then, that questions wait.
func (o *overload) warn(queue int) {
	if _, ok := o.warnings.Allow(o.now(), warnEvery); !ok {
		return
	}
	serving, most := o.pool.Serving()
	if serving > 0 {
		o.log.Warn(fmt.Sprintf("All %d/%d redirector processes are busy.", serving, most) + o.of())
	} else {
		o.log.Warn(fmt.Sprintf("0/%d redirector processes are running.", most) + o.of())
	}
	o.log.Warn(fmt.Sprintf("%d pending requests queued", queue))
	if serving > 0 {
		o.log.Warn("Consider increasing the number of redirector processes in your config file.")
	}
}

// of is whose processes a message counts, if there are others'.
func (o *overload) of() string {
	if o.workers == 1 {
		return ""
	}
	return fmt.Sprintf(" (worker %d of %d)", o.worker+1, o.workers)
}

// sinceLast is how often something was since the last message about it.
func sinceLast(more int) string {
	if more == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d more since the last message)", more)
}

// persistent says whether the queue has been too long for so long that new requests pass.
func (o *overload) persistent() bool {
	if o.now().Sub(o.since) < persistentTime {
		return false
	}
	if o.settings.Children.Overload == children.OverloadBypass {
		if more, ok := o.passed.Allow(o.now(), tellPassed); ok {
			o.log.Warn("dropping requests to overloaded redirector helper configured with on-persistent-overload=err: they pass unfiltered" +
				o.of() + sinceLast(more))
		}
		return true
	}
	if !o.logged {
		o.logged = true
		o.log.Error("Too many queued redirector requests; see on-persistent-overload. They go on waiting")
	}
	return false
}
