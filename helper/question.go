package helper

import (
	"bytes"
	"errors"
	"time"

	"exaproxy/engine/canary"
	"exaproxy/engine/loop"
)

var (
	// ErrLost settles a question that ended one child more than Config.Retries allows, one that did so
	// lately, and one that waited for too long because it is likely to end a child.
	ErrLost = errors.New("ask helper: every child that was asked ended without an answer")
	// ErrClosed settles a question that the pool will not ask any more.
	ErrClosed = errors.New("ask helper: the pool is closed")
	// ErrLate settles a question that its child did not answer within Config.Timeout.
	ErrLate = errors.New("the helper did not answer in time")
	// ErrTooLong settles a question that is longer than Config.LineMax.
	ErrTooLong = errors.New("ask helper: the question is too long")
	// ErrLineFeed settles a question that contains a line feed: it would be two questions,
	// and every later answer would be another question's.
	ErrLineFeed = errors.New("ask helper: the question contains a line feed")
)

// questionState is where a question is.
type questionState uint8

const (
	unused    questionState = iota // on the pool's free list, or not yet asked
	queued                         // in the backlog → assigned, settled, unused
	assigned                       // in flight with a child → settled, abandoned; queued again if the child is lost
	abandoned                      // in flight, and cancelled → unused
	settled                        // has its answer or its error → unused
)

// A Question is a line on its way to a child, and the line that came back. It belongs to
// whoever asked until Cancel; then to the pool, which uses it again for others.
// It is used on the loop's goroutine only.
type Question struct {
	pool  *Pool
	waker *loop.Waker
	state questionState
	text  []byte // what is asked; once settled, what was answered
	err   error

	child   *child // that it is assigned to
	channel int
	end     uint64 // the child's queuedBytes behind it
	stuck   bool   // abandoned, and late

	held      bool   // answered, and the answer is held back
	answer    []byte // that is
	heldUntil time.Time

	serial     uint64 // questions are assigned in this order
	askedAt    time.Time
	assignedAt time.Time     // the last time
	waited     time.Duration // from asking to settling
	losses     int           // how many children have ended with it in flight
	risky      bool          // it is asked with care: alone
	blamed     bool          // because it was alone with a child that ended
	counted    int           // how often it is among the lines that were recorded as harmful
	danger     float32       // see harm.danger; as of the last look
	unknown    bool          // while children die: no line like it was answered
	riskyAt    time.Time     // since when it waits for that

	talk    *Conversation // that it is a question of; nil: none
	follows bool          // it is not the first one

	prev, next *Question // in the backlog, or among the risky ones
}

// Answer returns the line that answers the question, without its line end and channel number,
// or why there will be none: ErrLost, ErrLate, ErrClosed, ErrTooLong, ErrLineFeed, ErrGarbled. Until done the other two are nil.
// The line may be empty, and is valid until Cancel.
func (q *Question) Answer() (line []byte, done bool, err error) {
	switch q.state {
	case queued, assigned:
		return nil, false, nil
	case settled:
		if q.err != nil {
			return nil, true, q.err
		}
		return q.text, true, nil
	case unused, abandoned:
	}
	panic("BUG: a question was looked at after its Cancel")
}

// Waited returns how long the question waited for its answer, or has waited so far.
func (q *Question) Waited() time.Duration {
	if q.state == settled {
		return q.waited
	}
	return q.pool.loop.Now().Sub(q.askedAt)
}

// Queued reports whether no child has been given the question, so that its Cancel undoes it.
func (q *Question) Queued() bool { return q.state == queued }

// Cancel returns the question to the pool, answered or not; it must not be used again. An
// answer that comes later is thrown away: a child cannot be interrupted. On a nil Question it
// does nothing.
func (q *Question) Cancel() {
	if q == nil {
		return
	}
	switch q.state {
	case queued:
		q.pool.waiting(q).remove(q)
		if q.pool.risky.n > 0 {
			q.pool.waker.Wake() // a risky question may be asked when nobody else waits
		}
		q.pool.recycle(q)
	case assigned:
		q.child.abandon(q)
	case settled:
		q.pool.recycle(q)
	case unused, abandoned:
		panic("BUG: a question was cancelled twice")
	}
}

// ask makes the question one of this line.
func (q *Question) ask(line []byte, w *loop.Waker, serial uint64) {
	q.text = append(q.text[:0], line...)
	q.waker, q.serial, q.askedAt = w, serial, q.pool.loop.Now()
	c := &q.pool.config
	switch {
	case c.Framing == nil && bytes.IndexByte(line, '\n') >= 0:
		q.settle(nil, ErrLineFeed)
	case c.LineMax > 0 && c.frame()+len(line) > c.LineMax:
		q.settle(nil, ErrTooLong)
	case q.pool.poison.remembers(line, q.askedAt):
		q.pool.lose(q)
	}
}

// lastChance reports whether the question is given up if one more child ends with it.
func (q *Question) lastChance() bool {
	return q.losses > 0 && q.losses == q.pool.config.Retries
}

// settle answers the question, and wakes whoever asked.
func (q *Question) settle(line []byte, err error) {
	q.waited = q.pool.loop.Now().Sub(q.askedAt)
	q.text = append(q.text[:0], line...)
	q.err = err
	q.child, q.held = nil, false
	q.state = settled
	q.waker.Wake()
}

const (
	maxFreeQuestions = 1024     // on the free list
	maxKeptText      = 4 * 1024 // bytes of capacity that each keeps
)

// newQuestion returns an unused question.
func (p *Pool) newQuestion() *Question {
	q := p.free.Get()
	q.pool = p
	return q
}

// Trim lets go of memory that questions have needed, and none has since the last Trim.
func (p *Pool) Trim() { p.free.Trim() }

// recycle puts a question on the free list.
func (p *Pool) recycle(q *Question) {
	text, answer := canary.Again(q.text, canary.Question, q.serial), canary.Again(q.answer, canary.Question, q.serial)
	if cap(text)+cap(answer) > maxKeptText {
		text, answer = nil, nil
	}
	*q = Question{pool: p, text: text, answer: answer}
	p.free.Put(q)
}
