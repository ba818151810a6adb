package engine

import (
	"time"

	"exaproxy/engine/loop"
)

// openTunnels has a worker's tunnels that stay open be recorded now and then (Config.TunnelLog). It is a task of the loop.
type openTunnels struct {
	worker *worker
	waker  *loop.Waker
	timer  *loop.Timer
	looked time.Time // when it looked last
}

// mostUnlooked is for how long it does not look at most.
const mostUnlooked = 10 * time.Second

func newOpenTunnels(w *worker) *openTunnels {
	o := &openTunnels{worker: w}
	o.waker = w.loop.NewWaker(o)
	o.timer = w.loop.NewTimer(o.waker)
	return o
}

// configure has it look as often as the present setup needs.
func (o *openTunnels) configure() {
	o.looked = o.worker.loop.Now()
	if every := o.worker.setup.config.TunnelLog; every > 0 {
		o.timer.Set(min(every, mostUnlooked))
	} else {
		o.timer.Clear()
	}
}

// Run looks which tunnels have been there for another interval of their own configuration's since it looked last.
func (o *openTunnels) Run() {
	if !o.timer.Expired() {
		return
	}
	before := o.looked
	o.configure()
	for c := o.worker.clients; c != nil; c = c.next {
		t := c.tx
		if t == nil || t.recorded || t.stage != tunnelling {
			continue
		}
		every := t.setup.config.TunnelLog
		if every > 0 && o.looked.Sub(t.began)/every > before.Sub(t.began)/every {
			t.show(func(rec *Record) {
				rec.Open = true
				t.setup.policy.Record(rec)
			})
		}
	}
}
