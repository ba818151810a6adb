package logs

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A CacheLog is cache.log: where the proxy says what it does, in the shape of Squid's lines
//
//	2026/11/22 10:00:44 kid1| WARNING: redirector #1 exited
//
// It is a slog.Handler. Until Files.UseCacheLog, lines go to standard error and are kept for the file; from
// then on standard error has only those up to the level of -d. Any goroutine may use it and
// none waits for the disk.
type CacheLog struct {
	*cacheLog
	section int    // of this handler's records; -1: none
	attrs   string // " key=value" of With
}

type cacheLog struct {
	tag         string // " kid1", or nothing in a proxy in the foreground
	stderr      io.Writer
	stderrLevel atomic.Int32 // -1: nothing
	clock       func() time.Time

	verbosity atomic.Pointer[Verbosity]
	file      atomic.Pointer[File]
	settled   atomic.Bool // there is a file, or will be none: lines need not be kept for it any more

	mu    sync.Mutex // guards early, and keeps lines on stderr whole
	early []byte     // said before there was a file
}

// CacheLogOptions is what the command line says of cache.log.
type CacheLogOptions struct {
	Tag         string           // "kid1"; "" for none
	Stderr      io.Writer        // must not block: see Stream
	StderrLevel int              // -d; -1: none
	Clock       func() time.Time // nil: time.Now
}

// NewCacheLog makes a log that has no file yet. Its verbosity is debug_options ALL,1.
func NewCacheLog(o CacheLogOptions) *CacheLog {
	if o.Tag != "" {
		o.Tag = " " + o.Tag
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	c := &cacheLog{tag: o.Tag, stderr: o.Stderr, clock: o.Clock}
	c.stderrLevel.Store(int32(o.StderrLevel))
	c.verbosity.Store(&Verbosity{All: 1})
	return &CacheLog{cacheLog: c, section: -1}
}

// program is how syslog names the process: Squid's workers in the background have another name than the program.
func (c *CacheLog) program() string {
	if c.tag != "" {
		return "(squid-1)"
	}
	return "squid"
}

// stampLayout is how a line begins.
const stampLayout = "2006/01/02 15:04:05"

// maxEarly bounds what is kept for a file that is not open yet.
const maxEarly = 256 << 10

// use makes f the file, and writes to it what was said before. With a nil f there is none
// (cache_log none), only standard error as -d says.
func (c *CacheLog) use(f *File) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f != nil && len(c.early) > 0 {
		f.Append(c.early)
	}
	c.early = nil
	c.file.Store(f)
	c.settled.Store(true)
}

// SetStderrLevel is -d from now on.
func (c *CacheLog) SetStderrLevel(level int) { c.stderrLevel.Store(int32(level)) }

// SetVerbosity is debug_options from now on.
func (c *CacheLog) SetVerbosity(v Verbosity) { c.verbosity.Store(&v) }

// ToggleDebug switches between ALL,7 and usual, as SIGUSR2 does, and returns what it is now.
func (c *CacheLog) ToggleDebug(usual Verbosity) Verbosity {
	next := Verbosity{All: debugAll}
	if c.verbosity.Load().All == debugAll {
		next = usual
	}
	c.SetVerbosity(next)
	return next
}

// debugAll is the level of -k debug.
const debugAll = 7

// Say writes a line of Squid's wording at a level of debug_options.
func (c *CacheLog) Say(level int, text string) {
	if level <= c.verbosity.Load().level(c.section) {
		c.line(c.clock(), level, text)
	}
}

// Stderr returns a writer for what helpers print on their standard error: whole lines that go
// to the log as they are, without a date, as Squid's helpers hold cache.log itself.
func (c *CacheLog) Stderr() io.Writer { return rawLog{c.cacheLog} }

type rawLog struct{ log *cacheLog }

func (r rawLog) Write(text []byte) (int, error) {
	r.log.write(0, text)
	return len(text), nil
}

// Enabled is of slog.Handler.
func (c *CacheLog) Enabled(_ context.Context, l slog.Level) bool {
	return squidLevel(l) <= c.verbosity.Load().level(c.section)
}

// Handle is of slog.Handler.
func (c *CacheLog) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString(severity(r.Level, r.Message))
	b.WriteString(r.Message)
	b.WriteString(c.attrs)
	r.Attrs(func(a slog.Attr) bool {
		appendAttr(&b, a)
		return true
	})
	when := r.Time
	if when.IsZero() {
		when = c.clock()
	}
	c.line(when, squidLevel(r.Level), b.String())
	return nil
}

// WithAttrs is of slog.Handler. The attribute "section" is the number of a section of
// debug_options and is not shown.
func (c *CacheLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *c
	var b strings.Builder
	for _, a := range attrs {
		if a.Key == "section" && a.Value.Kind() == slog.KindInt64 {
			with.section = int(a.Value.Int64())
			continue
		}
		appendAttr(&b, a)
	}
	with.attrs += b.String()
	return &with
}

// WithGroup is of slog.Handler; lines of cache.log know no groups.
func (c *CacheLog) WithGroup(string) slog.Handler { return c }

func appendAttr(b *strings.Builder, a slog.Attr) {
	if a.Equal(slog.Attr{}) {
		return
	}
	text := a.Value.Resolve().String()
	if strings.ContainsAny(text, " \t\n\"") || text == "" {
		text = fmt.Sprintf("%q", text)
	}
	b.WriteString(" " + a.Key + "=" + text)
}

// line writes one record. Line feeds inside it, which only others' bytes can bring, are shown.
func (c *cacheLog) line(when time.Time, level int, text string) {
	b := make([]byte, 0, 160)
	b = when.AppendFormat(b, stampLayout)
	b = append(b, c.tag...)
	b = append(b, "| "...)
	b = append(b, strings.ReplaceAll(text, "\n", `\n`)...)
	c.write(level, append(b, '\n'))
}

func (c *cacheLog) write(level int, line []byte) {
	if file := c.file.Load(); file != nil {
		file.Append(line)
	}
	settled := c.settled.Load()
	if settled && level > int(c.stderrLevel.Load()) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !settled && len(c.early) < maxEarly {
		c.early = append(c.early, line...)
	}
	c.stderr.Write(line) // there is nowhere to log it if this fails
}

// squidLevel is the level of debug_options at which a record of slog is shown.
func squidLevel(l slog.Level) int {
	switch {
	case l >= slog.LevelError:
		return 0
	case l >= slog.LevelInfo:
		return 1
	}
	return min(2+int(slog.LevelDebug-l), 9)
}

// severity is the word that Squid begins such messages with, unless the message has one.
func severity(l slog.Level, message string) string {
	for _, word := range [...]string{"FATAL: ", "ERROR: ", "WARNING: ", "NOTICE: ", "UPGRADE WARNING: "} {
		if strings.HasPrefix(message, word) {
			return ""
		}
	}
	switch {
	case l >= slog.LevelError:
		return "ERROR: "
	case l >= slog.LevelWarn:
		return "WARNING: "
	}
	return ""
}
