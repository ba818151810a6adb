package helper

import (
	"slices"
	"time"

	"exaproxy/engine/loop"
)

const scratchSize = 64 << 10 // bytes that are read from a child at a time

// A Pool keeps the processes that answer lines, and the questions that wait for them. It belongs
// to one loop, and is used on that loop's goroutine only.
type Pool struct {
	loop    *loop.Loop
	config  Config
	waker   *loop.Waker
	backlog backlog

	risky      backlog     // questions that are likely to end their child, behind all others
	riskyTimer *loop.Timer // when those are looked at that wait for long
	lookTimer  *loop.Timer // when a question may be asked that may not yet
	keptFree   *child      // that takes no ordinary question because a risky one waits for it
	expiry     *loop.Timer // when a conversation has to give its child to what waits
	hurry      int         // how many waited when it was set
	answered   *answered   // what is known of lines that were answered
	storm      storm
	poison     poison
	doubts     doubts

	old, successor *Pool // see Succeed
	superseded     bool  // before any child was ready

	children []*child // in the order of their numbers, until their processes have ended
	active   int      // of them, those that are starting or serving
	target   int      // how many are to be active
	started  int      // so far; the number of the last
	health   health
	closing  bool
	patience time.Duration            // between the end of a child's input and SIGTERM, and between that and SIGKILL
	left     []*child                 // that have ended and left others in their group, which are being ended
	warned   map[string]*loop.Limiter // by kind of warning
	terminal need                     // whether children are to have one
	trials   int                      // of terminals, so far
	bannered bool                     // it was said that children write something before they are ready

	serial  uint64 // of the last question
	free    loop.FreeList[Question]
	scratch []byte
	stats   counters
}

// NewPool starts children, in the background, and returns the pool. Whether the program can
// be run is not known yet: see Check. A program that cannot be run is tried again for ever,
// ever less often, and questions wait.
//
// The loop must outlive the pool: it is to turn until Closed.
func NewPool(l *loop.Loop, c Config) *Pool {
	p := &Pool{loop: l, config: c.withDefaults(), answered: &answered{}, storm: storm{deadly: &harm{}}, scratch: make([]byte, scratchSize),
		patience: exitTimeout}
	p.free.Most = maxFreeQuestions
	p.waker = l.NewWaker(p)
	p.health.timer = l.NewTimer(p.waker)
	p.riskyTimer, p.lookTimer, p.expiry = l.NewTimer(p.waker), l.NewTimer(p.waker), l.NewTimer(p.waker)
	p.terminal = needOf(p.config.PTY)
	p.target = p.config.Startup
	p.reportStart()
	p.dispatch()
	return p
}

// Ask asks a line, without line feed and without channel number, and wakes w when it is
// answered. It never refuses and never waits; the line is copied. The question belongs to the
// caller until its Cancel.
func (p *Pool) Ask(line []byte, w *loop.Waker) *Question { return p.taker().ask(line, w, nil) }

// ask asks a question, which begins a conversation if t is not nil.
func (p *Pool) ask(line []byte, w *loop.Waker, t *Conversation) *Question {
	q := p.newQuestion()
	q.talk = t
	p.serial++
	q.ask(line, w, p.serial)
	switch {
	case q.state == settled: // it cannot be asked
	case p.Closed():
		q.settle(nil, ErrClosed)
	default:
		p.admit(q)
		p.dispatch()
	}
	return q
}

// Run does what can be done now; the pool's waker calls it.
func (p *Pool) Run() { p.dispatch() }

// dispatch assigns waiting questions to children with room, starts children if there are not
// enough, and ends them if the pool is closing.
func (p *Pool) dispatch() {
	if p.closing && p.successor != nil {
		p.handOver()
	}
	p.lookTimer.Clear()
	p.expireConversations()
	p.dispatchOrdinary()
	keptFree := p.keptFree
	p.dispatchRisky()
	if keptFree != nil && p.keptFree != keptFree {
		p.dispatchOrdinary() // it takes ordinary questions again
	}
	p.grow()
	if p.closing && p.backlog.n == 0 && p.risky.n == 0 {
		p.retireAll()
	}
}

// dispatchOrdinary assigns what waits in the backlog.
func (p *Pool) dispatchOrdinary() {
	if p.backlog.n > 0 {
		p.noticeStall()
	}
	for p.backlog.n > 0 {
		c := p.next()
		if c == nil {
			return
		}
		if !c.readyForNext() { // it is being replaced
			continue
		}
		q := p.choose()
		if q == nil {
			return
		}
		p.backlog.remove(q)
		c.assign(q)
	}
}

// next returns the child that gets the next question: the first that has nothing in flight, else the
// one with the least among those with room; nil if there is none.
func (p *Pool) next() (best *child) {
	for _, c := range p.children {
		switch {
		case !c.hasRoom():
		case c.channels.n == 0:
			return c
		case best == nil || c.channels.n < best.channels.n:
			best = c
		}
	}
	return best
}

// waiting returns the queue that a question waits in.
func (p *Pool) waiting(q *Question) *backlog {
	if q.risky {
		return &p.risky
	}
	return &p.backlog
}

// grow starts children: enough for the backlog and for Idle of them to have room, and in
// place of those that have ended. A pool does not shrink by itself.
func (p *Pool) grow() {
	target := p.active + p.shortage()
	if !p.closing {
		target = max(target, p.target)
	}
	p.target = min(target, p.config.Children)
	for p.active < p.target && p.mayStart() {
		p.start()
	}
}

// shortage returns how many children with room are missing.
func (p *Pool) shortage() int {
	capacity := p.config.capacity()
	if p.config.pipelined() {
		capacity = 1 // to give lines ahead is for when there are no more children
	}
	need := (p.backlog.n + min(p.risky.n, 1) + p.givenAhead() + capacity - 1) / capacity
	if !p.closing {
		need = max(need, p.config.Idle)
	}
	if p.backlog.n > 0 && p.storm.rages(p.loop.Now()) && !p.mayVenture() {
		need++ // one that has room may be kept for others
	}
	for _, c := range p.children {
		if need == 0 {
			break
		}
		if c.comesUp() || c.hasRoom() && (c.channels.n == 0 || !p.config.pipelined()) {
			need--
		}
	}
	return need
}

// retireAll ends all children that have nothing to do any more.
func (p *Pool) retireAll() {
	for _, c := range p.children {
		c.retire()
	}
}

// Queue returns how many questions wait for a child.
func (p *Pool) Queue() int {
	p = p.taker()
	return p.backlog.n + p.risky.n
}

// Unanswered returns how many questions wait for a child or are with one.
func (p *Pool) Unanswered() int {
	p = p.taker()
	n := p.backlog.n + p.risky.n
	for _, c := range p.children {
		n += c.channels.n
	}
	return n
}

// Busy reports whether no child has room and none may be started now: because there are as
// many as Config.Children, or because the last ones ended at once.
func (p *Pool) Busy() bool {
	p = p.taker()
	for _, c := range p.children {
		if c.comesUp() || c.hasRoom() {
			return false
		}
	}
	return p.active >= p.config.Children || !p.mayStart()
}

// Serving returns how many processes are ready for questions, and how many there may be.
func (p *Pool) Serving() (ready, most int) {
	p = p.taker()
	for _, c := range p.children {
		if c.state == serving {
			ready++
		}
	}
	return ready, p.config.Children
}

// Close ends the pool. With drain, questions asked so far are answered first, and so are
// those that come while they are; without, they are settled at once with ErrClosed. Children
// see the end of their input; one that ignores it is terminated after a while. Close may be
// called again without drain to cut the draining short.
func (p *Pool) Close(drain bool) {
	p.closing = true
	if p.old != nil {
		p.old.Close(drain)
		p.old = nil
	}
	if !drain {
		for p.backlog.n > 0 {
			p.backlog.pop().settle(nil, ErrClosed)
		}
		for p.risky.n > 0 {
			p.risky.pop().settle(nil, ErrClosed)
		}
		for _, c := range p.children {
			c.closeQuestions()
		}
	}
	p.dispatch()
}

// Closed reports whether, after Close, all questions are settled and the last child has ended:
// nothing is left of the pool on the loop or outside.
func (p *Pool) Closed() bool {
	return p.closing && len(p.children) == 0 && len(p.left) == 0 && p.backlog.n == 0 && p.risky.n == 0
}

// CloseWithin is Close without drain for the end of the program. Children have half of grace to end after the end of
// their input, and the other half after SIGTERM; whoever is left then, of the groups of all of them, is killed. It may
// be called again, with less.
func (p *Pool) CloseWithin(grace time.Duration) {
	p.patience = min(p.patience, grace/2)
	p.Close(false)
	for _, c := range p.children {
		c.hasten()
	}
	for _, c := range p.left {
		c.process.Kill(p.patience)
	}
}

// removeChild removes a child whose process has ended.
func (p *Pool) removeChild(c *child) {
	for i := range p.children {
		if p.children[i] == c {
			p.children = append(p.children[:i], p.children[i+1:]...)
			break
		}
	}
	if p.keptFree == c {
		p.keptFree = nil
	}
	p.retireIfClosed()
}

// forgetLeft records that nobody is left of the group of a child that has ended.
func (p *Pool) forgetLeft(c *child) {
	p.left = slices.DeleteFunc(p.left, func(other *child) bool { return other == c })
	p.retireIfClosed()
}

// retireIfClosed gives back what the pool has of the loop once it is closed.
func (p *Pool) retireIfClosed() {
	if p.Closed() {
		p.health.timer.Clear()
		p.riskyTimer.Clear()
		p.lookTimer.Clear()
		p.expiry.Clear()
		p.scratch = nil
		p.waker.Retire()
	}
}
