package helper

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// A speaker holds one conversation.
type speaker struct {
	*Conversation
	w *world
}

func (w *world) converse() *speaker { return &speaker{w.pool.Converse(), w} }

// says asks the next question of the conversation.
func (s *speaker) says(line string) *asker {
	s.w.t.Helper()
	a := &asker{w: s.w}
	a.waker = s.w.l.NewWaker(a)
	a.Question = s.Ask([]byte(line), a.waker)
	s.w.settle()
	return a
}

// hears is says, and has child n answer.
func (s *speaker) hears(line string, n int, answer string) {
	s.w.t.Helper()
	q := s.says(line)
	s.w.reads(n, "the question", line+"\n")
	s.w.writes(n, answer+"\n")
	q.wants("its answer", answer)
	q.Cancel()
}

// over checks that the conversation does not go on.
func (s *speaker) over(sentence string, want error) {
	s.w.t.Helper()
	q := s.says("KK late")
	q.fails(sentence, want)
	q.Cancel()
	s.End()
}

// reserved checks how many children are reserved.
func (w *world) reserved(sentence string, want int) {
	w.t.Helper()
	n := 0
	for _, c := range w.pool.Stats().Each {
		if c.Reserved {
			n++
		}
	}
	if n != want {
		w.t.Errorf("%s: %d children are reserved, want %d", sentence, n, want)
	}
}

func TestConversationStaysWithItsChild(t *testing.T) {
	w := newWorld(t, Config{Children: 2})
	a := w.converse()
	a.hears("YR a", 1, "TT a")
	b := w.converse()
	b.hears("YR b", 2, "TT b")
	c := w.converse()
	q := c.says("YR c")
	other := w.ask("other")
	q.waits("both children are reserved")
	other.waits("for those who want none for long too")
	b.hears("KK b", 2, "TT b2")
	a.hears("KK a", 1, "AF a")
	b.hears("KK b2", 2, "AF b")
	a.End()
	w.settle()
	w.reads(1, "the child that is let go of takes what waits", "YR c\n")
	b.End()
	w.settle()
	w.reads(2, "", "other\n")
	w.writes(1, "TT c\n")
	q.wants("", "TT c")
	w.children("no more than allowed", 2, 2)
	a.over("after its End", ErrExpired)
	w.reads(1, "and is told nothing of that", "")
	a.End()
}

func TestConversationsGrowThePool(t *testing.T) {
	w := newWorld(t, Config{Children: 3, Idle: 1})
	w.converse().hears("YR a", 1, "TT a")
	w.children("one is to be idle, and a reserved one is not", 2, 2)
	w.reserved("", 1)
	w.converse().hears("YR b", 2, "TT b")
	w.converse().hears("YR c", 3, "TT c")
	w.children("never more than Children", 3, 3)
	if !w.pool.Busy() {
		t.Error("a pool all of whose children are reserved is not busy")
	}
}

func TestConversationIsLeft(t *testing.T) {
	w := newWorld(t, Config{Children: 1})
	a := w.converse()
	a.hears("YR a", 1, "TT a")
	a.End()
	w.settle()
	w.reads(1, "the child is told nothing", "")
	b := w.converse()
	q := b.says("YR b")
	w.reads(1, "the next begins anew", "YR b\n")
	q.Cancel()
	b.End()
	c := w.converse().says("YR c")
	w.reads(1, "an answer is outstanding", "")
	w.writes(1, "TT b\n")
	w.reads(1, "which is nobody's", "YR c\n")
	w.writes(1, "TT c\n")
	c.wants("", "TT c")
	c.Cancel()
	w.converse().says("YR d").Cancel()
	w.reserved("who left before he had a child has none", 1)
}

func TestConversationExpires(t *testing.T) {
	w := newWorld(t, Config{Children: 2, Reservation: 64 * time.Second})
	a, b := w.converse(), w.converse()
	a.hears("YR a", 1, "TT a")
	w.pass(10 * time.Second)
	b.hears("YR b", 2, "TT b")
	w.pass(time.Hour)
	w.reserved("nobody needs their children", 2)
	a.hears("KK a", 1, "TT a2")

	q := w.ask("x")
	w.reads(1, "the oldest makes room at once if it is over the time", "x\n")
	a.over("it has lost its child", ErrExpired)
	w.writes(1, "X\n")
	q.wants("", "X")

	c := w.converse()
	c.hears("YR c", 1, "TT c")
	pending := b.says("KK b")
	w.reads(2, "", "KK b\n")
	d := w.converse().says("YR d")
	w.pass(63 * time.Second)
	d.waits("one is too young, one has a question in flight")
	w.pass(time.Second + aTick)
	w.reads(1, "when the time has come nothing else need happen", "YR d\n")
	c.over("", ErrExpired)
	w.writes(2, "AF b\n")
	pending.wants("who has a question in flight keeps its child", "AF b")
	if n := w.pool.Stats().Expired; n != 2 {
		t.Errorf("%d conversations have expired, want 2", n)
	}
}

// Those who begin conversations and do not go on keep the children from others for the shorter the more they are.
func TestConversationsAreLeftOpen(t *testing.T) {
	w := newWorld(t, Config{Children: 2, Startup: 2, Reservation: 64 * time.Second})
	for range 40 {
		w.converse().says("YR held")
	}
	q := w.converse().says("YR good")
	begun := w.l.Now()
	for answered := false; !answered; {
		for n := 1; n <= 2; n++ {
			a := w.child(n)
			if a.read(); len(a.got) > 0 {
				a.got = nil
				a.out.WriteString("TT token\n")
			}
		}
		w.pass(100 * time.Millisecond)
		_, answered, _ = q.Answer()
		if took := w.l.Now().Sub(begun); took > 4*time.Minute {
			t.Fatalf("behind 40 that hold two children it takes %v: longer than for each its least time, and more", took)
		}
	}
	q.wants("", "TT token")
	if took := w.l.Now().Sub(begun); took < 20*leastReservation {
		t.Errorf("it took %v: nobody is left the least time", took)
	}
}

func TestChildOfAConversationEnds(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Retries: 2})
	w.proves(1)
	w.pass(stableAfter)
	a := w.converse()
	a.hears("YR a", 1, "TT a")
	w.dies(1)
	a.over("between two questions", ErrLost)

	w.pass(maxRestartDelay)
	b := w.converse()
	first := b.says("YR b")
	w.dies(2)
	w.pass(maxRestartDelay)
	w.reads(3, "a first question is asked again", "YR b\n")
	w.writes(3, "TT b\n")
	first.wants("", "TT b")
	first.Cancel()
	next := b.says("KK b")
	w.reads(3, "the conversation goes on with the second child", "KK b\n")
	w.dies(3)
	next.fails("a later one is not", ErrLost)
	next.Cancel()
	b.over("nor is the next", ErrLost)
	w.pass(maxRestartDelay)
	w.reserved("nobody is reserved for what is over", 0)
	if got := w.pool.Stats().Lost; got != 1 {
		t.Errorf("%d questions were lost, want 1", got)
	}
}

func TestChildOfAConversationTalks(t *testing.T) {
	w := newWorld(t, Config{Children: 1})
	a := w.converse()
	a.hears("YR a", 1, "TT a")
	w.child(1).out.WriteString("AF somebody\n") // the loop has not heard of it when the next is asked
	q := a.says("KK a")
	q.fails("a line that nobody asked for is no answer", ErrLost)
	w.reads(1, "and its child is not asked", "")
	w.logs("", "nobody asked for", 1)
}

func TestChildOfAConversationIsSilent(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Timeout: 10 * time.Second})
	a := w.converse()
	a.hears("YR a", 1, "TT a")
	q := a.says("KK a")
	w.pass(10*time.Second + aTick)
	q.fails("it is late", ErrLate)
	a.over("its child is replaced", ErrLost)
	b := w.converse()
	q = b.says("YR b")
	w.child(1).exit("signal: killed")
	w.pass(maxRestartDelay)
	w.reads(2, "others are asked of the new one", "YR b\n")
	w.pass(10*time.Second + aTick)
	q.fails("a first question is late", ErrLate)
	b.over("too", ErrLost)
}

// replies has a child answer that was there before a reload.
func (a *actor) replies(line string) {
	a.read()
	a.out.WriteString(line + "\n")
	a.w.settle()
}

func TestConversationOverAReconfiguration(t *testing.T) {
	c := Config{Children: 3, Startup: 3, Reservation: time.Minute}
	w := newWorld(t, c)
	a, b, left := w.converse(), w.converse(), w.converse()
	a.hears("YR a", 1, "TT a")
	first := b.says("YR b")
	left.hears("YR left", 3, "TT left")
	waits := w.converse()
	waiting := waits.says("YR c")
	olds := []*actor{w.child(1), w.child(2), w.child(3)} // w.actors are in the order of their starts
	w.actors = nil                                       // the second pool numbers its children anew
	w.succession(c)
	w.reads(1, "what waited goes to the new ones", "YR c\n")
	w.writes(1, "TT c\n")
	waiting.wants("", "TT c")
	waiting.Cancel()
	waits.hears("KK c", 1, "AF c")

	olds[1].replies("TT b")
	first.wants("what was asked is answered", "TT b")
	first.Cancel()
	next := b.says("KK b")
	olds[1].replies("AF b")
	next.wants("and goes on with the old child", "AF b")
	next.Cancel()
	if olds[1].in.Closed() {
		t.Error("a child is ended in the middle of its conversation")
	}
	b.End()
	w.settle()
	if !olds[1].in.Closed() || olds[0].in.Closed() {
		t.Error("a child is to be ended at the end of its conversation, and no other")
	}
	w.pass(time.Minute + aTick)
	if !olds[0].in.Closed() || !olds[2].in.Closed() {
		t.Error("old children are not kept for longer than the reservation")
	}
	a.over("its child has ended", ErrExpired)
	w.reserved("the new ones are kept", 1)
}

func TestConversationOfAClosedPool(t *testing.T) {
	w := newWorld(t, Config{Children: 2})
	a, b := w.converse(), w.converse()
	a.hears("YR a", 1, "TT a")
	q := b.says("YR b")
	w.pool.Close(false)
	w.settle()
	q.fails("", ErrClosed)
	q.Cancel()
	a.over("", ErrClosed)
	b.over("", ErrClosed)
	w.child(1).exit("exit status 0")
	w.child(2).exit("exit status 0")
	w.settle()
	w.closed("")
	w.converse().over("nobody is left", ErrClosed)
}

// Clients that leave after the first answer, thousands of them, cost nobody anything.
func TestManyConversationsAreLeft(t *testing.T) {
	w := newWorld(t, Config{Children: 2, Startup: 2})
	for i := range 5000 {
		s := w.converse()
		s.hears(fmt.Sprint("YR ", i), 1, "TT x")
		s.End()
	}
	w.settle()
	w.children("the same two", 2, 2)
	w.reserved("", 0)
	if n := w.pool.serial; n != 5000 {
		t.Errorf("%d questions were asked, want 5000", n)
	}
}

// However conversations are mixed, left, lost and expire: no step reaches a child that does not know the one before,
// every question is settled, and in the end no child is reserved.
func TestConversationsAtRandom(t *testing.T) {
	finished, broken := 0, 0
	for seed := range uint64(10) {
		r := rand.New(rand.NewPCG(seed, 1))
		w := newWorld(t, Config{Children: 3, Retries: 2, Reservation: 2 * time.Second, Timeout: 20 * time.Second})
		m := &mixture{w: w, r: r, knows: map[int]string{}}
		for range 400 {
			m.step()
		}
		for len(m.all) > 0 {
			m.leave(m.all[0])
		}
		m.answerAll()
		w.pass(time.Minute)
		m.answerAll()
		w.reserved("in the end", 0)
		if n := w.pool.Unanswered(); n != 0 {
			t.Errorf("seed %d: %d questions are left", seed, n)
		}
		finished, broken = finished+m.finished, broken+m.broken
	}
	if finished < 100 || broken < 10 {
		t.Errorf("%d conversations came to their end, %d were lost: too few to show much", finished, broken)
	}
}

// A mixture is many conversations.
type mixture struct {
	w                *world
	r                *rand.Rand
	all              []*talker
	knows            map[int]string // by child: what its conversation is
	serial           int
	finished, broken int
}

// A talker is one conversation, and where it is.
type talker struct {
	*speaker
	name  string
	steps int
	asked *asker
}

func (m *mixture) step() {
	switch m.r.IntN(10) {
	case 0, 1:
		m.serial++
		one := &talker{speaker: m.w.converse(), name: fmt.Sprint("c", m.serial)}
		one.asked = one.says("YR " + one.name)
		m.all = append(m.all, one)
	case 2:
		if len(m.all) > 0 {
			m.leave(m.all[m.r.IntN(len(m.all))])
		}
	case 3:
		m.w.pass(time.Duration(m.r.IntN(1500)) * time.Millisecond)
	case 4:
		if n := m.r.IntN(20); n == 0 && m.w.pool.started > 0 {
			m.w.child(m.w.pool.started).exit("signal: killed")
			m.w.settle()
		}
	case 5, 6, 7:
		m.answerAll()
	default:
		m.goOn()
	}
}

// answerAll has every child answer, and checks what it was asked.
func (m *mixture) answerAll() {
	for range 8 {
		m.w.settle()
		for _, a := range m.w.actors {
			a.read()
			line, rest, ok := strings.Cut(string(a.got), "\n")
			if !ok || a.leaving() {
				continue
			}
			a.got = []byte(rest)
			verb, name, _ := strings.Cut(line, " ")
			if verb == "KK" && m.knows[a.n] != name {
				m.w.t.Fatalf("child %d, in the conversation %q, is asked %q", a.n, m.knows[a.n], line)
			}
			m.knows[a.n] = name
			a.out.WriteString("to " + name + "\n")
		}
	}
}

// goOn looks at all answers, and asks on.
func (m *mixture) goOn() {
	for _, one := range append([]*talker(nil), m.all...) {
		line, done, err := one.asked.Answer()
		switch {
		case !done:
			continue
		case err != nil:
			m.broken++
			m.leave(one)
			continue
		case string(line) != "to "+one.name:
			m.w.t.Fatalf("%s got %q", one.name, line)
		}
		if one.steps++; one.steps == 3 {
			m.finished++
			m.leave(one)
			continue
		}
		one.asked.Cancel()
		one.asked = one.says("KK " + one.name)
	}
}

func (m *mixture) leave(one *talker) {
	one.asked.Cancel()
	one.End()
	for i := range m.all {
		if m.all[i] == one {
			m.all = append(m.all[:i:i], m.all[i+1:]...)
			break
		}
	}
}

// A client that goes on at once is in time, however many wait; one that Reservation gives less has less.
func TestConversationsHaveTheirLeastTime(t *testing.T) {
	for _, all := range []time.Duration{64 * time.Second, 500 * time.Millisecond} {
		w := newWorld(t, Config{Children: 1, Reservation: all})
		a := w.converse()
		a.hears("YR a", 1, "TT a")
		for range 200 {
			w.converse().says("YR waits")
		}
		least := min(all, leastReservation)
		w.pass(least - 2*aTick)
		a.hears("KK a", 1, "TT a2")
		w.reserved("in time", 1)
		w.pass(3 * aTick)
		w.reads(1, "now it is another's turn", "YR waits\n")
		a.over("", ErrExpired)
	}
}

// A child of a pool that is closed ends with its conversation, though questions wait for others.
func TestConversationEndsWhileAClosedPoolIsAsked(t *testing.T) {
	w := newWorld(t, Config{Children: 1})
	a := w.converse()
	a.hears("YR a", 1, "TT a")
	w.pool.Close(true)
	w.slow = true
	q := w.ask("late")
	if w.child(1).in.Closed() {
		t.Error("a child is ended in the middle of its conversation")
	}
	a.End()
	w.settle()
	if !w.child(1).in.Closed() {
		t.Error("a child that nobody needs is kept until another is ready")
	}
	w.begins(2)
	w.writes(2, "fine\n")
	q.wants("what was asked meanwhile", "fine")
}
