package helper

import (
	"io"
	"log/slog"
	"path/filepath"
	"reflect"
	"strconv"
	"syscall"
	"time"
)

// A Config says which program answers the questions of a pool, in how many processes, and
// how it is run. The zero Config is of no use: Argv has to name a program.
//
// The pool keeps a copy. What it points to (Argv, Env, Credential) is read by the goroutines
// of children and must not be changed afterwards.
type Config struct {
	Name string   // what messages call the children: "redirector"; "": "helper"
	Argv []string // the program's path, absolute or relative to where we are, and its arguments; no shell reads it

	Children    int  // processes at most, those not counted that are stopping; below 1: 1
	Startup     int  // processes to start with
	Idle        int  // processes with room to keep ready; more are started in the background; 0: none before a question waits
	PerWorker   bool // each worker has as many processes as the three above say; false: they are shared, see Share
	Concurrency int  // questions that one process has in flight at a time, each with a channel number before it; 0: one, and no number

	// Framing says how answers end; nil: each is a line. With it there are no channel numbers.
	Framing Framing

	// Pipeline is how many questions a process is given ahead of its answers, which it gives in their order, without
	// numbers. Below 2, or with a Concurrency above 0: none. See doc.go for what it costs.
	Pipeline int

	PTY     PTY // which children have a terminal for their output
	Retries int // how often a question that was lost with its child is asked again; 0: never
	LineMax int // bytes of a question as it is written, with channel number and line end; a longer one is settled with ErrTooLong; 0: any length

	// Timeout is how long a child that was ready may take for an answer; then the question is settled
	// with ErrLate. Waiting for a child counts for nothing. 0: for ever.
	Timeout time.Duration

	// Spare has a child with channel numbers replaced that answers nothing at all for half of Timeout, with one question that is late. If
	// it has several they are asked again, each alone, if Retries allows it: of which it hangs nobody can tell. false:
	// it is kept as long as it has a channel left, and what is late is settled.
	Spare bool

	// Reservation is how long a child is reserved for a Conversation where others wait for it, if they are no
	// more than the children; where more wait it is less. 0: 64 s.
	Reservation time.Duration

	Env        []string            // of the child; nil: ours
	Dir        string              // the child's working directory; "": ours
	Credential *syscall.Credential // who the child is; nil: as we are

	// Stderr gets what children write to their standard error, in whole lines. Its Write is
	// called from the goroutines of several children at once and may block. nil: nowhere.
	Stderr io.Writer
	Log    *slog.Logger // warnings about children, a line each; nil: nowhere
	// Observe is told of every warning about a child, on the loop's goroutine: those too that the log is not told of,
	// because there was one of their kind not long ago. Of a child that is replaced the kind is the beginning of
	// the reason. nil: nobody is.
	Observe func(kind, text string)

	stderrLimit *stderrLimit // of the pool

	Spawn Spawner // how a child is started; nil: as a process

	// SilenceWarning is how long a child may be silent after a question before a warning is logged
	// that it may not flush its output. 0: 10 s. It is half of Timeout at most.
	SilenceWarning time.Duration
}

// Share returns the part of the configuration that is one worker's, of a number of workers and
// counted from 0. Children, Startup and Idle are divided among them, unless PerWorker is set; of what does not divide
// evenly the first workers get more Children, and all as much Startup and Idle as any: none begins without a child where
// some are to be there. Each has one child at least.
func (c Config) Share(worker, workers int) Config {
	if c.PerWorker {
		return c
	}
	children := c.Children / workers
	if worker < c.Children%workers {
		children++
	}
	c.Children = max(children, 1)
	c.Startup = min((c.Startup+workers-1)/workers, c.Children)
	c.Idle = min((c.Idle+workers-1)/workers, c.Children)
	return c
}

// Same reports whether children of d would be the same as those of c: what they write to aside, which is
// whoever made the configuration's.
func (c Config) Same(d Config) bool {
	c.Stderr, c.Log, c.Observe, c.Spawn, c.stderrLimit = nil, nil, nil, nil, nil
	d.Stderr, d.Log, d.Observe, d.Spawn, d.stderrLimit = nil, nil, nil, nil, nil
	return reflect.DeepEqual(c, d)
}

// withDefaults returns the configuration with its zeroes replaced, so that no other code has
// to think of them.
func (c Config) withDefaults() Config {
	if c.Name == "" {
		c.Name = "helper"
	}
	c.Children = max(c.Children, 1)
	c.Startup = min(max(c.Startup, 0), c.Children)
	c.Idle = min(max(c.Idle, 0), c.Children)
	c.Concurrency = max(c.Concurrency, 0)
	if c.Framing != nil {
		c.Concurrency, c.Pipeline = 0, 0
	}
	if c.Concurrency > 0 {
		c.Pipeline = 0
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Observe == nil {
		c.Observe = func(string, string) {}
	}
	if c.Stderr == nil {
		c.Stderr = io.Discard
	}
	c.stderrLimit = &stderrLimit{}
	if c.Spawn == nil {
		c.Spawn = processSpawner{}
	}
	if c.SilenceWarning == 0 {
		c.SilenceWarning = 10 * time.Second
	}
	if c.Reservation == 0 {
		c.Reservation = 64 * time.Second
	}
	if c.Timeout > 0 {
		c.SilenceWarning = min(c.SilenceWarning, c.Timeout/2)
	}
	return c
}

// A PTY says which children get a terminal for their output, in the place of a pipe: their stdio writes each line at
// once to a terminal, and to a pipe only when it has gathered some thousand bytes.
type PTY uint8

const (
	PTYAuto PTY = iota // all, once one without was seen to keep its answer back and one with it to answer
	PTYOn              // all
	PTYOff             // none
)

// program is the name of the program without its folder.
func (c *Config) program() string {
	if len(c.Argv) == 0 {
		return ""
	}
	return filepath.Base(c.Argv[0])
}

// endless is what is missing in an answer that does not end.
func (c *Config) endless() string {
	if c.Framing != nil {
		return "that are not a whole answer"
	}
	return "without a line end"
}

// numbered reports whether lines carry channel numbers.
func (c *Config) numbered() bool { return c.Concurrency > 0 }

// pipelined reports whether lines without channel numbers are given ahead.
func (c *Config) pipelined() bool { return c.Pipeline > 1 }

// capacity is how many questions one child has in flight at most.
func (c *Config) capacity() int { return max(c.Concurrency, c.Pipeline, 1) }

// frame is how many bytes are written with a question, at most: the number of its channel and a blank,
// and the line's end.
func (c *Config) frame() int {
	if c.Framing != nil {
		return 0
	}
	if c.Concurrency < 1 {
		return len("\n")
	}
	return len(strconv.Itoa(c.Concurrency-1)) + len(" \n")
}
