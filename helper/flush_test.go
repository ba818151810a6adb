package helper

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// buffers has a child wait for its next line, whatever it was asked.
func (w *world) buffers(n int) {
	w.t.Helper()
	a := w.child(n)
	a.mu.Lock()
	a.reading = true
	a.mu.Unlock()
	a.read()
}

// pty checks which kind of output a child has.
func (w *world) pty(sentence string, n int, want bool) {
	w.t.Helper()
	if got := w.child(n).terminal; got != want {
		w.t.Errorf("%s: child %d has a terminal: %v, want %v", sentence, n, got, want)
	}
}

// lookTime is when a child is looked at that has not answered its first question.
const lookTime = firstLook + 2*aTick

const nextGetsATerminal = "it does not flush its output. The next process gets a terminal"

func TestAChildThatDoesNotFlushGetsATerminal(t *testing.T) {
	for _, concurrency := range []int{0, 3} {
		t.Run(fmt.Sprint("concurrency=", concurrency), func(t *testing.T) {
			number := ""
			if concurrency > 0 {
				number = "0 "
			}
			w := newWorld(t, Config{Children: 3, Startup: 3, Concurrency: concurrency, Retries: 2})
			q := w.ask("x")
			w.pty("at first none has", 1, false)
			w.buffers(1)
			w.pass(lookTime)
			w.logs("it is said", nextGetsATerminal, 1)
			w.children("the next is there at once", 4, 3)
			w.pty("the next", 4, true)
			w.reads(4, "it is asked the same", number+"x\n")
			if len(w.pool.poison.until) > 0 || q.losses > 0 || q.risky || w.pool.storm.rages(w.l.Now()) {
				t.Error("the question is blamed")
			}
			r := w.ask("y")
			w.reads(2, "nobody with a pipe is asked meanwhile", "")
			w.writes(4, number+"X\n")
			q.wants("the answer", "X")
			w.logs("that is said", "from now on all redirector processes get one", 1)
			r.waits("it is not answered yet")
			w.children("those with pipes are replaced", 6, 3)
			w.pty("all others", 5, true)
			w.pty("all others", 6, true)
			for n := 1; n <= 3; n++ {
				if !w.child(n).in.Closed() {
					t.Errorf("child %d is kept", n)
				}
			}
		})
	}
}

func TestATerminalThatDoesNotHelpIsGivenUp(t *testing.T) {
	w := newWorld(t, Config{Children: 2, Startup: 2, Retries: 2})
	q := w.ask("x")
	w.buffers(1)
	w.pass(lookTime)
	w.pty("it is tried", 3, true)
	w.buffers(3)
	w.pass(lookTime)
	w.logs("it is given up", "has not answered with a terminal for its output either", 1)
	w.reads(2, "one with a pipe is asked", "x\n")
	w.pty("and started", 4, false)
	w.buffers(2)
	w.buffers(4)
	w.pass(10 * time.Minute)
	w.children("nobody is replaced any more", 4, 2)
	w.logs("it is said once", nextGetsATerminal, 1)
	q.waits("as Squid has it wait")
	w.writes(2, "X\n")
	q.wants("the answer", "X")
}

// Helpers that take their time are no helpers that do not flush.
func TestASlowChildKeepsItsPipe(t *testing.T) {
	for name, slow := range map[string]func(w *world){
		"works":                            func(w *world) { w.child(1).read() },
		"has not read its question":        func(w *world) { w.child(1).setReading() },
		"has written a part of its answer": func(w *world) { w.buffers(1); w.writes(1, "O") },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Config{Children: 1, Startup: 1})
			q := w.ask("x")
			slow(w)
			w.pass(time.Hour)
			w.children("it is kept", 1, 1)
			w.logs("it is not blamed", nextGetsATerminal, 0)
			w.writes(1, "K\n")
			if _, done, _ := q.Answer(); !done {
				t.Error("its answer does not count")
			}
		})
	}
}

func (a *actor) setReading() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reading = true
}

func TestAChildThatHasAnsweredFlushes(t *testing.T) {
	w := newWorld(t, Config{Children: 2, Startup: 2})
	w.proves(1)
	w.ask("x")
	w.ask("y")
	w.buffers(1)
	w.buffers(2)
	w.pass(time.Hour)
	w.children("nobody is replaced", 2, 2)
}

// A child that leaves out the channel number flushes: that its lines are dropped is all that is said.
func TestAChildWhoseLinesAreDroppedFlushes(t *testing.T) {
	for _, pty := range []PTY{PTYAuto, PTYOn, PTYOff} {
		w := newWorld(t, Config{Children: 2, Startup: 2, Concurrency: 3, PTY: pty, SilenceWarning: 10 * time.Second})
		w.ask("x")
		w.buffers(1)
		w.writes(1, "OK\n")
		w.pass(time.Minute)
		w.children("nobody is replaced", 2, 2)
		w.logs("it is said what is wrong", "answered without a channel number", 1)
		w.logs("and what comes of it", "has not answered for 10s: what it wrote since the question was dropped", 1)
		for _, not := range []string{"does not flush", "does it flush", "wrong kind of output", "pty=on"} {
			w.logs("and nothing that is not so", not, 0)
		}
	}
}

// What was tried is not recommended.
func TestATerminalIsRecommendedOnce(t *testing.T) {
	const hint = "the option pty=on of its children"
	w := newWorld(t, Config{Children: 1, Startup: 1, Retries: 2, SilenceWarning: 10 * time.Second})
	w.ask("x")
	w.buffers(1)
	w.pass(lookTime)
	w.buffers(2)
	w.pass(lookTime)
	w.logs("a terminal has not helped", "has not answered with a terminal for its output either", 1)
	w.buffers(3)
	w.pass(time.Minute)
	w.logs("it stays silent", "has been silent for 10s after a question: does it flush its output?", 1)
	w.logs("with a terminal too", hint, 0)

	w = newWorld(t, Config{Children: 1, Startup: 1, PTY: PTYOff, SilenceWarning: 10 * time.Second})
	w.ask("x")
	w.buffers(1)
	w.pass(time.Minute)
	w.logs("it has none", hint, 1)
}

// What was written just before a child was looked at is its answer.
func TestAnAnswerThatComesWhileAChildIsLookedAt(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Startup: 1})
	q := w.ask("x")
	w.child(1).read()
	w.child(1).meanwhile = func() { w.child(1).out.WriteString("X\n") }
	w.buffers(1)
	w.pass(lookTime)
	q.wants("its answer", "X")
	w.children("it is kept", 1, 1)
}

// The loop need not have heard of it when it is told what was seen.
func TestAnAnswerThatTheLoopHasNotHeardOf(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Startup: 1})
	q := w.ask("x")
	w.child(1).read()
	w.child(1).out.WriteString("X\n")
	w.pool.children[0].lookedAt(true)
	w.settle()
	q.wants("its answer", "X")
	w.children("it is kept", 1, 1)
	w.logs("it is not blamed", nextGetsATerminal, 0)
}

// A child that has begun its answer since it was looked at flushes.
func TestHalfAnAnswerThatComesWhileAChildIsLookedAt(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Startup: 1})
	q := w.ask("x")
	w.child(1).read()
	w.child(1).meanwhile = func() { w.child(1).out.WriteString("O") }
	w.buffers(1)
	w.pass(lookTime)
	w.children("it is kept", 1, 1)
	w.logs("it is not blamed", nextGetsATerminal, 0)
	w.child(1).meanwhile = nil
	w.writes(1, "K\n")
	q.wants("its answer", "OK")
}

func TestALateChildIsLookedAtBefore(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Startup: 1, Timeout: 500 * time.Millisecond})
	q := w.ask("x")
	w.buffers(1)
	w.pass(250*time.Millisecond + 2*aTick)
	w.pty("it is tried", 2, true)
	q.waits("another is asked")
}

// A trial whose child ends says nothing; it is not tried for ever.
func TestATrialThatEnds(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Startup: 1, Retries: 100})
	w.ask("x")
	for trial := range mostTrials {
		w.buffers(2*trial + 1)
		w.pass(lookTime)
		w.pty("it is tried", 2*trial+2, true)
		w.dies(2*trial + 2)
		w.pass(maxProvokedDelay + aTick)
		w.pty("it is over", 2*trial+3, false)
	}
	w.logs("it is said", "the process with a terminal has ended", mostTrials)
	w.buffers(2*mostTrials + 1)
	w.pass(time.Hour)
	w.children("no more", 2*mostTrials+1, 1)
}

func TestPTYOnAndOff(t *testing.T) {
	for _, pty := range []PTY{PTYOn, PTYOff} {
		w := newWorld(t, Config{Children: 1, Startup: 1, PTY: pty})
		w.ask("x")
		w.pty("as it was set", 1, pty == PTYOn)
		w.buffers(1)
		w.pass(time.Hour)
		w.children("nobody is replaced", 1, 1)
	}
}

// After a reload of the same program nothing has to be found out again.
func TestTerminalsAfterAReload(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Startup: 1})
	q := w.ask("x")
	w.buffers(1)
	w.pass(lookTime)
	w.writes(2, "X\n")
	q.wants("the answer", "X")
	old := w.pool
	w.slow = true
	w.open(Config{Children: 1, Startup: 1})
	w.pool.Succeed(old)
	w.settle()
	if first, next := w.actors[2], w.actors[3]; first.terminal || !first.in.Closed() || !next.terminal || next.in.Closed() {
		t.Error("what was started before it was known whom it succeeds is not replaced by one with a terminal")
	}
}

// Of another program nothing is known.
func TestTerminalsAfterAReloadOfAnotherProgram(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Startup: 1})
	q := w.ask("x")
	w.buffers(1)
	w.pass(lookTime)
	w.writes(2, "X\n")
	q.wants("the answer", "X")
	old := w.pool
	w.slow = true
	w.open(Config{Children: 1, Startup: 1})
	w.pool.config.Argv = []string{"/bin/answer", "-other"}
	w.pool.Succeed(old)
	w.settle()
	if first := w.actors[2]; first.terminal || first.in.Closed() || w.pool.terminal != undecided {
		t.Error("another program gets a terminal because the old one needed it")
	}
}

// unflushed are programs that leave flushing to their stdio, which does so on a terminal.
var unflushed = map[string][]string{
	"perl":              {"/usr/bin/perl", "-ne", `chomp; print "$_ answered\n"`},
	"python":            {"python3", "-c", "import sys\nfor line in sys.stdin: print(line.strip() + ' answered')"},
	"ruby":              {"/usr/bin/ruby", "-ne", `puts $_.chomp + " answered"`},
	"sed":               {"/bin/sed", "s/$/ answered/"},
	"a shell around it": {"/bin/sh", "-c", "/usr/bin/perl -ne 'chomp; print \"$_ answered\\n\"'; :"},
	"behind a tee":      {"/bin/sh", "-c", "tee -a /dev/null | /usr/bin/perl -ne 'chomp; print \"$_ answered\\n\"'"},
}

func TestProgramsThatDoNotFlushAnswer(t *testing.T) {
	for name, argv := range unflushed {
		t.Run(name, func(t *testing.T) {
			argv[0] = installed(t, argv[0])
			s := perform(t, Config{Children: 2, Startup: 2, Argv: argv, Env: append(withoutVariable("PYTHONUNBUFFERED"), "PYTHONUNBUFFERED=")})
			for _, line := range []string{"x", "y", "z"} {
				s.answers(line, line+" answered")
			}
			for _, want := range []string{nextGetsATerminal, "from now on all redirector processes get one"} {
				if got := s.log.String(); !strings.Contains(got, want) {
					t.Errorf("the log does not say %q:\n%s", want, got)
				}
			}
		})
	}
}

// installed is the path of a program; the test is skipped where it is not installed.
func installed(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skip(err)
	}
	return path
}

// deliberate are programs that flush, and answer their first line late, on purpose. Each is asked once.
var deliberate = map[string]string{
	"sleeps": `
import sys, time
for line in sys.stdin: time.sleep(WAIT); print(line.strip() + " answered", flush=True)`,
	"asks another machine": `
import sys, socket, threading, time
here = socket.socketpair()
def serve():
    while True: here[1].recv(1000); time.sleep(WAIT); here[1].send(b"fine")
for line in sys.stdin:
    if threading.active_count() == 1: threading.Thread(target=serve, daemon=True).start()
    here[0].send(b"question"); here[0].recv(1000)
    print(line.strip() + " answered", flush=True)`,
	"answers from another thread": `
import sys, threading, time
def answer(line): time.sleep(WAIT); print(line.strip() + " answered", flush=True)
for line in sys.stdin: threading.Thread(target=answer, args=[line]).start()`,
	"answers from another process": `
import os, sys, time
for line in sys.stdin:
    if os.fork() == 0: time.sleep(WAIT); os.write(1, line.strip().encode() + b" answered\n"); os._exit(0)`,
	"selects": `
import os, select, sys, time
asked, due = b"", 0
while True:
    ready, _, _ = select.select([0], [], [], 0.05 if asked else None)
    if ready:
        asked, due = os.read(0, 8000), time.time() + WAIT
        if not asked: break
    elif time.time() > due: os.write(1, asked.strip() + b" answered\n"); asked = b""`,
	"asks a process of its own": `
import subprocess, sys
for line in sys.stdin:
    said = subprocess.run(["sleep", "WAIT"], stdin=subprocess.DEVNULL, capture_output=True)
    print(line.strip() + " answered", flush=True)`,
}

func TestProgramsThatAnswerLateKeepTheirPipe(t *testing.T) {
	const wait = "2.5" // long enough for two looks
	for name, program := range deliberate {
		for _, concurrency := range []int{0, 10} {
			t.Run(fmt.Sprintf("%s, concurrency=%d", name, concurrency), func(t *testing.T) {
				t.Parallel()
				argv := script(t, strings.ReplaceAll(program, "WAIT", wait))
				s := perform(t, Config{Children: 1, Startup: 1, Concurrency: concurrency, Argv: argv})
				q := s.pool.Ask([]byte("x"), nil)
				s.until("it is answered", func() bool { return done(q) })
				if got := s.log.String(); strings.Contains(got, nextGetsATerminal) {
					t.Errorf("it is taken for one that does not flush:\n%s", got)
				}
				if n := s.pool.Stats().Started; n != 1 {
					t.Errorf("%d processes were started, want one", n)
				}
			})
		}
	}
}

// withoutVariable is this process's environment without a variable.
func withoutVariable(name string) []string {
	return slices.DeleteFunc(os.Environ(), func(one string) bool { return strings.HasPrefix(one, name+"=") })
}
