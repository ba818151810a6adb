package helpertest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"time"

	"exaproxy/helper"
)

// A Speed is how fast a program is with a number of questions at a time.
type Speed struct {
	AtATime     int           `json:"at_a_time"`
	PerSecond   float64       `json:"per_second"`
	Median, P99 time.Duration `json:"-"`
	Failed      int           `json:"failed"` // questions without an answer
}

// Bench puts n questions, of the lines of an input in turn, to all the processes that the configuration allows: one at a time,
// then two, and so on up to as many as they take. row is called for each number.
func Bench(ctx context.Context, p *Program, from Source, n int, o Options, row func(Speed)) (Faults, error) {
	c := p.Config
	c.Children = max(c.Children, 1)
	c.Startup, c.Idle, c.Retries, c.Timeout = c.Children, c.Children, 0, shortest(c.Timeout, o.Patience)
	w, err := open(p, &o, c)
	if err != nil {
		return nil, err
	}
	defer w.close()
	stopped := false
	defer context.AfterFunc(ctx, func() { w.loop.Post(func() { stopped = true; w.waker.Wake() }) })()
	if err := w.ready(c.Children); err != nil {
		return w.faults.causes(), err
	}
	questions, err := w.questions(from)
	if err != nil {
		return nil, err
	}
	most := c.Children * atOnce(&c)
	for at := 1; ; at *= 2 {
		at = min(at, most)
		b := bench{workshop: w, questions: questions, left: n, stopped: &stopped}
		speed, err := b.run(at)
		if err != nil {
			return w.faults.causes(), err
		}
		if stopped {
			return w.faults.causes(), ctx.Err()
		}
		row(speed)
		if at == most {
			return w.faults.causes(), nil
		}
	}
}

// atOnce is how many questions one process has at a time, with channel numbers or ahead of its answers (pipeline=).
func atOnce(c *helper.Config) int {
	if c.Concurrency == 0 && c.Framing == nil {
		return max(c.Pipeline, 1)
	}
	return max(c.Concurrency, 1)
}

// questions makes what is asked of the lines of an input.
func (w *workshop) questions(from Source) ([]Question, error) {
	t := trial{workshop: w, fromLog: from.FromLog}
	var all []Question
	lines := bufio.NewReader(from.Lines)
	for len(all) < mostLines {
		line, err := lines.ReadString('\n')
		if q, failed := t.question(trimEnd(line)); line != "" && failed == nil {
			all = append(all, q)
		}
		if err != nil {
			break
		}
	}
	if len(all) == 0 {
		return nil, errors.New("no line of the input is a question")
	}
	return all, nil
}

// mostLines are as many lines of an input as a bench needs to have.
const mostLines = 1 << 16

// A bench is one number of questions at a time.
type bench struct {
	*workshop
	questions []Question
	open      []*helper.Question
	took      []time.Duration
	left      int
	asked     int
	failed    int
	stopped   *bool
}

func (b *bench) run(at int) (Speed, error) {
	began := time.Now()
	over := func() bool {
		b.advance(at)
		return *b.stopped || b.left == 0 && len(b.open) == 0
	}
	for before := -1; !over(); before = len(b.took) {
		if before == len(b.took) {
			return Speed{}, fmt.Errorf("nothing is answered for %v: the bench ends", b.options.Patience+b.options.Start)
		}
		b.until(over, b.options.Patience+b.options.Start)
	}
	for _, q := range b.open {
		q.Cancel()
	}
	s := Speed{AtATime: at, PerSecond: float64(b.asked) / time.Since(began).Seconds(), Failed: b.failed}
	s.Median, s.P99 = percentiles(b.took)
	return s, nil
}

// advance takes what is answered, and asks for as many at a time.
func (b *bench) advance(at int) {
	kept := b.open[:0]
	for _, q := range b.open {
		_, done, err := q.Answer()
		if !done {
			kept = append(kept, q)
			continue
		}
		if err != nil {
			b.failed++
		}
		b.took = append(b.took, q.Waited())
		b.progress.Answered++
		q.Cancel()
	}
	b.open = kept
	for len(b.open) < at && b.left > 0 && !*b.stopped {
		b.open = append(b.open, b.ask(b.questions[b.asked%len(b.questions)]))
		b.asked++
		b.left--
		b.progress.Asked++
	}
}
