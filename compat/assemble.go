package compat

import (
	"fmt"
	"log/slog"
	"os"

	"exaproxy/engine"
	"exaproxy/helper"
)

// A Setup is settings made ready for an engine: its configuration, with the log files that its
// policies write open.
type Setup struct {
	Config engine.Config

	logs     *Logs
	journals []journal
}

// Close gives up the log files. Policies that are made already keep theirs until they are
// closed.
func (s *Setup) Close() {
	for _, j := range s.journals {
		if j.file != nil {
			s.logs.release(j.file)
		}
	}
	s.journals = nil
}

// Engine makes the settings ready for an engine. It opens the access logs.
func (s *Settings) Engine(logs *Logs) (*Setup, error) {
	setup := &Setup{logs: logs}
	for _, log := range s.AccessLogs {
		j := journal{format: log.Format, access: log.Access}
		if log.Path != "" {
			file, err := logs.open(log.Path, log.Rotate, s.Buffered)
			if err != nil {
				setup.Close()
				return nil, fmt.Errorf("cannot open '%s' for writing. The parent directory must be writeable by the user %s: %w",
					log.Path, s.userName(), err)
			}
			j.file = file
		}
		setup.journals = append(setup.journals, j)
	}
	setup.Config = s.config(logs.log)
	journals := setup.journals
	setup.Config.NewPolicy = func(services engine.Services) (engine.Policy, error) {
		return newPolicy(s, services, logs, journals), nil
	}
	return setup, nil
}

// config is all that the engine wants to know but the policy.
func (s *Settings) config(log *CacheLog) engine.Config {
	c := engine.Config{
		Workers:             s.Workers,
		Ports:               s.Ports,
		Names:               s.Names,
		Log:                 slog.New(log),
		Timeouts:            s.Timeouts,
		Limits:              s.Limits,
		ConnectVerdict:      s.Verdict,
		HalfClosed:          s.HalfClosed,
		NoClientPersistence: s.NoClientPersistence,
		NoServerPersistence: s.NoServerPersistence,
		KeepReplyHeads:      s.MIMEHeaders || len(s.Formats) > 0,
		KeepOutgoing:        len(s.Formats) > 0,
	}
	c.Names.Log = slog.New(log).With("section", sectionNames)
	if len(s.Rewriter.Argv) > 0 {
		c.Helper = s.helper(log)
	}
	return c
}

// Sections of debug_options, as Squid numbers them.
const (
	sectionNames    = 78
	sectionRewriter = 61
)

// helper describes the pool that url_rewrite_program asks for.
func (s *Settings) helper(log *CacheLog) *helper.Config {
	w := &s.Rewriter
	c := &helper.Config{
		Name:        "redirector",
		Argv:        w.Argv,
		Children:    w.Children,
		Startup:     w.Startup,
		Idle:        w.Idle,
		Concurrency: w.Concurrency,
		PerWorker:   s.Workers > 0, // the file gave a number of workers, as in Squid
		PTY:         w.PTY,
		Retries:     2, // a question may end three helpers before it is given up
		Env:         append(os.Environ(), "SQUID_DEBUG="+s.Verbosity.String()),
		Stderr:      log.Stderr(),
		Log:         slog.New(log).With("section", sectionRewriter),
	}
	if s.CoreDir != "" {
		if facts, err := os.Stat(s.CoreDir); err != nil || !facts.IsDir() {
			log.Say(1, fmt.Sprintf("WARNING: coredump_dir %s is not a directory: helpers run where the proxy does", s.CoreDir))
		} else {
			c.Dir = s.CoreDir
		}
	}
	return c
}

// Credential is whom the proxy becomes once it listens; nil if it was not started by root. The
// error is in Squid's words.
func (s *Settings) Credential() (*Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	return LookupCredential(s.User, s.Group)
}

func (s *Settings) userName() string {
	if who, err := s.Credential(); err == nil && who != nil {
		return "'" + who.Name + "', which is the cache_effective_user"
	}
	return "that runs the proxy"
}

// ServiceName is -n, or Squid's default.
func (s *Settings) ServiceName() string {
	if s.Service == "" {
		return "squid"
	}
	return s.Service
}
