package helper

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"exaproxy/engine/loop"
)

// siege is how long each part of TestPoison takes: go test ./helper -run TestPoison -v -siege 60s
// Who asks for one on a quiet machine has the times judged too.
var siege = flag.Duration("siege", 2*time.Second, "how long poisoned lines are asked")

// script returns the command line of a Python program; the test is skipped where there is no Python.
func script(t *testing.T, program string) []string {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3")
	}
	return []string{python, "-u", "-c", program}
}

// strictly is a redirector that dies of bytes that are no UTF-8, as scripts do that decode their input.
const strictly = `
import sys
for line in sys.stdin.buffer:
    sys.stdout.write("OK " + line.decode("utf-8"))
`

// decoding is one that dies of what decodes to no UTF-8, hangs, or writes without end.
const decoding = `
import sys, time
from urllib.parse import unquote
for line in iter(sys.stdin.readline, ""):
    if "hang" in line: time.sleep(3600)
    if "flood" in line: sys.stdout.write("x" * 1200000); sys.stdout.flush(); time.sleep(3600)
    sys.stdout.write("OK " + line if unquote(line, errors="strict") else ""); sys.stdout.flush()
`

// A crowd asks ordinary lines all the time, each asker the next when it has its answer.
type crowd struct {
	*stage
	pause  time.Duration // between an answer and the next question
	lines  int
	took   []time.Duration
	lost   int
	open   int
	ending bool
}

// A patron is one of them.
type patron struct {
	crowd    *crowd
	question *Question
	waker    *loop.Waker
	timer    *loop.Timer // of the pause
	number   int
}

func (p *patron) ask() {
	p.crowd.lines++
	p.question = p.crowd.pool.Ask(fmt.Appendf(nil, "http://good.test/%d/%d 192.0.2.1/- - GET", p.number, p.crowd.lines), p.waker)
}

func (p *patron) Run() {
	if p.question == nil {
		p.rested()
		return
	}
	answer, done, err := p.question.Answer()
	if !done {
		return
	}
	c := p.crowd
	if want := fmt.Sprintf("OK http://good.test/%d/", p.number); err != nil || !bytes.HasPrefix(answer, []byte(want)) {
		c.lost++
		c.t.Errorf("patron %d got %q, error %v", p.number, answer, err)
	}
	c.took = append(c.took, p.question.Waited())
	p.question.Cancel()
	p.question = nil
	if c.pause > 0 {
		p.timer.Set(c.pause)
		return
	}
	p.rested()
}

// rested ends the pause.
func (p *patron) rested() {
	switch {
	case p.timer.Armed():
	case p.crowd.ending:
		p.crowd.open--
		p.timer.Set(time.Hour) // it leaves
	default:
		p.ask()
	}
}

// A poisoner asks 20 lines a second that end a child, each another.
type poisoner struct {
	crowd  *crowd
	timer  *loop.Timer
	began  time.Time // of those that come regularly
	before int       // how many had come by then
	path   string    // of the lines, a format of a number
	asked  int
	open   []*Question
}

func (p *poisoner) Run() {
	if !p.timer.Expired() || p.crowd.ending {
		return
	}
	for since := time.Since(p.began); time.Duration(p.asked-p.before)*time.Second/20 < since; { // a timer may be late
		p.ask()
	}
	p.timer.Set(time.Second / 20)
}

func (p *poisoner) ask() {
	p.asked++
	p.open = append(p.open, p.crowd.pool.Ask(fmt.Appendf(nil, "http://good.test/"+p.path+" 192.0.2.1/- - GET", p.asked), nil))
}

// besiege lets a crowd of 20 and a poisoner ask for a while.
func besiege(s *stage, path string, before int, pause, d time.Duration) (*crowd, *poisoner) {
	c := &crowd{stage: s, pause: pause}
	p := &poisoner{crowd: c, path: path}
	for range before {
		p.ask()
	}
	for n := range 20 {
		p := &patron{crowd: c, number: n}
		p.waker = s.l.NewWaker(p)
		p.timer = s.l.NewTimer(p.waker)
		c.open++
		p.ask()
	}
	waker := s.l.NewWaker(p)
	p.timer = s.l.NewTimer(waker)
	if before == 0 {
		s.until("the crowd is served", func() bool { return c.lines > 100 })
		c.took = nil
	}
	p.began, p.before = time.Now(), p.asked
	p.timer.Set(0)
	end := time.Now().Add(d)
	for !time.Now().After(end) {
		s.l.Turn(true)
	}
	c.ending = true
	s.until("all of the crowd are served", func() bool { return c.open == 0 })
	return c, p
}

// percentile99 is what all but one in a hundred stay below.
func (c *crowd) percentile99() time.Duration {
	slices.Sort(c.took)
	return c.took[len(c.took)*99/100]
}

// Lines that end every child, each another, delay nobody else by much.
func TestPoison(t *testing.T) {
	const raw, escaped, slow = "%d\xff", "%%ff%d", "import time; time.sleep(1)\n"
	for _, row := range []struct {
		name     string
		children int
		program  string
		path     string
		before   int // poisoned lines before all others
		pause    time.Duration
		p99      time.Duration
	}{
		{"4 children", 4, strictly, raw, 0, 0, time.Second},
		{"1 child", 1, strictly, raw, 0, 100 * time.Millisecond, time.Second},
		{"4 children that start slowly", 4, slow + strictly, raw, 0, 100 * time.Millisecond, 2 * time.Second},
		{"1 child that starts slowly", 1, slow + strictly, raw, 0, 100 * time.Millisecond, 2 * time.Second},
		{"1 child that starts slowly and is never idle", 1, slow + strictly, raw, 0, 0, 2 * time.Second},
		{"4 children, escaped", 4, decoding, escaped, 0, 100 * time.Millisecond, time.Second},
		{"1 child, escaped", 1, decoding, escaped, 0, 100 * time.Millisecond, time.Second},
		{"4 children that start slowly, escaped", 4, slow + decoding, escaped, 0, 100 * time.Millisecond, 2 * time.Second},
		{"1 child that starts slowly, escaped", 1, slow + decoding, escaped, 0, 100 * time.Millisecond, 2 * time.Second},
		{"4 children that have never answered, escaped", 4, decoding, escaped, 60, 100 * time.Millisecond, time.Second},
		{"4 children that start slowly and flood", 4, slow + decoding, "flood%d", 0, 100 * time.Millisecond, 2 * time.Second},
		{"4 children that hang", 4, decoding, "hang%d", 0, 100 * time.Millisecond, 2 * time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			config := Config{Children: row.children, Startup: row.children, Retries: 2, Argv: script(t, row.program)}
			if row.path == "hang%d" {
				config.Timeout = 2 * time.Second
			}
			s := perform(t, config)
			c, p := besiege(s, row.path, row.before, row.pause, *siege)
			if len(c.took) == 0 {
				t.Fatal("nobody was answered during the siege")
			}
			p99 := c.percentile99()
			t.Logf("%d answers, p99 %v, most %v; %d poisoned lines, %d children started", len(c.took), p99, c.took[len(c.took)-1], p.asked, s.pool.started)
			if p99 > row.p99 && *siege >= 10*time.Second {
				t.Errorf("one in a hundred waits for more than %v, want %v", p99, row.p99)
			}
			for _, q := range p.open {
				if _, done, err := q.Answer(); done && err != ErrLost && err != ErrLate {
					t.Errorf("a poisoned line: %v, want ErrLost or ErrLate", err)
				}
			}
			if n := strings.Count(s.log.String(), "ended by itself"); n > 2 {
				t.Errorf("%d lines of the log say that a child ended, want one a minute", n)
			}
		})
	}
}

// A child that begins to read late is asked late, and is not late.
func TestSlowStart(t *testing.T) {
	for _, argv := range [][]string{
		script(t, "import time; time.sleep(0.4)\n"+strictly),
		{"/bin/sh", "-c", `sleep 0.4; exec sed -u "s/^/OK /"`},
		{"/bin/sh", "-c", `sleep 0.4; while read line; do echo OK $line; done`},
		{"/bin/sh", "-c", `exec 5<&0 </dev/null; sleep 0.4; sed -u "s/^/OK /" <&5`},
	} {
		s := perform(t, Config{Children: 1, Timeout: 250 * time.Millisecond, Argv: argv})
		s.answers("x", "OK x")
		s.answers("y", "OK y")
		if s.pool.started != 1 || s.pool.stats.late != 0 {
			t.Errorf("%q: %d children were started, %d questions were late; want 1 and none", argv, s.pool.started, s.pool.stats.late)
		}
	}
}

// A child that waits in poll(2), select(2) or epoll(7) for its input is ready; one that waits for something else is not.
func TestWaitingForInput(t *testing.T) {
	const answers = `
    line = os.read(0, 9999)
    if not line: break
    sys.stdout.write("OK " + line.decode())`
	for name, program := range map[string]string{
		"poll":   "p = select.poll(); p.register(0, select.POLLIN)\nwhile p.poll():" + answers,
		"select": "while select.select([0], [], []):" + answers,
		"epoll":  "p = select.epoll(); p.register(0, select.EPOLLIN)\nwhile p.poll():" + answers,
	} {
		t.Run(name, func(t *testing.T) {
			s := perform(t, Config{Children: 1, Timeout: 250 * time.Millisecond, Argv: script(t, `
import os, select, sys, socket
one, other = socket.socketpair()
select.select([one], [], [], 0.15)
p = select.poll(); p.register(one); p.poll(150)
p = select.epoll(); p.register(one, select.EPOLLIN); p.poll(0.15)
`+program)})
			s.answers("x", "OK x")
			if s.pool.started != 1 || s.pool.stats.late != 0 {
				t.Errorf("%d children were started, %d questions were late; want 1 and none", s.pool.started, s.pool.stats.late)
			}
		})
	}
}

// What a child writes before it is ready answers nobody.
func TestBanner(t *testing.T) {
	const banner = "import sys, time; time.sleep(0.1); print('Config Path=/etc'); time.sleep(0.1); print('ready'); sys.stdout.write('> ')\n"
	s := perform(t, Config{Children: 4, Argv: script(t, banner+strictly)})
	var all []*Question
	for i := range 200 {
		all = append(all, s.pool.Ask(fmt.Append(nil, i), nil))
	}
	for i, q := range all {
		s.until("all are answered", func() bool { return done(q) })
		if got, _, err := q.Answer(); err != nil || string(got) != fmt.Sprint("OK ", i) {
			t.Errorf("question %d: got %q, error %v", i, got, err)
		}
	}
	if n := strings.Count(s.log.String(), "wrote something before its first question"); n != 1 {
		t.Errorf("it is logged %d times, want once:\n%s", n, s.log.String())
	}
	if s.pool.started != 4 {
		t.Errorf("%d children were started, want 4", s.pool.started)
	}
}

// Nor does what one writes that a shell started behind another that reads its input.
func TestBannerInAPipeline(t *testing.T) {
	argv := script(t, "import sys, time; time.sleep(0.5); print('Config Path=/etc')\n"+strictly)
	s := perform(t, Config{Children: 2, Startup: 2, Argv: []string{"/bin/sh", "-c", `tee -a /dev/null | "$0" "$@"`, argv[0], argv[1], argv[2], argv[3]}})
	for i := range 20 {
		s.answers(fmt.Sprint(i), fmt.Sprint("OK ", i))
	}
}

// Two lines for each question, written at once, never give one the answer of another. Where the second
// is written later it may come when another question has been read, and nobody can tell.
func TestTwoLinesForEach(t *testing.T) {
	s := perform(t, Config{Children: 4, Retries: 100, Argv: script(t, `
import sys
for line in sys.stdin:
    sys.stdout.write("OK " + line + "more " + line)
    sys.stdout.flush()
`)})
	var all []*Question
	for i := range 60 {
		all = append(all, s.pool.Ask(fmt.Append(nil, i), nil))
	}
	for i, q := range all {
		s.until("all are answered", func() bool { return done(q) })
		if got, _, err := q.Answer(); err != nil || string(got) != fmt.Sprint("OK ", i) {
			t.Errorf("question %d: got %q, error %v", i, got, err)
		}
	}
	if !strings.Contains(s.log.String(), oneForOne) {
		t.Errorf("the log does not say what is wrong:\n%s", s.log.String())
	}
}

// A second line that comes a moment later costs the child too, and those who ask next no half minute each.
func TestSecondLineThatComesLater(t *testing.T) {
	s := perform(t, Config{Children: 1, Retries: 100, Argv: script(t, `
import sys, time
for line in sys.stdin:
    sys.stdout.write("OK " + line)
    sys.stdout.flush()
    time.sleep(0.01)
    sys.stdout.write("more " + line)
    sys.stdout.flush()
`)})
	for i := range 12 {
		q := s.pool.Ask(fmt.Append(nil, i), nil)
		s.until("it is answered", func() bool { return done(q) })
		q.Cancel()
	}
}

// An answer that is followed by a crash is none, once that has happened twice.
func TestCrashBehindTheAnswer(t *testing.T) {
	s := perform(t, Config{Children: 1, Retries: 2, Argv: script(t, `
import os, sys
for line in sys.stdin:
    print()
    os._exit(255)
`)})
	passed := 0
	for i := range doubtAfter + 1 {
		q := s.pool.Ask(fmt.Append(nil, i), nil)
		s.until("it is settled", func() bool { return done(q) })
		if _, _, err := q.Answer(); err == nil {
			passed++
		}
	}
	if passed > doubtAfter {
		t.Errorf("%d answers counted, want %d", passed, doubtAfter)
	}
	if !strings.Contains(s.log.String(), "crashed right behind its answer") {
		t.Errorf("the log does not say so:\n%s", s.log.String())
	}
}

// A helper that ends well after each answer is an ordinary one.
func TestEndBehindTheAnswer(t *testing.T) {
	s := perform(t, Config{Children: 1, Retries: 2, Argv: []string{"/bin/sh", "-c", "read line; echo OK $line"}})
	for i := range 8 {
		s.answers(fmt.Sprint(i), fmt.Sprint("OK ", i))
	}
}

// A compiled helper is asked as soon as it is there.
func TestQuickStart(t *testing.T) {
	const quick = 25 * time.Millisecond
	best := time.Hour
	for tries := 0; tries < 100 && best > quick; tries++ { // on a busy machine one of them gets its turn
		s := perform(t, Config{Children: 1, Argv: []string{"/bin/cat"}})
		began := time.Now()
		s.answers("x", "x")
		best = min(best, time.Since(began))
	}
	t.Logf("from start to first answer: %v", best)
	if best > quick {
		t.Errorf("from start to first answer it takes %v at best", best)
	}
}

// Without descriptors nobody can be looked at, which says nothing of those who are.
func TestLookWithoutDescriptors(t *testing.T) {
	var limit, none unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	none = limit
	none.Cur = 3
	cmd := exec.Command("/bin/cat")
	input, questions, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer questions.Close()
	cmd.Stdin = input
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	input.Close()
	watch := newInputWatch(cmd.Process.Pid, int(questions.Fd()), -1)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &none); err != nil {
		t.Fatal(err)
	}
	seen := watch.look()
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if seen != busy {
		t.Errorf("it is seen as %d, want busy", seen)
	}
	for end := time.Now().Add(time.Minute); seen != waiting && time.Now().Before(end); time.Sleep(time.Millisecond) {
		seen = watch.look()
	}
	if seen != waiting {
		t.Errorf("it is seen as %d, want waiting", seen)
	}
	cmd.Process.Kill()
	cmd.Wait()
}

// A program that works is not asleep, however long it does and whoever passes its input on.
func TestProgramThatStartsBehindAnother(t *testing.T) {
	argv := script(t, "import sys; sys.stdin.readline(); print('up')\nwhile True: pass")
	cmd := exec.Command("/bin/sh", append([]string{"-c", `tee -a /dev/null | "$0" "$@"`}, argv...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	input, questions, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer questions.Close()
	defer input.Close()
	answers, output, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer answers.Close()
	defer output.Close()
	cmd.Stdin, cmd.Stdout = input, output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	fmt.Fprintln(questions, "begin")
	if line, err := bufio.NewReader(answers).ReadString('\n'); line != "up\n" || err != nil {
		t.Fatalf("got %q, %v", line, err)
	}
	watch := newInputWatch(cmd.Process.Pid, int(questions.Fd()), int(output.Fd()))
	for range 50 {
		if seen := watch.look(); seen != busy {
			t.Errorf("it is seen as %d, want busy", seen)
		}
		time.Sleep(time.Millisecond)
	}
}

// Some programs never wait for a line: they look for one now and then, and sleep. Such a one is seen asleep.
func TestProgramThatLooksForItsInput(t *testing.T) {
	for _, pause := range []string{"time.sleep(60)", "select.select([], [], [], 60)", "select.poll().poll(60000)"} {
		argv := script(t, "import select, time\nwhile True: "+pause)
		cmd := exec.Command(argv[0], argv[1:]...)
		input, questions, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer questions.Close()
		defer input.Close()
		cmd.Stdin = input
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		watch := newInputWatch(cmd.Process.Pid, int(questions.Fd()), -1)
		seen := busy
		for end := time.Now().Add(time.Minute); seen != asleep && time.Now().Before(end); time.Sleep(time.Millisecond) {
			if seen = watch.look(); seen == waiting {
				t.Errorf("%s: it is said to wait for its input", pause)
			}
		}
		if seen != asleep {
			t.Errorf("%s: it is seen as %d, want asleep", pause, seen)
		}
		cmd.Process.Kill()
		cmd.Wait()
	}
}
