package engine

import "time"

// playing begins to measure how long the transaction is played, if anybody wants to know (Config.MeasureBusy).
func (t *transaction) playing() {
	if t.setup.config.MeasureBusy {
		w := t.client.worker
		w.playedFrom = w.loop.Kernel().Now()
	}
}

// played notes how long it was played until now: it waits, or is over.
func (t *transaction) played() {
	w := t.client.worker
	if w.playedFrom.IsZero() {
		return
	}
	t.record.Busy += w.loop.Kernel().Now().Sub(w.playedFrom)
	w.playedFrom = time.Time{}
}
