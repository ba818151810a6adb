package helper

import (
	"fmt"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"exaproxy/engine/canary/canarytest"
	"exaproxy/engine/loop"
)

// An echo is a child without a process: the far end of a socketpair, played by hand. The
// loop's kernel is the real one, since the one in memory allocates.
type echo struct {
	tb   testing.TB
	sys  [2]int
	end  chan string
	buf  [64 << 10]byte
	l    *loop.Loop
	pool *Pool
}

func newEcho(tb testing.TB, concurrency int) *echo {
	tb.Helper()
	e := &echo{tb: tb, end: make(chan string)}
	var err error
	if e.sys, err = unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0); err != nil {
		tb.Fatal(err)
	}
	kernel, err := loop.Linux()
	if err != nil {
		tb.Fatal(err)
	}
	if e.l, err = loop.New(kernel); err != nil {
		tb.Fatal(err)
	}
	e.pool = NewPool(e.l, Config{Children: 1, Startup: 1, Concurrency: concurrency, Spawn: e})
	for e.pool.children[0].comesUp() {
		e.l.Turn(true)
	}
	tb.Cleanup(e.close)
	return e
}

func (e *echo) close() {
	e.pool.Close(false)
	unix.Close(e.sys[1])
	close(e.end)
	for !e.pool.Closed() {
		e.l.Turn(true)
	}
	e.l.Close()
}

func (e *echo) Spawn(*Config, int) (Process, error) { return e, nil }
func (e *echo) Questions() int                      { return e.sys[0] }
func (e *echo) Answers() int                        { return e.sys[0] }
func (e *echo) PID() int                            { return 1 }
func (e *echo) Kill(time.Duration)                  {}
func (e *echo) Sweep()                              {}
func (e *echo) Look(func(bool))                     {}
func (e *echo) Wait(ready func()) Ending            { ready(); return Ending{How: <-e.end} }

// round asks as many questions as there is room for at once, and waits for all answers.
func (e *echo) round(line []byte, questions []*Question) {
	for i := range questions {
		questions[i] = e.pool.Ask(line, nil)
	}
	e.l.Turn(false)
	n, err := unix.Read(e.sys[1], e.buf[:])
	if err != nil {
		e.tb.Fatal("the child reads: ", err)
	}
	if _, err := unix.Write(e.sys[1], e.buf[:n]); err != nil {
		e.tb.Fatal("the child writes: ", err)
	}
	e.l.Turn(false)
	for _, q := range questions {
		if answer, done, err := q.Answer(); !done || err != nil || len(answer) != len(line) {
			e.tb.Fatalf("answer %q, done %v, error %v", answer, done, err)
		}
		q.Cancel()
	}
}

var line = []byte("a line of usual length: some address with its path and query, who asks, by which method, and from where")

func TestAskingAllocatesNothing(t *testing.T) {
	canarytest.SkipReuse(t)
	for _, concurrency := range []int{0, 100} {
		e := newEcho(t, concurrency)
		questions := make([]*Question, max(concurrency, 1))
		for range 20 { // until buffers have their size
			e.round(line, questions)
		}
		if got := testing.AllocsPerRun(200, func() { e.round(line, questions) }); got != 0 {
			t.Errorf("concurrency %d: %v allocations for %d questions, want none", concurrency, got, len(questions))
		}
	}
}

func BenchmarkAsk(b *testing.B) {
	for _, concurrency := range []int{0, 100} {
		b.Run(fmt.Sprint("concurrency=", concurrency), func(b *testing.B) {
			e := newEcho(b, concurrency)
			questions := make([]*Question, max(concurrency, 1))
			b.ReportAllocs()
			for range b.N/len(questions) + 1 { // a b.N is one question
				e.round(line, questions)
			}
		})
	}
}

func BenchmarkBacklog(b *testing.B) {
	e := newEcho(b, 0)
	b.ReportAllocs()
	for range b.N {
		e.pool.Ask(line, nil).Cancel()
	}
}
