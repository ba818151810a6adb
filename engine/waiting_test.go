package engine

import (
	"testing"
	"time"
)

// Who has left is not served on, unless a stage sees for itself; who has only finished sending may
// have to be.
func TestAbandoned(t *testing.T) {
	const (
		never  uint8 = iota
		broken       // if the connection has broken
		done         // also if the client has finished sending and half-closed clients are not kept
	)
	for _, row := range []struct {
		at   stage
		ask  string
		when uint8
	}{
		{greeting, "", never}, {reading, "", never}, {tunnelling, connectRequest, never},
		{establishing, connectRequest, broken}, {hearing, connectRequest, broken},
		{admitting, "", done}, {asking, "", done}, {interpreting, "", done}, {routing, "", done}, {resolving, "", done},
		{connecting, "", done}, {sending, "", done}, {relaying, "", done}, {answering, "", done},
		{sending, postRequest, broken}, {relaying, postRequest, broken}, // what it has sent is still to be read
	} {
		for _, leaves := range []struct {
			how  string
			do   func(*played)
			half bool // half_closed_clients on
			want bool
		}{
			{"stays", func(*played) {}, false, false},
			{"breaks off", func(p *played) { p.browser.Reset() }, false, row.when >= broken},
			{"finishes sending", func(p *played) { p.browser.CloseWrite() }, false, row.when == done},
			{"finishes sending, and may", func(p *played) { p.browser.CloseWrite() }, true, false},
		} {
			t.Run(row.at.String()+", "+row.ask+leaves.how, func(t *testing.T) {
				p := newTransaction(t, row.at, given{ask: row.ask, config: func(c *Config) { c.HalfClosed = leaves.half }})
				leaves.do(p)
				p.turn()
				if got := p.abandoned(); got != leaves.want {
					t.Errorf("abandoned: %v", got)
				}
			})
		}
	}
	t.Run("the answer in a tunnel is for who has finished", func(t *testing.T) {
		p := newTransaction(t, answering, given{})
		p.inTunnel = true
		p.browser.CloseWrite()
		if p.turn(); p.abandoned() {
			t.Error("it is abandoned")
		}
	})
}

// A client that leaves ends the transaction, and its record says so.
func TestAdvanceWithoutTheClient(t *testing.T) {
	p := newTransaction(t, admitting, given{policy: admitted(Decision{Action: Pending})})
	p.browser.Close()
	p.turn()
	p.advance()
	if rec := p.policy.records; len(rec) != 1 || !rec[0].Aborted || rec[0].Failure.Kind != ClientGone || rec[0].Failure.During != "admitting" {
		t.Errorf("the records are %+v", rec)
	}
	p.wantsCalls()
}

// A deadline that has passed is that of the stage that waited, not of the one it is in now.
func TestADeadlineIsOfItsStage(t *testing.T) {
	p := newTransaction(t, admitting, given{policy: admitted(Decision{Action: Pending}), config: func(c *Config) { c.Timeouts.Lifetime = time.Minute }})
	p.wants(p.play(), admitting)
	p.await()
	if p.deadline != p.now().Add(time.Minute) {
		t.Errorf("it waits until %v: longer than the client may live", p.deadline)
	}
	p.passes(time.Minute + 20*time.Millisecond)
	if !p.overdue() {
		t.Error("it is not overdue")
	}
	if p.enter(asking); p.overdue() {
		t.Error("the next stage is overdue before it has waited")
	}
}

func TestAwaitBeginsOnce(t *testing.T) {
	p := newTransaction(t, hearing, given{ask: connectRequest})
	p.await()
	by := p.deadline
	p.passes(time.Second)
	if p.await(); p.deadline != by {
		t.Error("to be woken for nothing prolongs the waiting")
	}
	if p.wait(time.Hour); p.deadline != p.now().Add(time.Hour) {
		t.Error("the waiting has not begun anew")
	}
}

// A stage that wants to be woken earlier is not overdue then.
func TestWakeInIsNoDeadline(t *testing.T) {
	p := newTransaction(t, hearing, given{ask: connectRequest})
	p.await()
	p.wakeIn(time.Second)
	p.passes(time.Second + 20*time.Millisecond)
	if !p.timer.Expired() || p.overdue() {
		t.Errorf("woken %v, overdue %v", p.timer.Expired(), p.overdue())
	}
	p.passes(4 * time.Second)
	if !p.overdue() {
		t.Error("it is not overdue when its time is over")
	}
}

// The record has how long was waited for whom.
func TestEnterNotesTheTimeSpent(t *testing.T) {
	p := newTransaction(t, asking, given{})
	for _, next := range []stage{interpreting, resolving, connecting, sending} {
		p.passes(2 * time.Second)
		p.enter(next)
	}
	if s := p.record.Spent; s.Helper != 2*time.Second || s.Names != 2*time.Second || s.Connect != 2*time.Second || s.Upstream != 0 {
		t.Errorf("spent %+v", s)
	}
}

func TestEveryStageHasAName(t *testing.T) {
	seen := map[string]bool{}
	for s := greeting; s <= over; s++ {
		if name := s.String(); name == "" || seen[name] {
			t.Errorf("stage %d is called %q", s, name)
		}
		seen[s.String()] = true
	}
}

// What wakes a transaction before its deadline does not take the deadline's place.
func TestWakeInKeepsTheDeadline(t *testing.T) {
	p := newTransaction(t, hearing, given{ask: connectRequest})
	p.await()
	p.wakeIn(time.Second)
	p.passes(time.Second + 20*time.Millisecond)
	p.wakeIn(time.Hour) // later than the deadline
	if !p.timer.Armed() {
		t.Error("nothing wakes it at its deadline")
	}
}

// Every stage says how long it may wait, what follows then, and whether a client that left ends it.
func TestEveryStageIsThoughtOf(t *testing.T) {
	for at := greeting; at <= over; at++ {
		p := newTransaction(t, greeting, given{})
		p.stage = at
		p.stageTimeout()
		p.abandoned()
		if at != greeting && at.String() == "" {
			t.Errorf("stage %d has no name", at)
		}
	}
}
