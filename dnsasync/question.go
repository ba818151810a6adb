package dnsasync

import (
	"net/netip"
	"slices"
	"time"

	"exaproxy/engine/loop"
)

// familyGrace is how long after the first family with addresses the second is waited for.
// Then the Lookups are settled with what there is; the rest goes into the cache.
const familyGrace = 50 * time.Millisecond

// wholeGrace is the same for Lookups that want both.
const wholeGrace = 2 * time.Second

// A question is a key that name servers are asked about, once for all Lookups of it. It is
// a task, woken by its timer and when one of its queries has changed.
type question struct {
	resolver *Resolver
	key      key
	state    questionState
	waker    *loop.Waker
	timer    *loop.Timer
	lookups  []*Lookup // that wait
	deadline time.Time
	graceEnd time.Time // of the family that is late; zero: no family is there yet
	wholeEnd time.Time // the same for Lookups that want both families

	candidates []string // names still to be tried if the present one does not exist
	queries    []*query // one for each type of record
	from       int      // index of the server that is first in order
	first      *query   // whose addresses came first

	miss    ErrorKind      // the worst of the candidates; 0: none yet
	missTTL time.Duration  // the shortest
	missBy  netip.AddrPort // the server with the worst
}

// questionState is where a question is.
type questionState uint8

const (
	questionAsking  questionState = iota // Lookups wait and may join
	questionCaching                      // Lookups are settled; a family that is late is wanted for the cache
	questionDone
)

// newQuestion returns a question that starts in the loop's next pass, so that nothing
// happens within Lookup.
func newQuestion(r *Resolver, k key) *question {
	q := &question{resolver: r, key: k, deadline: r.loop.Now().Add(r.config.timeout())}
	if r.config.Rotate {
		q.from = r.turn % len(r.servers)
		r.turn++
	}
	q.waker = r.loop.NewWaker(q)
	q.timer = r.loop.NewTimer(q.waker)
	types := []uint16{typeA, typeAAAA}
	switch {
	case k.addr.IsValid():
		types, q.candidates = []uint16{typePTR}, []string{string(appendReverse(nil, k.addr))}
	case r.config.IPv4Only:
		types = types[:1]
		fallthrough
	default:
		q.candidates = r.config.candidates(k.name, k.rooted)
	}
	for _, qtype := range types {
		q.queries = append(q.queries, newQuery(q, qtype))
	}
	q.tryNext()
	return q
}

// tryNext asks for the next candidate.
func (q *question) tryNext() {
	name := q.candidates[0]
	q.candidates = q.candidates[1:]
	for _, p := range q.queries {
		p.start(name)
	}
	q.waker.Wake()
}

// Run does what is due: sends, gives up, settles.
func (q *question) Run() {
	now := q.resolver.loop.Now()
	for _, p := range q.queries {
		p.advance(now)
	}
	switch {
	case q.pending():
		if grace, ok := q.grace(); ok && !now.Before(grace) {
			q.settle()
		}
		q.timer.Set(q.due().Sub(now))
	case q.first == nil && q.recordMiss():
		q.tryNext()
	default:
		q.settle()
		q.end()
	}
}

// pending reports whether a query still waits for servers.
func (q *question) pending() bool {
	for _, p := range q.queries {
		if p.state == queryAsking {
			return true
		}
	}
	return false
}

// due returns when there is something to do if no server answers.
func (q *question) due() time.Time {
	due := q.deadline
	for _, p := range q.queries {
		if p.state == queryAsking && p.due.Before(due) {
			due = p.due
		}
	}
	if grace, ok := q.grace(); ok && grace.Before(due) {
		due = grace
	}
	return due
}

// grace returns when the next Lookups have waited long enough for the second family. ok is false if
// it is not that alone which is waited for.
func (q *question) grace() (until time.Time, ok bool) {
	if q.state != questionAsking || q.first == nil {
		return time.Time{}, false
	}
	if len(q.lookups) > 0 && !slices.ContainsFunc(q.lookups, func(l *Lookup) bool { return !l.whole }) {
		return q.wholeEnd, true
	}
	return q.graceEnd, true
}

// found records that a query has records.
func (q *question) found(p *query) {
	if q.first == nil {
		q.first = p
		now := q.resolver.loop.Now()
		q.graceEnd, q.wholeEnd = now.Add(familyGrace), now.Add(wholeGrace)
	}
}

// recordMiss records that there is nothing under the present candidate, and reports whether
// to try another.
func (q *question) recordMiss() bool {
	for _, p := range q.queries {
		ttl := p.missTTL()
		if q.miss == 0 || ttl < q.missTTL {
			q.missTTL = ttl
		}
		if p.miss > q.miss { // kinds are in the order of severity
			q.miss, q.missBy = p.miss, p.missBy
		}
	}
	return q.miss != Timeout && len(q.candidates) > 0
}

// settle settles the Lookups with what there is, and caches it. When the other family
// comes after that, it only goes into the cache.
func (q *question) settle() {
	e, ttl := q.outcome()
	e.partial = q.pending()
	if ttl > 0 {
		q.resolver.cache.put(e)
	}
	q.settleLookups(e)
}

// settleLookups settles the Lookups that wait, but for those that want both families and need not do
// without the second yet. When all are, none can join from now on.
func (q *question) settleLookups(e *entry) {
	if q.state != questionAsking {
		return
	}
	wholeWaits := e.partial && q.resolver.loop.Now().Before(q.wholeEnd)
	var waiting []*Lookup
	for _, l := range q.lookups {
		if wholeWaits && l.whole {
			l.index = len(waiting)
			waiting = append(waiting, l)
			continue
		}
		l.settle(e)
	}
	q.lookups = waiting
	if len(waiting) == 0 {
		q.state = questionCaching
		delete(q.resolver.questions, q.key)
	}
}

// outcome returns what is known now, and for how long it may be cached.
func (q *question) outcome() (*entry, time.Duration) {
	if q.first == nil {
		e := q.resolver.newEntry(q.key, q.missTTL)
		e.err = &Error{Name: q.key.String(), Kind: q.miss, Server: q.missBy}
		return e, q.missTTL
	}
	now := q.resolver.loop.Now()
	ttl := q.first.expires.Sub(now)
	first, second := q.first.addrs, []netip.Addr(nil)
	for _, p := range q.queries {
		if p == q.first || p.state != queryFound {
			continue
		}
		second, ttl = p.addrs, min(ttl, p.expires.Sub(now))
		if p.qtype == q.resolver.config.Prefer.qtype() {
			first, second = second, first
		}
	}
	e := q.resolver.newEntry(q.key, ttl)
	e.addrs, e.names = interleave(first, second), q.first.names
	return e, ttl
}

// interleave returns the addresses of both in turns, beginning with those of first.
func interleave(first, second []netip.Addr) []netip.Addr {
	if len(second) == 0 {
		return first
	}
	addrs := make([]netip.Addr, 0, len(first)+len(second))
	for i := range max(len(first), len(second)) {
		if i < len(first) {
			addrs = append(addrs, first[i])
		}
		if i < len(second) {
			addrs = append(addrs, second[i])
		}
	}
	return addrs
}

// drop ends the question without an answer, which is not cached.
func (q *question) drop(why ErrorKind) {
	e := q.resolver.newEntry(q.key, 0)
	e.err = &Error{Name: q.key.String(), Kind: why}
	q.settleLookups(e)
	q.end()
}

// Abort ends a question about which we have erred.
func (q *question) Abort() { q.drop(ServerFailure) }

func (q *question) end() {
	if q.state == questionDone {
		return
	}
	q.state = questionDone
	for _, p := range q.queries {
		p.unregister()
	}
	q.timer.Clear()
	q.waker.Retire()
}

// join returns a Lookup that waits for the question.
func (q *question) join(w *loop.Waker, whole bool) *Lookup {
	l := &Lookup{loop: q.resolver.loop, waker: w, question: q, index: len(q.lookups), whole: whole}
	l.began = q.resolver.loop.Now()
	q.lookups = append(q.lookups, l)
	if q.first != nil {
		q.waker.Wake() // it may have waited long enough already
	}
	return l
}

// remove removes a Lookup that was cancelled; the last moves to its index.
func (q *question) remove(l *Lookup) {
	last := len(q.lookups) - 1
	q.lookups[l.index] = q.lookups[last]
	q.lookups[l.index].index = l.index
	q.lookups[last] = nil
	q.lookups = q.lookups[:last]
	l.question = nil
}
