package loop

import (
	"math/bits"
	"time"
)

const (
	tick  = 16 * time.Millisecond // what timers are rounded up to
	slots = 1024                  // of the wheel: once round is 16.4 s
)

// A Timer wakes a waker at a deadline, at most one tick (16 ms) late and never early.
// Moving the deadline on costs one store, so that it may be done for every read.
//
// It is used on the loop's goroutine only.
type Timer struct {
	wheel      *wheel
	waker      *Waker
	prev, next *Timer // in the slot
	due        int64  // the tick at which it expires
	slot       int16  // of the wheel that it is linked into; noSlot: none
	armed      bool
	expired    bool
}

const noSlot = -1

// NewTimer returns a timer, not armed, that will wake w.
func (l *Loop) NewTimer(w *Waker) *Timer {
	return &Timer{wheel: &l.timers, waker: w, slot: noSlot}
}

// Set arms the timer to expire d after the loop's Now, in place of what was set before.
func (t *Timer) Set(d time.Duration) {
	w := t.wheel
	t.due = w.tickAfter(w.now + d)
	t.armed, t.expired = true, false
	if t.slot == noSlot || t.due < w.nextTick(t.slot) {
		w.unlink(t)
		w.link(t)
	}
}

// Clear disarms the timer and forgets that it expired. On a nil Timer it does nothing.
func (t *Timer) Clear() {
	if t == nil {
		return
	}
	t.armed, t.expired = false, false
	t.wheel.unlink(t) // at once: a timer on the wheel keeps its owner in memory
}

// Expired reports whether the deadline has passed. It stays true until Set or Clear.
func (t *Timer) Expired() bool { return t.expired }

// Armed reports whether a deadline is set and has not passed.
func (t *Timer) Armed() bool { return t.armed }

// A wheel is the timers of a loop, by deadline: slot s holds those that are due at a
// tick that is s modulo slots. A timer whose deadline was moved on, or is more than once
// round away, is found not to be due when its slot is visited, and linked into a later one.
type wheel struct {
	start time.Time          // tick 0
	now   time.Duration      // since then
	done  int64              // the last tick whose slot was visited
	first [slots]*Timer      // of each slot
	used  [slots / 64]uint64 // a bit for each slot that is not empty
}

// tickAfter returns the first tick that is not before a time and whose slot is still to be visited.
func (w *wheel) tickAfter(t time.Duration) int64 {
	return max(int64((t+tick-1)/tick), w.done+1)
}

// nextTick is the tick at which the slot is visited next.
func (w *wheel) nextTick(slot int16) int64 {
	return w.done + 1 + (int64(slot)-(w.done+1))&(slots-1)
}

func (w *wheel) link(t *Timer) {
	t.slot = int16(t.due & (slots - 1))
	t.prev, t.next = nil, w.first[t.slot]
	if t.next != nil {
		t.next.prev = t
	}
	w.first[t.slot] = t
	w.used[t.slot/64] |= 1 << (t.slot % 64)
}

func (w *wheel) unlink(t *Timer) {
	if t.slot == noSlot {
		return
	}
	if t.next != nil {
		t.next.prev = t.prev
	}
	if t.prev != nil {
		t.prev.next = t.next
	} else {
		w.first[t.slot] = t.next
	}
	if w.first[t.slot] == nil {
		w.used[t.slot/64] &^= 1 << (t.slot % 64)
	}
	t.prev, t.next, t.slot = nil, nil, noSlot
}

// next returns when the next slot that is not empty is visited, or zero if all are empty.
func (w *wheel) next() time.Time {
	from := int((w.done + 1) & (slots - 1))
	for i := range len(w.used) + 1 { // the first word twice: its upper part, its lower part
		at := (from/64 + i) % len(w.used)
		word := w.used[at]
		if i == 0 {
			word &= ^uint64(0) << (from % 64)
		}
		if word != 0 {
			slot := int16(at*64 + bits.TrailingZeros64(word))
			return w.start.Add(time.Duration(w.nextTick(slot)) * tick)
		}
	}
	return time.Time{}
}

// expire visits the slots whose ticks have passed, wakes the owners of the timers that are
// due, and returns whether there was one.
func (w *wheel) expire() bool {
	until := int64(w.now / tick)
	w.done = max(w.done, until-slots) // after a long sleep once round is enough
	any := false
	for w.done < until {
		w.done++
		any = w.expireSlot(int16(w.done&(slots-1)), until) || any
	}
	return any
}

// expireSlot empties a slot: timers due by the tick until expire, the others are linked
// into a later slot.
func (w *wheel) expireSlot(slot int16, until int64) bool {
	t := w.first[slot]
	w.first[slot] = nil
	w.used[slot/64] &^= 1 << (slot % 64)
	any := false
	for t != nil {
		next := t.next
		t.prev, t.next, t.slot = nil, nil, noSlot
		if t.due > until {
			w.link(t)
		} else {
			any = true
			t.armed, t.expired = false, true
			t.waker.Wake()
		}
		t = next
	}
	return any
}
