package dnsasync

import (
	"net/netip"
	"time"

	"exaproxy/engine/loop"
)

// familyGrace is how long after the first family with addresses the second is waited for.
// Then the Lookups are settled with what there is; the rest goes into the cache.
const familyGrace = 50 * time.Millisecond

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

	candidates []string // names still to be tried if the present one does not exist
	queries    []*query // one for each type of record
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
		if q.state == questionAsking && q.first != nil && !now.Before(q.graceEnd) {
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
	if q.state == questionAsking && q.first != nil && q.graceEnd.Before(due) {
		due = q.graceEnd
	}
	return due
}

// found records that a query has records.
func (q *question) found(p *query) {
	if q.first == nil {
		q.first = p
		q.graceEnd = q.resolver.loop.Now().Add(familyGrace)
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
	if ttl > 0 {
		q.resolver.cache.put(e)
	}
	q.settleLookups(e)
}

// settleLookups settles the Lookups that wait; none can join from now on.
func (q *question) settleLookups(e *entry) {
	if q.state != questionAsking {
		return
	}
	q.state = questionCaching
	delete(q.resolver.questions, q.key)
	for _, l := range q.lookups {
		l.settle(e)
	}
	q.lookups = nil
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
	var second []netip.Addr
	for _, p := range q.queries {
		if p != q.first && p.state == queryFound {
			second, ttl = p.addrs, min(ttl, p.expires.Sub(now))
		}
	}
	e := q.resolver.newEntry(q.key, ttl)
	e.addrs, e.names = interleave(q.first.addrs, second), q.first.names
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

// close ends the question without an answer, when the resolver is closed.
func (q *question) close() {
	e := q.resolver.newEntry(q.key, 0)
	e.err = &Error{Name: q.key.String(), Kind: Closed}
	q.settleLookups(e)
	q.end()
}

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
func (q *question) join(w *loop.Waker) *Lookup {
	l := &Lookup{resolver: q.resolver, waker: w, question: q, index: len(q.lookups)}
	l.began = q.resolver.loop.Now()
	q.lookups = append(q.lookups, l)
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
