package helper

import (
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"
)

const aTick = 20 * time.Millisecond // more than a timer may be late

func TestLostQuestionsAreAskedAgain(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Concurrency: 3, Retries: 2})
	all := w.putAll(5)
	w.settle()
	w.reads(1, "three are in flight", "0 q0\n1 q1\n2 q2\n")
	w.writes(1, "0 zero\n")
	w.reads(1, "then a fourth", "0 q3\n")
	w.dies(1)
	w.pass(minRestartDelay + aTick)
	w.reads(2, "the lost ones come first, in the order of their asking", "0 q1\n1 q2\n2 q3\n")
	w.writes(2, "0 a\n1 b\n2 c\n")
	w.writes(2, "0 d\n")
	for i, want := range []string{"zero", "a", "b", "c", "d"} {
		all[i].wants("every question has its own answer", want)
	}
	w.logs("the end is logged with the questions", "redirector #1 (pid 1001): ended by itself after 0s (signal: killed); questions asked again: 3", 1)
}

func TestLostQuestionGoesToAnother(t *testing.T) {
	w := newWorld(t, Config{Children: 2, Startup: 2, Retries: 2})
	a, b := w.ask("a"), w.ask("b")
	c := w.ask("c")
	w.reads(1, "", "a\n")
	w.reads(2, "", "b\n")
	w.dies(1)
	w.writes(2, "B\n")
	w.reads(2, "who waits does not wait for one that may have ended a child", "c\n")
	w.writes(2, "C\n")
	w.reads(2, "and the last child is not risked", "")
	w.pass(minRestartDelay + aTick)
	w.reads(2, "but one of two is", "a\n")
	w.writes(2, "A\n")
	a.wants("", "A")
	b.wants("", "B")
	c.wants("", "C")
}

func TestQuestionThatEndsItsChildren(t *testing.T) {
	for _, retries := range []int{0, 2} {
		w := newWorld(t, Config{Children: 1, Retries: retries, Startup: 1})
		q := w.ask("poison")
		for n := 1; n <= retries+1; n++ {
			q.waits("not all tries are used up")
			w.reads(n, "asked again", "poison\n")
			w.dies(n)
			w.pass(maxRestartDelay)
		}
		q.fails("it has ended enough children", ErrLost)
		w.logs("the last one", "questions given up: 1", 1)
		next := w.ask("good")
		w.writes(retries+2, "fine\n")
		next.wants("the pool goes on", "fine")
	}
}

func TestQuestionThatEndsChildrenLosesNoOther(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Concurrency: 10, Retries: 2})
	a, poison, b := w.put("a"), w.put("poison"), w.put("b")
	w.settle()
	w.dies(1)
	w.pass(maxRestartDelay)
	w.reads(2, "all are asked again", "0 a\n1 poison\n2 b\n")
	w.dies(2)
	c := w.put("c")
	w.pass(maxRestartDelay)
	w.reads(3, "who was not there is asked as ever", "0 c\n")
	w.writes(3, "0 C\n")
	w.reads(3, "at its last chance a question is alone", "0 a\n")
	w.writes(3, "0 A\n")
	w.reads(3, "so is the next", "0 poison\n")
	w.dies(3)
	w.pass(maxRestartDelay)
	w.reads(4, "and the next", "0 b\n")
	w.writes(4, "0 B\n")
	a.wants("it was in bad company", "A")
	poison.fails("it has ended three children", ErrLost)
	b.wants("it was in bad company", "B")
	c.wants("it came later", "C")
}

func TestLastChanceStartsAChildOfItsOwn(t *testing.T) {
	w := newWorld(t, Config{Children: 2, Concurrency: 10, Retries: 1, Startup: 1})
	w.proves(1)
	q := w.ask("q")
	w.pass(stableAfter)
	w.reads(1, "", "0 q\n")
	w.pool.start() // which gets something to do before the first one ends
	w.settle()
	slow := w.ask("slow")
	w.reads(2, "", "0 slow\n")
	w.dies(1)
	w.reads(3, "there is room beside the slow question, but it wants to be alone", "0 q\n")
	w.writes(3, "0 fine\n")
	q.wants("", "fine")
	slow.waits("it is slow")
}

func TestUnsentQuestionIsNotToBlame(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Concurrency: 2})
	w.ask("x").Cancel()
	w.reads(1, "a first question", "0 x\n")
	w.writes(1, "0 y\n")
	w.child(1).in.SetCapacity(4)
	first, second := w.put("1"), w.put("2")
	w.settle()
	w.dies(1)
	first.fails("it was sent, and there are no retries", ErrLost)
	w.pass(maxRestartDelay)
	w.reads(2, "what was not sent is sent to the next", "0 2\n")
	w.writes(2, "0 fine\n")
	second.wants("", "fine")
}

func TestCancelledQuestionIsNotAskedAgain(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Retries: 2})
	w.ask("x").Cancel()
	w.dies(1)
	y := w.ask("y")
	w.pass(maxRestartDelay)
	w.reads(2, "only what is waited for", "y\n")
	w.writes(2, "z\n")
	y.wants("", "z")
}

func TestAnswerBeforeExitCounts(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Retries: 2})
	a := w.ask("x")
	w.child(1).out.WriteString("y\nha")
	w.dies(1)
	a.wants("what the child wrote before its end is read", "y")
}

// The loop may hear of a child's end before it hears of what the child wrote just before.
func TestExitBeforeTheLoopHearsOfTheAnswer(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Retries: 2})
	a := w.ask("x")
	w.reads(1, "it is asked", "x\n")
	w.l.Post(func() { // when the kernel was asked what there is to read
		w.child(1).out.WriteString("y\n")
		w.pool.children[0].processExited(Ending{How: "exit status 0"})
	})
	w.l.Turn(true)
	a.wants("what the child wrote before its end is read", "y")
}

func TestBrokenInput(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Concurrency: 5, Retries: 2})
	a := w.ask("a")
	w.child(1).out.WriteString("0 A\n")
	w.child(1).in.Close() // its input; output stays open
	b := w.put("b")
	w.settle()
	a.wants("what was answered counts", "A")
	w.pass(minRestartDelay + aTick)
	w.reads(2, "a child that closes its input is replaced", "0 b\n")
	w.writes(2, "0 B\n")
	b.wants("", "B")
	w.pass(exitTimeout)
	if w.child(1).killed == 0 {
		t.Error("it lives on and was not terminated")
	}
	w.logs("that was our doing", "signal: terminated\"", 0)
	w.logs("that was our doing", "ended by itself", 0)
}

// A question that is in the pipe when its reader closes it is read by nobody, and is asked again at once.
func TestInputThatIsClosedWithAQuestionInIt(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Retries: 2})
	w.proves(1)
	q := w.ask("x")
	w.child(1).in.Close()
	w.settle()
	w.pass(minRestartDelay + aTick)
	w.reads(2, "the next is asked", "x\n")
	w.writes(2, "X\n")
	q.wants("", "X")
	if w.pool.poison.remembers([]byte("x"), w.l.Now()) {
		t.Error("the question is blamed")
	}
}

func TestExitWithoutEndOfOutput(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Retries: 2})
	q := w.ask("x")
	a := w.child(1)
	a.mu.Lock()
	a.left = true // another process still holds its pipes
	a.end <- "exit status 1"
	a.mu.Unlock()
	w.settle()
	w.pass(maxRestartDelay)
	w.writes(2, "y\n")
	q.wants("the process has ended, whoever holds its pipes", "y")
	if got := w.k.OpenDescriptors(); got != 2 {
		t.Errorf("%d descriptors are open, want those of one child", got)
	}
}

func TestReplacement(t *testing.T) {
	tests := []struct {
		name  string
		die   func(w *world)
		delay time.Duration
	}{
		{"lived long, never asked", func(w *world) { w.pass(stableAfter); w.dies(1) }, 0},
		{"answered all it was asked", func(w *world) { w.proves(1); w.dies(1) }, 0},
		{"lived long, lost a question", func(w *world) { w.pass(stableAfter); w.ask("x"); w.dies(1) }, 0},
		{"lived briefly, never asked", func(w *world) { w.dies(1) }, minRestartDelay},
		{"lived briefly, lost a question", func(w *world) { w.proves(1); w.ask("x"); w.dies(1) }, minRestartDelay},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, Config{Children: 1, Startup: 1, Retries: 2})
			test.die(w)
			if test.delay > 0 {
				w.children("not at once", 1, 0)
				w.pass(test.delay + aTick)
			}
			w.children("it is replaced", 2, 1)
		})
	}
}

func TestDelayGrowsAndIsForgotten(t *testing.T) {
	w := newWorld(t, Config{Children: 3, Startup: 3, Retries: 2})
	for n := 1; n <= 3; n++ {
		w.dies(n)
	}
	started := 3
	for _, delay := range []time.Duration{100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000} {
		delay *= time.Millisecond
		w.pass(delay - aTick)
		w.children(fmt.Sprintf("before %v are over", delay), started, 0)
		w.pass(2 * aTick)
		if started = w.pool.started; started == 3 {
			t.Fatalf("nothing was started after %v", delay)
		}
		for _, c := range w.pool.children {
			c.process.(*actor).exit("exit status 1")
		}
		w.settle()
	}
	w.logs("all end early: it is logged once", "level=ERROR", 1)
	w.logs("and how to find out", "run it by hand, as the user that the proxy runs as", 1)
	w.pass(maxRestartDelay + aTick)
	if _, active := w.pool.started, w.pool.active; active != 1 {
		t.Errorf("%d children are tried at a time in a failing pool, want 1", active)
	}
	q := w.ask("x")
	w.writes(w.pool.started, "y\n")
	q.wants("the program is well again", "y")
	w.logs("and this is logged too", "redirector processes answer again", 1)
	if w.pool.active != 3 {
		t.Errorf("%d children are active after recovery, want 3", w.pool.active)
	}
}

// What the others are to wait for, since many have ended, is over once a child answers.
func TestDelayIsForgottenWhileItLasts(t *testing.T) {
	w := newWorld(t, Config{})
	w.slow = true
	w.open(Config{Children: 2, Startup: 2, Retries: 2})
	w.pool.health.earlyExits = 8 // of questions, which kept the delays short
	w.dies(2)
	w.pass(time.Second)
	w.children("a long one", 2, 1)
	w.begins(1)
	q := w.ask("y")
	w.writes(1, "z\n")
	q.wants("it answers", "z")
	w.pass(minRestartDelay + aTick)
	if w.pool.active != 2 {
		t.Errorf("%d children are active, want 2", w.pool.active)
	}
}

func TestSpawnFails(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Retries: 0})
	w.startsWith(errors.New("start redirector: no such file"))
	q := w.ask("x")
	for range 8 {
		w.pass(maxRestartDelay)
		q.waits("while nothing can be started, questions wait")
	}
	w.logs("it is said loudly, once", "level=ERROR", 1)
	w.logs("in few lines", "no such file", 3)
	if !w.pool.Busy() {
		t.Error("a pool that waits before it tries again is not busy")
	}
	w.startsWith(nil)
	w.pass(maxRestartDelay)
	w.writes(w.pool.started, "y\n")
	q.wants("when it can be started", "y")
}

// TestAdvisoryForkFails has the machine have no room for a while, as by SQUID-2023:8: questions wait, those that are started
// answer the others, and cache.log says what is missing.
func TestAdvisoryForkFails(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.EAGAIN, syscall.ENOMEM} {
		w := newWorld(t, Config{Children: 3, Startup: 1, Retries: 0})
		w.startsWith(fmt.Errorf("start redirector: %w", errno))
		first, second, third := w.ask("a"), w.ask("b"), w.ask("c")
		w.writes(1, "a\n")
		first.wants("who is there answers", "a")
		w.writes(1, "b\n")
		second.wants("and goes on", "b")
		tries := w.spawns
		w.pass(10 * time.Second)
		if w.spawns > tries+20 {
			t.Errorf("%v: %d starts are tried in 10 s", errno, w.spawns-tries)
		}
		third.waits("while nobody answers")
		w.logs("it is said", errno.Error(), 1)
		w.startsWith(nil)
		w.writes(1, "c\n")
		third.wants("in the end", "c")
	}
}

func TestLate(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Retries: 2, Timeout: stableAfter})
	w.proves(1)
	stuck, waiting := w.ask("stuck"), w.ask("waiting")
	w.pass(stableAfter/2 + aTick)
	w.pass(stableAfter / 2)
	stuck.fails("its time is over", ErrLate)
	if w.child(1).killed == 0 {
		t.Error("the stuck child was not killed")
	}
	w.reads(2, "the question that was late is not asked again", "waiting\n")
	waiting.waits("it has waited as long, but for a child: its time begins now")
	w.writes(2, "fine\n")
	waiting.wants("", "fine")
	w.logs("it is logged", "redirector #1 (pid 1001): has not answered for 10s. It is replaced", 1)
	w.logs("why that may be was said before", "has been silent for 5s after a question: does it flush its output?", 1)
	if s := w.pool.Stats(); s.Late != 1 {
		t.Errorf("%d late questions are counted, want 1", s.Late)
	}
}

func TestLateWithHalfALine(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Retries: 2, Timeout: stableAfter})
	w.proves(1)
	w.ask("x")
	w.writes(1, "OK url=")
	w.pass(stableAfter + aTick)
	w.logs("it is said what the child forgot", `has not answered for 10s, but for half a line: \"OK url=\". It is replaced`, 1)
}

// Nobody waits for the answer of a child that is stuck, but others wait for the child.
func TestLateThoughCancelled(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Startup: 1, Timeout: 5 * time.Second})
	w.ask("abandoned").Cancel()
	w.pass(5*time.Second + aTick)
	w.children("its child is stuck", 1, 0)
	w.pass(minRestartDelay + aTick)
	q := w.ask("next")
	w.writes(2, "fine\n")
	q.wants("so nothing waits for ever behind it", "fine")
}

func TestLateWithChannels(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Startup: 1, Concurrency: 2, Retries: 2, Timeout: stableAfter})
	w.proves(1)
	a := w.ask("a")
	w.pass(stableAfter / 2)
	b := w.ask("b")
	w.pass(stableAfter/2 + aTick)
	a.fails("its time is over", ErrLate)
	b.waits("its time is not")
	w.reads(1, "the channel of the late one is kept", "0 a\n1 b\n")
	w.writes(1, "0 too late\n")
	c := w.ask("c")
	w.reads(1, "its channel is free after its answer, which is dropped", "0 c\n")
	w.pass(stableAfter / 2)
	b.fails("now its time is over", ErrLate)
	if w.child(1).killed > 0 {
		t.Fatal("a child was killed that has a channel left")
	}
	w.pass(stableAfter/2 + aTick)
	c.fails("and this one's", ErrLate)
	if w.child(1).killed == 0 {
		t.Error("all channels are stuck, and the child was not killed")
	}
	w.children("it is replaced", 2, 1)
}

// A child that answers nobody takes nobody with it but the question that it hangs of.
func TestSparedQuestions(t *testing.T) {
	w := newWorld(t, Config{Children: 2, Startup: 1, Concurrency: 5, Retries: 2, Timeout: stableAfter, Spare: true})
	w.proves(1)
	bad, good, gone := w.ask("bad"), w.ask("good"), w.ask("gone")
	w.reads(1, "", "0 bad\n1 good\n2 gone\n")
	gone.Cancel()
	w.pass(stableAfter + aTick)
	if w.child(1).killed == 0 {
		t.Error("it is not replaced, though it answers nobody")
	}
	bad.waits("nobody knows that it was this one")
	w.reads(2, "alone", "0 bad\n")
	w.reads(3, "a second one is there by now, and is not risked", "")
	w.pass(stableAfter + aTick)
	bad.fails("again, and it was alone", ErrLate)
	w.reads(3, "", "0 good\n")
	w.writes(3, "0 fine\n")
	good.wants("", "fine")
	if w.child(2).killed == 0 {
		t.Error("the second child is not replaced")
	}
}

// A child that answers others does not hang.
func TestLateQuestionsAmongAnsweredOnesAreNotSpared(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Startup: 1, Concurrency: 5, Retries: 2, Timeout: stableAfter, Spare: true})
	w.proves(1)
	slow, other := w.ask("slow"), w.ask("other")
	w.pass(stableAfter * 3 / 4)
	w.writes(1, "1 fine\n")
	other.wants("", "fine")
	w.ask("third")
	w.pass(stableAfter/4 + aTick)
	slow.fails("its time is over", ErrLate)
	w.children("the child is kept", 1, 1)
}

// While children cannot be started, one at a time is tried and has to answer; if only risky questions are left, it is
// asked one of them.
func TestRiskyQuestionsAreLeftForAChildOnTrial(t *testing.T) {
	w := newWorld(t, Config{Children: 2, Startup: 2, Concurrency: 3, Retries: 1})
	all := w.putAll(4)
	w.settle()
	w.reads(1, "", "0 q0\n1 q2\n")
	w.reads(2, "", "0 q1\n1 q3\n")
	w.startsWith(errors.New("no memory"))
	w.dies(1)
	w.dies(2)
	for range alarmThreshold {
		w.pass(maxRestartDelay + aTick)
	}
	w.startsWith(nil)
	w.pass(maxRestartDelay + aTick)
	w.children("one is started", w.pool.started, 1)
	for range all {
		for _, a := range w.actors[2:] {
			if a.read(); len(a.got) > 0 {
				a.got = nil
				a.out.WriteString("0 fine\n")
			}
		}
		w.pass(minRestartDelay + aTick)
	}
	for _, q := range all {
		q.wants("one after the other is asked", "fine")
	}
}
