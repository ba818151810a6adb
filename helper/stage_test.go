package helper

import (
	"bytes"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"exaproxy/engine/loop"
)

// A stage is a pool of real processes on the real kernel.
type stage struct {
	t      testing.TB
	l      *loop.Loop
	pool   *Pool
	log    bytes.Buffer
	stderr lockedBuffer
}

// lockedBuffer is written by the goroutines of children.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// run makes a pool whose children are this test binary, in a mode.
func run(t *testing.T, mode string, c Config) *stage {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c.Argv = []string{self}
	c.Env = append(c.Env, modeVariable+"="+mode,
		"GORACE=atexit_sleep_ms=0", "GOCOVERDIR="+t.TempDir()) // the test binary's own ways to be slow or loud at its end
	return perform(t, c)
}

func perform(t testing.TB, c Config) *stage {
	t.Helper()
	kernel, err := loop.Linux()
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t}
	if s.l, err = loop.New(kernel); err != nil {
		t.Fatal(err)
	}
	c.Name, c.Stderr = "redirector", &s.stderr
	c.Log = slog.New(slog.NewTextHandler(&s.log, nil))
	s.pool = NewPool(s.l, c)
	t.Cleanup(s.close)
	return s
}

func (s *stage) close() {
	s.pool.Close(false)
	s.until("all children have ended", s.pool.Closed)
	s.l.Close()
}

// Run implements loop.Task: the deadline wakes it.
func (s *stage) Run() {}

// until turns the loop until something is so.
func (s *stage) until(sentence string, so func() bool) {
	s.t.Helper()
	s.within(30*time.Second, sentence, so)
}

// within is until for what takes its time.
func (s *stage) within(limit time.Duration, sentence string, so func() bool) {
	s.t.Helper()
	deadline := s.l.NewTimer(s.l.NewWaker(s))
	deadline.Set(limit)
	defer deadline.Clear()
	for !so() {
		if deadline.Expired() {
			s.t.Fatalf("it never comes to this: %s; %+v; the log:\n%s", sentence, s.pool.Stats(), s.log.String())
		}
		s.l.Turn(true)
	}
}

// answers asks, waits, and checks the answer.
func (s *stage) answers(line, want string) {
	s.t.Helper()
	q := s.pool.Ask([]byte(line), nil)
	s.until("a question is answered", func() bool { return done(q) })
	got, _, err := q.Answer()
	if err != nil || string(got) != want {
		s.t.Errorf("asked %q: got %q, error %v; want %q", line, got, err, want)
	}
	q.Cancel()
}

func done(q *Question) bool {
	_, done, _ := q.Answer()
	return done
}

func (s *stage) up(n int) func() bool {
	return func() bool {
		up := 0
		for _, c := range s.pool.children {
			if c.state == serving {
				up++
			}
		}
		return up == n
	}
}

// ptyOf is the setting with which children have a terminal, or none.
func ptyOf(on bool) PTY {
	if on {
		return PTYOn
	}
	return PTYOff
}
