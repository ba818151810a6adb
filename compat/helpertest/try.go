package helpertest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"exaproxy/helper"
)

// A Row is a line, and what came of it.
type Row struct {
	Tries  string // of a probe; "": it is a line of the input
	Line   []byte
	Title  []byte // what the line is shown as
	Answer []byte
	Err    error // why there is none
	Meaning
	Took time.Duration
}

// A Report is what came of a trial.
type Report struct {
	Asked, Answered int
	Skipped         int // lines of the input that are no question
	Took            time.Duration
	Median, P99     time.Duration // of an answer
	Faults          Faults
}

// A trial is one run of Try.
type trial struct {
	*workshop
	input    *input
	fromLog  bool
	row      func(Row)
	open     []*asked // in their order
	first    Question // that was asked
	report   Report
	took     []time.Duration
	bad      int // questions in a row without an answer
	inFlight int
	stopped  bool
}

// asked is a question that was put.
type asked struct {
	question Question
	tries    string
	handle   *helper.Question
	attempts int
}

// mostAttempts is how often a question is put whose answer is BH, as in the proxy.
const mostAttempts = 3

// Try puts the lines of an input to one process of a program, on all its channels, and then the program's probes if
// that is wanted. row is called for each, in their order. The error is why it could not go on.
func Try(ctx context.Context, p *Program, from Source, probes bool, o Options, row func(Row)) (Report, error) {
	c := p.Config
	c.Children, c.Startup, c.Idle, c.Retries, c.Timeout = 1, 1, 1, 0, shortest(c.Timeout, o.Patience)
	if c.PTY == helper.PTYAuto {
		c.PTY = helper.PTYOff // what that mends is to be seen
	}
	w, err := open(p, &o, c)
	if err != nil {
		return Report{}, err
	}
	t := &trial{workshop: w, row: row, fromLog: from.FromLog, inFlight: min(max(c.Concurrency, 1), mostInFlight)}
	defer context.AfterFunc(ctx, func() { w.loop.Post(t.stop) })()
	err = t.ready(1)
	if err == nil {
		t.input = read(from.Lines, w.loop, w.waker)
		defer close(t.input.stop)
		began := time.Now()
		err = t.lines()
		t.report.Took = time.Since(began)
	}
	if err == nil && probes && !t.stopped {
		err = t.probes()
	}
	if err == nil && t.stopped {
		err = ctx.Err()
	}
	t.close()
	t.diagnose(c)
	t.report.Faults = t.faults.causes().of(p.Kind)
	t.report.Median, t.report.P99 = percentiles(t.took)
	return t.report, err
}

// mostInFlight is how many questions are put at a time to a process that has channels.
const mostInFlight = 8

func shortest(configured, patience time.Duration) time.Duration {
	if configured > 0 {
		return min(configured, patience)
	}
	return patience
}

// stop ends the trial early.
func (t *trial) stop() {
	t.stopped = true
	t.waker.Wake()
}

// lines puts the lines of the input.
func (t *trial) lines() error {
	idle := func() bool { return t.stopped || t.input.ended && len(t.open) == 0 }
	for {
		var failed error
		t.until(func() bool {
			failed = t.advance()
			return failed != nil || idle() || len(t.open) > 0 && t.waits() > t.longest()
		}, time.Hour)
		switch {
		case failed != nil:
			return failed
		case idle():
			return nil
		case len(t.open) > 0:
			return t.hangs()
		}
	}
}

// waits is how long the oldest question has waited.
func (t *trial) waits() time.Duration { return t.open[0].handle.Waited() }

// longest is how long a question may wait: for its answer, and before that for another process.
func (t *trial) longest() time.Duration { return t.options.Patience + t.options.Start }

func (t *trial) hangs() error {
	return fmt.Errorf("there is no answer, and no process to ask, for %v: the trial ends", t.longest().Round(time.Second))
}

// advance shows what is answered, and asks what can be asked.
func (t *trial) advance() error {
	for len(t.open) > 0 && t.settle(t.open[0]) {
		t.open = t.open[1:]
	}
	for !t.stopped && len(t.open) < t.inFlight && t.input.peek() {
		t.askLine(t.input.take())
	}
	if t.bad >= mostDeaths {
		return fmt.Errorf("%d lines in a row have no answer: the trial ends", t.bad)
	}
	return nil
}

// askLine asks about one line of the input.
func (t *trial) askLine(line string) {
	q, err := t.question(line)
	if err != nil {
		t.report.Skipped++
		t.row(Row{Line: []byte(line), Title: []byte(line), Err: err, Meaning: Meaning{Does: "is not asked"}})
		return
	}
	t.ask(q, "")
}

func (t *trial) question(line string) (Question, error) {
	if !t.fromLog {
		return t.talk.Question(line)
	}
	r, err := fromLog(line)
	if err != nil {
		return nil, err
	}
	return t.talk.OfRequest(r)
}

func (t *trial) ask(q Question, tries string) {
	t.report.Asked++
	t.progress.Asked++
	if t.first == nil {
		t.first = q
	}
	t.open = append(t.open, &asked{q, tries, t.workshop.ask(q), 1})
}

// settle shows a question with its answer, if that is there.
func (t *trial) settle(a *asked) bool {
	answer, done, err := a.handle.Answer()
	if !done {
		return false
	}
	meaning := a.question.Means(answer, err)
	if meaning.Again && a.attempts < mostAttempts {
		a.handle.Cancel()
		a.attempts++
		a.handle = t.workshop.ask(a.question)
		return false
	}
	took := a.handle.Waited()
	t.count(a, meaning, err, took)
	t.row(Row{a.tries, a.question.Line(), title(a.question), slices.Clone(answer), err, meaning, took})
	a.handle.Cancel()
	return true
}

// count takes note of an answer, or of what was none.
func (t *trial) count(a *asked, m Meaning, err error, took time.Duration) {
	t.progress.Answered++
	if m.Fault != "" {
		t.faults.add(cmp.Or(m.Kind, unclear), m.Fault)
	}
	switch {
	case err == nil:
		t.report.Answered++
		t.took = append(t.took, took)
		t.bad = 0
	case errors.Is(err, helper.ErrGarbled):
		t.bad++
	case errors.Is(err, helper.ErrLate):
		t.bad++
		t.faults.add(late, "to "+Printable(title(a.question), shown))
	case errors.Is(err, helper.ErrLost):
		t.bad++
		what := Printable(title(a.question), shown)
		if a.tries != "" {
			what = a.tries + ": " + what
		}
		t.faults.add(deadly, what)
	}
}

// shown is how much of a line is shown where something is wrong with it.
const shown = 80

// probes puts the program's probes, one after the other: what one does is not to be laid at another's door.
func (t *trial) probes() error {
	for _, p := range t.talk.Probes() {
		t.bad = 0
		t.ask(p.Question, p.Tries)
		if !t.until(func() bool { return t.stopped || t.settle(t.open[0]) }, t.longest()) {
			return t.hangs()
		}
		t.open = t.open[:0]
		if t.stopped {
			return nil
		}
	}
	return nil
}

// diagnose finds out whether a silent program only does not flush: with a terminal for its output most do.
func (t *trial) diagnose(c helper.Config) {
	if c.PTY == helper.PTYOn || !t.faults.has("silent") && !t.faults.has(late) || t.report.Answered > 0 || t.first == nil {
		return
	}
	c.PTY = helper.PTYOn
	w, err := open(t.program, t.options, c)
	if err != nil {
		return
	}
	defer w.close()
	handle := w.ask(t.first)
	defer handle.Cancel()
	w.until(func() bool { _, done, _ := handle.Answer(); return done }, t.longest())
	if answer, done, err := handle.Answer(); done && err == nil {
		t.faults.add(buffered, "with a terminal for its output it answers to "+Printable(title(t.first), shown)+": "+Printable(answer, shown))
	}
}

// percentiles are the median and the 99th of some times.
func percentiles(times []time.Duration) (median, p99 time.Duration) {
	if len(times) == 0 {
		return 0, 0
	}
	slices.Sort(times)
	at := func(percent int) time.Duration { return times[min(len(times)*percent/100, len(times)-1)] }
	return at(50), at(99)
}
