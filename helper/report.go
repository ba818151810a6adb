package helper

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

const (
	quoted    = 60 // bytes of a line that messages show
	oneForOne = "a program without channel numbers must write one line for each line it reads"
)

// reproachEvery is how often one child is reproached for lines that answer nothing.
const reproachEvery = time.Minute

// reproach keeps a child that errs all the time from filling the log.
type reproach struct {
	last  time.Time
	muted int // since then
}

// reproachNumber says what is wrong with a line of a child that has channel numbers.
func (c *child) reproachNumber(line []byte) {
	if number, _, ok := cutNumber(line); ok {
		c.reproachFor(fmt.Sprintf("answered on channel %d, where no question was open: %s; "+
			"a program must return the number of each line it reads, once", number, quote(line)))
		return
	}
	c.reproachFor("answered without a channel number: " + quote(line) +
		"; this helper ignores channel numbers: set concurrency=0, or give it a program that returns them")
}

// reproachLine says what is wrong with a line of a child that has no channel numbers.
func (c *child) reproachLine(line []byte) {
	c.reproachFor("wrote a line that nobody asked for: " + quote(line) + "; " + oneForOne)
}

func (c *child) reproachFor(what string) {
	now := c.pool.loop.Now()
	if !c.reproach.last.IsZero() && now.Sub(c.reproach.last) < reproachEvery {
		c.reproach.muted++
		return
	}
	if c.reproach.muted > 0 {
		what += fmt.Sprintf(" (%d more such lines since the last message)", c.reproach.muted)
	}
	c.reproach.last, c.reproach.muted = now, 0
	c.warn(fmt.Sprintf("%s. The line is dropped", what))
}

// reportSilence says what a child may have forgotten to do.
func (c *child) reportSilence() {
	silence := c.pool.config.Buffering
	if half := c.in.half(); len(half) > 0 {
		c.warn(fmt.Sprintf("has written half a line and then nothing for %v: %s; does it end its lines, and flush its output?",
			silence, quote(half)))
		return
	}
	c.warn(fmt.Sprintf("has been silent for %v after a question: does it flush its output?", silence))
}

// reportReplaced says why we end a child.
func (c *child) reportReplaced() { c.warn(c.loss.cause + ". It is replaced" + c.loss.questions()) }

// reportStaying says that a child does not heed the end of its input.
func (c *child) reportStaying() {
	c.warn(fmt.Sprintf("has not ended %v after the end of its input: it is terminated", patience))
}

// reportEnd says how a child's process ended. That of a child which was let go is no news,
// nor, once the pool is known to be sick, that of one more.
func (c *child) reportEnd(how string) {
	if c.loss == nil || c.loss.cause != "" || c.pool.health.sick {
		c.pool.config.Log.Debug(fmt.Sprintf("%v ended (%s)", c, how))
	} else {
		c.warn(fmt.Sprintf("ended by itself after %v (%s)%s", c.loss.lived.Round(time.Millisecond), how, c.loss.questions()))
	}
	if c.loss != nil && c.loss.early {
		c.pool.reportSick(how)
	}
}

// reportStillborn says why a child could not be started.
func (c *child) reportStillborn(err error) {
	if !c.pool.health.sick {
		c.warn(err.Error())
	}
	c.pool.reportSick(err.Error())
}

// reportSick says, once, that no child lives long enough to answer.
func (p *Pool) reportSick(how string) {
	if p.health.early < alarming || p.health.sick || p.proven() {
		return
	}
	p.health.sick = true
	p.config.Log.Error(fmt.Sprintf("no %s process stays alive; the last one: %s. Questions wait, and a new process "+
		"is tried every %v at least. To see why, run it by hand: %s",
		p.config.Name, how, lastDelay, strings.Join(p.config.Argv, " ")))
}

// reportRecovery says that what reportSick said is over.
func (p *Pool) reportRecovery() {
	p.config.Log.Warn(p.config.Name + " processes answer again")
}

func (c *child) warn(what string) { c.pool.config.Log.Warn(fmt.Sprintf("%v: %s", c, what)) }

// questions says what became of those in the child's hands.
func (l *loss) questions() string {
	s := ""
	if l.again > 0 {
		s += fmt.Sprintf("; questions asked again: %d", l.again)
	}
	if l.givenUp > 0 {
		s += fmt.Sprintf("; questions given up: %d", l.givenUp)
	}
	return s
}

// quote shows the beginning of a line, whatever bytes it has.
func quote(line []byte) string {
	if len(line) <= quoted {
		return strconv.Quote(string(line))
	}
	return strconv.Quote(string(line[:quoted])) + "…"
}
