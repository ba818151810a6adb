package helper

import (
	"strings"
	"testing"
	"time"
)

func TestUnsolicitedLines(t *testing.T) {
	tests := []struct {
		name     string
		play     func(w *world)
		lines    uint64
		replaced bool
		log      string
	}{
		{"a greeting before the first question", func(w *world) { w.writes(1, "ready\n") }, 1, false, `wrote something before its first question: \"ready\"`},
		{"a second line in the same read", func(w *world) { w.ask("x"); w.writes(1, "y\n\n") }, 1, false, `nobody asked for: \"\"`},
		{"a second line later", func(w *world) { w.proves(1); w.writes(1, "late\n") }, 1, true, `nobody asked for: \"late\"`},
		{"half a line later, when the next question comes", func(w *world) { w.proves(1); w.writes(1, "ha"); w.ask("x") }, 0, true, `half a line that nobody asked for: \"ha\"`},
		{"half a line in the same read, when the next question comes", func(w *world) { w.ask("x"); w.writes(1, "y\nha"); w.ask("z") }, 0, true, `half a line`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, Config{Children: 1, Startup: 1, Retries: 2})
			test.play(w)
			w.logs("it is logged", test.log, 1)
			if got := w.pool.Stats().Unsolicited; got != test.lines {
				t.Errorf("%d unsolicited lines are counted, want %d", got, test.lines)
			}
			w.pass(minRestartDelay + aTick)
			if replaced := w.pool.started == 2; replaced != test.replaced {
				t.Errorf("replaced: %v, want %v", replaced, test.replaced)
			}
			if test.replaced && !w.child(1).in.Closed() {
				t.Error("the child that was replaced does not see the end of its input")
			}
		})
	}
}

// A line that was there before the question left is not its answer, whatever order the
// question and the line are handled in.
func TestStaleLineIsNoAnswer(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Startup: 1})
	w.proves(1)
	w.child(1).out.WriteString("stale\n") // not noticed yet
	q := w.put("x")
	w.settle()
	q.waits("the stale line is not its answer")
	w.pass(minRestartDelay + aTick)
	w.reads(2, "the question goes to the replacement, though it may be asked but once: it had not left", "x\n")
	w.writes(2, "fresh\n")
	w.pass(surplusHold + aTick)
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
			w.logs("it is logged", test.log, 1)
			w.logs("by whom", "redirector #1 (pid 1001)", 1)
			w.writes(1, "0 y\n0 twice\n")
			q.wants("its own answer", "y")
			if got := w.pool.Stats().Unsolicited; got != 2 {
				t.Errorf("%d unsolicited lines are counted, want 2", got)
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

func TestWarningsAreLimited(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Concurrency: 2, Startup: 1})
	w.writes(1, strings.Repeat("nonsense\n", 500))
	w.logs("the first is logged", "nonsense", 1)
	w.pass(warnInterval)
	w.writes(1, "again\n")
	w.logs("then how many there were", "(499 more of this kind since the last message)", 1)
	if got := w.pool.Stats().Unsolicited; got != 501 {
		t.Errorf("%d unsolicited lines are counted, want 501", got)
	}
}

func TestLongLinesAreQuotedShort(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Concurrency: 2, Startup: 1})
	w.writes(1, strings.Repeat("x", 500)+"\n")
	w.logs("no more than is needed to recognise it", strings.Repeat("x", maxQuoted+1), 0)
	w.logs("but that much", strings.Repeat("x", maxQuoted), 1)
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
	w.pass(minRestartDelay + aTick)
	w.writes(2, "short\n")
	q.wants("its question is asked again", "short")
	w.logs("it is logged", "wrote more than 1048576 bytes without a line end. It is replaced; questions asked again: 1", 1)
	if got := cap(w.pool.children[0].in.part); got > maxKeptPart {
		t.Errorf("%d bytes of buffer are kept, want %d at most", got, maxKeptPart)
	}
}

func TestDescriptorThatCannotBeWatched(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Retries: 2})
	w.unwatchable = true
	q := w.ask("x")
	w.unwatchable = false
	w.logs("it is logged", "watch descriptor 99", 1)
	w.pass(minRestartDelay + aTick)
	w.writes(2, "y\n")
	q.wants("another child answers", "y")
}
