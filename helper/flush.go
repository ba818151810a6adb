package helper

import (
	"slices"
	"strings"
	"time"

	"exaproxy/engine/loop"
)

// need is whether a pool's children are to have a terminal for their output.
type need uint8

const (
	undecided need = iota // they have pipes, and are looked at as long as none has answered
	tried                 // one with a pipe was seen to keep its answer back: who is started has a terminal, others wait
	needed                // one with a terminal has answered, which those with pipes did not
	unneeded              // one with a pipe has answered, or terminals do not help
)

const (
	firstLook  = time.Second      // after a question of a child that has not answered yet
	seldomLook = 30 * time.Second // what the time between two looks grows to, doubling
	trialTime  = 10 * time.Second // for which a child with a terminal may take for its first answer
	mostTrials = 3                // that end without telling anything
)

// needOf is what is known at the beginning.
func needOf(p PTY) need {
	switch p {
	case PTYOn:
		return needed
	case PTYAuto:
		return undecided
	case PTYOff:
	}
	return unneeded
}

// terminalUntried reports whether a terminal might help children that do not flush.
func (p *Pool) terminalUntried() bool {
	return p.config.PTY == PTYOff || p.terminal == undecided && p.trials == 0
}

// wants reports whether a child that is started gets a terminal.
func (n need) wants() bool { return n == tried || n == needed }

// onTrial reports whether it is of interest whether the child answers: for one with a pipe as long as none has
// answered, for one with a terminal as long as that has not helped.
func (c *child) onTrial() bool {
	return c.answered == 0 && !c.spoke && (c.pool.terminal == undecided && !c.terminal || c.pool.terminal == tried && c.terminal)
}

// distrusted reports whether the child is asked nothing for the moment: another that has a pipe too has kept its answer
// back.
func (c *child) distrusted() bool {
	return c.pool.terminal == tried && !c.terminal && c.answered == 0
}

// timeFirstAnswer starts to time the first answer of a child.
func (c *child) timeFirstAnswer() {
	if !c.look.Armed() && c.onTrial() {
		c.looks = 0
		c.look.Set(c.nextLook())
	}
}

// nextLook is how long it is until the child is looked at.
func (c *child) nextLook() time.Duration {
	first := firstLook
	if timeout := c.pool.config.Timeout; timeout > 0 {
		first = min(first, timeout/2) // before it is replaced for being late
	}
	return min(first<<min(c.looks, 16), seldomLook)
}

// checkFlushing has a child looked at that has had a question for some time and has answered none yet.
func (c *child) checkFlushing() {
	if !c.look.Expired() {
		return
	}
	c.look.Clear()
	switch {
	case c.state != serving || !c.onTrial() || c.channels.n == 0:
	case c.keepsSilent():
		c.looks++
		c.process.Look(func(reading bool) { c.pool.loop.Post(func() { c.lookedAt(reading) }) })
	default:
		c.looks++
		c.goOnLooking()
	}
}

// keepsSilent reports whether the child has read all that it was asked, and has written nothing.
func (c *child) keepsSilent() bool {
	return c.channels.n > 0 && !c.spoke && c.sent == len(c.out) && len(c.in.partial()) == 0 && c.questions.Unread() == 0
}

// goOnLooking has the child looked at again, unless it has a terminal and has had its time.
func (c *child) goOnLooking() {
	oldest := c.channels.oldest()
	switch {
	case oldest == nil:
	case c.terminal && c.pool.loop.Now().Sub(oldest.assignedAt) >= trialTime:
		c.pool.endTrial("has not answered")
	default:
		c.look.Set(c.nextLook())
	}
}

// lookedAt decides on a child of which it was seen whether it does nothing but wait for its next line. One that has
// read a line, and waits for the next with all of its threads, gives no answer any more; if it has written
// none, its stdio has it.
func (c *child) lookedAt(reading bool) {
	if c.state != serving || !c.onTrial() {
		return
	}
	c.answers.Recheck() // of what it wrote before it was looked at the loop may not have heard
	if err := c.readAnswers(); err != nil && err != loop.ErrAgain {
		c.fail("")
	}
	switch {
	case c.state != serving || !c.onTrial():
	case !reading || !c.keepsSilent():
		c.goOnLooking()
	case c.terminal:
		c.pool.terminal = unneeded
		c.reportUseless()
		c.pool.replaceObsolete()
	default:
		c.pool.terminal = tried
		c.pool.trials++
		c.replaceInnocent("has read its question and waits for the next, without an answer: it does not flush its output. " +
			"The next process gets a terminal for its output, which makes most programs flush. To mend '" +
			strings.Join(c.pool.config.Argv, " ") + "', flush behind every answer " +
			"($| = 1 in Perl, flush=True in Python, $stdout.sync = true in Ruby, fflush() in awk and C); " +
			"pty=on gives a terminal to all from the start, pty=off to none")
	}
	c.pool.dispatch()
}

// replaceInnocent replaces a child for what no question is to blame for. What it was asked is asked again.
func (c *child) replaceInnocent(cause string) {
	c.innocent = true
	c.fail(cause)
}

// recordFlushed records that a new child has answered.
func (p *Pool) recordFlushed(c *child) {
	switch {
	case !c.onTrialBefore():
	case c.terminal:
		p.terminal = needed
		c.reportNeeded()
		p.replaceObsolete()
	default:
		p.terminal = unneeded
		p.replaceObsolete()
	}
}

// recordSpoken records that a child has written a line that is no answer. If it has read a question by then, it
// keeps nothing back.
func (c *child) recordSpoken() {
	if c.spoke || c.channels.n == 0 || c.hasReadNothing() {
		return
	}
	c.spoke = true
	if c.answered == 0 {
		c.pool.recordFlushed(c)
	}
}

// onTrialBefore reports whether the child's first answer tells anything.
func (c *child) onTrialBefore() bool { return c.pool.terminal == undecided || c.pool.terminal == tried }

// failTrial records that a child with a terminal has ended, or could not be started, before it has answered.
func (c *child) failTrial() {
	if c.terminal && c.answered == 0 && !c.innocent {
		c.pool.endTrial("has ended")
	}
}

// endTrial goes back to pipes without knowing whether a terminal helps. That may be tried again, but not for ever.
func (p *Pool) endTrial(how string) {
	if p.terminal != tried {
		return
	}
	p.terminal = undecided
	if p.trials >= mostTrials {
		p.terminal = unneeded
	}
	p.config.Log.Warn(p.config.Name + ": the process with a terminal " + how + ": processes get pipes again")
	p.replaceObsolete()
}

// replaceObsolete replaces the children that have what the others are not to have, and have answered nothing.
func (p *Pool) replaceObsolete() {
	if p.config.PTY != PTYAuto || p.terminal == tried {
		return
	}
	for _, c := range slices.Clone(p.children) {
		switch {
		case c.terminal == p.terminal.wants() || c.answered > 0 || !c.answering():
		case c.channels.n > 0:
			c.replaceInnocent("has the wrong kind of output")
		default:
			c.retire()
		}
	}
}

// inheritTerminals has a pool begin with what another has learnt of the same program.
func (p *Pool) inheritTerminals(old *Pool) {
	if p.config.PTY == PTYAuto && old.terminal == needed && slices.Equal(p.config.Argv, old.config.Argv) {
		p.terminal = needed
		p.replaceObsolete()
	}
}

// reportNeeded logs that a terminal has helped.
func (c *child) reportNeeded() {
	c.warn("answers, having a terminal for its output: from now on all " + c.pool.config.Name + " processes get one")
}

// reportUseless logs that a terminal has not helped.
func (c *child) reportUseless() {
	c.warn("has not answered with a terminal for its output either: processes get pipes again. " +
		"Does it write an answer to each line, and a line feed behind it? Does it read its input line by line (mawk: -W interactive)?")
}
