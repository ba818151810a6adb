package children

import (
	"bytes"
	"slices"
	"strconv"

	"exaproxy/compat/acl"
	"exaproxy/compat/answer"
	"exaproxy/engine"
	"exaproxy/engine/loop"
	"exaproxy/helper"
)

// mostAttempts is how often a helper is asked that cannot tell (BH), as in Squid.
const mostAttempts = 3

// An Asker remembers what a helper says.
type Asker interface {
	// Answered takes the answer, or why there is none. line is valid during the call. The question is over by then.
	Answered(line []byte, err error)
	// Abandoned says that the question is over without an answer: no helper had it yet, and nobody waits any more.
	Abandoned()
	// Tell has a request that has waited know what was said, and says what it means for its acl: Allow, Deny,
	// Challenge or Unknown.
	Tell(r *engine.Request) acl.Answer
}

// A Shared is one question to a helper, and all requests that wait for its answer. It belongs to the worker's
// goroutine, and is a task of its loop.
type Shared struct {
	asker    Asker
	pool     *helper.Pool
	waker    *loop.Waker
	question *helper.Question
	line     []byte
	attempts int
	waiting  []*Waiting
}

// Ask puts a question for asker.
func Ask(asker Asker, l *loop.Loop, pool *helper.Pool, line []byte) *Shared {
	s := &Shared{asker: asker, pool: pool, line: bytes.Clone(line)}
	s.waker = l.NewWaker(s)
	s.ask()
	return s
}

func (s *Shared) ask() {
	s.attempts++
	s.question = s.pool.Ask(s.line, s.waker)
}

// A Waiting is one request that waits. It implements acl.Inquiry.
type Waiting struct {
	question *Shared // nil: it is over
	request  *engine.Request
	waker    *loop.Waker
	outcome  acl.Answer
}

// Join has a request wait; w is woken when it need not any more.
func (s *Shared) Join(r *engine.Request, w *loop.Waker) *Waiting {
	one := &Waiting{question: s, request: r, waker: w, outcome: acl.Pending}
	s.waiting = append(s.waiting, one)
	return one
}

// Outcome implements acl.Inquiry.
func (w *Waiting) Outcome() acl.Answer { return w.outcome }

// Cancel implements acl.Inquiry. Where nobody is left who waits for the answer it is worth knowing all the same, if a helper
// has the question; else whoever asks and leaves would have others wait behind him.
func (w *Waiting) Cancel() {
	s := w.question
	if s == nil {
		return
	}
	w.question = nil
	s.waiting = slices.DeleteFunc(s.waiting, func(other *Waiting) bool { return other == w })
	if len(s.waiting) == 0 && s.question.Queued() {
		s.asker.Abandoned()
		s.Close()
	}
}

// Run looks for the answer.
func (s *Shared) Run() {
	if s.question == nil {
		return
	}
	line, done, err := s.question.Answer()
	switch {
	case !done:
		return
	case err == nil && answer.Parse(line).Result == answer.Broken && s.attempts < mostAttempts:
		s.question.Cancel()
		s.ask()
		return
	}
	s.asker.Answered(line, err)
	for _, one := range s.waiting {
		one.question, one.outcome = nil, s.asker.Tell(one.request)
		one.waker.Wake()
	}
	s.Close()
}

// Close gives the question up. On a nil Shared it does nothing.
func (s *Shared) Close() {
	if s == nil {
		return
	}
	s.question.Cancel()
	s.waker.Retire()
	clear(s.line) // it may be a password
	for _, one := range s.waiting {
		one.question = nil
	}
	s.question, s.waiting = nil, nil
}

// Quote is an answer that makes no sense, for the log: of a long one the beginning.
func Quote(line []byte) string {
	const most = 200
	return strconv.Quote(string(line[:min(len(line), most)]))
}
