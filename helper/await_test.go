package helper

import (
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// newAwaited awaits a pipe.
func newAwaited(t *testing.T) (a *awaited, read, write int) {
	t.Helper()
	a = new(awaited)
	if err := a.open(); err != nil {
		t.Fatal(err)
	}
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.close(); unix.Close(ends[0]); unix.Close(ends[1]) })
	if err := a.add(ends[0]); err != nil {
		t.Fatal(err)
	}
	return a, ends[0], ends[1]
}

// returns fails the test if a wait does not end, and says how long it took.
func (a *awaited) returns(t *testing.T, most time.Duration) time.Duration {
	t.Helper()
	done, began := make(chan struct{}), time.Now()
	go func() {
		a.wait(most)
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("it waits")
	}
	return time.Since(began)
}

func TestAwaited(t *testing.T) {
	t.Run("for no time", func(t *testing.T) {
		a, _, _ := newAwaited(t)
		a.returns(t, 0)
	})
	t.Run("woken before", func(t *testing.T) {
		a, _, _ := newAwaited(t)
		a.wake()
		a.returns(t, -1)
	})
	t.Run("an old deadline counts for nothing", func(t *testing.T) {
		a, _, _ := newAwaited(t)
		a.wait(time.Millisecond)
		time.AfterFunc(50*time.Millisecond, a.wake)
		if took := a.returns(t, -1); took < 40*time.Millisecond {
			t.Errorf("it waited for %v", took)
		}
	})
	t.Run("what is there, until it is removed", func(t *testing.T) {
		a, read, write := newAwaited(t)
		unix.Write(write, []byte("x"))
		a.returns(t, -1)
		a.returns(t, -1)
		a.remove(read)
		if took := a.returns(t, 50*time.Millisecond); took < 50*time.Millisecond {
			t.Errorf("it waited for %v", took)
		}
	})
	t.Run("children do not inherit it", func(t *testing.T) {
		a, _, _ := newAwaited(t)
		if flags, _ := unix.FcntlInt(uintptr(a.epoll), unix.F_GETFD, 0); flags&unix.FD_CLOEXEC == 0 {
			t.Error("they do")
		}
	})
}

func TestPatience(t *testing.T) {
	late, soon := time.Now().Add(-time.Second), time.Now().Add(time.Hour)
	for _, row := range []struct {
		name        string
		killed      bool
		killAt      time.Time
		polls       bool
		until       time.Duration
		least, most time.Duration
	}{
		{"nothing is to come", false, late, false, -1, -1, -1},
		{"without a pidfd", false, late, true, -1, exitPollInterval, exitPollInterval},
		{"it is looked at before", false, late, true, 1, 1, 1},
		{"its grace is over", true, late, false, -1, 0, 0},
		{"its grace lasts", true, soon, false, -1, time.Minute, time.Hour},
		{"its grace lasts, without a pidfd", true, soon, true, -1, exitPollInterval, exitPollInterval},
	} {
		p := &process{killed: row.killed, killAt: row.killAt}
		if got := p.patience(row.polls, row.until); got < row.least || got > row.most {
			t.Errorf("%s: %v, want %v to %v", row.name, got, row.least, row.most)
		}
	}
}

// entries are how many there are in a directory of /proc.
func entries(dir string) int {
	all, _ := os.ReadDir(dir)
	return len(all)
}

func TestNothingOfAChildStaysOpen(t *testing.T) {
	for _, program := range []string{"/bin/true", "/etc/passwd"} { // the second cannot be started
		c := Config{Argv: []string{program}}.withDefaults()
		before := entries("/proc/self/fd")
		for range 20 {
			if p, err := (processSpawner{}).Spawn(&c, 1); err == nil {
				p.Wait(func() {})
				unix.Close(p.Questions())
				unix.Close(p.Answers())
			}
		}
		if after := entries("/proc/self/fd"); after > before+4 {
			t.Errorf("%s: %d descriptors before, %d after", program, before, after)
		}
	}
}

func TestStderrOfAChildThatStays(t *testing.T) {
	s := perform(t, Config{Children: 1, Argv: []string{"/bin/sh", "-c", "while read l; do echo oops >&2; echo answered; done"}})
	s.answers("x", "answered")
	s.until("it is read while the child is there", func() bool { return strings.Contains(s.stderr.String(), "oops") })
}

func TestChildrenTakeNoThread(t *testing.T) {
	before := entries("/proc/self/task")
	s := perform(t, Config{Children: 80, Startup: 80, Argv: []string{"/bin/cat"}})
	s.until("all are there", s.up(80))
	if after := entries("/proc/self/task"); after > before+mostThreads+20 {
		t.Errorf("%d threads before, %d with 80 children", before, after)
	}
}

// All are started by the thread that lasts.
func TestForkerStarts(t *testing.T) {
	was := forker
	defer func() { forker = was }()
	for _, argv := range [][]string{{"/bin/true"}, {writeFile(t, t.TempDir(), "script", "exit 0\n", 0o755)}} {
		forker = &forkingThread{calls: make(chan func())}
		c := Config{Argv: argv}.withDefaults()
		p, err := (processSpawner{}).Spawn(&c, 1)
		if err != nil || forker.started != 1 {
			t.Fatalf("%v: error %v, %d were started", argv, err, forker.started)
		}
		p.Wait(func() {})
		unix.Close(p.Questions())
		unix.Close(p.Answers())
		close(forker.calls)
	}
}

func TestReserveThreads(t *testing.T) {
	const many = 60
	if err := reserveThreads(many); err != nil || entries("/proc/self/task") < many {
		t.Errorf("error %v, %d threads, want %d", err, entries("/proc/self/task"), many)
	}
}
