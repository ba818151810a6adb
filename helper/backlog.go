package helper

import "slices"

// A backlog is the questions that wait for a child, in the order of their asking. It is a
// list through the questions themselves: every operation costs the same however many wait,
// and a burst leaves no memory behind.
type backlog struct {
	first, last *Question
	n           int
}

// push appends a question.
func (b *backlog) push(q *Question) { b.insert(q, nil) }

// pop removes the first question; there must be one.
func (b *backlog) pop() *Question {
	q := b.first
	b.remove(q)
	return q
}

// putBack inserts questions that were lost with a child. They were asked before all that have
// not been assigned yet, so they go to the head, in order with others that were lost before
// them. It sorts the slice.
func (b *backlog) putBack(lost []*Question) {
	slices.SortFunc(lost, func(x, y *Question) int { return int(int64(x.serial - y.serial)) })
	at := b.first
	for _, q := range lost {
		for at != nil && at.serial < q.serial {
			at = at.next
		}
		b.insert(q, at)
	}
}

// insert puts q before at, or at the end if at is nil.
func (b *backlog) insert(q, at *Question) {
	q.state = queued
	q.next = at
	if at == nil {
		q.prev, b.last = b.last, q
	} else {
		q.prev, at.prev = at.prev, q
	}
	if q.prev == nil {
		b.first = q
	} else {
		q.prev.next = q
	}
	b.n++
}

func (b *backlog) remove(q *Question) {
	if q.prev == nil {
		b.first = q.next
	} else {
		q.prev.next = q.next
	}
	if q.next == nil {
		b.last = q.prev
	} else {
		q.next.prev = q.prev
	}
	q.prev, q.next = nil, nil
	b.n--
}

// each calls f for the first questions, so many at most. F may not change the list.
func (b *backlog) each(most int, f func(q *Question)) {
	for q := b.first; q != nil && most > 0; q = q.next {
		f(q)
		most--
	}
}

// eachLast does the same for the last ones, the last first.
func (b *backlog) eachLast(most int, f func(q *Question)) {
	for q := b.last; q != nil && most > 0; q = q.prev {
		f(q)
		most--
	}
}
