package engine

import (
	"runtime"
	"testing"
	"time"
	"weak"
)

// TestTransactionsOfARushAreLetGo has many transactions end, each with a deadline that is hours away, as that of
// client_lifetime is.
func TestTransactionsOfARushAreLetGo(t *testing.T) {
	p := newTransaction(t, reading, given{})
	rush := p.rush(keptTransactions + 10)
	for range 2 {
		p.engine.Trim()
		p.turn()
	}
	runtime.GC()
	kept := 0
	for _, t := range rush {
		if t.Value() != nil {
			kept++
		}
	}
	if kept > 0 {
		t.Errorf("%d of %d transactions are still in memory", kept, len(rush))
	}
}

// rush has n transactions begin, and then end.
func (p *played) rush(n int) (rush []weak.Pointer[transaction]) {
	var all []*transaction
	for range n {
		t := p.worker.newTransaction(p.client)
		t.timer.Set(time.Hour)
		all = append(all, t)
		rush = append(rush, weak.Make(t))
	}
	for _, t := range all {
		p.worker.freeTransaction(t)
	}
	p.client.end.SetWaker(p.transaction.waker)
	return rush
}
