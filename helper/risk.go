package helper

import (
	"bytes"
	"hash/maphash"
	"time"
)

const (
	stormTime   = time.Minute // how long deaths with a question in flight are remembered
	stormDeaths = 3           // how many of them within it are a storm
	learnLines  = 100         // answered lines after which a pool knows what is ordinary

	mostBlamed   = 64               // questions that wait and are likely to have ended a child
	maxBlameWait = 30 * time.Second // how long each of them does
	riskySweep   = time.Second      // how often that is looked at

	restFactor = 4 // starts that a single child serves the others after one, before it is risked again

	mostPoison = 4096             // lines that are remembered because they were given up
	poisonTime = 10 * time.Minute // for which they are
)

// ordinary is what a pool has learnt of the lines that were answered: which bytes occur in them, and how
// long they are at most. A line that a program cannot survive is unusual more often than not.
type ordinary struct {
	bytes   [256]bool
	longest int
	lines   int
}

// learn records a line that was answered.
func (o *ordinary) learn(line []byte) {
	for _, b := range line {
		o.bytes[b] = true
	}
	o.longest = max(o.longest, len(line))
	o.lines++
}

// unusual reports whether no line like this was answered before: it has a byte that none had, or is more
// than twice as long as any. As long as little is known it is what is not printable ASCII, as no URL needs to be.
func (o *ordinary) unusual(line []byte) bool {
	if o.lines < learnLines {
		return bytes.IndexFunc(line, func(r rune) bool { return r < ' ' || r > '~' }) >= 0
	}
	if len(line) > 2*o.longest {
		return true
	}
	for _, b := range line {
		if !o.bytes[b] {
			return true
		}
	}
	return false
}

// A storm is the recent deaths of children that had a question in flight.
type storm struct {
	deaths  [stormDeaths]time.Time
	unusual time.Time // the last that had an unusual question

	cost bool      // a child was lost to a risky question, and no other has become ready since
	rest time.Time // until when a single child is not risked again
}

// rages reports whether unusual questions are to be asked with care.
func (s *storm) rages(now time.Time) bool {
	return within(s.deaths[0], stormTime, now) || within(s.unusual, stormTime, now)
}

// recordDeath records that a child has ended by itself with questions that it had read, and marks those
// as blamed that are likely to have done it: the only one, an unusual one. One that has its last chance is
// risky too, so that it is not given up because of others.
// It returns whether one was risky before or is unusual: others need not wait for longer because of it.
func (p *Pool) recordDeath(suspects []*Question, now time.Time) (risky bool) {
	if len(suspects) == 0 {
		return false
	}
	copy(p.storm.deaths[:], p.storm.deaths[1:])
	p.storm.deaths[stormDeaths-1] = now
	for _, q := range suspects {
		unusual := p.ordinary.unusual(q.text)
		if unusual {
			p.storm.unusual = now
		}
		risky = risky || q.blamed || unusual
		q.blamed = q.blamed || unusual || len(suspects) == 1
		q.risky = q.risky || q.blamed || q.lastChance()
	}
	return risky
}

// isRisky reports whether a question that was never asked is to be asked with care.
func (p *Pool) isRisky(q *Question) bool {
	return p.storm.rages(p.loop.Now()) && p.ordinary.unusual(q.text)
}

// wary moves a question that was never asked from the backlog to the risky ones.
func (p *Pool) wary(q *Question) {
	p.backlog.remove(q)
	q.risky, q.blamed = true, true
	p.putRisky([]*Question{q})
}

// putRisky has questions wait that are asked with care.
func (p *Pool) putRisky(all []*Question) {
	now := p.loop.Now()
	for _, q := range all {
		q.riskyAt = now
	}
	p.risky.putBack(all)
	p.limitBlamed()
}

// dispatchRisky assigns risky questions, each alone to a child.
func (p *Pool) dispatchRisky() {
	if p.riskyTimer.Expired() {
		p.limitBlamed()
	}
	for p.risky.n > 0 && p.mayRisk() {
		c := p.vacant()
		if c == nil {
			return // one is reserved
		}
		p.reserved = nil
		if c.readyForNext() {
			q := p.leastRisky()
			p.risky.remove(q)
			c.assign(q)
		}
	}
	p.reserved = nil
}

// mayRisk reports whether one more child may be given a risky question: no more than a quarter of them,
// or one, are to be missing at a time. A single child is risked when nobody else waits for it, and for what
// is unusual now and then only.
func (p *Pool) mayRisk() bool {
	missing := p.target - p.active
	for _, c := range p.children {
		if c.comesUp() || c.state == serving && c.exclusive && c.awaited > 0 {
			missing++
		}
	}
	return missing < max(p.target/4, 1) && (p.target > 1 || p.mayRiskSingle())
}

func (p *Pool) mayRiskSingle() bool {
	resting := p.loop.Now().Before(p.storm.rest)
	return p.backlog.n == 0 && !(resting && p.ordinary.unusual(p.leastRisky().text))
}

// vacant returns a child that nobody waits for. If there is none, it reserves one, which will be.
func (p *Pool) vacant() (best *child) {
	if r := p.reserved; r != nil && r.state == serving {
		if r.awaited == 0 && r.channels.n < p.config.capacity() {
			return r
		}
		return nil
	}
	p.reserved = nil
	for _, c := range p.children {
		switch {
		case !c.hasRoom() && (c.state != serving || c.exclusive):
		case c.hasRoom() && c.awaited == 0:
			return c
		case best == nil || c.awaited < best.awaited:
			best = c
		}
	}
	p.reserved = best
	return nil
}

// leastRisky returns the waiting question that is asked next: the first that looks ordinary, if any.
func (p *Pool) leastRisky() *Question {
	for q := p.risky.first; q != nil; q = q.next {
		if !p.ordinary.unusual(q.text) {
			return q
		}
	}
	return p.risky.first
}

// limitBlamed gives up questions that are likely to have ended a child and wait for too long, or are too
// many. While no child is ready everybody waits.
func (p *Pool) limitBlamed() {
	now, blamed, ready := p.loop.Now(), 0, p.hasReadyChild()
	for q := p.risky.first; q != nil; {
		next := q.next
		switch {
		case !q.blamed:
		case ready && now.Sub(q.riskyAt) > maxBlameWait:
			p.risky.remove(q)
			p.lose(q)
		default:
			blamed++
		}
		q = next
	}
	for ; blamed > mostBlamed; blamed-- {
		q := p.mostBlamed()
		p.risky.remove(q)
		p.lose(q)
	}
	p.riskyTimer.Clear()
	if blamed > 0 {
		p.riskyTimer.Set(riskySweep)
	}
}

// mostBlamed returns the question that is given up if there are too many: the first that is unusual.
func (p *Pool) mostBlamed() (first *Question) {
	for q := p.risky.first; q != nil; q = q.next {
		switch {
		case !q.blamed:
		case p.ordinary.unusual(q.text):
			return q
		case first == nil:
			first = q
		}
	}
	return first
}

// A poison is the lines that were given up, by their hashes: they are refused while they are remembered.
type poison struct {
	seed  maphash.Seed
	until map[uint64]time.Time
	order []uint64 // the oldest first
}

// remember records a line.
func (p *poison) remember(line []byte, now time.Time) {
	if p.until == nil {
		p.seed, p.until = maphash.MakeSeed(), map[uint64]time.Time{}
	}
	hash := maphash.Bytes(p.seed, line)
	if _, known := p.until[hash]; !known {
		p.order = append(p.order, hash)
	}
	p.until[hash] = now.Add(poisonTime)
	for len(p.order) > mostPoison {
		delete(p.until, p.order[0])
		p.order = p.order[1:]
	}
}

// remembers reports whether exactly this line was given up lately.
func (p *poison) remembers(line []byte, now time.Time) bool {
	if len(p.until) == 0 {
		return false
	}
	return now.Before(p.until[maphash.Bytes(p.seed, line)])
}
