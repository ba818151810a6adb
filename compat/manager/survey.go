package manager

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"exaproxy/engine/loop"
)

// Workers are the policies of one configuration, which ask each other for what a page tells. No request but one for such a
// page has anything to do with it: the members are changed when a policy is made or closed, and questions and answers
// are posted to their loops.
type Workers struct {
	mu      sync.Mutex // of those that change members
	members atomic.Pointer[[]*Policy]
}

func (w *Workers) join(p *Policy) { w.change(func(all []*Policy) []*Policy { return append(all, p) }) }

func (w *Workers) leave(p *Policy) {
	w.change(func(all []*Policy) []*Policy {
		return slices.DeleteFunc(all, func(other *Policy) bool { return other == p })
	})
}

func (w *Workers) change(how func([]*Policy) []*Policy) {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := how(slices.Clone(w.all()))
	w.members.Store(&all)
}

func (w *Workers) all() []*Policy {
	if all := w.members.Load(); all != nil {
		return *all
	}
	return nil
}

// patience is how long a page waits for workers. One that ends never answers.
const patience = 3 * time.Second

// A survey asks all workers what a page has to tell of them. It belongs to the goroutine of the one that asks; what they
// answer is theirs no more.
type survey struct {
	page    *page
	answers []any // of the workers; nil: not yet
	left    int   // that have not answered
	timer   *loop.Timer
	waker   *loop.Waker // of who waits; nil: nobody does any more
}

// ask begins a survey, and has w woken at its end.
func (p *Policy) ask(pg *page, w *loop.Waker) *survey {
	all := p.Workers.all()
	s := &survey{page: pg, answers: make([]any, len(all)), left: len(all), waker: w}
	for i, q := range all {
		if q == p {
			s.answered(i, pg.collect(p))
			continue
		}
		q.Services.Loop.Post(func() {
			answer := pg.collect(q)
			p.Services.Loop.Post(func() { s.answered(i, answer) })
		})
	}
	if s.left > 0 {
		s.timer = p.Services.Loop.NewTimer(w)
		s.timer.Set(patience)
	}
	return s
}

// answered takes an answer.
func (s *survey) answered(i int, answer any) {
	s.answers[i] = answer
	s.left--
	if s.left == 0 && s.waker != nil && s.timer != nil {
		s.waker.Wake()
	}
}

// over says whether there is nothing to wait for any more.
func (s *survey) over() bool { return s.left == 0 || s.timer.Expired() }

// missing is how many have not answered.
func (s *survey) missing() int { return s.left }

// parts are the answers that came.
func (s *survey) parts() []any {
	return slices.DeleteFunc(slices.Clone(s.answers), func(a any) bool { return a == nil })
}

// end has nobody be woken. On nil it does nothing.
func (s *survey) end() {
	if s != nil && s.timer != nil {
		s.timer.Clear()
	}
	if s != nil {
		s.waker = nil
	}
}
