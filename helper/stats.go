package helper

import "time"

// Stats is how a pool is doing: what the cache manager shows of it.
type Stats struct {
	Name     string
	Argv     []string
	Children int // processes at most
	Active   int // processes that take questions, or are starting
	Stopping int // processes that take no more questions
	Queue    int // questions that wait for a child

	Questions   uint64 // lines assigned to children; a question that is asked again counts again
	Answers     uint64
	Late        uint64 // questions whose deadline passed
	Lost        uint64 // questions settled with ErrLost or ErrRemembered
	Unsolicited uint64 // lines that answered nothing
	Expired     uint64 // conversations whose child was needed for another
	Started     int    // processes so far

	Service time.Duration // from assigning a line to reading its answer: running average of the last 1,000
	Each    []ChildStats
}

// ChildStats is how one child is doing.
type ChildStats struct {
	Number     int // n in "redirector #n"
	Descriptor int // that its questions go to; -1: none yet
	PID        int // 0: none yet

	Questions, Answers, Late uint64
	Read, Written            uint64 // bytes of answers, and of questions

	Starting bool // it has not begun to read its input
	Busy     bool // it can take no more questions
	Writing  bool // not all of its questions are written
	Closing  bool // its input has ended
	Shutdown bool // it is to end once it has answered
	Reserved bool // for a Conversation

	Pending int           // questions in flight, cancelled ones included
	Time    time.Duration // that the oldest of them has taken so far, or the last answer took
	Offset  int           // bytes of an answer that is not complete
	Oldest  string        // the oldest question in flight; "": none
}

// counters are what a pool counts as it goes.
type counters struct {
	questions, answers, late, lost, unsolicited, expired uint64
	service                                              time.Duration
}

const averageWindow = 1000 // answers, of the average service time

// recordAnswer counts an answer, and how long it took.
func (s *counters) recordAnswer(took time.Duration) {
	s.answers++
	n := time.Duration(min(s.answers, averageWindow))
	s.service += (took - s.service) / n
}

// Stats returns a copy of the numbers as they are now.
func (p *Pool) Stats() Stats {
	s := Stats{
		Name: p.config.Name, Argv: p.config.Argv,
		Children: p.config.Children, Active: p.active, Stopping: len(p.children) - p.active,
		Queue: p.backlog.n + p.risky.n, Questions: p.stats.questions, Answers: p.stats.answers,
		Late: p.stats.late, Lost: p.stats.lost, Unsolicited: p.stats.unsolicited, Expired: p.stats.expired, Started: p.started,
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
		Questions: c.asked, Answers: c.answered, Late: c.late,
		Starting: c.comesUp(), Busy: c.state == serving && !c.hasRoom(), Writing: c.sent < len(c.out),
		Closing: c.state == exiting, Shutdown: c.state == draining, Reserved: c.talk != nil,
		Written: c.writtenBytes, Pending: c.channels.n, Time: c.lastService, Offset: len(c.in.partial()),
	}
	if c.process != nil {
		s.Descriptor, s.PID = c.process.Questions(), c.process.PID()
	}
	if c.answers != nil {
		s.Read, _ = c.answers.Moved()
	}
	if q := c.channels.oldest(); q != nil {
		s.Time, s.Oldest = c.pool.loop.Now().Sub(q.assignedAt), string(q.text)
	}
	return s
}
