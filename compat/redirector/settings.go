package redirector

import (
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/conf"
	"exaproxy/compat/logformat"
	"exaproxy/engine"
	"exaproxy/helper"
)

// Settings are what a configuration says of redirectors.
type Settings struct {
	Argv        []string // url_rewrite_program; empty: nobody is asked
	Children    int
	Startup     int
	Idle        int
	Concurrency int
	QueueSize   int  // questions that may wait for a helper before the administrator is warned
	PTY         bool // the helpers' output is a terminal, so that their stdio does not buffer it

	Access   *acl.List // url_rewrite_access
	Bypass   bool      // url_rewrite_bypass
	KeepHost bool      // url_rewrite_host_header off
	Extras   *logformat.Format

	Overload  Overload
	Timeout   time.Duration
	OnTimeout OnTimeout
	Response  string // of OnTimeout TimeoutResponse

	Crash, Broken, Invalid, Target, Long Fault // url_rewrite_failure: crash=, bh=, invalid=, target=, long=

	LineMax int  // helper_line_max: bytes; 0: any length
	Keep    bool // keep_helpers

	LocalPages map[string][]byte // what is in error_directory, by name, for file://NAME

	sized bool // queue-size= was given
}

// Overload is what becomes of new requests when the helpers have been overloaded for long
// (on-persistent-overload).
type Overload uint8

const (
	OverloadWait   Overload = iota // die: they wait, and it is logged as an error; the program never ends for it
	OverloadBypass                 // ERR: they pass unchanged
)

// OnTimeout is what becomes of a request whose question was not answered in time.
type OnTimeout uint8

const (
	TimeoutFail OnTimeout = iota
	TimeoutBypass
	TimeoutRetry
	TimeoutResponse
)

// Fault is what becomes of a request that the helpers could not answer (url_rewrite_failure).
type Fault uint8

const (
	Deny Fault = iota
	Pass
)

// lineMax is the longest line, with its end, that fits the buffer of 8 KB that helpers of Squid have: fgets(3)
// wants a byte more.
const lineMax = 8191

// Defaults are Squid's, but that what a lost helper did not answer does not pass.
func Defaults(acls *acl.Set) Settings {
	return Settings{Children: 20, Idle: 1, Broken: Pass, Invalid: Pass, LineMax: lineMax,
		Access: acls.NewList("url_rewrite_access", acl.Allow)}
}

// Enabled says whether there are redirectors to be asked.
func (s *Settings) Enabled() bool { return len(s.Argv) > 0 }

// Finish completes the defaults that depend on several directives. An error says why the program
// cannot be started.
func (s *Settings) Finish() error {
	if !s.Enabled() {
		return nil
	}
	if !s.sized {
		s.QueueSize = 2 * s.Children
		if s.Bypass {
			s.QueueSize = 0
		}
	}
	if err := executable(s.Argv[0]); err != nil {
		return fmt.Errorf("url_rewrite_program %s: %s", s.Argv[0], conf.SystemText(err))
	}
	return nil
}

// executable says why a program cannot be started, as far as looking at it shows.
func executable(path string) error {
	facts, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case facts.IsDir():
		return syscall.EISDIR
	case facts.Mode()&0o111 == 0:
		return syscall.EACCES
	}
	return nil
}

// A Process is how the helpers of the whole proxy are run, beside what the Settings say.
type Process struct {
	Dir       string    // their working directory; "": ours
	Debug     string    // debug_options, which they find as SQUID_DEBUG
	PerWorker bool      // each worker has all of them, as in Squid; false: they are divided
	Stderr    io.Writer // gets what they write to their standard error
}

// section is that of debug_options, as Squid numbers it.
const section = 61

// Configure gives the engine its pool of helpers, if there are to be any. c.Log is set.
func (s *Settings) Configure(c *engine.Config, p Process) {
	if !s.Enabled() {
		return
	}
	c.KeepHelpers = s.Keep
	c.Helper = &helper.Config{
		Name:        "redirector",
		Argv:        s.Argv,
		Children:    s.Children,
		Startup:     s.Startup,
		Idle:        s.Idle,
		Concurrency: s.Concurrency,
		PerWorker:   p.PerWorker,
		PTY:         s.PTY,
		Retries:     2, // a question may end three helpers before it is given up
		Timeout:     s.Timeout,
		LineMax:     s.LineMax,
		Env:         append(os.Environ(), "SQUID_DEBUG="+p.Debug),
		Dir:         p.Dir,
		Stderr:      p.Stderr,
		Log:         c.Log.With("section", section),
	}
}
