package helper

import (
	"strings"
	"testing"
	"time"
)

func TestChildIsAskedWhenItReads(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Timeout: 5 * time.Second, Retries: 2})
	w.slow = true
	q := w.ask("x")
	w.reads(1, "it does not read yet", "")
	w.writes(1, "Config Path=/etc\nrea")
	w.pass(50 * time.Second)
	q.waits("waiting for a child counts for nothing")
	w.children("it has a minute", 1, 1)
	w.begins(1)
	w.reads(1, "now it reads", "x\n")
	w.writes(1, "y\n")
	q.wants("nothing that it wrote before is an answer, half a line included", "y")
	w.logs("that is said once", "wrote something before its first question: ", 1)
	w.logs("with what it was", `Config Path=/etc`, 1)
}

// The loop may hear that a child reads before it hears of what the child wrote just before.
func TestReadyBeforeTheLoopHearsOfTheBanner(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Retries: 2})
	w.slow = true
	q := w.ask("x")
	w.l.Post(func() { // when the kernel was asked what there is to read
		w.child(1).out.WriteString("Config Path=/etc\nready\n> ")
		w.pool.children[0].becomeReady()
	})
	w.l.Turn(true)
	w.reads(1, "it is asked at once", "x\n")
	w.settle()
	q.waits("what it wrote before is no answer")
	w.writes(1, "y\n")
	q.wants("but this is", "y")
	w.logs("that is said once", "wrote something before its first question: ", 1)
}

func TestChildThatNeverReads(t *testing.T) {
	for _, concurrency := range []int{0, 5} {
		w := newWorld(t, Config{Children: 1, Retries: 2, Concurrency: concurrency})
		w.slow = true
		q := w.ask("x")
		for n, grace := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 16 * time.Minute, 16 * time.Minute} {
			w.pass(grace - aTick)
			w.children("it has time", n+1, 1)
			w.pass(2 * aTick)
			w.children("then it is replaced", n+2, 1)
			if w.child(n+1).killed == 0 {
				t.Errorf("child %d was not killed", n+1)
			}
		}
		w.logs("it is said for how long", "has not begun to read its input for 1m0s. It is replaced", 1)
		q.waits("nobody was asked")
		w.begins(7)
		q.waits("it is being asked")
		w.pass(time.Minute) // the next has a minute again
		w.dies(7)
		w.pass(minRestartDelay + aTick)
		w.pass(time.Minute)
		w.logs("a minute again", "has not begun to read its input for 1m0s. It is replaced", 2)
	}
}

func TestCloseWhileAChildDoesNotRead(t *testing.T) {
	for _, drain := range []bool{true, false} {
		w := newWorld(t, Config{Children: 2, Startup: 2})
		w.pool.Close(true)
		w.settle()
		w.slow = true
		w.open(Config{Children: 1, Startup: 1})
		w.pool.Close(drain)
		w.settle()
		if !w.child(1).in.Closed() {
			t.Errorf("drain %v: a child that does not read yet does not see the end of its input", drain)
		}
	}
}

// A line that a child writes while it has not read its question answers another, or nobody.
func TestAnswerToAnUnreadQuestion(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Startup: 1, Retries: 2})
	q := w.ask("x")
	w.child(1).out.WriteString("banner\n")
	w.settle()
	q.waits("the child has not read it")
	w.writes(1, "y\n")
	q.wants("its own answer", "y")
	q.Cancel()
	z := w.ask("z")
	w.child(1).out.WriteString("more\n")
	w.settle()
	z.waits("the child has not read this one either, and is replaced: it writes two lines for one")
	w.logs("that is logged", `wrote a line that nobody asked for: \"more\"`, 1)
	w.pass(minRestartDelay + aTick)
	w.writes(2, "Z\n")
	z.waits("from now on answers are held back for a moment")
	w.pass(surplusHold + aTick)
	z.wants("nothing followed it", "Z")
}

// Half a line that a child writes before it has read anything is not the beginning of its first answer.
func TestHalfALineBeforeTheFirstQuestionIsRead(t *testing.T) {
	for _, concurrency := range []int{0, 2} {
		number := ""
		if concurrency > 0 {
			number = "0 "
		}
		for _, banner := range []string{"> ", "Config Path=/etc\nready\n> "} {
			w := newWorld(t, Config{Children: 1, Startup: 1, Retries: 2, Concurrency: concurrency})
			w.child(1).out.WriteString(banner)
			w.settle()
			q := w.ask("x")
			w.writes(1, number+"y\n")
			q.wants("its own answer, written before it was asked: "+banner, "y")

			w = newWorld(t, Config{Children: 1, Startup: 1, Retries: 2, Concurrency: concurrency})
			q = w.ask("x")
			w.child(1).out.WriteString(banner)
			w.settle()
			w.writes(1, number+"y\n")
			q.wants("its own answer, written before it has read: "+banner, "y")
		}
	}
}

// A child that is trusted costs no system call for each answer.
func TestTrustIsEarned(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Startup: 1, Retries: 2})
	for range probation {
		w.proves(1)
	}
	q := w.ask("x")
	w.child(1).out.WriteString("y\n") // before it has read: nobody looks any more
	w.settle()
	q.wants("", "y")
}

// What a crashed child had not read goes back to the others as if it had never been asked.
func TestUnreadQuestionIsNotToBlame(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Startup: 1})
	q := w.ask("x")
	w.child(1).exit("signal: killed") // it has read nothing
	w.settle()
	q.waits("there are no retries, and it needs none")
	w.pass(maxRestartDelay)
	w.writes(2, "y\n")
	q.wants("", "y")
}

func TestCrashesBehindAnswers(t *testing.T) {
	crash := func(w *world, n int, how string) {
		w.child(n).read()
		w.child(n).out.WriteString("\n")
		w.child(n).exit(how)
		w.settle()
		w.pass(maxRestartDelay)
	}
	for _, row := range []struct {
		name, how string
		doubted   bool
	}{{"it crashes", "exit status 255", true}, {"it ends well", "exit status 0", false}} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t, Config{Children: 1, Retries: 1})
			for n := 1; n <= doubtAfter; n++ {
				q := w.ask("x")
				crash(w, n, row.how)
				q.wants("that may be chance", "")
			}
			q := w.ask("x")
			crash(w, doubtAfter+1, row.how)
			if !row.doubted {
				q.wants("an ordinary answer", "")
				return
			}
			q.waits("that is no answer")
			crash(w, doubtAfter+2, row.how)
			q.fails("nobody could answer", ErrLost)
			w.logs("it is said once", "crashed right behind its answer", 1)
			good := w.ask("good")
			w.writes(doubtAfter+3, "fine\n")
			good.waits("whether it crashes is not known yet")
			w.pass(crashWindow + aTick)
			good.wants("it did not", "fine")
		})
	}
}

// Doubts about some lines hold back no answers to others.
func TestDoubtsAreOfLines(t *testing.T) {
	for name, doubt := range map[string]func(w *world){
		"a crash": func(w *world) {
			for range doubtAfter {
				n := w.pool.started
				w.ask("http://a.test/die")
				w.child(n).read()
				w.child(n).out.WriteString("\n")
				w.child(n).exit("exit status 1")
				w.settle()
				w.pass(maxRestartDelay)
			}
		},
		"a line too many": func(w *world) {
			w.ask("http://a.test/%0ay")
			w.writes(1, "two\nlines\n")
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Config{Children: 1, Startup: 1, Retries: 2})
			w.teach(1)
			doubt(w)
			for range 1000 {
				q := w.ask("http://ordinary.test/0123456789 abc")
				w.writes(w.pool.started, "fine\n")
				q.wants("it is answered at once, as ever", "fine")
				q.Cancel()
			}
			q := w.ask("http://a.test/die%0a")
			w.writes(w.pool.started, "fine\n")
			q.waits("what will follow it is not known")
			w.pass(crashWindow + aTick)
			q.wants("nothing has", "fine")
		})
	}
}

// teach has a pool learn what is ordinary.
func (w *world) teach(n int) {
	w.t.Helper()
	for range 100 {
		q := w.put("http://ordinary.test/0123456789 abc")
		w.settle()
		w.writes(n, "fine\n")
		q.wants("", "fine")
		q.Cancel()
	}
	w.child(n).got = nil
}

func TestPoisonGoesLast(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Startup: 1, Retries: 2})
	w.teach(1)
	first := w.ask("ordinary\xff")
	w.dies(1)
	later, good := w.ask("\xfe"), w.ask("abc")
	w.pass(minRestartDelay + aTick)
	w.reads(2, "who asks what is ordinary goes first", "abc\n")
	w.writes(2, "fine\n")
	good.wants("", "fine")
	w.reads(2, "then who was never asked", "\xfe\n")
	w.dies(2)
	for n := 3; n <= 6; n++ {
		w.pass(minRestartDelay + aTick)
		w.dies(n)
	}
	first.fails("it has ended three", ErrLost)
	later.fails("and this one", ErrLost)
	w.pass(minRestartDelay + aTick)
	w.ask("ordinary\xff").fails("while it is remembered it is asked no more", ErrRemembered)
	other := w.ask("ordinary\xff\xff")
	w.writes(7, "fine\n")
	other.wants("another may be harmless", "fine")
	w.pass(poisonTime)
	again := w.ask("ordinary\xff")
	w.writes(7, "fine\n")
	again.wants("it is forgotten", "fine")
}

// A pool that has answered nothing yet takes what no URL needs for poison, once a child has ended of such a line.
func TestPoisonComesFirst(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Startup: 1, Retries: 2})
	for i := range 20 {
		w.ask(strings.Repeat("\xff", i+1))
	}
	good := w.ask("http://ordinary.test/ abc")
	w.dies(1)
	w.pass(minRestartDelay + aTick)
	w.reads(2, "who asks what is ordinary goes first", "http://ordinary.test/ abc\n")
	w.writes(2, "fine\n")
	good.wants("", "fine")
}

func TestQuestionThatIsTooLong(t *testing.T) {
	w := newWorld(t, Config{Children: 1, LineMax: 5})
	w.ask("12345").fails("too long with its end", ErrTooLong)
	q := w.ask("1234")
	w.reads(1, "what fits a buffer of one byte more", "1234\n")
	w.writes(1, "y\n")
	q.wants("just short enough", "y")
}

// The number of a channel counts, that of the longest.
func TestQuestionThatIsTooLongWithItsChannel(t *testing.T) {
	w := newWorld(t, Config{Children: 1, LineMax: 8, Concurrency: 11})
	w.ask("12345").fails("too long", ErrTooLong)
	q := w.ask("1234")
	w.reads(1, "it fits", "0 1234\n")
	w.writes(1, "0 y\n")
	q.wants("just short enough", "y")
}

// succession makes a second pool that succeeds the first.
func (w *world) succession(c Config) (old *Pool) {
	old = w.pool
	w.open(c)
	w.pool.Succeed(old)
	w.settle()
	return old
}

func TestSuccession(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Startup: 1, Retries: 2})
	held, waiting := w.ask("held"), w.ask("waiting")
	w.reads(1, "", "held\n")
	w.slow = true
	olds := w.actors[0]
	w.actors = nil // the second pool numbers its children anew
	old := w.succession(Config{Children: 1, Startup: 1, Retries: 2})
	during := w.ask("during")
	if old.Queue() != 2 || w.pool.Queue() != 2 {
		t.Errorf("while the new child does not read, %d and %d questions wait for the old, want 2", old.Queue(), w.pool.Queue())
	}
	w.begins(1)
	w.reads(1, "what waited for the old goes to the new", "waiting\n")
	w.writes(1, "1\n")
	w.writes(1, "2\n")
	waiting.wants("", "1")
	during.wants("", "2")
	olds.read()
	olds.out.WriteString("old\n")
	w.settle()
	held.wants("the old one answers what it has", "old")
	if !olds.in.Closed() {
		t.Error("then it does not see the end of its input")
	}
	w.pool, old = old, w.pool
	late := w.ask("late") // of the old pool
	w.pool = old
	w.reads(1, "who still has the old pool asks the new", "during\nlate\n")
	w.writes(1, "3\n")
	late.wants("", "3")
}

// A pool that starts nothing before it is asked takes over all the same.
func TestSuccessionOfAPoolThatStartsNothing(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Startup: 1})
	first := w.actors[0]
	w.actors = nil
	w.succession(Config{Children: 3})
	w.children("one is started", 1, 1)
	if !first.in.Closed() {
		t.Error("the old child does not see the end of its input")
	}
}

// A program that does not come up does not take the place of one that works; one that works takes over
// from one that does not, with all that waits.
func TestSuccessionOfPoolsThatDoNotComeUp(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Startup: 1, Retries: 2})
	first := w.actors[0]
	w.actors, w.slow = nil, true
	w.succession(Config{Children: 1, Startup: 1})
	w.actors = nil
	w.succession(Config{Children: 1, Startup: 1})
	q := w.ask("x")
	if got := string(first.in.Read()); got != "x\n" {
		t.Errorf("the only child that reads was given %q", got)
	}
	first.exit("signal: killed")
	w.settle()
	q.waits("nobody reads")
	w.begins(1)
	z := w.ask("z")
	w.writes(1, "y\n")
	w.writes(1, "y\n")
	q.wants("the youngest has all", "y")
	z.wants("", "y")
}

// However often a configuration is read anew, there are the children of the pool that works and those of the youngest.
func TestSuccessionOfManyPools(t *testing.T) {
	w := newWorld(t, Config{Children: 4, Startup: 4, Retries: 2})
	first := w.pool
	w.slow = true
	var all []*actor
	for range 15 {
		all = append(all, w.actors...)
		w.actors = nil
		w.succession(Config{Children: 4, Startup: 4})
	}
	for _, a := range all[4:] {
		if !a.leaving() {
			t.Fatal("a child lives on that has not become ready and whose pool was superseded")
		}
	}
	q := w.ask("x")
	if first.Unanswered() != 1 || first.closing {
		t.Error("the pool that works is not asked any more")
	}
	first.Close(false)
	w.settle()
	q.fails("it was closed", ErrClosed)
}
