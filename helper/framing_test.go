package helper

import (
	"bytes"
	"errors"
	"strconv"
	"testing"
	"time"
)

// netstrings are answers such as "5:hello".
type netstrings struct{}

func (netstrings) Length(b []byte) (n int, err error) {
	digits, _, ok := bytes.Cut(b, []byte(":"))
	size, err := strconv.Atoi(string(digits))
	switch {
	case err != nil:
		return 0, errors.New("no number")
	case !ok || len(b) < len(digits)+1+size:
		return 0, nil
	}
	return len(digits) + 1 + size, nil
}

// framed is a pool of one child that says netstrings.
func framed(t *testing.T) *world {
	return newWorld(t, Config{Children: 1, Startup: 1, Retries: 2, Concurrency: 5, Framing: netstrings{}})
}

func TestFramedQuestionsAndAnswers(t *testing.T) {
	w := framed(t)
	q := w.ask("two\nlines\n")
	w.reads(1, "no number, and no line end of ours", "two\nlines\n")
	other := w.ask("another")
	w.reads(1, "one question at a time", "")
	for _, piece := range []string{"1", "3:an", "\nanswer", " of"} {
		w.writes(1, piece)
		q.waits("a part of an answer")
	}
	w.writes(1, "s\njunk")
	q.wants("the whole answer, with its line feeds", "13:an\nanswer ofs")
	w.fails1(t)
	other.waits("what came behind the answer was no answer")
}

// fails1 checks that what child 1 wrote behind its answer has it replaced.
func (w *world) fails1(t *testing.T) {
	t.Helper()
	w.logs("it is logged", "what is no answer", 1)
	w.pass(minRestartDelay + aTick)
	if w.pool.started != 2 {
		t.Error("the child was not replaced")
	}
}

// TestFramedAnswerBehindAnAnswer: what a child writes behind its answer is never that of the question which it is given
// meanwhile, however long it has served.
func TestFramedAnswerBehindAnAnswer(t *testing.T) {
	w := framed(t)
	for range 2 * probation {
		q := w.ask("question")
		w.writes(1, "2:ok")
		q.wants("answered", "2:ok")
		q.Cancel()
	}
	q := w.ask("next")
	w.child(1).out.WriteString("4:pass")
	w.settle()
	q.waits("the child has not read it yet")
}

func TestFramedAnswersHoweverTheyAreCut(t *testing.T) {
	const output = "\r\n5:hello\n\n0:\r\n3:a\nb11:eleven char"
	want := []string{"5:hello", "0:", "3:a\nb", "11:eleven char"}
	for size := 1; size <= len(output); size++ {
		var l lines
		var got []string
		for at := 0; at < len(output); at += size {
			p := []byte(output[at:min(at+size, len(output))])
			for ok := true; ok; {
				var answer []byte
				var err error
				if answer, p, ok, err = l.nextFramed(p, netstrings{}); err != nil {
					t.Fatal(err)
				}
				if ok {
					got = append(got, string(answer))
				}
			}
		}
		if len(got) != len(want) || len(l.partial()) != 0 {
			t.Fatalf("in pieces of %d: %q, and %q is left", size, got, l.partial())
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("in pieces of %d: %q, want %q", size, got[i], want[i])
			}
		}
	}
}

func TestGarbledAnswers(t *testing.T) {
	w := framed(t)
	w.writes(1, "I am ready\n")
	w.logs("before the first question it is dropped", "before its first question", 1)
	q := w.ask("x")
	w.writes(1, "Traceback\n")
	q.fails("an answer that makes no sense", ErrGarbled)
	if w.child(1).killed == 0 {
		t.Error("it was not terminated, and may live on though its input has ended")
	}
	w.pass(minRestartDelay + aTick)
	w.children("it is replaced", 2, 1)
	w.logs("it is logged", `what is no answer: \"Traceback\\n\": no number`, 1)

	q = w.ask("x")
	w.reads(2, "the next is asked as if nothing had been", "x")
	w.writes(2, "1:y\n\n")
	q.wants("its answer", "1:y")
	w.pass(time.Minute)
	w.children("empty lines behind an answer are nobody's", 2, 1)
	q = w.ask("z")
	w.writes(2, "1:")
	q.waits("half an answer")
	w.writes(2, "z")
	q.wants("its answer", "1:z")
	w.writes(2, "1:?")
	w.logs("an answer that nobody asked for", `nobody asked for: \"1:?\"`, 1)
}

func TestGarbledAnswerThatNobodyWaitsFor(t *testing.T) {
	w := framed(t)
	q := w.ask("x")
	w.reads(1, "the question", "x")
	q.Cancel()
	other := w.ask("y")
	w.writes(1, "oops")
	other.waits("it was not asked yet")
	w.pass(minRestartDelay + aTick)
	w.reads(2, "the next child is asked", "y")
	w.writes(2, "1:y")
	other.wants("the answer", "1:y")
}

func TestEndlessFramedAnswer(t *testing.T) {
	w := framed(t)
	w.ask("x")
	w.writes(1, strconv.Itoa(2<<20)+":"+string(bytes.Repeat([]byte("a"), maxLine+1)))
	w.logs("it is logged", "bytes that are not a whole answer", 1)
}

func TestSameFraming(t *testing.T) {
	a := Config{Framing: netstrings{}}
	if !a.Same(Config{Framing: netstrings{}}) || a.Same(Config{}) {
		t.Error("children with another framing are not the same, and those with the same are")
	}
}

// What stands behind an answer is not in the memory that the next one is put together in.
func TestWhatFollowsAFramedAnswer(t *testing.T) {
	var l lines
	l.nextFramed([]byte("5:he"), netstrings{})
	answer, rest, ok, err := l.nextFramed([]byte("llo3:abc"), netstrings{})
	if string(answer) != "5:hello" || !ok || err != nil {
		t.Fatalf("got %q, ok %v, error %v", answer, ok, err)
	}
	l.drop()
	l.part = append(l.part, "another part"...)
	if string(rest) != "3:abc" {
		t.Errorf("what follows has become %q", rest)
	}
}
