package engine

// playing begins to measure how long the transaction is played, if anybody wants to know (Config.MeasureBusy).
func (t *transaction) playing() {
	if t.setup.config.MeasureBusy {
		t.playedFrom = t.client.worker.loop.Kernel().Now()
	}
}

// played notes how long it was played until now: it waits, or is over.
func (t *transaction) played() {
	if t.playedFrom.IsZero() {
		return
	}
	now := t.client.worker.loop.Kernel().Now()
	t.record.Busy += now.Sub(t.playedFrom)
	t.playedFrom = now
}
