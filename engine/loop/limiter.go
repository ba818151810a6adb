package loop

import (
	"fmt"
	"sync/atomic"
	"time"
)

// A Limiter keeps what happens again and again from filling the log. The zero Limiter has seen
// nothing. It is used by one goroutine.
type Limiter struct {
	last       time.Time
	suppressed int // since then
}

// Allow reports whether what happens now is to be logged, because every has passed since that was last
// so, and how many were suppressed meanwhile.
func (l *Limiter) Allow(now time.Time, every time.Duration) (suppressed int, ok bool) {
	if !l.last.IsZero() && now.Sub(l.last) < every {
		l.suppressed++
		return 0, false
	}
	suppressed = l.suppressed
	l.last, l.suppressed = now, 0
	return suppressed, true
}

// A SharedLimiter is a Limiter that all workers use at once: what several of them see in one second is logged by the
// first. The zero SharedLimiter has seen nothing.
type SharedLimiter struct {
	last       atomic.Int64 // in nanoseconds; 0: never
	suppressed atomic.Int64 // since then
}

// Allow is as that of a Limiter. The loops' clocks differ by no more than the time of a turn.
func (l *SharedLimiter) Allow(now time.Time, every time.Duration) (suppressed int, ok bool) {
	last := l.last.Load()
	if last != 0 && now.UnixNano()-last < int64(every) || !l.last.CompareAndSwap(last, now.UnixNano()) {
		l.suppressed.Add(1)
		return 0, false
	}
	return int(l.suppressed.Swap(0)), true
}

// SinceLast says in a message how many were suppressed; nothing if none were.
func SinceLast(suppressed int) string {
	if suppressed == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d more since the last message)", suppressed)
}
