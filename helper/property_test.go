package helper

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"
)

// A tempest plays random questions, answers and misfortunes. Whatever their order, every
// question that is not cancelled settles exactly once: with its own answer, or with ErrLost
// after it has ended Retries+1 children.
type tempest struct {
	*world
	r          *rand.Rand
	asked      int
	open       []*asker
	lines      map[*asker]string
	unanswered map[*actor][]string // what each child has read and not answered
	rest       map[*actor][]byte   // what it has read of a line
}

func TestEveryQuestionSettlesOnceWithItsOwnAnswer(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 0))
			s := &tempest{r: r, lines: map[*asker]string{}, unanswered: map[*actor][]string{}, rest: map[*actor][]byte{}}
			s.world = newWorld(t, Config{
				Children: 1 + r.IntN(4), Startup: r.IntN(3), Idle: r.IntN(2),
				Concurrency: []int{0, 0, 1, 3, 70}[r.IntN(5)], Retries: r.IntN(3), Timeout: []time.Duration{0, 10 * time.Second}[r.IntN(2)],
				Spare: seed%2 == 0,
			})
			s.oneEnd = r.IntN(3) == 0
			for range 300 {
				s.step()
			}
			s.calm()
		})
	}
}

// step lets one thing happen.
func (s *tempest) step() {
	switch s.r.IntN(13) {
	case 0, 1, 2, 3:
		for range 1 + s.r.IntN(6) {
			a := s.put(fmt.Sprint("question ", s.asked))
			s.lines[a] = fmt.Sprint("question ", s.asked)
			s.asked++
			s.open = append(s.open, a)
		}
	case 4:
		s.withdraw()
	case 5:
		s.each(4, func(a *actor) { a.exit("exit status 0") })
	case 6:
		s.each(4, func(a *actor) { a.exit("signal: killed") })
	case 7:
		s.each(2, func(a *actor) { a.out.Segment(s.r.IntN(4)) })
	case 8:
		s.settle() // room that was announced does not vanish before it is used
		s.each(2, func(a *actor) { a.in.SetCapacity(s.r.IntN(40)) })
	case 9:
		s.pass(time.Duration(s.r.IntN(3000)) * time.Millisecond)
	case 10, 11, 12:
		s.each(1, s.answer)
	}
	if s.r.IntN(3) > 0 {
		s.settle()
	}
	s.look()
}

// withdraw ends some open question.
func (s *tempest) withdraw() {
	if len(s.open) == 0 {
		return
	}
	i := s.r.IntN(len(s.open))
	s.open[i].Cancel()
	s.open = append(s.open[:i], s.open[i+1:]...)
}

// each calls f with one in n of the children that run.
func (s *tempest) each(n int, f func(*actor)) {
	s.mu.Lock()
	living := make([]*actor, 0, len(s.actors))
	for _, a := range s.actors {
		if !a.leaving() {
			living = append(living, a)
		}
	}
	s.mu.Unlock()
	for _, a := range living {
		if s.r.IntN(n) == 0 {
			f(a)
		}
	}
}

// answer has a child read, and answer some of what it has in flight, in any order.
func (s *tempest) answer(a *actor) {
	s.rest[a] = append(s.rest[a], a.in.Read()...)
	for {
		line, rest, ok := bytes.Cut(s.rest[a], []byte{'\n'})
		if !ok {
			break
		}
		s.unanswered[a], s.rest[a] = append(s.unanswered[a], string(line)), rest
	}
	if a.in.Closed() {
		a.exit("exit status 0")
		return
	}
	for range s.r.IntN(len(s.unanswered[a]) + 1) {
		i := s.r.IntN(len(s.unanswered[a]))
		line := s.unanswered[a][i]
		s.unanswered[a] = append(s.unanswered[a][:i], s.unanswered[a][i+1:]...)
		a.out.WriteString(line + " answered\n")
	}
}

// look checks the questions that have settled.
func (s *tempest) look() {
	s.t.Helper()
	still := s.open[:0]
	for _, a := range s.open {
		line, done, err := a.Answer()
		switch {
		case !done:
			if a.wakes > 0 {
				s.t.Errorf("%s: its asker was woken before there was an answer", s.lines[a])
			}
			still = append(still, a)
			continue
		case errors.Is(err, ErrLate) && s.pool.config.Timeout > 0:
		case err != nil && !errors.Is(err, ErrLost):
			s.t.Errorf("%s: %v", s.lines[a], err)
		case err != nil && a.losses != s.pool.config.Retries+1 && a.riskyAt.IsZero():
			s.t.Errorf("%s was given up after %d children", s.lines[a], a.losses)
		case err == nil && string(line) != s.lines[a]+" answered":
			s.t.Errorf("%s: got another's answer, %q", s.lines[a], line)
		}
		s.settle()
		if a.wakes != 1 {
			s.t.Errorf("%s: its asker was woken %d times, want once", s.lines[a], a.wakes)
		}
		a.Cancel()
	}
	s.open = still
}

// calm lets everything be answered, and ends the pool.
func (s *tempest) calm() {
	for range 5_000 {
		if len(s.open) == 0 {
			break
		}
		s.each(1, func(a *actor) {
			a.in.SetCapacity(-1)
			s.answer(a)
		})
		s.pass(time.Second)
		s.look()
	}
	if len(s.open) > 0 {
		s.t.Errorf("%d questions never settle, of them %s", len(s.open), s.lines[s.open[0]])
	}
	s.pool.Close(true)
	for range 20 {
		s.each(1, s.answer)
		s.pass(time.Second)
	}
	s.closed("after all was answered")
	s.balanced()
}

// balanced checks that the pool's numbers agree when all is over.
func (s *tempest) balanced() {
	s.t.Helper()
	if st := s.pool.Stats(); st.Answers > st.Questions || st.Unsolicited > 0 || st.Queue > 0 || st.Active > 0 {
		s.t.Errorf("the numbers do not agree: %+v", st)
	}
	if n := freeQuestions(s.pool); n > s.asked {
		s.t.Errorf("%d questions on the free list, though %d were ever asked", n, s.asked)
	}
}

func TestChannelNumbersAreTheLowestFree(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var c channels
	used := map[int]*Question{}
	for range 20_000 {
		if n := r.IntN(300); r.IntN(2) == 0 && used[n] != nil {
			c.release(n)
			delete(used, n)
			continue
		}
		want := 0
		for used[want] != nil {
			want++
		}
		q := &Question{}
		if got := c.assign(q); got != want {
			t.Fatalf("took channel %d, want the lowest free, %d", got, want)
		}
		used[want] = q
	}
	if len(used) != c.n {
		t.Errorf("%d channels are said to be in use, want %d", c.n, len(used))
	}
	for n, q := range used {
		if c.at(n) != q {
			t.Errorf("channel %d holds another question", n)
		}
	}
}

func TestBacklogOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var b backlog
	var out []*Question
	serial := uint64(0)
	for range 5_000 {
		switch {
		case r.IntN(3) > 0:
			serial++
			b.push(&Question{serial: serial})
		case b.n > 0 && r.IntN(2) == 0:
			out = append(out, b.pop())
		case len(out) > 1 && r.IntN(4) == 0:
			n := r.IntN(len(out))
			b.putBack(out[n:])
			out = out[:n:n]
		case b.n > 0:
			b.remove(b.first)
		}
		last := uint64(0)
		n := 0
		for q := b.first; q != nil; q = q.next {
			if q.serial <= last {
				t.Fatalf("question %d stands behind %d", q.serial, last)
			}
			last = q.serial
			n++
		}
		if n != b.n {
			t.Fatalf("the backlog says that it has %s questions, and has %d", strconv.Itoa(b.n), n)
		}
	}
}
