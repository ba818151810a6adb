package helper

import (
	"errors"
	"time"

	"exaproxy/engine/loop"
)

// ErrExpired settles the next question of a conversation whose child was needed for another one: nobody had gone
// on with it for Config.Reservation.
var ErrExpired = errors.New("ask helper: the conversation was left for too long, and its child serves another")

// A Conversation is questions that have to be put to one child in turn, as the steps of a handshake are: the first
// goes to any child that has room, and that child is reserved until End. It belongs to whoever began it, and is
// used on the loop's goroutine only. Config.Concurrency must be 0.
//
// A child that is reserved is asked nothing else. Where questions wait and no other child has room, the
// conversations that were begun more than Config.Reservation ago and have no question in flight lose theirs, the
// oldest first; the sooner, the more often all children would have to be reserved anew for those that wait. The child is told nothing of that, nor of an End in the middle: what it is asked next begins a
// new conversation, and it has to forget the old one.
//
// The first question that is lost with its child is asked again, as others are. A later one cannot be: no other
// child knows what was said before.
type Conversation struct {
	pool  *Pool
	child *child // that is reserved; nil: none yet, or none any more
	over  error  // why there is none any more; nil: it goes on, or has not begun
	begun time.Time
}

// Converse begins a conversation. Nobody is reserved before the answer to its first question is on its way.
func (p *Pool) Converse() *Conversation { return &Conversation{pool: p} }

// Ask asks the next question, like Pool.Ask. The one before must have been answered, or was cancelled before it had
// a child; the conversation must not have ended. ErrLost and ErrExpired say that it is over.
func (t *Conversation) Ask(line []byte, w *loop.Waker) *Question {
	if t.child == nil && t.over == nil {
		return t.pool.taker().ask(line, w, t)
	}
	p := t.pool
	if t.child != nil {
		p = t.child.pool
	}
	p.serial++
	q := p.newQuestion()
	q.ask(line, w, p.serial)
	if q.state != settled {
		t.goOn(q)
	}
	return q
}

// goOn puts a question to the child that is reserved.
func (t *Conversation) goOn(q *Question) {
	if t.child != nil && t.child.channels.n > 0 {
		panic("BUG: a conversation asks two questions at a time")
	}
	if t.child != nil && t.child.quiet() && t.child != nil { // who is not quiet is replaced
		q.talk, q.follows = t, true
		t.child.assign(q)
		return
	}
	q.settle(nil, t.over)
}

// End lets go of the child, whatever the conversation has come to. On a nil Conversation it does nothing.
func (t *Conversation) End() {
	if t != nil {
		t.leave(ErrExpired)
	}
}

// leave has the conversation be over, and its child be free.
func (t *Conversation) leave(why error) {
	c := t.child
	if t.over == nil {
		t.over = why
	}
	t.child = nil
	if c == nil {
		return
	}
	c.talk = nil
	if c.state == draining {
		c.retire()
	}
	c.pool.waker.Wake()
}

// reserve has the child be that of the conversation which the question begins.
func (c *child) reserve(t *Conversation) {
	if t.over != nil { // it has ended while the question waited
		return
	}
	t.child, t.begun = c, c.pool.loop.Now()
	c.talk = t
}

// loseConversation ends the conversation of a child that ends. Its first question may begin it anew.
func (c *child) loseConversation() {
	t := c.talk
	if t == nil {
		return
	}
	c.talk, t.child = nil, nil
	q := c.channels.at(0)
	if again := q != nil && q.talk == t && q.state == assigned && !q.follows && !q.held; !again {
		t.over = ErrLost
	}
}

// expireConversations frees children for what waits, if none has room; of a pool that is closing all, in time.
func (p *Pool) expireConversations() {
	n := p.backlog.n + p.risky.n
	if p.expiry.Armed() && n <= p.hurry {
		return // none is over the time before it expires
	}
	for ; p.closing || n > 0 && !p.hasRoom(); n-- {
		c := p.oldestReserved()
		if c == nil {
			return
		}
		if left := p.reservation(n) - p.loop.Now().Sub(c.talk.begun); left > 0 {
			p.expiry.Set(left)
			p.hurry = n
			return
		}
		p.stats.expired++
		c.talk.leave(ErrExpired)
	}
}

// leastReservation is how long a child is reserved however many wait: a client that wants to goes on within it.
const leastReservation = 2 * time.Second

// reservation returns how long a child is reserved where n questions wait. Clients that begin handshakes and do not
// go on would otherwise keep all children from others for ever more Reservations, the more of them there are.
func (p *Pool) reservation(n int) time.Duration {
	all := p.config.Reservation
	return max(all/time.Duration(1+max(n-1, 0)/p.config.Children), min(all, leastReservation))
}

// oldestReserved returns the child, without a question in flight, that was reserved before all others.
func (p *Pool) oldestReserved() (oldest *child) {
	for _, c := range p.children {
		if c.talk != nil && c.channels.n == 0 && (oldest == nil || c.talk.begun.Before(oldest.talk.begun)) {
			oldest = c
		}
	}
	return oldest
}

func (p *Pool) hasRoom() bool {
	for _, c := range p.children {
		if c.hasRoom() {
			return true
		}
	}
	return false
}
