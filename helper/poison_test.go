package helper

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// poisoned is a line that ends whoever reads it, and has no byte that good ones do not have.
func poisoned(n int) string { return fmt.Sprintf("http://a.test/%%ff%d 192.0.2.1/- - GET", n) }

func good(n int) string { return fmt.Sprintf("http://a.test/g%%20%%2f/%d?a=ff 192.0.2.1/- - GET", n) }

// plays has every child read: it ends of a line that is poisoned, and answers the others.
func (w *world) plays() {
	w.t.Helper()
	w.mu.Lock()
	actors := append([]*actor{}, w.actors...)
	w.mu.Unlock()
	for _, a := range actors {
		for !a.leaving() {
			a.read()
			if len(a.got) == 0 {
				break
			}
			lines := strings.SplitAfter(string(a.got), "\n")
			a.got = nil
			for _, line := range lines {
				switch number, _, _ := strings.Cut(line, " "); {
				case strings.Contains(line, "%ff"):
					a.exit("exit status 1")
				case line != "" && w.pool.config.numbered():
					a.out.WriteString(number + " fine\n")
				case line != "":
					a.out.WriteString("fine\n")
				}
			}
			w.settle()
		}
		w.settle()
	}
}

// within has children play until a question is answered, and returns how long that takes.
func (a *asker) within(most time.Duration) {
	a.w.t.Helper()
	const step = 20 * time.Millisecond
	for passed := time.Duration(0); passed <= most; passed += step {
		a.w.plays()
		if _, done, err := a.Answer(); done {
			if err != nil {
				a.w.t.Errorf("a good question: %v", err)
			}
			return
		}
		a.w.pass(step)
	}
	a.w.t.Errorf("a good question has no answer within %v", most)
}

// Lines that end every child that reads them, come first, and look like any other, delay others for as long
// as it takes to start a child or two.
func TestPoisonThatLooksOrdinary(t *testing.T) {
	for _, c := range []Config{
		{Children: 1, Startup: 1},
		{Children: 4, Startup: 4},
		{Children: 20, Idle: 1},
		{Children: 4, Startup: 4, Concurrency: 10},
	} {
		c.Retries = 2
		t.Run(fmt.Sprintf("%d children, %d channels", c.Children, c.Concurrency), func(t *testing.T) {
			w := newWorld(t, c)
			for n := range 60 {
				w.put(poisoned(n))
			}
			for n := range 20 {
				q := w.ask(good(n))
				q.within(time.Second)
				q.Cancel()
				w.put(poisoned(100 + n))
			}
		})
	}
}

// A question that was never asked is never given up, however it looks, and is not held up for long.
func TestWhatWasNeverAskedIsNotGivenUp(t *testing.T) {
	w := newWorld(t, Config{Children: 4, Startup: 4, Retries: 2})
	for n := range 100 {
		q := w.ask(good(n))
		w.plays()
		q.Cancel()
	}
	for n := range 200 {
		w.put(poisoned(n))
		if n%10 == 9 {
			q := w.ask("http://a.test/" + strings.Repeat(string("~^|{}!'()*,;[]&+BCDF"[n/10]), 1+n) + "\xe4 192.0.2.1/- - GET")
			q.within(2 * time.Second)
			q.Cancel()
		}
	}
}

// newStorm has some children of which one has ended of what it was asked, once some good questions were answered.
func newStorm(t *testing.T, children int) *world {
	t.Helper()
	w := newWorld(t, Config{Children: children, Startup: children, Retries: 2})
	for n := range 10 {
		q := w.ask(good(n))
		w.plays()
		q.Cancel()
	}
	w.ask(poisoned(1))
	w.plays()
	return w
}

// While children end as soon as they start, none is started before the one that is left has answered something: it is asked,
// however little is known of what waits.
func TestOnlyChildIsAskedWhatIsUnknown(t *testing.T) {
	w := newStorm(t, 4)
	for w.pool.health.unprovoked < alarmThreshold {
		w.pass(minRestartDelay << w.pool.health.earlyExits)
		for _, c := range w.pool.children {
			c.process.(*actor).exit("exit status 1")
		}
		w.settle()
	}
	w.pass(minRestartDelay << w.pool.health.earlyExits)
	if now := w.l.Now(); len(w.pool.children) != 1 || w.pool.mayStart() || !w.pool.storm.rages(now) {
		t.Fatalf("%d children are there, want one that is to answer in a storm", len(w.pool.children))
	}
	w.ask("~~~ unlike any other ~~~").within(time.Second)
}

// Questions of which children ended are given up if they are many, or after a time; those that were not
// asked wait.
func TestPoisonIsBounded(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Startup: 1, Retries: 1000})
	var all []*asker
	for n := range 3 * mostBlamed {
		all = append(all, w.put(poisoned(n)))
	}
	asked := func() (waiting, lost int) {
		for _, q := range all {
			if _, done, err := q.Answer(); done && err == ErrLost {
				lost++
			} else if q.losses > 0 {
				waiting++
			}
		}
		return waiting, lost
	}
	for range 400 {
		w.plays()
		w.pass(maxProvokedDelay)
		if waiting, _ := asked(); waiting > mostBlamed {
			t.Fatalf("%d wait of which a child has ended, want %d at most", waiting, mostBlamed)
		}
	}
	if waiting, lost := asked(); lost == 0 || waiting == len(all) {
		t.Errorf("%d were given up, %d wait", lost, waiting)
	}
}

// Most children stay free of questions that may end them.
func TestPoisonLeavesMostChildren(t *testing.T) {
	w := newWorld(t, Config{Children: 8, Startup: 8, Retries: 2})
	q := w.ask(good(1))
	w.plays()
	q.Cancel()
	for n := range 3 {
		w.ask(poisoned(n))
		w.plays()
		w.pass(minRestartDelay + aTick)
	}
	for n := range 20 {
		w.ask(poisoned(100 + n))
	}
	risked := 0
	for _, c := range w.pool.children {
		if c.exclusive && c.awaited > 0 {
			risked++
		}
	}
	if risked != 2 {
		t.Errorf("%d of 8 children have a question that may end them, want 2", risked)
	}
}

// A quarter of the children is kept for questions that are like those which were answered.
func TestUnknownLeavesAQuarter(t *testing.T) {
	w := newStorm(t, 8)
	w.pass(minRestartDelay + aTick)
	for n := range 20 {
		w.ask(fmt.Sprintf("~~~ %c unlike %d ^^^", 'A'+n, n))
	}
	busy := 0
	for _, c := range w.pool.children {
		if c.awaited > 0 {
			busy++
		}
	}
	if busy != 6 {
		t.Errorf("%d of 8 children are busy, want 6", busy)
	}
}

// A child that does not answer, or writes without end, of what it was asked is lost to that question.
func TestOtherHarmIsPoisonToo(t *testing.T) {
	for name, harm := range map[string]func(w *world, a *actor){
		"silent": func(w *world, a *actor) { w.pass(2*time.Second + aTick) },
		"floods": func(w *world, a *actor) { a.out.WriteString(strings.Repeat("x", maxLine+1)); w.settle() },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Config{Children: 1, Startup: 1, Retries: 2, Timeout: 2 * time.Second})
			for n := range 20 {
				w.put(poisoned(n))
			}
			w.settle()
			q := w.ask(good(1))
			w.child(1).read()
			harm(w, w.child(1))
			w.pass(minRestartDelay + aTick)
			w.reads(2, "the innocent goes first", good(1)+"\n")
			w.writes(2, "fine\n")
			q.wants("", "fine")
			if delay := w.pool.health.unprovoked; delay > 0 {
				t.Errorf("%d children are said to have ended by themselves, want none", delay)
			}
		})
	}
}
