package redirector

import (
	"fmt"
	"log/slog"
	"time"

	"exaproxy/engine"
	"exaproxy/engine/loop"
	"exaproxy/helper"
)

// An overload watches the queue before one worker's helpers, warns the administrator when it is
// long, and says when new requests had better not join it. Unlike Squid's it never ends the
// program. It belongs to the policy.
type overload struct {
	settings *Settings
	pool     *helper.Pool
	log      *slog.Logger
	now      func() time.Time

	limit    int          // of the queue, this worker's share
	since    time.Time    // when the queue was last not too long
	warnings loop.Limiter // of those to the administrator
	logged   bool         // that this overload is persistent
}

const (
	warnEvery      = 10 * time.Minute // Squid says it as seldom
	persistentTime = 3 * time.Minute  // after it an overload is Squid's "persistent" one
)

func newOverload(s *Settings, w engine.Services) *overload {
	o := &overload{settings: s, pool: w.Helpers, log: w.Log, now: w.Loop.Now, limit: s.QueueSize / max(w.Workers, 1)}
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
		return true
	}
	o.warn(queue)
	return o.persistent()
}

// warn says, now and then, that questions wait.
func (o *overload) warn(queue int) {
	if _, ok := o.warnings.Allow(o.now(), warnEvery); !ok {
		return
	}
	all := o.settings.Children
	o.log.Warn(fmt.Sprintf("All %d/%d redirector processes are busy.", all, all))
	o.log.Warn(fmt.Sprintf("%d pending requests queued", queue))
	o.log.Warn("Consider increasing the number of redirector processes in your config file.")
}

// persistent says whether the queue has been too long for so long that new requests pass.
func (o *overload) persistent() bool {
	if o.now().Sub(o.since) < persistentTime {
		return false
	}
	bypass := o.settings.Overload == OverloadBypass
	if o.logged {
		return bypass
	}
	o.logged = true
	if bypass {
		o.log.Warn("dropping requests to overloaded redirector helper configured with on-persistent-overload=err")
	} else {
		o.log.Error("Too many queued redirector requests; see on-persistent-overload.")
	}
	return bypass
}
