package loop_test

import (
	"testing"

	"exaproxy/engine/loop"
)

// A task that panics costs no other task its turn.
func TestPanicsOfTasksAreSurvived(t *testing.T) {
	w, _ := memoryWorld(t)
	type fault struct {
		what any
		task any
	}
	var faults []fault
	w.loop.OnPanic(func(what any, task loop.Task) { faults = append(faults, fault{what, task}) })
	faulty := &task{does: func() { panic("of a task") }}
	after := &task{does: w.loop.Stop}
	w.loop.NewWaker(faulty).Wake()
	w.loop.NewWaker(after).Wake()
	posted := 0
	w.loop.Post(func() { panic("of a posted function") })
	w.loop.Post(func() { posted++ })
	w.loop.Run()
	want := []fault{{"of a posted function", nil}, {"of a task", faulty}}
	if len(faults) != 2 || faults[0] != want[0] || faults[1] != want[1] {
		t.Errorf("the faults were %v", faults)
	}
	if posted != 1 || after.runs != 1 || faulty.runs != 1 {
		t.Errorf("the function posted behind ran %d times, the task behind %d times, the faulty one %d times", posted, after.runs, faulty.runs)
	}
}
