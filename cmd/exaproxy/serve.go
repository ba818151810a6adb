package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"exaproxy/compat"
	"exaproxy/engine"
)

// A server is the running program: what it was told, and what it holds. It belongs to the main
// goroutine.
type server struct {
	o        *options
	log      *compat.CacheLog
	logs     *compat.Logs
	settings *compat.Settings
	setup    *compat.Setup
	engine   *engine.Engine
	pid      *compat.PIDFile
}

// serve runs the proxy until it is told to end.
func serve(o *options, stdout, stderr io.Writer) int {
	// until it listens, whoever started it hears why not
	s := &server{o: o, log: compat.NewCacheLog(compat.CacheLogOptions{Stderr: stderr, StderrLevel: max(o.level, 0), Tag: tag()})}
	if isDaemon() {
		syscall.CloseOnExec(readyDescriptor)
	}
	signals := make(chan os.Signal, 8) // from now on none of them ends the program on its own
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGTTIN, syscall.SIGUSR1, syscall.SIGUSR2)
	signal.Ignore(syscall.SIGPIPE)
	err := s.start()
	if err == nil {
		s.log.SetStderrLevel(o.level)
		s.welcome(stdout)
		announce(o.level >= 0)
		err = s.run(signals)
	}
	return s.end(err)
}

// tag is how lines of cache.log name the process: Squid's workers in the background are kids.
func tag() string {
	if isDaemon() {
		return "kid1"
	}
	return ""
}

// start does all that needs the rights that we were started with, then gives root's up.
func (s *server) start() error {
	var err error
	if s.settings, err = s.o.load(s.log.Say); err != nil {
		s.hint()
		return err
	}
	if err := compat.CheckPIDFile(s.settings.PIDFile); err != nil {
		return &abnormal{err.Error()}
	}
	who, err := s.becomes()
	if err != nil {
		return &abnormal{err.Error()}
	}
	syscall.Umask(s.settings.Umask)
	s.logs = compat.NewLogs(s.log, who)
	s.openCacheLog()
	s.greet()
	s.raiseDescriptors()
	if s.setup, err = s.settings.Engine(s.logs); err != nil {
		return &abnormal{err.Error()}
	}
	if s.engine, err = engine.New(s.setup.Config); err != nil {
		return s.cannotListen(err)
	}
	if s.pid, err = compat.WritePIDFile(s.settings.PIDFile); err != nil {
		return &abnormal{err.Error()}
	}
	if who != nil {
		if err := who.Assume(); err != nil {
			return &abnormal{fmt.Sprintf("cannot become user %s: %s", who.Name, err)}
		}
	}
	for _, addr := range s.engine.Addrs() {
		s.log.Say(1, fmt.Sprintf("Accepting HTTP Socket connections at local=%s", addr))
	}
	return nil
}

// hint helps whoever starts the program for the first time.
func (s *server) hint() {
	if _, err := os.Stat(s.o.configuration()); s.o.file == "" && !s.o.trying && os.IsNotExist(err) {
		s.log.Say(0, "To see it work without a configuration file: exaproxy --try")
	}
}

// becomes says who the proxy becomes once it listens; nil if it stays who it is. A trial does: the
// redirector may stand in a home that nobody else can enter, and only this machine is served.
func (s *server) becomes() (*compat.Credential, error) {
	if s.o.trying {
		return nil, nil
	}
	return s.settings.Credential()
}

// openCacheLog opens cache.log as the settings say. -d and -X are stronger than the file.
func (s *server) openCacheLog() {
	s.log.SetVerbosity(s.verbosity())
	if err := s.logs.OpenCacheLog(s.settings); err != nil {
		s.log.Say(0, fmt.Sprintf("WARNING: Cannot write log file: %s", s.settings.CacheLog))
		s.log.Say(0, fmt.Sprintf("%s; messages are sent to standard error", err))
	}
	s.catchCrashes()
}

func (s *server) verbosity() compat.Verbosity {
	if s.o.full {
		return compat.Verbosity{All: 9}
	}
	return s.settings.Verbosity
}

// catchCrashes has the runtime write what it has to say about a crash to cache.log too: a
// process in the background has no standard error.
func (s *server) catchCrashes() {
	if s.settings.CacheLog == "" {
		return
	}
	if file, err := os.OpenFile(s.settings.CacheLog, os.O_WRONLY|os.O_APPEND, 0); err == nil {
		debug.SetCrashOutput(file, debug.CrashOptions{}) // it makes a descriptor of its own
		file.Close()
	}
}

// greet says who begins.
func (s *server) greet() {
	s.log.Say(1, fmt.Sprintf("Starting ExaProxy version %s (compatible with Squid %s) for %s/%s",
		compat.Version, compat.SquidVersion, runtime.GOOS, runtime.GOARCH))
	s.log.Say(1, fmt.Sprintf("Service Name: %s", s.settings.ServiceName()))
	s.log.Say(1, fmt.Sprintf("Process ID %d", os.Getpid()))
	if s.o.syslog {
		s.log.Say(1, "WARNING: nothing is sent to syslog; cache.log has everything")
	}
}

// raiseDescriptors allows as many descriptors as the system does, or as max_filedescriptors says.
func (s *server) raiseDescriptors() {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return
	}
	want := limit
	want.Cur = want.Max
	if n := uint64(s.settings.Descriptors); n > 0 {
		want.Cur, want.Max = n, max(n, want.Max)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &want); err != nil {
		s.log.Say(0, fmt.Sprintf("ERROR: setrlimit: RLIMIT_NOFILE: %s", compat.SystemText(err)))
		s.log.Say(0, "NOTICE: Could not increase the number of filedescriptors")
		want = limit
	}
	s.log.Say(1, fmt.Sprintf("With %d file descriptors available", want.Cur))
}

// cannotListen words why there are no ports.
func (s *server) cannotListen(err error) error {
	s.log.Say(0, fmt.Sprintf("ERROR: %s", err))
	if errors.Is(err, syscall.EADDRINUSE) && s.o.trying {
		s.log.Say(0, "Another program serves that port. Choose another: -a 127.0.0.1:3129, or make run LISTEN=127.0.0.1:3129")
	}
	return &abnormal{"Unable to open HTTP Socket"}
}

// run serves, and does what signals ask for, until the engine has ended.
func (s *server) run(signals <-chan os.Signal) error {
	ended := make(chan error, 1)
	go func() { ended <- s.engine.Run(context.Background()) }()
	spareProcessor(s.engine.Workers())
	setGarbagePercent()
	memory, ticks := newTidier(), time.NewTicker(tidyEvery)
	defer ticks.Stop()
	leaving := false
	for {
		select {
		case <-ticks.C:
			memory.tidy()
		case err := <-ended:
			return err
		case sig := <-signals:
			switch sig {
			case syscall.SIGTERM:
				s.leave(leaving)
				leaving = true
			case syscall.SIGINT:
				leaving = true
				s.engine.Shutdown(0)
			case syscall.SIGHUP, syscall.SIGTTIN:
				s.reconfigure()
			case syscall.SIGUSR1:
				s.rotate()
			case syscall.SIGUSR2:
				s.log.Say(0, "debug_options "+s.log.ToggleDebug(s.verbosity()).String())
			}
		}
	}
}

// leave begins the end, or with again ends the waiting.
func (s *server) leave(again bool) {
	lifetime := s.settings.Shutdown()
	if again {
		lifetime = 0
	} else {
		tellManager("STOPPING=1")
		s.log.Say(1, "Preparing for shutdown")
		s.log.Say(1, fmt.Sprintf("Waiting up to %d seconds for active connections to finish", int(lifetime.Seconds())))
	}
	s.engine.Shutdown(lifetime)
}

// reconfigure reads the configuration again. If it cannot be used nothing changes.
func (s *server) reconfigure() {
	s.log.Say(1, "Reconfiguring ExaProxy (version "+compat.Version+")...")
	if err := s.adopt(); err != nil {
		s.log.Say(0, fmt.Sprintf("ERROR: the configuration was not changed: %s", err))
		return
	}
	s.log.Say(1, "Reconfigured: transactions that begin now follow the new configuration")
}

func (s *server) adopt() error {
	settings, err := s.o.load(s.log.Say)
	if err != nil {
		return err
	}
	setup, err := settings.Engine(s.logs)
	if err != nil {
		return err
	}
	if err := s.engine.Reconfigure(setup.Config); err != nil {
		setup.Close()
		return err
	}
	s.setup.Close()
	s.setup = setup
	s.keepFixed(settings)
	s.settings = settings
	syscall.Umask(settings.Umask)
	s.openCacheLog()
	return nil
}

// keepFixed says which changes wait for the next start.
func (s *server) keepFixed(settings *compat.Settings) {
	for _, fixed := range []struct {
		name    string
		changed bool
	}{
		{"pid_filename", settings.PIDFile != s.settings.PIDFile},
		{"cache_effective_user", settings.User != s.settings.User || settings.Group != s.settings.Group},
		{"workers", settings.Workers != s.settings.Workers},
		{"max_filedescriptors", settings.Descriptors != s.settings.Descriptors},
	} {
		if fixed.changed {
			s.log.Say(1, fmt.Sprintf("WARNING: the new value of %s is used after the next start", fixed.name))
		}
	}
	settings.PIDFile = s.settings.PIDFile
}

// rotate opens the logs again.
func (s *server) rotate() {
	s.log.Say(1, "Rotating log files")
	if err := s.logs.Rotate(); err != nil {
		s.log.Say(0, fmt.Sprintf("ERROR: %s", err))
	}
	s.catchCrashes()
	s.log.Say(1, "Log files are rotated")
}

// end says how it went, takes the pid file away and closes the logs.
func (s *server) end(err error) int {
	status := 0
	var rejected *compat.Rejected
	var a *abnormal
	switch {
	case errors.As(err, &rejected):
		status = 1 // it was said already
	case err != nil:
		status = 1
		s.log.Say(0, "FATAL: "+err.Error())
	}
	if errors.As(err, &a) || rejected != nil && rejected.Fatal {
		s.log.Say(0, fmt.Sprintf("ExaProxy (Version %s): Terminated abnormally.", compat.Version))
	}
	if err := s.pid.Remove(); err != nil {
		slog.New(s.log).Warn("cannot remove the pid file", "error", err)
	}
	if status == 0 {
		s.log.Say(1, fmt.Sprintf("ExaProxy (Version %s): Exiting normally.", compat.Version))
	}
	if s.setup != nil {
		s.setup.Close()
	}
	if s.logs != nil {
		s.logs.Close()
	}
	return status
}
