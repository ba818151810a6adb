package helper

import "time"

// Stats is how a pool is doing: what the cache manager shows of it.
type Stats struct {
	Name     string
	Argv     []string
	Children int // processes at most
	Active   int // processes that take questions, or are starting
	Leaving  int // processes that are being let go
	Queue    int // questions that wait for a child

	Requests uint64 // lines given to children; a question that is asked again counts again
	Replies  uint64
	Late     uint64 // questions whose deadline passed
	Lost     uint64 // questions settled with ErrLost
	Unasked  uint64 // lines that answered nothing
	Started  int    // processes so far

	Service time.Duration // from giving a line to reading its answer: running average of the last 1,000
	Each    []ChildStats
}

// ChildStats is how one child is doing.
type ChildStats struct {
	Number     int // n in "redirector #n"
	Descriptor int // that its questions go to; -1: none yet
	PID        int // 0: none yet

	Requests, Replies, Late uint64

	Busy     bool // it can take no more questions
	Writing  bool // it has not taken all that it was given
	Closing  bool // its input has ended
	Shutdown bool // it is to go once it has answered

	Pending int           // questions in hand, those included that nobody waits for any more
	Time    time.Duration // that the oldest of them has taken so far, or the last answer took
	Offset  int           // bytes of an answer that is not complete
	Request string        // the oldest question in hand; "": none
}

// counters are what a pool counts as it goes.
type counters struct {
	requests, replies, late, lost, unasked uint64
	service                                time.Duration
}

const averaged = 1000 // answers that the average service time remembers

// answered counts an answer that took so long.
func (s *counters) answered(took time.Duration) {
	s.replies++
	n := time.Duration(min(s.replies, averaged))
	s.service += (took - s.service) / n
}

// Stats returns a copy of the numbers as they are now.
func (p *Pool) Stats() Stats {
	s := Stats{
		Name: p.config.Name, Argv: p.config.Argv,
		Children: p.config.Children, Active: p.active, Leaving: len(p.children) - p.active,
		Queue: p.backlog.n, Requests: p.stats.requests, Replies: p.stats.replies,
		Late: p.stats.late, Lost: p.stats.lost, Unasked: p.stats.unasked, Started: p.born,
		Service: p.stats.service,
	}
	for _, c := range p.children {
		s.Each = append(s.Each, c.stats())
	}
	return s
}

func (c *child) stats() ChildStats {
	s := ChildStats{
		Number: c.number, Descriptor: -1,
		Requests: c.asked, Replies: c.answered, Late: c.late,
		Busy: c.state == serving && !c.room(), Writing: c.sent < len(c.out),
		Closing: c.state == ending, Shutdown: c.state == leaving,
		Pending: c.channels.n, Time: c.took, Offset: len(c.in.half()),
	}
	if c.process != nil {
		s.Descriptor, s.PID = c.process.Questions(), c.process.PID()
	}
	if q := c.channels.oldest(); q != nil {
		s.Time, s.Request = c.pool.loop.Now().Sub(q.handed), string(q.text)
	}
	return s
}
