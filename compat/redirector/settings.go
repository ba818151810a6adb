package redirector

import (
	"fmt"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/children"
	"exaproxy/compat/conf"
	"exaproxy/compat/logformat"
	"exaproxy/engine"
)

// Settings are what a configuration says of redirectors.
type Settings struct {
	Argv     []string // url_rewrite_program; empty: nobody is asked
	Children children.Settings

	Access   *acl.List // url_rewrite_access
	Bypass   bool      // url_rewrite_bypass
	KeepHost bool      // url_rewrite_host_header off
	Extras   *logformat.Format

	Timeout   time.Duration
	OnTimeout OnTimeout
	Response  string // of OnTimeout TimeoutResponse

	Crash, Broken, Invalid, Target, Long Fault // url_rewrite_failure: crash=, bh=, invalid=, target=, long=

	LineMax int  // helper_line_max: bytes; 0: any length
	Keep    bool // keep_helpers

	LocalPages map[string][]byte // what is in error_directory, by name, for file://NAME
}

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
	access := acls.NewList("url_rewrite_access", acl.Allow)
	access.Unknown = acl.Allow // who might not have been asked about is asked about
	return Settings{Children: children.Settings{Max: 20, Idle: 1}, Broken: Pass, Invalid: Pass, LineMax: lineMax, Access: access}
}

// Enabled says whether there are redirectors to be asked.
func (s *Settings) Enabled() bool { return len(s.Argv) > 0 }

// NamesClients says whether the helpers are told the names of clients, which they are if nothing else is said.
func (s *Settings) NamesClients() bool {
	return s.Enabled() && (s.Extras == nil || s.Extras.NamesClients())
}

// Finish completes the defaults that depend on several directives. An error says why the program
// cannot be started.
func (s *Settings) Finish() error {
	if !s.Enabled() {
		return nil
	}
	if n := &s.Children; !n.Sized {
		n.QueueSize = 2 * n.Max
		if s.Bypass {
			n.QueueSize = 0
		}
	}
	if err := children.Executable(s.Argv[0]); err != nil {
		return fmt.Errorf("url_rewrite_program %s: %s", s.Argv[0], conf.SystemText(err))
	}
	return nil
}

// section is that of debug_options, as Squid numbers it.
const section = 61

// Configure gives the engine its pool of helpers, if there are to be any. c.Log is set.
func (s *Settings) Configure(c *engine.Config, p children.Process) {
	if !s.Enabled() {
		return
	}
	c.KeepHelpers = s.Keep
	hc := s.Children.Config("redirector", s.Argv, p)
	hc.Timeout, hc.LineMax = s.Timeout, s.LineMax
	hc.Log = c.Log.With("section", section)
	c.Helper = &hc
}
