package loop

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestLimiter(t *testing.T) {
	var l Limiter
	start := time.Unix(1e9, 0)
	for _, row := range []struct {
		after      time.Duration
		suppressed int
		ok         bool
	}{
		{0, 0, true},
		{time.Second, 0, false},
		{59 * time.Second, 0, false},
		{time.Minute, 2, true},
		{2*time.Minute - 1, 0, false},
		{5 * time.Minute, 1, true},
		{6 * time.Minute, 0, true},
	} {
		if suppressed, ok := l.Allow(start.Add(row.after), time.Minute); suppressed != row.suppressed || ok != row.ok {
			t.Errorf("after %v: %d, %v; want %d, %v", row.after, suppressed, ok, row.suppressed, row.ok)
		}
	}
}

// TestSharedLimiter has many workers see the same at once, which is logged once.
func TestSharedLimiter(t *testing.T) {
	var l SharedLimiter
	start, many := time.Unix(1e9, 0), 50
	for i, after := range []time.Duration{0, time.Minute} {
		var all sync.WaitGroup
		var allowed, told atomic.Int64
		for range many {
			all.Go(func() {
				if suppressed, ok := l.Allow(start.Add(after), time.Minute); ok {
					allowed.Add(1)
					told.Add(int64(suppressed))
				}
			})
		}
		all.Wait()
		if _, ok := l.Allow(start.Add(after+time.Second), time.Minute); ok || allowed.Load() != 1 {
			t.Errorf("after %v it is logged %d times", after, allowed.Load())
		}
		if last := l.suppressed.Load() + told.Load(); int(last) != many*(i+1) && i == 0 {
			t.Errorf("of %d there are %d that were suppressed", many, last)
		}
	}
	if got := SinceLast(3); got != " (3 more since the last message)" {
		t.Errorf("it says %q", got)
	}
}
