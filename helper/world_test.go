package helper

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"exaproxy/engine/loop"
	"exaproxy/engine/loop/looptest"
)

// A world is a pool on a loop in memory, whose children are played by the test.
type world struct {
	t     testing.TB
	k     *looptest.Kernel
	l     *loop.Loop
	pool  *Pool
	pools []*Pool      // with those from before a reload
	log   bytes.Buffer // written on the loop's goroutine, which is the test's

	mu       sync.Mutex
	actors   []*actor // in the order of their numbers
	spawnErr error    // what spawning fails with
	spawns   int      // tried so far
	oneEnd   bool     // children have one descriptor for both directions
	slow     bool     // children do not read their input before the test says so

	unwatchable bool // children's answers come from a descriptor that there is not
}

// An actor plays a child's process.
type actor struct {
	w           *world
	n           int
	sys         [2]int
	in, out     *looptest.End // what the child reads from and writes to
	got         []byte        // what it has read that the test has not looked at
	end         chan string   // how it ended
	begin       chan bool     // it reads its input now
	mu          sync.Mutex
	left        bool // it is ending
	begun       bool // a slow one was told to begin
	killed      int
	ignoresKill bool   // it does not end when it is killed
	reading     bool   // it does nothing but wait for its next line
	terminal    bool   // it has one for its output
	meanwhile   func() // it does this when it is looked at; nil: nothing
}

func newWorld(t testing.TB, c Config) *world {
	t.Helper()
	w := &world{t: t, k: looptest.NewKernel(t)}
	l, err := loop.New(w.k)
	if err != nil {
		t.Fatal(err)
	}
	w.l = l
	return w.open(c)
}

// open makes the world's pool.
func (w *world) open(c Config) *world {
	c.Name, c.Argv, c.Spawn = "redirector", []string{"/bin/answer", "-v"}, w
	c.Log = slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{ReplaceAttr: plainLog}))
	w.pool = NewPool(w.l, c)
	w.pools = append(w.pools, w.pool)
	w.settle()
	return w
}

// startsWith has every spawning from now on fail with err, or succeed where it is nil.
func (w *world) startsWith(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.spawnErr = err
}

func plainLog(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

// Spawn implements Spawner, on the goroutine of a child.
func (w *world) Spawn(c *Config, n int) (Process, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.spawns++
	if w.spawnErr != nil {
		return nil, w.spawnErr
	}
	a := &actor{w: w, n: n, terminal: c.PTY == PTYOn, end: make(chan string, 1), begin: make(chan bool, 1)}
	if !w.slow {
		a.begin <- true
	}
	a.sys[0], a.in = w.k.Pair()
	a.sys[1], a.out = a.sys[0], a.in
	if !w.oneEnd {
		a.sys[1], a.out = w.k.Pair()
	}
	if w.unwatchable {
		w.k.Close(a.sys[1])
		a.sys[1] = 99
	}
	w.actors = append(w.actors, a)
	return a, nil
}

func (a *actor) Questions() int { return a.sys[0] }
func (a *actor) Answers() int   { return a.sys[1] }
func (a *actor) PID() int       { return 1000 + a.n }

// Wait implements Process.
func (a *actor) Wait(ready func()) Ending {
	how := ""
	select {
	case <-a.begin:
		ready()
		how = <-a.end
	case how = <-a.end:
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return Ending{How: how, Failed: how != "exit status 0" && a.killed == 0}
}

// Look implements Process.
func (a *actor) Look(seen func(bool)) {
	a.mu.Lock()
	reading := a.reading
	a.mu.Unlock()
	if a.meanwhile != nil {
		a.meanwhile()
	}
	seen(reading)
}

func (a *actor) Sweep() {}

func (a *actor) Kill(time.Duration) {
	a.mu.Lock()
	a.killed++
	ignoresKill := a.ignoresKill
	a.mu.Unlock()
	if !ignoresKill {
		a.exit("signal: terminated")
	}
}

// exit ends the process.
func (a *actor) exit(how string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.left {
		return
	}
	a.left = true
	a.in.Close()
	a.out.Close()
	a.end <- how
}

// leaving reports whether the process is ending.
func (a *actor) leaving() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.left
}

// begins reports whether the process reads its input, or did so at once.
func (a *actor) begins() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return !a.w.slow || a.begun
}

// begins has a child that is slow read its input.
func (w *world) begins(n int) {
	w.t.Helper()
	a := w.child(n)
	a.mu.Lock()
	a.begun = true
	a.mu.Unlock()
	a.begin <- true
	w.settle()
}

// settle lets everything happen that can: children start that are starting, those whose
// process has ended are removed.
func (w *world) settle() {
	w.t.Helper()
	for range 100_000 {
		if w.l.Turn(false) {
			continue
		}
		if !w.moving() {
			looptest.Settle(w.l)
			return
		}
		w.l.Turn(true) // until the goroutine of a child posts
	}
	w.t.Fatal("the world does not come to rest")
}

// moving reports whether the goroutine of a child is about to post something.
func (w *world) moving() bool {
	return slices.ContainsFunc(w.pools, func(p *Pool) bool {
		return slices.ContainsFunc(p.children, func(c *child) bool {
			a, ok := c.process.(*actor)
			return c.state == starting || ok && (a.leaving() || c.state == warming && a.begins())
		})
	})
}

func (w *world) pass(d time.Duration) {
	w.t.Helper()
	w.k.Advance(d)
	w.settle()
}

// child returns the n-th child, counted from 1.
func (w *world) child(n int) *actor {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range w.actors {
		if a.n == n {
			return a
		}
	}
	w.t.Fatalf("there is no child %d", n)
	return nil
}

// reads checks what a child has been given since the last time.
func (w *world) reads(n int, sentence, want string) {
	w.t.Helper()
	a := w.child(n)
	a.read()
	if string(a.got) != want {
		w.t.Errorf("%s: child %d read %q, want %q", sentence, n, a.got, want)
	}
	a.got = nil
}

// read has the process read what there is.
func (a *actor) read() { a.got = append(a.got, a.in.Read()...) }

// writes has a child write that has read what it was given.
func (w *world) writes(n int, s string) {
	w.t.Helper()
	w.child(n).read()
	w.child(n).out.WriteString(s)
	w.settle()
}

// dies has a child end that has read what it was given.
func (w *world) dies(n int) {
	w.t.Helper()
	w.child(n).read()
	w.child(n).exit("signal: killed")
	w.settle()
}

// proves has a child answer a first question.
func (w *world) proves(n int) {
	w.t.Helper()
	q := w.ask("proof")
	number := "proof\n"
	if w.pool.config.numbered() {
		number = "0 proof\n"
	}
	w.reads(n, "a first question", number)
	if w.pool.config.numbered() {
		w.writes(n, "0 fine\n")
	} else {
		w.writes(n, "fine\n")
	}
	q.wants("the first answer", "fine")
	q.Cancel()
}

// An asker holds one question.
type asker struct {
	*Question
	w     *world
	waker *loop.Waker
	wakes int
}

func (a *asker) Run() { a.wakes++ }

func (w *world) ask(line string) *asker {
	w.t.Helper()
	a := w.put(line)
	w.settle()
	return a
}

// put asks without letting anything happen.
func (w *world) put(line string) *asker {
	a := &asker{w: w}
	a.waker = w.l.NewWaker(a)
	a.Question = w.pool.Ask([]byte(line), a.waker)
	return a
}

func (w *world) putAll(n int) (all []*asker) {
	for i := range n {
		all = append(all, w.put(fmt.Sprint("q", i)))
	}
	return all
}

func (a *asker) wants(sentence, want string) {
	a.w.t.Helper()
	line, done, err := a.Answer()
	if !done || err != nil || string(line) != want {
		a.w.t.Errorf("%s: got %q, done %v, error %v; want %q", sentence, line, done, err, want)
	}
	if a.wakes != 1 {
		a.w.t.Errorf("%s: the asker was woken %d times, want once", sentence, a.wakes)
	}
}

func (a *asker) waits(sentence string) {
	a.w.t.Helper()
	if line, done, err := a.Answer(); done {
		a.w.t.Errorf("%s: answered with %q, error %v; want it to wait", sentence, line, err)
	}
}

func (a *asker) fails(sentence string, want error) {
	a.w.t.Helper()
	if _, done, err := a.Answer(); !done || !errors.Is(err, want) {
		a.w.t.Errorf("%s: done %v, error %v; want %v", sentence, done, err, want)
	}
	if a.wakes != 1 {
		a.w.t.Errorf("%s: the asker was woken %d times, want once", sentence, a.wakes)
	}
}

// children checks how many processes were started, and how many are at work.
func (w *world) children(sentence string, started, active int) {
	w.t.Helper()
	if s := w.pool.Stats(); s.Started != started || s.Active != active {
		w.t.Errorf("%s: %d children started, %d active; want %d and %d", sentence, s.Started, s.Active, started, active)
	}
}

// logs checks that a text was logged so many times.
func (w *world) logs(sentence, text string, times int) {
	w.t.Helper()
	if got := strings.Count(w.log.String(), text); got != times {
		w.t.Errorf("%s: %q was logged %d times, want %d; the log:\n%s", sentence, text, got, times, w.log.String())
	}
}

// closes checks that a closed pool leaves nothing behind.
func (w *world) closed(sentence string) {
	w.t.Helper()
	if !w.pool.Closed() {
		w.t.Errorf("%s: the pool is not closed", sentence)
	}
	if n := w.k.OpenDescriptors(); n != 0 {
		w.t.Errorf("%s: %d descriptors are open, want none", sentence, n)
	}
}
