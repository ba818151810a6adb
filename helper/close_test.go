package helper

import (
	"testing"
	"time"
)

func TestClose(t *testing.T) {
	tests := []struct {
		name  string
		drain bool
	}{{"drained", true}, {"at once", false}}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, Config{Children: 2, Startup: 2})
			w.proves(1)
			held, cancelled, waiting := w.ask("held"), w.ask("cancelled"), w.ask("waiting")
			cancelled.Cancel()
			w.pool.Close(test.drain)
			w.settle()
			if test.drain {
				held.waits("it is answered first")
				w.writes(1, "one\n")
				w.reads(1, "questions that waited are asked", "held\nwaiting\n")
				w.writes(1, "two\n")
				held.wants("it is answered first", "one")
				waiting.wants("it is answered first", "two")
			} else {
				held.fails("it is not waited for", ErrClosed)
				waiting.fails("it is not waited for", ErrClosed)
			}
			for n := 1; n <= 2; n++ {
				if !w.child(n).in.Closed() {
					t.Errorf("child %d does not see the end of its input", n)
				}
				w.child(n).out.WriteString("farewell\n")
				w.child(n).exit("exit status 0")
			}
			w.settle()
			w.closed("when the children have ended")
			w.logs("a regular end is not logged", "ended by itself", 0)
			w.ask("too late").fails("a closed pool asks no child", ErrClosed)
		})
	}
}

func TestDrainingPoolSurvivesItsLastChild(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Retries: 2})
	q := w.ask("x")
	w.pool.Close(true)
	w.settle()
	w.dies(1)
	w.pass(minRestartDelay + 20*time.Millisecond)
	w.reads(2, "a child was started for what is left", "x\n")
	w.writes(2, "y\n")
	q.wants("the answer", "y")
	w.child(2).exit("exit status 0")
	w.settle()
	w.closed("after the last answer")
}

func TestCloseWhileStarting(t *testing.T) {
	w := newWorld(t, Config{Children: 3})
	w.putAll(3)
	w.pool.Close(false)
	w.settle()
	for n := 1; n <= 3; n++ {
		if !w.child(n).in.Closed() {
			t.Errorf("child %d, which was starting, does not see the end of its input", n)
		}
		w.child(n).exit("exit status 0")
	}
	w.settle()
	w.closed("when the children have ended")
}

func TestCloseIgnored(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Startup: 1})
	w.pool.Close(true)
	w.settle()
	if w.child(1).killed > 0 {
		t.Error("a child is terminated before it could handle the end of its input")
	}
	w.pass(exitTimeout + 20*time.Millisecond)
	if w.child(1).killed == 0 {
		t.Error("a child that ignores the end of its input was not terminated")
	}
	w.logs("it is logged", "redirector #1 (pid 1001): has not ended 5s after the end of its input", 1)
	w.closed("when it was terminated")
}
