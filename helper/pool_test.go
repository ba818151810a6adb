package helper

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestOneQuestionAtATime(t *testing.T) {
	w := newWorld(t, Config{Children: 1})
	w.children("nothing was asked and nothing is to be kept ready", 0, 0)
	a, b := w.ask("first"), w.ask("second")
	w.children("a question starts a child", 1, 1)
	w.reads(1, "without channels a child has one question", "first\n")
	if got := w.pool.Queue(); got != 1 {
		t.Errorf("%d questions wait, want 1", got)
	}
	w.writes(1, "one\r\n")
	a.wants("the line end is not part of an answer", "one")
	w.reads(1, "the next question follows the answer", "second\n")
	w.writes(1, "\n")
	b.wants("an answer may be empty", "")
}

func TestAnswersAreCutAnyhow(t *testing.T) {
	for _, segment := range []int{1, 2, 3, 5, 7} {
		w := newWorld(t, Config{Children: 1, Concurrency: 4})
		all := w.putAll(4)
		w.settle()
		w.child(1).out.Segment(segment)
		w.writes(1, "3 three\n0 zero\r\n 1\t one \n+02  t\x00wo\r\r\n")
		for i, want := range []string{"zero", "one ", "t\x00wo\r", "three"} {
			all[i].wants(fmt.Sprintf("question %d in pieces of %d", i, segment), want)
		}
	}
}

func TestChannels(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Concurrency: 3})
	all := w.putAll(5)
	w.settle()
	w.reads(1, "numbers run from 0, and lines given together are written together", "0 q0\n1 q1\n2 q2\n")
	w.writes(1, "1 one\n")
	all[1].wants("an answer out of turn", "one")
	w.reads(1, "the free number is used again", "1 q3\n")
	w.writes(1, "2 two\n0 zero\n")
	w.reads(1, "the lowest free number is used", "0 q4\n")
	w.writes(1, "1 three\n0 four\n")
	for i, want := range []string{"zero", "one", "two", "three", "four"} {
		all[i].wants("all are answered", want)
	}
}

func TestChildWithOneDescriptor(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Concurrency: 2})
	w.oneEnd = true
	a := w.ask("x")
	w.reads(1, "the question", "0 x\n")
	w.writes(1, "0 y\n")
	a.wants("the answer", "y")
	w.pool.Close(true)
	w.settle()
	if !w.child(1).in.Closed() {
		t.Error("the child does not see the end of its input")
	}
	w.child(1).exit("exit status 0")
	w.settle()
	w.closed("after the child has gone")
}

func TestSelection(t *testing.T) {
	w := newWorld(t, Config{Children: 3, Startup: 3, Concurrency: 4})
	w.putAll(14)
	w.settle()
	for n, want := range []string{"0 q0\n1 q3\n2 q6\n3 q9\n", "0 q1\n1 q4\n2 q7\n3 q10\n", "0 q2\n1 q5\n2 q8\n3 q11\n"} {
		w.reads(n+1, "breadth first", want)
	}
	if got := w.pool.Queue(); got != 2 || !w.pool.Busy() {
		t.Errorf("%d wait, busy %v; want 2 and busy", got, w.pool.Busy())
	}
	w.writes(3, "2 x\n1 x\n")
	w.reads(3, "who has room gets what waits, in order", "1 q12\n2 q13\n")
	w.writes(2, "0 x\n1 x\n2 x\n3 x\n")
	w.put("late")
	w.settle()
	w.reads(2, "the first with nothing to do", "0 late\n")
}

func TestGrowth(t *testing.T) {
	tests := []struct {
		name                       string
		config                     Config
		before, questions, started int
	}{
		{"nothing is started before a question", Config{Children: 5}, 0, 0, 0},
		{"as many as Startup", Config{Children: 5, Startup: 2}, 2, 0, 2},
		{"as many as Idle are ready", Config{Children: 5, Idle: 1}, 1, 0, 1},
		{"Idle is kept while questions are answered", Config{Children: 5, Idle: 1}, 1, 2, 3},
		{"never more than Children", Config{Children: 2, Startup: 4, Idle: 3}, 2, 10, 2},
		{"what waits starts as many as it needs", Config{Children: 5}, 0, 3, 3},
		{"channels are filled first", Config{Children: 5, Concurrency: 10}, 0, 11, 2},
		{"room in channels counts as ready", Config{Children: 5, Idle: 1, Concurrency: 10}, 1, 9, 1},
		{"Children below one is one", Config{Children: -1}, 0, 3, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, test.config)
			w.children("before a question", test.before, test.before)
			w.putAll(test.questions)
			w.settle()
			w.children("after the questions", test.started, test.started)
		})
	}
}

func TestBusy(t *testing.T) {
	w := newWorld(t, Config{Children: 2})
	if w.pool.Busy() {
		t.Error("a pool that may start a child is busy")
	}
	w.ask("a")
	if w.pool.Busy() {
		t.Error("a pool that may start another child is busy")
	}
	b := w.ask("b")
	if !w.pool.Busy() {
		t.Error("a pool whose children all have work is not busy")
	}
	w.writes(2, "x\n")
	b.Cancel()
	if w.pool.Busy() {
		t.Error("a pool with an idle child is busy")
	}
}

func TestCancel(t *testing.T) {
	w := newWorld(t, Config{Children: 1})
	held, waiting, next := w.ask("held"), w.ask("waiting"), w.ask("next")
	waiting.Cancel()
	held.Cancel()
	(*Question)(nil).Cancel()
	w.settle()
	next.waits("the child still works on what was cancelled")
	w.reads(1, "a cancelled question occupies its child", "held\n")
	w.writes(1, "to be thrown away\n")
	next.waits("that was another question's answer")
	w.reads(1, "a question that was cancelled in the queue is not asked", "next\n")
	w.writes(1, "mine\n")
	next.wants("its own answer", "mine")
	if held.wakes+waiting.wakes != 0 {
		t.Error("who has cancelled was woken")
	}
}

func TestCancelledTwiceIsABug(t *testing.T) {
	w := newWorld(t, Config{Children: 1})
	q := w.ask("x")
	w.writes(1, "y\n")
	q.Cancel()
	for name, f := range map[string]func(){"Cancel": q.Cancel, "Answer": func() { q.Answer() }} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s after Cancel: no panic", name)
				}
			}()
			f()
		}()
	}
}

func TestLineFeedInAQuestion(t *testing.T) {
	w := newWorld(t, Config{Children: 1})
	q := w.ask("two\nquestions")
	q.fails("a question is one line", ErrLineFeed)
	w.children("nothing is asked", 0, 0)
}

func TestWaited(t *testing.T) {
	w := newWorld(t, Config{Children: 1})
	q := w.ask("x")
	w.pass(3 * time.Second)
	if got := q.Waited(); got != 3*time.Second {
		t.Errorf("while it waits: waited %v, want 3s", got)
	}
	w.writes(1, "y\n")
	w.pass(4 * time.Second)
	if got := q.Waited(); got != 3*time.Second {
		t.Errorf("after its answer: waited %v, want 3s", got)
	}
}

func TestBackpressure(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Concurrency: 1000, Startup: 1})
	w.child(1).in.SetCapacity(100)
	all := w.putAll(1200)
	w.settle()
	if got := w.pool.Queue(); got != 200 {
		t.Errorf("%d questions wait for the child, want 200", got)
	}
	var read strings.Builder
	for {
		w.settle()
		p := w.child(1).in.Read()
		if len(p) == 0 {
			break
		}
		if len(p) > 100 {
			t.Fatalf("the child was given %d bytes at a time, and has room for 100", len(p))
		}
		read.Write(p)
	}
	var want, answer strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&want, "%d q%d\n", i, i)
		fmt.Fprintf(&answer, "%d a%d\n", i, i)
	}
	if read.String() != want.String() {
		t.Error("the child did not get what it was given when it had no room")
	}
	w.writes(1, answer.String())
	for i, q := range all[:1000] {
		q.wants("an answer", fmt.Sprint("a", i))
	}
	if got := w.pool.Queue(); got != 0 {
		t.Errorf("%d questions wait, want none", got)
	}
}

// freeQuestions empties the free list and returns how many questions were on it.
func freeQuestions(p *Pool) (n int) {
	for p.free.Get().pool != nil {
		n++
	}
	return n
}

func TestABurstLeavesNothingBehind(t *testing.T) {
	for _, n := range []int{5_000, 1_000_000} {
		w := newWorld(t, Config{Children: 1, Concurrency: 1000, Startup: 1})
		var all []*Question
		for range n {
			all = append(all, w.pool.Ask([]byte("x"), nil))
		}
		if got := w.pool.Queue(); got != n-1000 {
			t.Errorf("%d questions wait, want %d", got, n-1000)
		}
		w.settle()
		for w.pool.Stats().Answers < uint64(n) {
			w.child(1).out.Write(w.child(1).in.Read()) // the number and the question, as an answer
			w.settle()
		}
		for _, q := range all {
			q.Cancel()
		}
		if got := freeQuestions(w.pool); got != maxFreeQuestions {
			t.Errorf("%d questions are kept for later, want %d", got, maxFreeQuestions)
		}
		if w.pool.backlog != (backlog{}) {
			t.Errorf("the backlog holds on to questions: %+v", w.pool.backlog)
		}
	}
}

func TestStats(t *testing.T) {
	w := newWorld(t, Config{Children: 2, Concurrency: 2, Startup: 1})
	w.ask("first")
	w.ask("second")
	w.pass(3 * time.Second)
	w.writes(1, "1 x\n0 ha")
	w.pass(time.Second)
	s := w.pool.Stats()
	if s.Name != "redirector" || s.Children != 2 || s.Active != 1 || s.Stopping != 0 || s.Questions != 2 ||
		s.Answers != 1 || s.Service != 3*time.Second || len(s.Each) != 1 {
		t.Errorf("the pool's numbers are wrong: %+v", s)
	}
	want := ChildStats{Number: 1, Descriptor: w.child(1).sys[0], PID: 1001, Questions: 2, Answers: 1, Read: 8, Written: 17,
		Pending: 1, Time: 4 * time.Second, Offset: 4, Oldest: "first"}
	if s.Each[0] != want {
		t.Errorf("the child's numbers: got  %+v\nwant %+v", s.Each[0], want)
	}
}
