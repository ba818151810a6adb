package helper

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

const aTick = 20 * time.Millisecond // more than a timer may be late

func TestLostQuestionsAreAskedAgain(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Concurrency: 3, Retries: 2})
	all := w.putAll(5)
	w.settle()
	w.reads(1, "three are in hand", "0 q0\n1 q1\n2 q2\n")
	w.writes(1, "0 zero\n")
	w.reads(1, "then a fourth", "0 q3\n")
	w.dies(1)
	w.pass(firstDelay + aTick)
	w.reads(2, "the lost ones come first, in the order of their asking", "0 q1\n1 q2\n2 q3\n")
	w.writes(2, "0 a\n1 b\n2 c\n")
	w.writes(2, "0 d\n")
	for i, want := range []string{"zero", "a", "b", "c", "d"} {
		all[i].wants("every question has its own answer", want)
	}
	w.logs("the death is told with the questions", "redirector #1 (pid 1001): ended by itself after 0s (signal: killed); questions asked again: 3", 1)
}

func TestLostQuestionsGoToOthersAtOnce(t *testing.T) {
	w := newWorld(t, Config{Children: 2, Startup: 2, Retries: 2})
	a, b := w.ask("a"), w.ask("b")
	c := w.ask("c")
	w.reads(1, "", "a\n")
	w.reads(2, "", "b\n")
	w.dies(1)
	w.writes(2, "B\n")
	w.reads(2, "the lost question before the one that waited", "a\n")
	w.writes(2, "A\n")
	w.writes(2, "C\n")
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
			w.pass(lastDelay)
		}
		q.fails("it has ended enough children", ErrLost)
		w.logs("the last one", "questions given up: 1", 1)
		next := w.ask("good")
		w.writes(retries+2, "fine\n")
		next.wants("the pool goes on", "fine")
	}
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
	w.pass(lastDelay)
	w.reads(2, "what was not sent is sent to the next", "0 2\n")
	w.writes(2, "0 fine\n")
	second.wants("", "fine")
}

func TestCancelledQuestionIsNotAskedAgain(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Retries: 2})
	w.ask("x").Cancel()
	w.dies(1)
	y := w.ask("y")
	w.pass(lastDelay)
	w.reads(2, "only what is waited for", "y\n")
	w.writes(2, "z\n")
	y.wants("", "z")
}

func TestAnswerBeforeDeathCounts(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Retries: 2})
	a := w.ask("x")
	w.child(1).out.WriteString("y\nha")
	w.dies(1)
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
	w.pass(firstDelay + aTick)
	w.reads(2, "a child that closes its input is replaced", "0 b\n")
	w.writes(2, "0 B\n")
	b.wants("", "B")
	w.pass(patience)
	if w.child(1).killed == 0 {
		t.Error("it lives on and was not terminated")
	}
}

func TestDeathWithoutEndOfOutput(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Retries: 2})
	q := w.ask("x")
	a := w.child(1)
	a.mu.Lock()
	a.left = true // another process still holds its pipes
	a.end <- "exit status 1"
	a.mu.Unlock()
	w.settle()
	w.pass(lastDelay)
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
		{"lived long, never asked", func(w *world) { w.pass(longLife); w.dies(1) }, 0},
		{"answered all it was asked", func(w *world) { w.proves(1); w.dies(1) }, 0},
		{"lived long, lost a question", func(w *world) { w.pass(longLife); w.ask("x"); w.dies(1) }, 0},
		{"lived briefly, never asked", func(w *world) { w.dies(1) }, firstDelay},
		{"lived briefly, lost a question", func(w *world) { w.proves(1); w.ask("x"); w.dies(1) }, firstDelay},
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
		if started = w.pool.born; started == 3 {
			t.Fatalf("nothing was started after %v", delay)
		}
		for _, c := range w.pool.children {
			c.process.(*actor).exit("exit status 1")
		}
		w.settle()
	}
	w.logs("all die young: it is said once", "level=ERROR", 1)
	w.logs("and how to find out", "run it by hand: /bin/answer -v", 1)
	w.pass(lastDelay + aTick)
	if _, active := w.pool.born, w.pool.active; active != 1 {
		t.Errorf("%d children are tried at a time in a sick pool, want 1", active)
	}
	q := w.ask("x")
	w.writes(w.pool.born, "y\n")
	q.wants("the program is well again", "y")
	w.logs("and this is said too", "redirector processes answer again", 1)
	if w.pool.active != 3 {
		t.Errorf("%d children are active after recovery, want 3", w.pool.active)
	}
}

func TestSpawnFails(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Retries: 0})
	w.spawnErr = errors.New("start redirector: no such file")
	q := w.ask("x")
	for range 8 {
		w.pass(lastDelay)
		q.waits("while nothing can be started, questions wait")
	}
	w.logs("it is said loudly, once", "level=ERROR", 1)
	w.logs("in few lines", "no such file", alarming+1)
	if !w.pool.Busy() {
		t.Error("a pool that waits before it tries again is not busy")
	}
	w.spawnErr = nil
	w.pass(lastDelay)
	w.writes(w.pool.born, "y\n")
	q.wants("when it can be started", "y")
}

func TestLate(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Retries: 2})
	w.proves(1)
	stuck, waiting := w.ask("stuck"), w.ask("waiting")
	w.pass(longLife)
	stuck.Late()
	w.settle()
	if w.child(1).killed == 0 {
		t.Error("the stuck child was not killed")
	}
	w.reads(2, "the question that was late is not asked again", "waiting\n")
	w.writes(2, "fine\n")
	waiting.wants("", "fine")
	w.logs("it is said", "redirector #1 (pid 1001): has not answered for 10s. It is replaced", 1)
	if s := w.pool.Stats(); s.Late != 1 {
		t.Errorf("%d late questions are counted, want 1", s.Late)
	}
}

func TestLateInTheQueue(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Startup: 1})
	w.ask("abandoned").Cancel()
	w.pass(time.Second)
	young := w.ask("waiting")
	w.pass(4 * time.Second)
	young.Late()
	w.settle()
	w.children("what was abandoned was in hand for as long as another's deadline: its child is stuck", 1, 0)
	w.pass(firstDelay + aTick)
	q := w.ask("next")
	w.writes(2, "fine\n")
	q.wants("so nobody waits for ever behind it", "fine")
}

func TestLateInTheQueueSparesTheBusy(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Startup: 1})
	old := w.ask("old")
	late := w.ask("late")
	late.Late()
	w.settle()
	w.writes(1, "fine\n")
	old.wants("a child whose question is waited for is let alone", "fine")
}

func TestLateWithChannels(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Startup: 1, Concurrency: 2, Retries: 2})
	w.proves(1)
	w.pass(longLife)
	a := w.ask("a")
	a.Late()
	b := w.ask("b")
	w.reads(1, "the channel of the late one is kept", "0 a\n1 b\n")
	w.writes(1, "0 too late\n")
	b.waits("a late answer is nobody's")
	c := w.ask("c")
	w.reads(1, "its channel is free after its answer", "0 c\n")
	b.Late()
	w.settle()
	if w.child(1).killed > 0 {
		t.Fatal("a child was killed that has a channel left")
	}
	c.Late()
	w.settle()
	if w.child(1).killed == 0 {
		t.Error("all channels are stuck, and the child was not killed")
	}
	w.children("it is replaced", 2, 1)
}

func TestUnaskedLines(t *testing.T) {
	tests := []struct {
		name     string
		play     func(w *world)
		unasked  uint64
		replaced bool
		log      string
	}{
		{"a greeting before the first question", func(w *world) { w.writes(1, "ready\n") }, 1, false, `wrote a line that nobody asked for: \"ready\"`},
		{"a second line in the same breath", func(w *world) { w.ask("x"); w.writes(1, "y\n\n") }, 1, false, `nobody asked for: \"\"`},
		{"a second line later", func(w *world) { w.proves(1); w.writes(1, "late\n") }, 1, true, `nobody asked for: \"late\"`},
		{"half a line later, when the next question comes", func(w *world) { w.proves(1); w.writes(1, "ha"); w.ask("x") }, 0, true, `half a line that nobody asked for: \"ha\"`},
		{"half a line in the same breath, when the next question comes", func(w *world) { w.ask("x"); w.writes(1, "y\nha"); w.ask("z") }, 0, true, `half a line`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, Config{Children: 1, Startup: 1, Retries: 2})
			test.play(w)
			w.logs("it is said", test.log, 1)
			if got := w.pool.Stats().Unasked; got != test.unasked {
				t.Errorf("%d unasked lines are counted, want %d", got, test.unasked)
			}
			w.pass(firstDelay + aTick)
			if replaced := w.pool.born == 2; replaced != test.replaced {
				t.Errorf("replaced: %v, want %v", replaced, test.replaced)
			}
			if test.replaced && !w.child(1).in.Closed() {
				t.Error("the child that was replaced does not see the end of its input")
			}
		})
	}
}

// A line that was there before the question left is not its answer, whatever order the
// question and the news of the line come in.
func TestStaleLineIsNoAnswer(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Startup: 1})
	w.proves(1)
	w.child(1).out.WriteString("stale\n") // not noticed yet
	q := w.put("x")
	w.settle()
	q.waits("the stale line is not its answer")
	w.pass(firstDelay + aTick)
	w.reads(2, "the question goes to the replacement, though it may be asked but once: it had not left", "x\n")
	w.writes(2, "fresh\n")
	q.wants("its own answer", "fresh")
}

func TestWrongNumbers(t *testing.T) {
	const ignores = "ignores channel numbers: set concurrency=0"
	tests := []struct {
		name, line, log string
	}{
		{"not in use", "1 y", `answered on channel 1, where no question was open: \"1 y\"`},
		{"never in use", "99 y", "answered on channel 99"},
		{"negative", "-1 y", "answered on channel -1"},
		{"enormous", "99999999999999999999999 y", "answered on channel"},
		{"no number", "OK rewrite", ignores},
		{"a status that looks like one", "302:somewhere", ignores},
		{"an empty line", "", ignores},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, Config{Children: 1, Concurrency: 400})
			q := w.ask("x")
			w.writes(1, test.line+"\n")
			q.waits("that was not its answer")
			w.logs("it is said", test.log, 1)
			w.logs("by whom", "redirector #1 (pid 1001)", 1)
			w.writes(1, "0 y\n0 twice\n")
			q.wants("its own answer", "y")
			if got := w.pool.Stats().Unasked; got != 2 {
				t.Errorf("%d unasked lines are counted, want 2", got)
			}
			w.children("it goes on", 1, 1)
		})
	}
}

// A number whose question is still on its way out cannot be an answer.
func TestAnswerBeforeTheQuestionLeft(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Concurrency: 2, Startup: 1})
	w.child(1).in.SetCapacity(1)
	q := w.ask("x")
	w.writes(1, "0 guessed\n")
	q.waits("it has not been read")
	for range 4 {
		w.child(1).in.Read()
		w.settle()
	}
	w.writes(1, "0 y\n")
	q.wants("its own answer", "y")
}

func TestReproachesAreRare(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Concurrency: 2, Startup: 1})
	w.writes(1, strings.Repeat("nonsense\n", 500))
	w.logs("the first is told", "nonsense", 1)
	w.pass(reproachEvery)
	w.writes(1, "again\n")
	w.logs("then how many there were", "(499 more such lines since the last message)", 1)
	if got := w.pool.Stats().Unasked; got != 501 {
		t.Errorf("%d unasked lines are counted, want 501", got)
	}
}

func TestLongLinesAreQuotedShort(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Concurrency: 2, Startup: 1})
	w.writes(1, strings.Repeat("x", 500)+"\n")
	w.logs("no more than is needed to recognise it", strings.Repeat("x", quoted+1), 0)
	w.logs("but that much", strings.Repeat("x", quoted), 1)
}

func TestSilence(t *testing.T) {
	const silent, half = "has been silent for 10s after a question: does it flush its output?", `written half a line and then nothing for 10s: \"OK\"`
	tests := []struct {
		name       string
		play       func(w *world)
		text       string
		complaints int
	}{
		{"no answer at all", func(w *world) { w.ask("x"); w.pass(11 * time.Second) }, silent, 1},
		{"not yet", func(w *world) { w.ask("x"); w.pass(9 * time.Second) }, silent, 0},
		{"no question", func(w *world) { w.pass(time.Hour) }, silent, 0},
		{"answered in between", func(w *world) {
			w.ask("x")
			w.pass(6 * time.Second)
			w.writes(1, "y\n")
			w.pass(5 * time.Second)
			w.ask("z")
			w.pass(9 * time.Second)
		}, silent, 0},
		{"half a line", func(w *world) { w.ask("x"); w.writes(1, "OK"); w.pass(11 * time.Second) }, half, 1},
		{"said once", func(w *world) {
			w.ask("x")
			for range 5 {
				w.pass(11 * time.Second)
			}
			w.writes(1, "y\n")
			w.ask("z")
			w.pass(11 * time.Second)
		}, silent, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, Config{Children: 1, Startup: 1})
			test.play(w)
			w.logs("", test.text, test.complaints)
			w.children("silence is no crime", 1, 1)
		})
	}
}

func TestLongAnswers(t *testing.T) {
	long := strings.Repeat("x", maxLine)
	w := newWorld(t, Config{Children: 1, Startup: 1, Retries: 2})
	q := w.ask("a")
	w.writes(1, long+"\n")
	q.wants("a line of 1 MiB is an answer", long)
	q.Cancel()
	q = w.ask("b")
	w.writes(1, long)
	q.waits("no end yet")
	w.writes(1, "x")
	if w.child(1).killed == 0 {
		t.Error("a child that writes more than 1 MiB without a line end was not killed")
	}
	w.pass(firstDelay + aTick)
	w.writes(2, "short\n")
	q.wants("its question is asked again", "short")
	w.logs("it is said", "wrote more than 1048576 bytes without a line end. It is replaced; questions asked again: 1", 1)
	if got := cap(w.pool.children[0].in.part); got > keepPart {
		t.Errorf("%d bytes of buffer are kept, want %d at most", got, keepPart)
	}
}

func TestDescriptorThatCannotBeWatched(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Retries: 2})
	w.unwatchable = true
	q := w.ask("x")
	w.unwatchable = false
	w.logs("it is said", "watch descriptor 99", 1)
	w.pass(firstDelay + aTick)
	w.writes(2, "y\n")
	q.wants("another child answers", "y")
}
