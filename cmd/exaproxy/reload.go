package main

import (
	"fmt"
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

// reload reads the configuration again (SIGHUP). If it cannot be used nothing changes.
func (s *server) reload() {
	s.log.Say(1, "Reconfiguring ExaProxy (version "+version+")...")
	c, err := s.prepare()
	if err == nil {
		err = s.commit(c)
	}
	if err != nil {
		s.log.Say(0, fmt.Sprintf("ERROR: the configuration was not changed: %s", err))
		return
	}
	s.log.Say(1, "Reconfigured: transactions that begin now follow the new configuration")
}

// prepare reads the configuration, and opens the logs that it names.
func (s *server) prepare() (*change, error) {
	settings, err := s.o.load(s.log.Say)
	if err != nil {
		return nil, err
	}
	setup, err := settings.Engine(s.log, s.files)
	if err != nil {
		return nil, err
	}
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

// warnFixed says which changes wait for the next start.
func (s *server) warnFixed(settings *compat.Settings) {
	before, now := &s.settings.Program, &settings.Program
	for _, fixed := range []struct {
		name    string
		changed bool
	}{
		{"pid_filename", now.PIDFile != s.pid.name()},
		{"cache_effective_user", now.User != before.User || now.Group != before.Group},
		{"workers", now.Workers != before.Workers},
		{"max_filedescriptors", now.Descriptors != before.Descriptors},
	} {
		if fixed.changed {
			s.log.Say(1, fmt.Sprintf("WARNING: the new value of %s is used after the next start", fixed.name))
		}
	}
}
