package redirector

import (
	"fmt"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/children"
	"exaproxy/compat/conf"
	"exaproxy/compat/logformat"
	"exaproxy/compat/reqmod"
	"exaproxy/engine"
)

// Settings are what a configuration says of redirectors.
type Settings struct {
	Asking        // who is asked, after Finish; before it the url_rewrite_ directives
	Reqmod Asking // the reqmod_ directives

	KeepHost bool // url_rewrite_host_header off
	Extras   *logformat.Format
	URI      string // reqmod_uri
	uriHost  string

	LineMax int  // helper_line_max: bytes; 0: any length
	Keep    bool // keep_helpers

	LocalPages map[string][]byte // what is in error_directory, by name, for file://NAME
	pageFolder string            // its name
}

// Asking is how helpers of one kind are asked.
type Asking struct {
	Kind     Kind
	Argv     []string // the program; empty: nobody is asked
	at       place    // of the program
	squids   []place  // of lines about the program, which stand in files of Squid's without one too
	ours     []place  // of those that only we have
	Children children.Settings

	Access *acl.List // url_rewrite_access, reqmod_access
	Bypass bool      // url_rewrite_bypass, reqmod_bypass

	Timeout   time.Duration
	OnTimeout OnTimeout
	Response  string // of OnTimeout TimeoutResponse

	Crash, Broken, Invalid, Target, Long Fault // url_rewrite_failure: crash=, bh=, invalid=, target=, long=
}

// A place is where a directive stands, and the name that it has there.
type place struct {
	pos  conf.Pos
	name string
}

// String begins an error about it, as those of other helpers do.
func (p place) String() string { return fmt.Sprintf("%s line %d: %s", p.pos.File, p.pos.Line, p.name) }

// Kind is a kind of helper, which speaks a language of its own.
type Kind uint8

const (
	Lines  Kind = iota // Squid's redirectors: url_rewrite_program
	Blocks             // those of ExaProxy 1.x: reqmod_program
)

// prefix is what the names of its directives begin with.
func (k Kind) prefix() string {
	if k == Blocks {
		return "reqmod_"
	}
	return "url_rewrite_"
}

// pool is what its processes are called. Questions of one kind are never passed on to helpers of the other.
func (k Kind) pool() string {
	if k == Blocks {
		return "reqmod"
	}
	return "redirector"
}

// String is what it is called in messages.
func (k Kind) String() string {
	if k == Blocks {
		return "REQMOD helper"
	}
	return "URL rewrite helper"
}

// OnTimeout is what becomes of a request whose question was not answered in time.
type OnTimeout uint8

const (
	TimeoutFail OnTimeout = iota
	TimeoutBypass
	TimeoutRetry
	TimeoutResponse
)

// Fault is what becomes of a request that the helpers could not answer (url_rewrite_failure, reqmod_failure).
type Fault uint8

const (
	Deny Fault = iota
	Pass
)

// Defaults are Squid's, but that what a lost helper did not answer does not pass.
func Defaults(acls *acl.Set) Settings {
	number := children.Settings{Max: 20, Idle: 1}
	redirectors := number
	redirectors.Redirectors = true
	return Settings{LineMax: children.LineMax, URI: "icap://localhost/reqmod", uriHost: "localhost",
		Asking: Asking{Children: redirectors, Broken: Pass, Invalid: Pass, Access: newAccess(acls, "url_rewrite_access")},
		Reqmod: Asking{Kind: Blocks, Children: number, Access: newAccess(acls, "reqmod_access")}}
}

// newAccess is which requests are asked about; so is one of which that cannot be told.
func newAccess(acls *acl.Set, directive string) *acl.List {
	access := acls.NewList(directive, acl.Allow)
	access.Unknown = acl.Allow
	return access
}

// Enabled says whether there are helpers to be asked.
func (a *Asking) Enabled() bool { return len(a.Argv) > 0 }

// Program is the directive that names the program.
func (a *Asking) Program() string { return a.Kind.prefix() + "program" }

// Failure is the directive that says what becomes of requests that the program could not answer.
func (a *Asking) Failure() string { return a.Kind.prefix() + "failure" }

// Place names the program's line, and its directive as it is written there.
func (a *Asking) Place() string { return a.at.String() }

// NamesClients says whether the helpers are told the names of clients, which they are if nothing else is said.
func (s *Settings) NamesClients() bool {
	return s.Enabled() && s.Kind == Lines && (s.Extras == nil || s.Extras.NamesClients())
}

// Finish completes the defaults that depend on several directives. An error says why the program
// cannot be started. say is told of lines that have no effect.
func (s *Settings) Finish(say func(level int, format string, args ...any)) error {
	s.Asking.sayIdle(say, s.Reqmod.Enabled())
	s.Reqmod.sayIdle(say, s.Enabled())
	if s.Reqmod.Enabled() {
		s.Asking = s.Reqmod
	}
	if !s.Enabled() {
		return nil
	}
	if s.Children.SizeQueue(); s.Bypass && !s.Children.Sized {
		s.Children.QueueSize = 0
	}
	if err := children.Executable(s.Argv[0]); err != nil {
		return fmt.Errorf("%s %s: %s", s.Place(), s.Argv[0], conf.SystemText(err))
	}
	return nil
}

// sayIdle complains of lines that are about helpers which there are none of: of Squid's if others take their place.
func (a *Asking) sayIdle(say func(level int, format string, args ...any), others bool) {
	if a.Enabled() {
		return
	}
	lines := a.ours
	if others {
		lines = append(lines, a.squids...)
	}
	for _, p := range lines {
		say(1, "WARNING: %s: %s has no effect: there is no %s", p.pos, p.name, a.Program())
	}
}

// section is that of debug_options, as Squid numbers it.
const section = 61

// Configure gives the engine its pool of helpers, if there are to be any. c.Log is set.
func (s *Settings) Configure(c *engine.Config, p children.Process) {
	if !s.Enabled() {
		return
	}
	c.KeepHelpers = s.Keep
	hc := s.Children.Config(s.Kind.pool(), s.Argv, p)
	hc.Timeout, hc.LineMax = s.Timeout, s.LineMax
	hc.Spare = false // each request has its time, and then on_timeout=
	if s.Kind == Blocks {
		hc.LineMax, hc.Framing = 0, reqmod.Framing{}
	}
	hc.Log = c.Log.With("section", section)
	c.Helper = &hc
}
