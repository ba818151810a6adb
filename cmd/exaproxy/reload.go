package main

import (
	"fmt"
	"strings"
	"syscall"

	"exaproxy/compat"
	"exaproxy/compat/conf"
	"exaproxy/compat/logs"
)

// A change is a configuration made ready to be followed: everything that can fail has been done,
// and nothing that is in use is changed.
type change struct {
	settings *compat.Settings
	setup    *compat.Setup
	cacheLog *logs.File
	keepLog  bool // cache.log goes on where it goes now
}

// A prepared is how a reload has gone so far.
type prepared struct {
	began  int64 // monotonic
	change *change
	err    error
}

// prepare reads the configuration again (SIGHUP). It is an errand: names may have to be looked up, and
// the disk may be slow.
func (s *server) prepare() *prepared {
	began := monotonic()
	s.notifyReloading(began)
	s.log.Say(1, "Reconfiguring ExaProxy (version "+version+")...")
	c, err := s.read()
	return &prepared{began, c, err}
}

// follow has the program follow a configuration that could be prepared. Otherwise nothing changes.
func (s *server) follow(p *prepared) {
	err := p.err
	if err == nil {
		err = s.commit(p.change)
	}
	s.tellReloaded(p.began, err)
	if err != nil {
		s.log.Say(0, fmt.Sprintf("ERROR: the configuration was not changed: %s", err))
		s.notify("READY=1\nSTATUS=The last reload failed: " + strings.ReplaceAll(err.Error(), "\n", "; "))
		return
	}
	s.log.Say(1, "Reconfigured: transactions that begin now follow the new configuration")
	s.notify("READY=1\nSTATUS=")
}

// tellReloaded tells who ordered a reload how it ended. He asked the process in the pid file.
func (s *server) tellReloaded(began int64, outcome error) {
	if s.role.kid() {
		s.root.Reloaded(began, outcome)
	} else {
		go tellOutcome(began, outcome)
	}
}

// read reads the configuration, and opens the logs that it names.
func (s *server) read() (*change, error) {
	settings, err := s.o.load(s.root, s.log.Say)
	if err != nil {
		return nil, err
	}
	if err := mayMark(settings); err != nil {
		return nil, err
	}
	s.protectKeys(settings)
	setup, err := settings.Engine(s.log, s.files)
	if err != nil {
		return nil, err
	}
	setup.Config.Bind = s.root.Bind
	c := &change{settings: settings, setup: setup}
	c.cacheLog, err = s.files.OpenCacheLog(&settings.Logs)
	switch {
	case err == nil:
	case settings.Logs.CacheLog == s.settings.Logs.CacheLog:
		// It was as unusable at the start, or is since then: that is no reason to keep old rules.
		s.log.Say(0, fmt.Sprintf("WARNING: Cannot write log file: %s", settings.Logs.CacheLog))
		c.keepLog = true
	default:
		setup.Close()
		return nil, fmt.Errorf("cache_log %s: %s", settings.Logs.CacheLog, conf.SystemText(err))
	}
	return c, nil
}

// commit has the program follow a prepared configuration. The engine opens its ports and makes
// its policies before it changes anything; what comes after that cannot fail.
func (s *server) commit(c *change) error {
	if err := s.engine.Reconfigure(c.setup.Config); err != nil {
		c.setup.Close()
		s.files.Release(c.cacheLog)
		return err
	}
	s.setup.Close()
	s.setup = c.setup
	s.setup.Commit()
	s.warnFixed(c.settings)
	s.settings = c.settings
	syscall.Umask(s.settings.Program.Umask)
	if c.keepLog {
		s.log.SetVerbosity(s.verbosity())
	} else {
		s.useCacheLog(c.cacheLog)
	}
	return nil
}

// warnFixed says which values wait for the next start, at each reload until then.
func (s *server) warnFixed(settings *compat.Settings) {
	running, now := &s.started, &settings.Program
	for _, fixed := range []struct {
		name    string
		changed bool
	}{
		{"pid_filename", now.PIDFile != running.PIDFile},
		{"cache_effective_user", now.User != running.User || now.Group != running.Group},
		{"workers", now.Workers != running.Workers},
		{"max_filedescriptors", now.Descriptors != running.Descriptors},
	} {
		if fixed.changed {
			s.log.Say(1, fmt.Sprintf("WARNING: the new value of %s is used after the next start", fixed.name))
		}
	}
}
