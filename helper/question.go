package helper

import (
	"bytes"
	"errors"
	"time"

	"exaproxy/engine/loop"
)

var (
	// ErrLost settles a question that ended one child more than Config.Retries allows.
	ErrLost = errors.New("ask helper: every child that was asked ended without an answer")
	// ErrClosed settles a question that the pool will not ask any more.
	ErrClosed = errors.New("ask helper: the pool is closed")
	// ErrLineFeed settles a question that contains a line feed: it would be two questions,
	// and every later answer would be another question's.
	ErrLineFeed = errors.New("ask helper: the question contains a line feed")
)

// standing is where a question is.
type standing uint8

const (
	unused  standing = iota // on the pool's free list, or not yet asked
	queued                  // in the backlog → given, settled, unused
	given                   // in a child's hands → settled, dropped; queued again if the child is lost
	dropped                 // in a child's hands, and its asker has gone → unused
	settled                 // has its answer or its error → unused
)

// A Question is a line on its way to a child, and the line that came back. It belongs to
// whoever asked until Cancel or Late; then to the pool, which uses it again for others.
// It is used on the loop's goroutine only.
type Question struct {
	pool     *Pool
	waker    *loop.Waker
	standing standing
	text     []byte // what is asked; once settled, what was answered
	err      error

	child   *child // who has it in hand
	channel int
	end     uint64 // where it ends in all that was ever meant for this child
	stuck   bool   // dropped because it was late

	serial uint64 // questions are given in this order
	asked  time.Time
	handed time.Time     // when it was last given to a child
	waited time.Duration // from asking to settling
	losses int           // how many children have ended with it in hand

	prev, next *Question // neighbours in the backlog; next also on the free list
}

// Answer returns the line that answers the question, without its line end and channel number,
// or why there will be none: ErrLost, ErrClosed, ErrLineFeed. Until done the other two are nil.
// The line may be empty, and is valid until Cancel.
func (q *Question) Answer() (line []byte, done bool, err error) {
	switch q.standing {
	case queued, given:
		return nil, false, nil
	case settled:
		if q.err != nil {
			return nil, true, q.err
		}
		return q.text, true, nil
	case unused, dropped:
	}
	panic("BUG: a question was looked at after its Cancel")
}

// Waited returns how long the question waited for its answer, or has waited so far.
func (q *Question) Waited() time.Duration {
	if q.standing == settled {
		return q.waited
	}
	return q.pool.loop.Now().Sub(q.asked)
}

// Cancel gives the question back to the pool, answered or not; it must not be used again. An
// answer that comes later is thrown away: a child cannot be interrupted. On a nil Question it
// does nothing.
func (q *Question) Cancel() {
	if q == nil {
		return
	}
	switch q.standing {
	case queued:
		if q.lastChance() {
			q.pool.waker.Wake() // others need not wait for a free child any more
		}
		q.pool.backlog.remove(q)
		q.pool.recycle(q)
	case given:
		q.child.drop(q)
	case settled:
		q.pool.recycle(q)
	case unused, dropped:
		panic("BUG: a question was cancelled twice")
	}
}

// Late is Cancel for a question whose deadline has passed, and tells the pool that its child
// may be stuck. A child that takes one question at a time is killed and replaced; one with
// channels when all of them are stuck. On a nil Question it does nothing.
func (q *Question) Late() {
	if q == nil {
		return
	}
	p := q.pool
	switch q.standing {
	case queued:
		p.stats.late++
		p.suspect(q.Waited())
	case given:
		p.stats.late++
		q.child.overdue(q)
		return
	case unused, dropped, settled:
	}
	q.Cancel()
}

// ask makes the question one of this line.
func (q *Question) ask(line []byte, w *loop.Waker, serial uint64) {
	q.text = append(q.text[:0], line...)
	q.waker, q.serial, q.asked = w, serial, q.pool.loop.Now()
	if bytes.IndexByte(line, '\n') >= 0 {
		q.settle(nil, ErrLineFeed)
	}
}

// lastChance says that the question will not be asked again if one more child ends with it.
func (q *Question) lastChance() bool {
	return q.losses > 0 && q.losses == q.pool.config.Retries
}

// settle ends the waiting of whoever asked.
func (q *Question) settle(line []byte, err error) {
	q.waited = q.pool.loop.Now().Sub(q.asked)
	q.text = append(q.text[:0], line...)
	q.err = err
	q.child = nil
	q.standing = settled
	q.waker.Wake()
}

const (
	spareQuestions = 1024     // of the free list
	spareText      = 4 * 1024 // bytes of each that are kept
)

// fresh returns a question that nobody uses.
func (p *Pool) fresh() *Question {
	q := p.free
	if q == nil {
		return &Question{pool: p}
	}
	p.free, q.next = q.next, nil
	p.spare--
	return q
}

// recycle takes back a question that nobody uses any more.
func (p *Pool) recycle(q *Question) {
	text := q.text[:0]
	*q = Question{pool: p}
	if p.spare == spareQuestions {
		return
	}
	if cap(text) <= spareText {
		q.text = text
	}
	q.next, p.free = p.free, q
	p.spare++
}
