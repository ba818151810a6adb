package loop_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"exaproxy/engine/loop"
	"exaproxy/engine/loop/looptest"
)

const ms = time.Millisecond

func TestTimer(t *testing.T) {
	type step struct {
		set   time.Duration // negative: none
		clear bool
		then  time.Duration // how far time goes
		runs  int           // in all so far
	}
	const no = -1
	for _, row := range []struct {
		name  string
		steps []step
	}{
		{"expires once", []step{{set: 40 * ms, then: 39 * ms}, {set: no, then: 17 * ms, runs: 1}, {set: no, then: time.Hour, runs: 1}}},
		{"expires at once, which is within a tick", []step{{set: 0, then: 16 * ms, runs: 1}}},
		{"a deadline in the past is due too", []step{{set: -2 * time.Second, then: 16 * ms, runs: 1}}},
		{"is postponed", []step{{set: 40 * ms, then: 30 * ms}, {set: 40 * ms, then: 39 * ms}, {set: no, then: 17 * ms, runs: 1}}},
		{"is postponed by more than once round", []step{{set: time.Second, then: 900 * ms}, {set: time.Minute, then: 59 * time.Second}, {set: no, then: 2 * time.Second, runs: 1}}},
		{"is brought forward", []step{{set: time.Minute, then: time.Second}, {set: 10 * ms, then: 26 * ms, runs: 1}, {set: no, then: time.Hour, runs: 1}}},
		{"is cleared", []step{{set: 40 * ms, then: 30 * ms}, {set: no, clear: true, then: time.Hour}}},
		{"is set again after it was cleared", []step{{set: 40 * ms}, {set: no, clear: true}, {set: 80 * ms, then: 79 * ms}, {set: no, then: 17 * ms, runs: 1}}},
		{"is far away", []step{{set: 24 * time.Hour, then: 24*time.Hour - ms}, {set: no, then: 17 * ms, runs: 1}}},
		{"is exactly once round away", []step{{set: 1024 * 16 * ms, then: 1023 * 16 * ms}, {set: no, then: 16 * ms, runs: 1}}},
		{"expires after a long sleep", []step{{set: 40 * ms, then: time.Hour, runs: 1}}},
		{"is set again when it expired", []step{{set: 40 * ms, then: time.Second, runs: 1}, {set: 40 * ms, then: time.Second, runs: 2}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			w, k := memoryWorld(t)
			task := &task{}
			timer := w.loop.NewTimer(w.loop.NewWaker(task))
			for i, s := range row.steps {
				if s.set != no {
					timer.Set(s.set)
				}
				if s.clear {
					timer.Clear()
				}
				k.Advance(s.then)
				w.loop.Turn(false)
				if task.runs != s.runs {
					t.Fatalf("after step %d it has run %d times, want %d", i+1, task.runs, s.runs)
				}
			}
		})
	}
}

func TestTimerRemembers(t *testing.T) {
	w, k := memoryWorld(t)
	timer := w.loop.NewTimer(nil)
	state := func(sentence string, armed, expired bool) {
		t.Helper()
		if timer.Armed() != armed || timer.Expired() != expired {
			t.Errorf("%s: armed %v and expired %v, want %v and %v", sentence, timer.Armed(), timer.Expired(), armed, expired)
		}
	}
	state("a new one", false, false)
	timer.Set(time.Second)
	state("one that is set", true, false)
	k.Advance(2 * time.Second)
	w.loop.Turn(false)
	state("one whose deadline has passed", false, true)
	w.loop.Turn(false)
	state("a turn later", false, true)
	timer.Set(time.Second)
	state("one that is set again", true, false)
	timer.Clear()
	state("one that is cleared", false, false)
}

func TestClearLeavesOtherTimersOfTheTick(t *testing.T) {
	for cleared := range 3 {
		w, k := memoryWorld(t)
		var tasks [3]task
		var timers [3]*loop.Timer
		for i := range timers {
			timers[i] = w.loop.NewTimer(w.loop.NewWaker(&tasks[i]))
			timers[i].Set(40 * ms)
		}
		timers[cleared].Clear()
		k.Advance(time.Second)
		looptest.Settle(w.loop)
		for i := range timers {
			if expired := tasks[i].runs == 1 && timers[i].Expired(); expired == (i == cleared) {
				t.Errorf("timer %d was cleared: timer %d expired %v, its task ran %d times", cleared, i, timers[i].Expired(), tasks[i].runs)
			}
		}
	}
}

// TestManyTimers compares the wheel with what it should be: a list of deadlines.
func TestManyTimers(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	w, script := scriptedWorld(t)
	type entry struct {
		timer    *loop.Timer
		deadline time.Time // zero: none
		early    bool
	}
	all := make([]entry, 300)
	for i := range all {
		e := &all[i]
		e.timer = w.loop.NewTimer(w.loop.NewWaker(&task{does: func() {
			e.early = e.deadline.IsZero() || w.loop.Now().Before(e.deadline)
			e.deadline = time.Time{}
		}}))
	}
	for step := range 5000 {
		e := &all[r.IntN(len(all))]
		if r.IntN(4) == 0 {
			e.timer.Clear()
			e.deadline = time.Time{}
		} else {
			d := time.Duration(r.Int64N(int64(50 * time.Millisecond << r.IntN(12))))
			e.timer.Set(d)
			e.deadline = w.loop.Now().Add(d)
		}
		script.Advance(time.Duration(r.Int64N(int64(4 * ms << (r.IntN(14))))))
		w.loop.Turn(true)
		var first time.Time
		for i, e := range all {
			late := w.loop.Now().Sub(e.deadline)
			if first.IsZero() || !e.deadline.IsZero() && e.deadline.Before(first) {
				first = e.deadline
			}
			if e.early || !e.deadline.IsZero() && late > 16*ms {
				t.Fatalf("seed %d, step %d: timer %d expired early (%v) or is late (%v)", seed, step, i, e.early, late)
			}
			if e.timer.Armed() != !e.deadline.IsZero() {
				t.Fatalf("seed %d, step %d: timer %d is armed: %v", seed, step, i, e.timer.Armed())
			}
		}
		w.loop.Turn(true) // once more, to see how long it would wait now
		if first.IsZero() != script.until.IsZero() || script.until.Sub(first) > 16*ms {
			t.Fatalf("seed %d, step %d: the loop waits until %v, the first deadline is %v", seed, step, script.until, first)
		}
	}
}
