package helper

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"exaproxy/engine/loop"
)

const (
	maxQuoted = 60 // bytes of a line that messages show
	oneForOne = "a program without channel numbers must write one line for each line it reads"
)

const (
	warnInterval = time.Minute      // how often the same kind of thing is logged
	alarmAgain   = 10 * time.Minute // how often it is that no child lives long enough to answer
)

// reportStart logs that children are started, in Squid's words.
func (p *Pool) reportStart() {
	c := &p.config
	p.config.Log.Info(fmt.Sprintf("helperOpenServers: Starting %d/%d '%s' processes", max(c.Startup, c.Idle), c.Children, c.program()))
}

// warnSeldom logs a warning about a child: one of each kind in a while.
func (p *Pool) warnSeldom(kind string, c *child, what string) {
	p.config.Observe(kind, what)
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
	c.warn(what + ofKind(suppressed))
}

// warnBanner logs, once, that children write something before they are ready.
func (p *Pool) warnBanner(c *child, line []byte) {
	what := "wrote something before its first question: " + quote(line) +
		". What children write then is dropped; it had better go to standard error"
	p.config.Observe("banner", what)
	if !p.bannered {
		p.bannered = true
		c.warn(what)
	}
}

// warnChannel logs what is wrong with a line of a child that has channel numbers.
func (c *child) warnChannel(line []byte) {
	if number, _, ok := cutNumber(line); ok {
		c.pool.warnSeldom("wrong channel", c, fmt.Sprintf("answered on channel %d, where no question was open: %s; "+
			"a program must return the number of each line it reads, once. The line is dropped", number, quote(line)))
		return
	}
	c.pool.warnSeldom("no channel", c, "answered without a channel number: "+quote(line)+
		"; this helper ignores channel numbers: set concurrency=0, or give it a program that returns them. The line is dropped")
}

// warnLine logs what is wrong with a line of a child that has no channel numbers.
func (c *child) warnLine(line []byte) {
	c.pool.warnSeldom("surplus", c, "wrote a line that nobody asked for: "+quote(line)+"; "+oneForOne+". The line is dropped")
}

// reportSilence logs what a child may have forgotten to do.
func (c *child) reportSilence() {
	silence, hint := c.pool.config.SilenceWarning, ""
	if c.pool.terminalUntried() {
		hint = " If not, a terminal may have it do so: the option pty=on of its children"
	}
	if partial := c.in.partial(); len(partial) > 0 {
		c.pool.warnSeldom("half a line", c, fmt.Sprintf("has written half a line and then nothing for %v: %s; "+
			"does it end its lines, and flush its output?%s", silence, quote(partial), hint))
		return
	}
	if c.spoke {
		c.pool.warnSeldom("unanswered", c, fmt.Sprintf("has not answered for %v: what it wrote since the question was dropped", silence))
		return
	}
	c.pool.warnSeldom("silent", c, fmt.Sprintf("has been silent for %v after a question: does it flush its output?%s",
		silence, hint))
}

// reportReplaced logs why we end a child.
func (c *child) reportReplaced() {
	kind, _, _ := strings.Cut(c.loss.cause, ":")
	c.pool.warnSeldom(kind, c, c.loss.cause+". It is replaced"+c.loss.questions()+c.pool.meanwhile(". "))
}

// reportNotExiting logs that a child lives on though it is to end.
func (c *child) reportNotExiting() {
	if closed := c.closed(); closed != "" {
		c.pool.warnSeldom("closed", c, fmt.Sprintf("has closed %s and not ended for %v: it is terminated%s",
			closed, c.pool.patience, c.loss.questions()))
		return
	}
	c.pool.warnSeldom("not exiting", c, fmt.Sprintf("has not ended %v after the end of its input: it is terminated", c.pool.patience))
}

// closed is what the child has closed by itself, and so cannot be asked any more; "": nothing.
func (c *child) closed() string {
	switch {
	case c.loss == nil || c.loss.cause != "":
		return ""
	case c.loss.input:
		return "its standard input"
	}
	return "its standard output"
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
	switch {
	case c.loss == nil || !c.loss.early:
	case c.loss.cause != "":
		c.pool.reportFailing(fmt.Sprintf(", %v, was replaced: %s", c, c.loss.cause), true)
	case c.terminated:
		c.pool.reportFailing(fmt.Sprintf(", %v, closed %s without ending", c, c.closed()), true)
	default:
		c.pool.reportFailing(fmt.Sprintf(", %v, ended after %v (%s)", c, c.loss.lifetime.Round(time.Millisecond), how), false)
	}
}

// reportStartFailed logs why a child could not be started.
func (c *child) reportStartFailed(err error) {
	if !c.pool.health.failing {
		c.pool.warnSeldom("start", c, err.Error())
	}
	c.pool.reportFailing(" could not be started: "+err.Error(), false)
}

// reportFailing logs, now and then, that no child lives long enough to answer, with what happened to the last
// one, and whether that was our doing.
func (p *Pool) reportFailing(last string, ours bool) {
	h := &p.health
	if h.earlyExits < alarmThreshold || p.hasWorkingChild() {
		return
	}
	h.failing = true
	covered := p.covered()
	if h.covered && !covered {
		h.alarm = loop.Limiter{} // it has become worse
	}
	every := warnInterval
	if h.alarmed {
		every = alarmAgain
	}
	more, ok := h.alarm.Allow(p.loop.Now(), every)
	if !ok {
		return
	}
	h.alarmed, h.covered = true, covered
	p.config.Log.Error(p.alarmText(last, ours) + ofKind(more))
}

// alarmText says that no child lives long enough, what becomes of the questions, and how to find out why.
func (p *Pool) alarmText(last string, ours bool) string {
	age, fault := "", "stays alive"
	if ours {
		fault = "answers as it should"
	}
	within := maxRestartDelay
	if p.health.unprovoked == 0 {
		within = maxProvokedDelay
	}
	outcome := fmt.Sprintf("a new process is tried within %v", within)
	switch {
	case p.covered():
		age, outcome = "new ", p.meanwhile("")+"; "+outcome
	case !ours && p.health.unprovoked == 0:
		outcome = "Questions are asked again and given up in the end, and " + outcome
	case !ours:
		outcome = "Questions wait, and " + outcome
	default:
		outcome = strings.ToUpper(outcome[:1]) + outcome[1:]
	}
	return fmt.Sprintf("no %s%s process %s; the last one%s. %s. To see why, run it by hand, as %s: %s",
		age, p.config.Name, fault, last, outcome, p.config.runsAs(), strings.Join(p.config.Argv, " "))
}

// covered reports whether the pool that this one is to succeed goes on answering.
func (p *Pool) covered() bool { return p.old != nil && p.old.readyOne() != nil }

// meanwhile is who answers as long as no child of this pool does, behind a text if somebody does.
func (p *Pool) meanwhile(behind string) string {
	if !p.covered() {
		return ""
	}
	return behind + "The processes from before the reload go on answering, with what they have loaded"
}

// runsAs is who children are.
func (c *Config) runsAs() string {
	if c.Credential != nil {
		return fmt.Sprintf("uid %d", c.Credential.Uid)
	}
	return fmt.Sprintf("the user that the proxy runs as (uid %d)", os.Geteuid())
}

// reportRecovery logs that what reportFailing logged is over.
func (p *Pool) reportRecovery() {
	p.config.Log.Warn(p.config.Name + " processes answer again")
}

// ofKind is how often something was that has not been logged.
func ofKind(more int) string {
	if more == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d more of this kind since the last message)", more)
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
