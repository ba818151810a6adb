package loop

import (
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
