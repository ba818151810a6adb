package helper

import (
	"hash/maphash"
	"time"
)

const (
	stormTime  = time.Minute // how long the death of a child with a question in flight is remembered
	mostJudged = 512         // questions of a queue that are judged at a time
	mostChosen = 1 << 12     // that one is chosen from
	judgeAgain = 250 * time.Millisecond
	patience   = time.Second     // after which a question has its turn though others are safer
	maxRisked  = 5 * time.Second // the same for a risky one with a single child

	mostBlamed   = 64               // questions that wait and were alone with a child that ended
	maxBlameWait = 30 * time.Second // how long each of them does
	riskySweep   = time.Second      // how often that is looked at

	stallFactor = 20                     // times the average that a question takes are a stall
	leastStall  = 100 * time.Millisecond // but no less

	restFactor = 4 // starts that a single child serves the others after one, before it is risked again

	mostPoison = 4096             // lines that are remembered because they were given up
	poisonTime = 10 * time.Minute // for which they are

	surelyKnown = 1000 // answered lines after which not each is learnt of
	learnEvery  = 8    // but one of so many
)

// A storm is a time in which children end of what they are asked. Which questions do that nobody can tell
// who has not asked them, but those that do have something in common more often than not, which the
// others, that are answered, do not have. So those that are like the ones of which children ended wait
// behind the others; nobody is refused for that.
type storm struct {
	death  time.Time // the last of a child that had a question in flight
	deadly *harm     // the lines of those questions
	least  float32   // threshold of them, as of the last judgement
	judged time.Time // when all that waits was judged last
	aged   bool      // the last question was chosen because it had waited for long

	cost bool      // a child was lost to a question, and no other has become ready since
	rest time.Time // until when a single child is not risked again
}

// rages reports whether children have ended lately of what they were asked.
func (s *storm) rages(now time.Time) bool { return within(s.death, stormTime, now) }

// recordAnswer learns of a line that a child has answered, once the child has survived it. In a storm, and
// as long as little is known, it learns of each.
func (p *Pool) recordAnswer(c *child, q *Question) {
	now := p.loop.Now()
	if len(c.last) > 0 && (p.answered.lines < surelyKnown || c.answered%learnEvery == 0 || p.storm.rages(now)) {
		p.answered.learn(c.last)
	}
	c.last = append(c.last[:0], q.text...)
	if q.risky || q.unknown {
		p.answered.learn(q.text)
		p.judgeLater()
	}
}

// recordDeath records that a child has ended with questions that it had read. The only one is blamed. One
// that has its last chance is risky too, so that it is not given up because of others.
// It returns whether one was risky before: others need not wait for longer because of it.
func (p *Pool) recordDeath(suspects []*Question, now time.Time) (risky bool) {
	if p.storm.rages(now) {
		p.config.stderrLimit.stormy()
	}
	p.storm.death, p.storm.aged = now, true
	var lines [][]byte // of those that may have done it
	for _, q := range suspects {
		risky = risky || q.risky
		q.blamed = q.blamed || len(suspects) == 1
		q.risky = q.risky || q.blamed || q.lastChance()
		if q.counted > 0 && len(suspects) == 1 {
			continue // as it was with another child, or as a stall
		}
		if len(suspects) == 1 || !p.storm.deadly.proven(q.text, p.answered) {
			q.counted++
			lines = append(lines, q.text)
		}
	}
	if len(lines) > 0 {
		p.storm.deadly.record(now, lines...)
	}
	return risky
}

// admit puts a question that was never asked in the queue that it waits in.
func (p *Pool) admit(q *Question) {
	if p.storm.rages(q.askedAt) {
		p.judge(q)
		if p.alike(q) {
			q.risky, q.riskyAt = true, q.askedAt
		}
	}
	p.waiting(q).push(q)
}

// judge sees how much a question has in common with those of which children ended.
func (p *Pool) judge(q *Question) {
	q.danger = p.storm.deadly.danger(q.text, q.counted, p.answered)
	q.unknown = !p.storm.deadly.proven(q.text, p.answered)
}

// alike reports whether a question that was judged is like those of which children ended.
func (p *Pool) alike(q *Question) bool { return q.danger >= p.storm.least }

// judgeLater has all that waits be judged anew: something was learnt.
func (p *Pool) judgeLater() {
	if p.risky.n > 0 && p.loop.Now().Sub(p.storm.judged) >= judgeAgain {
		p.judgeAll()
	}
}

// judgeAll judges what waits anew, and has it wait where it belongs.
func (p *Pool) judgeAll() {
	p.storm.judged = p.loop.Now()
	if !p.storm.rages(p.storm.judged) {
		return
	}
	p.storm.least = p.storm.deadly.threshold(p.answered)
	var toRisky, toOrdinary []*Question
	p.backlog.each(mostJudged, func(q *Question) {
		if p.judge(q); p.alike(q) {
			toRisky = append(toRisky, q)
		}
	})
	p.risky.eachLast(mostJudged, func(q *Question) {
		if p.judge(q); !p.alike(q) && !q.blamed && !q.lastChance() {
			toOrdinary = append(toOrdinary, q)
		}
	})
	for _, q := range toOrdinary {
		p.risky.remove(q)
		q.risky = false
	}
	for _, q := range toRisky {
		p.backlog.remove(q)
		q.risky = true
	}
	p.backlog.putBack(toOrdinary)
	p.putRisky(toRisky)
}

// choose returns the question of the backlog that is asked next: the first; in a storm the safest, but every
// other time the first if it has waited for long. It returns nil if none may be asked now.
func (p *Pool) choose() *Question {
	first, now := p.backlog.first, p.loop.Now()
	if !p.storm.rages(now) {
		return first
	}
	venture := p.mayVenture()
	if p.storm.aged = p.isDue(first, now) && (venture || !first.unknown); p.storm.aged {
		return first
	}
	var best *Question
	p.backlog.each(mostChosen, func(q *Question) {
		if (venture || !q.unknown) && (best == nil || q.safer(best)) {
			best = q
		}
	})
	if best == nil {
		p.lookTimer.Set(stormTime - now.Sub(p.storm.death) + time.Millisecond)
	}
	return best
}

// isDue reports whether the first question of the backlog is asked though others may be safer: it has waited
// for long, the last was not such a one, and no child has just come up in the place of one that ended.
func (p *Pool) isDue(first *Question, now time.Time) bool {
	return !p.storm.aged && now.Sub(first.askedAt) > patience && !p.storm.cost && !now.Before(p.storm.rest)
}

// noticeStall takes it for harm if children do not answer for long when hardly any other is free: they are
// going to end of it, if there is a Timeout, or to miss.
func (p *Pool) noticeStall() {
	if p.config.numbered() || len(p.children) < 2 {
		return
	}
	free := 0
	for _, c := range p.children {
		if c.hasRoom() {
			free++
		}
	}
	if free > max(p.target/4, 1) {
		return
	}
	now, long := p.loop.Now(), max(stallFactor*p.stats.service, leastStall)
	for _, c := range p.children {
		if q := c.front(); q != nil && c.answering() && !q.held && q.counted == 0 && !c.onTrial() && now.Sub(c.begun(q)) >= long {
			q.counted++
			p.storm.death = now
			p.storm.deadly.record(now, q.text)
			p.judgeAll()
		}
	}
}

// safer reports whether a question is less likely to end a child than another that was asked before it.
func (q *Question) safer(than *Question) bool {
	if int(q.danger) != int(than.danger) {
		return q.danger < than.danger
	}
	return !q.unknown && than.unknown
}

// mayVenture reports whether one more child may be given a question like which none was answered: a quarter
// of them, or one, is kept for those of which it is known that they do no harm; but not the one that is to answer before others
// are started.
func (p *Pool) mayVenture() bool {
	if p.target == 1 || p.answered.lines == 0 || p.waitsForTest() {
		return true
	}
	kept := 0
	for _, c := range p.children {
		if c.state == serving && !(c.awaited > 0 && (c.exclusive || c.ventures)) {
			kept++
		}
	}
	return kept > max(p.target/4, 1)
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
			return // one is kept free
		}
		p.keptFree = nil
		if c.readyForNext() {
			q := p.leastRisky()
			p.risky.remove(q)
			c.assign(q)
		}
	}
	p.keptFree = nil
}

// mayRisk reports whether one more child may be given a risky question: no more than a quarter of them,
// or one, are to be missing at a time. A single child is risked when nobody else waits for it, and for one of
// those that are like each other now and then only.
func (p *Pool) mayRisk() bool {
	if p.backlog.n == 0 && p.waitsForTest() {
		return true
	}
	missing := p.target - p.active
	for _, c := range p.children {
		if c.comesUp() || c.state == serving && c.exclusive && c.awaited > 0 {
			missing++
		}
	}
	return missing < max(p.target/4, 1) && (p.target > 1 || p.mayRiskSingle())
}

// waitsForTest reports whether no child is started before one that is ready, and is asked nothing, has answered (see
// mayStart).
func (p *Pool) waitsForTest() bool {
	if p.health.timer.Armed() || p.mayStart() {
		return false
	}
	for _, c := range p.children {
		if c.comesUp() || c.state == serving && (c.answered == 0 || c.exclusive) && c.awaited > 0 {
			return false
		}
	}
	return true
}

func (p *Pool) mayRiskSingle() bool {
	now, q := p.loop.Now(), p.leastRisky()
	if now.Before(p.storm.rest) && (q.blamed || p.alike(q)) {
		p.lookTimer.Set(p.storm.rest.Sub(now))
		return false
	}
	overdue := maxRisked - now.Sub(q.riskyAt)
	if p.backlog.n > 0 && overdue > 0 {
		p.lookTimer.Set(overdue)
		return false
	}
	return true
}

// vacant returns a child that nobody waits for. If there is none, it keeps one free, which will be.
func (p *Pool) vacant() (best *child) {
	if r := p.keptFree; r != nil && r.state == serving {
		if r.awaited == 0 && r.channels.n < r.capacity() && r.talk == nil && !r.distrusted() {
			return r
		}
		return nil
	}
	p.keptFree = nil
	for _, c := range p.children {
		switch {
		case !c.hasRoom() && (c.state != serving || c.exclusive || c.talk != nil || c.distrusted()):
		case c.hasRoom() && c.awaited == 0:
			return c
		case best == nil || c.awaited < best.awaited:
			best = c
		}
	}
	p.keptFree = best
	return nil
}

// leastRisky returns the waiting question that is asked next: the least dangerous, and of those the first that
// has ended the fewest children.
func (p *Pool) leastRisky() (best *Question) {
	p.risky.eachLast(mostChosen, func(q *Question) {
		if best == nil || !best.lessRisky(q) {
			best = q
		}
	})
	return best
}

func (q *Question) lessRisky(than *Question) bool {
	if x, y := int(2*q.danger), int(2*than.danger); x != y {
		return x < y
	}
	return q.losses < than.losses
}

// limitBlamed gives up questions that were alone with a child that ended and wait for too long, or are too
// many, the first first. While no child is ready everybody waits.
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
		q := p.risky.first
		for !q.blamed {
			q = q.next
		}
		p.risky.remove(q)
		p.lose(q)
	}
	p.riskyTimer.Clear()
	if blamed > 0 {
		p.riskyTimer.Set(riskySweep)
	}
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
