package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"syscall"

	"exaproxy/compat"
	"exaproxy/compat/conf"
	"exaproxy/compat/logs"
	"exaproxy/engine"
)

// A server is the running program: its options, and what it has open. It belongs to the main
// goroutine.
type server struct {
	o        *options
	log      *logs.CacheLog
	files    *logs.Files
	settings *compat.Settings
	setup    *compat.Setup
	engine   *engine.Engine
	pid      *pidFile
}

// user is who the proxy becomes once it listens; nil if it stays who it is. With --try it does: the
// redirector may stand in a home that nobody else can enter, and only this machine is served.
func (s *server) user() (*logs.Owner, error) {
	if s.o.trying {
		return nil, nil
	}
	return effectiveUser(s.settings.Program.User, s.settings.Program.Group)
}

// raiseDescriptors allows as many descriptors as the system does, or as max_filedescriptors says.
func (s *server) raiseDescriptors() {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return
	}
	want := limit
	want.Cur = want.Max
	if n := uint64(s.settings.Program.Descriptors); n > 0 {
		want.Cur, want.Max = n, max(n, want.Max)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &want); err != nil {
		s.log.Say(0, fmt.Sprintf("ERROR: setrlimit: RLIMIT_NOFILE: %s", conf.SystemText(err)))
		s.log.Say(0, "NOTICE: Could not increase the number of filedescriptors")
		want = limit
	}
	s.log.Say(1, fmt.Sprintf("With %d file descriptors available", want.Cur))
}

// openCacheLog opens cache.log as the settings say. If it cannot be opened messages go on to standard
// error.
func (s *server) openCacheLog() {
	s.log.SetVerbosity(s.verbosity())
	file, err := s.files.OpenCacheLog(&s.settings.Logs)
	if err != nil {
		s.log.Say(0, fmt.Sprintf("WARNING: Cannot write log file: %s", s.settings.Logs.CacheLog))
		s.log.Say(0, fmt.Sprintf("%s; messages are sent to standard error", err))
		return
	}
	s.useCacheLog(file)
}

// useCacheLog has messages go to the file that was opened for cache_log, in the detail that the
// settings ask for.
func (s *server) useCacheLog(f *logs.File) {
	s.log.SetVerbosity(s.verbosity())
	s.files.UseCacheLog(f, &s.settings.Logs)
	s.catchCrashes()
}

// verbosity is debug_options; -X is stronger.
func (s *server) verbosity() logs.Verbosity {
	if s.o.full {
		return logs.Verbosity{All: 9}
	}
	return s.settings.Logs.Verbosity
}

// catchCrashes has the runtime write what it has to say about a crash to cache.log too: a
// process in the background has no standard error.
func (s *server) catchCrashes() {
	path := s.settings.Logs.CacheLog
	if path == "" {
		return
	}
	if file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0); err == nil {
		debug.SetCrashOutput(file, debug.CrashOptions{}) // it makes a descriptor of its own
		file.Close()
	}
}

// rotate opens the logs again, and has new helpers take the place of the present ones, as Squid does:
// they may read their lists anew.
func (s *server) rotate() {
	s.log.Say(1, "Rotating log files")
	if err := s.files.Rotate(); err != nil {
		s.log.Say(0, fmt.Sprintf("ERROR: %s", err))
	}
	s.catchCrashes()
	s.engine.RestartHelpers()
	s.log.Say(1, "Log files are rotated")
}
