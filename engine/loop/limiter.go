package loop

import (
	"fmt"
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

// SinceLast says in a message how many were suppressed; nothing if none were.
func SinceLast(suppressed int) string {
	if suppressed == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d more since the last message)", suppressed)
}
