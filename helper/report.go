package helper

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"exaproxy/engine/loop"
)

const (
	maxQuoted = 60 // bytes of a line that messages show
	oneForOne = "a program without channel numbers must write one line for each line it reads"
)

// warnInterval is how often the same kind of thing is logged.
const warnInterval = time.Minute

// reportStart logs that children are started, in Squid's words.
func (p *Pool) reportStart() {
	c := &p.config
	p.config.Log.Info(fmt.Sprintf("helperOpenServers: Starting %d/%d '%s' processes", max(c.Startup, c.Idle), c.Children, c.program()))
}

// warnSeldom logs a warning about a child: one of each kind in a while.
func (p *Pool) warnSeldom(kind string, c *child, what string) {
	if p.warned == nil {
		p.warned = map[string]*loop.Limiter{}
	}
	limiter := p.warned[kind]
	if limiter == nil {
		limiter = &loop.Limiter{}
		p.warned[kind] = limiter
	}
	suppressed, ok := limiter.Allow(p.loop.Now(), warnInterval)
	if !ok {
		return
	}
	if suppressed > 0 {
		what += fmt.Sprintf(" (%d more of this kind since the last message)", suppressed)
	}
	c.warn(what)
}

// warnBanner logs, once, that children write something before they are ready.
func (p *Pool) warnBanner(c *child, line []byte) {
	if !p.bannered {
		p.bannered = true
		c.warn("wrote something before its first question: " + quote(line) +
			". What children write then is dropped; it had better go to standard error")
	}
}

// warnChannel logs what is wrong with a line of a child that has channel numbers.
func (c *child) warnChannel(line []byte) {
	if number, _, ok := cutNumber(line); ok {
		c.warnLimited(fmt.Sprintf("answered on channel %d, where no question was open: %s; "+
			"a program must return the number of each line it reads, once", number, quote(line)))
		return
	}
	c.warnLimited("answered without a channel number: " + quote(line) +
		"; this helper ignores channel numbers: set concurrency=0, or give it a program that returns them")
}

// warnLine logs what is wrong with a line of a child that has no channel numbers.
func (c *child) warnLine(line []byte) {
	c.warnLimited("wrote a line that nobody asked for: " + quote(line) + "; " + oneForOne)
}

func (c *child) warnLimited(what string) {
	suppressed, ok := c.lineWarnings.Allow(c.pool.loop.Now(), warnInterval)
	if !ok {
		return
	}
	if suppressed > 0 {
		what += fmt.Sprintf(" (%d more such lines since the last message)", suppressed)
	}
	c.warn(fmt.Sprintf("%s. The line is dropped", what))
}

// reportSilence logs what a child may have forgotten to do.
func (c *child) reportSilence() {
	silence := c.pool.config.SilenceWarning
	if partial := c.in.partial(); len(partial) > 0 {
		c.warn(fmt.Sprintf("has written half a line and then nothing for %v: %s; does it end its lines, and flush its output?",
			silence, quote(partial)))
		return
	}
	c.warn(fmt.Sprintf("has been silent for %v after a question: does it flush its output?", silence))
}

// reportReplaced logs why we end a child.
func (c *child) reportReplaced() {
	kind, _, _ := strings.Cut(c.loss.cause, ":")
	c.pool.warnSeldom(kind, c, c.loss.cause+". It is replaced"+c.loss.questions())
}

// reportNotExiting logs that a child ignores the end of its input.
func (c *child) reportNotExiting() {
	c.pool.warnSeldom("not exiting", c, fmt.Sprintf("has not ended %v after the end of its input: it is terminated", exitTimeout))
}

// reportEnd logs how a child's process ended: at debug level if the pool ended it or is failing,
// which has been logged.
func (c *child) reportEnd(how string) {
	if c.loss == nil || c.loss.cause != "" || c.terminated || c.pool.health.failing {
		c.pool.config.Log.Debug(fmt.Sprintf("%v ended (%s)", c, how))
	} else {
		c.pool.warnSeldom("ended", c, fmt.Sprintf("ended by itself after %v (%s)%s; what it wrote to standard error may tell why",
			c.loss.lifetime.Round(time.Millisecond), how, c.loss.questions()))
	}
	if c.loss != nil && c.loss.early {
		c.pool.reportFailing(how)
	}
}

// reportStartFailed logs why a child could not be started.
func (c *child) reportStartFailed(err error) {
	if !c.pool.health.failing {
		c.pool.warnSeldom("start", c, err.Error())
	}
	c.pool.reportFailing(err.Error())
}

// reportFailing logs, once, that no child lives long enough to answer.
func (p *Pool) reportFailing(how string) {
	if p.health.earlyExits < alarmThreshold || p.health.failing || p.hasWorkingChild() {
		return
	}
	p.health.failing = true
	p.config.Log.Error(fmt.Sprintf("no %s process stays alive; the last one: %s. Questions wait, and a new process "+
		"is tried every %v at least. To see why, run it by hand: %s",
		p.config.Name, how, maxRestartDelay, strings.Join(p.config.Argv, " ")))
}

// reportRecovery logs that what reportFailing logged is over.
func (p *Pool) reportRecovery() {
	p.config.Log.Warn(p.config.Name + " processes answer again")
}

func (c *child) warn(what string) { c.pool.config.Log.Warn(fmt.Sprintf("%v: %s", c, what)) }

// questions is what became of the questions that were in flight.
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

// quote quotes the beginning of a line, whatever bytes it has.
func quote(line []byte) string {
	if len(line) <= maxQuoted {
		return strconv.Quote(string(line))
	}
	return strconv.Quote(string(line[:maxQuoted])) + "…"
}
