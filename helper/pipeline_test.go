package helper

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// pipelining makes a world whose children have shown that they answer line by line.
func pipelining(t *testing.T, c Config) *world {
	t.Helper()
	w := newWorld(t, c)
	for n := 1; n <= c.Startup; n++ {
		for range probation {
			w.reads(n, "it was asked nothing", "")
			var before []*asker
			for range n - 1 { // the first child with nothing to do is asked
				before = append(before, w.ask("before"))
			}
			q := w.ask("alone")
			w.reads(n, "it is on probation", "alone\n")
			w.writes(n, "fine\n")
			q.wants("its answer", "fine")
			q.Cancel()
			for i, b := range before {
				w.reads(i+1, "it is asked", "before\n")
				w.writes(i+1, "fine\n")
				b.wants("its answer", "fine")
				b.Cancel()
			}
		}
	}
	return w
}

func TestLinesAreGivenAheadAndAnsweredInOrder(t *testing.T) {
	w := pipelining(t, Config{Children: 1, Startup: 1, Pipeline: 4})
	all := make([]*asker, 6)
	for i := range all {
		all[i] = w.ask(fmt.Sprint("q", i))
	}
	w.reads(1, "as many as it may be given", "q0\nq1\nq2\nq3\n")
	w.writes(1, "a0\na")
	all[0].wants("the first", "a0")
	w.reads(1, "one more", "q4\n")
	all[2].Cancel()
	w.writes(1, "1\na2\na3\n")
	all[1].wants("the second, whose answer came in pieces", "a1")
	all[3].wants("behind one that nobody waits for", "a3")
	w.writes(1, "a4\na5\n")
	all[4].wants("the fifth", "a4")
	all[5].wants("the sixth, which it had read by then", "a5")
	w.children("it is kept", 1, 1)
}

func TestAChildOnProbationIsGivenNothingAhead(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Startup: 1, Pipeline: 4})
	w.ask("x")
	w.ask("y")
	w.reads(1, "it has answered nothing yet", "x\n")
}

func TestWhatAPipelinedChildLosesIsAskedAgainInOrder(t *testing.T) {
	w := pipelining(t, Config{Children: 1, Startup: 1, Pipeline: 4, Retries: 2})
	all := make([]*asker, 4)
	for i := range all {
		all[i] = w.ask(fmt.Sprint("q", i))
	}
	w.child(1).read()
	w.dies(1)
	for i, q := range all {
		if want := min(1-min(i, 1), 1); q.losses != want {
			t.Errorf("question %d has %d losses, want %d", i, q.losses, want)
		}
	}
	w.pass(maxProvokedDelay + aTick)
	for n := 1; n <= 3; n++ {
		w.reads(2, "those behind it, one at a time", fmt.Sprintf("q%d\n", n))
		w.writes(2, fmt.Sprintf("a%d\n", n))
		all[n].wants("its answer", fmt.Sprint("a", n))
	}
	w.pass(maxRisked + aTick)
	w.reads(2, "and the first, which may be the cause, alone", "q0\n")
}

func TestALateQuestionOfAPipelinedChild(t *testing.T) {
	w := pipelining(t, Config{Children: 1, Startup: 1, Pipeline: 4, Retries: 2, Timeout: time.Second})
	slow, first, second := w.ask("slow"), w.ask("first"), w.ask("second")
	w.child(1).read()
	w.pass(900 * time.Millisecond)
	w.writes(1, "SLOW\n")
	slow.wants("in time", "SLOW")
	w.pass(900 * time.Millisecond)
	first.waits("it has had its turn for 0.9 s")
	w.pass(200 * time.Millisecond)
	first.fails("now it is late", ErrLate)
	second.waits("it never had its turn")
	if second.losses != 0 {
		t.Error("the second is blamed")
	}
	w.pass(maxProvokedDelay + aTick)
	w.reads(2, "it is asked again", "second\n")
}

func TestALineTooManyEndsPipelining(t *testing.T) {
	w := pipelining(t, Config{Children: 1, Startup: 1, Pipeline: 4, Retries: 2})
	q := w.ask("x")
	w.writes(1, "X\n")
	q.wants("its answer", "X")
	w.child(1).out.WriteString("more\n")
	w.settle()
	w.logs("it is said", "wrote a line that nobody asked for", 1)
	w.pass(minRestartDelay + aTick)
	for range probation {
		w.ask("alone")
		w.writes(2, "fine\n")
		w.pass(surplusHold + aTick)
	}
	w.child(2).got = nil
	w.ask("y")
	w.ask("z")
	w.reads(2, "one at a time", "y\n")
}

func TestCrashesBehindAnswersEndPipelining(t *testing.T) {
	w := pipelining(t, Config{Children: 1, Startup: 1, Pipeline: 4})
	for i := range w.pool.doubts.crashes {
		w.pool.doubts.crashes[i] = w.l.Now()
	}
	w.ask("x")
	w.ask("y")
	w.reads(1, "one at a time", "x\n")
	w.pass(doubtTime + aTick)
	w.writes(1, "X\n")
	w.ask("z")
	w.reads(1, "as many as before", "y\nz\n")
}

func TestAPipelinedChildHasNotReadWhatItSeemsToAnswer(t *testing.T) {
	w := pipelining(t, Config{Children: 1, Startup: 1, Pipeline: 4, Retries: 2})
	q := w.ask("x")
	w.child(1).out.WriteString("early\n")
	w.settle()
	q.waits("its question is in the pipe still")
	w.logs("it is said", "wrote a line that nobody asked for", 1)
	w.pass(minRestartDelay + aTick)
	w.reads(2, "another is asked", "x\n")
}

func TestMoreChildrenAreStartedBeforeLinesAreGivenAhead(t *testing.T) {
	w := pipelining(t, Config{Children: 3, Startup: 1, Pipeline: 4})
	w.slow = true
	w.ask("a")
	w.ask("b")
	w.ask("c")
	w.reads(1, "those that start are not waited for", "a\nb\nc\n")
	w.children("but they are started", 3, 3)
}

// doubling is a redirector as they are: it reads a line, answers, and flushes.
const doubling = `
import sys
for line in sys.stdin:
    print("OK rewrite-url=" + line.split()[0], flush=True)
`

// BenchmarkPython asks a script: 64 questions wait at any time.
func BenchmarkPython(b *testing.B) {
	python, err := exec.LookPath("python3")
	if err != nil {
		b.Skip("there is no python3")
	}
	for _, children := range []int{1, 2} {
		for _, pipeline := range []int{0, 4, 16} {
			b.Run(fmt.Sprintf("children=%d/pipeline=%d", children, pipeline), func(b *testing.B) {
				s := perform(b, Config{Children: children, Startup: children, Pipeline: pipeline, Argv: []string{python, "-c", doubling}})
				s.until("they are there", s.up(children))
				waiting := make([]*Question, 64)
				url := "http://a.example/" + strings.Repeat("x", 60) + " 192.0.2.1/- - GET"
				for i := range waiting {
					waiting[i] = s.pool.Ask([]byte(url), nil)
				}
				b.ResetTimer()
				for n := range b.N {
					q := waiting[n%len(waiting)]
					s.until("it is answered", func() bool { return done(q) })
					q.Cancel()
					waiting[n%len(waiting)] = s.pool.Ask([]byte(url), nil)
				}
				b.StopTimer()
			})
		}
	}
}

func TestRealChildrenThatArePipelined(t *testing.T) {
	s := run(t, "dribbling", Config{Children: 2, Pipeline: 5, Retries: 1000})
	asked := 0
	for range 4 {
		var all []*Question
		for range 200 {
			all = append(all, s.pool.Ask([]byte(fmt.Sprint("q", asked)), nil))
			asked++
		}
		half := all[len(all)/2]
		s.until("half of them are answered", func() bool { return done(half) })
		if pid := s.pool.Stats().Each[0].PID; pid > 0 {
			unix.Kill(pid, unix.SIGKILL)
		}
		for i, q := range all {
			s.until("all are answered", func() bool { return done(q) })
			want := fmt.Sprintf("q%d answered", asked-200+i)
			if got, _, err := q.Answer(); err != nil || string(got) != want {
				t.Fatalf("got %q, error %v; want %q", got, err, want)
			}
			q.Cancel()
		}
	}
}
