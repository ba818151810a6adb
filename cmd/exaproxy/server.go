package main

import (
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"syscall"

	"exaproxy/cmd/exaproxy/privsep"
	"exaproxy/compat"
	"exaproxy/compat/account"
	"exaproxy/compat/conf"
	"exaproxy/compat/logs"
	"exaproxy/compat/program"
	"exaproxy/engine"
)

// A server is the running program: its options, and what it has open. It belongs to the main
// goroutine.
type server struct {
	o        *options
	role     role
	root     *privsep.Client // who has root's rights; nil if nobody
	stderr   *logs.Stream
	log      *logs.CacheLog
	files    *logs.Files
	started  program.Settings // what of the configuration is followed from start to end
	settings *compat.Settings
	setup    *compat.Setup
	engine   *engine.Engine
	pid      *pidFile // a parent's is not ours

	unlogged chan error // what must be logged cannot be
	fatal    error      // why the engine was told to end; nil: no such reason
}

// user is who the proxy becomes once it listens; nil if it stays who it is. With --try it does: the
// redirector may stand in a home that nobody else can enter, and only this machine is served.
func (s *server) user() (*account.User, error) {
	if s.o.trying {
		return nil, nil
	}
	return account.Effective(s.settings.Program.User, s.settings.Program.Group)
}

// raiseDescriptors allows as many descriptors as max_filedescriptors says, and returns how many there
// may be; 0 if that cannot be told. Without a word of the configuration's it is as many as the system
// allows: so many package os has asked for already, and it gives helpers the limit of before. They may
// close all that they might have when they start, and 2^30 take minutes.
func (s *server) raiseDescriptors() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	if n := uint64(s.settings.Program.Descriptors); n > 0 {
		want := syscall.Rlimit{Cur: n, Max: max(n, limit.Max)}
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &want); err != nil {
			s.log.Say(0, fmt.Sprintf("ERROR: setrlimit: RLIMIT_NOFILE: %s", conf.SystemText(err)))
			s.log.Say(0, "NOTICE: Could not increase the number of filedescriptors")
		} else {
			limit = want
		}
	}
	s.log.Say(1, fmt.Sprintf("With %d file descriptors available", limit.Cur))
	return int(min(limit.Cur, math.MaxInt32))
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
	if f == nil && s.role.kid() {
		s.root.CacheLog(nil)
	}
	s.files.UseCacheLog(f, &s.settings.Logs)
}

// verbosity is debug_options; -X is stronger.
func (s *server) verbosity() logs.Verbosity {
	if s.o.full {
		return logs.Verbosity{All: 9}
	}
	return s.settings.Logs.Verbosity
}

// cacheLogOpened has the parent write to cache.log too, and the runtime what it has to say about a
// crash: a process in the background has no standard error.
func (s *server) cacheLogOpened(cacheLog *os.File) {
	if s.role.kid() {
		s.root.CacheLog(cacheLog)
	}
	if cacheLog != os.Stdout && cacheLog != os.Stderr {
		debug.SetCrashOutput(cacheLog, debug.CrashOptions{}) // it makes a descriptor of its own
	}
}

// rotate opens the logs again. It is an errand: the disk may be slow.
func (s *server) rotate() error {
	s.log.Say(1, "Rotating log files")
	return s.files.Rotate()
}

// rotated says how that went.
func (s *server) rotated(err error) {
	if err != nil {
		s.log.Say(0, fmt.Sprintf("ERROR: %s", err))
	}
	s.engine.RestartHelpers() // as Squid does: they may read their lists anew
	s.log.Say(1, "Log files are rotated")
}
