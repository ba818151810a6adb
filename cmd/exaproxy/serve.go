package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"syscall"
	"time"

	"exaproxy/compat"
	"exaproxy/compat/logs"
	"exaproxy/engine"
)

// serve runs the proxy until a signal ends it.
func serve(o *options, args []string, r role, stdout, stderr io.Writer) int {
	// until it listens, whoever started it is shown why not
	s := &server{o: o, role: r, stderr: logs.NewStream(stderr, time.Now), unlogged: make(chan error, 1)}
	s.log = logs.NewCacheLog(logs.CacheLogOptions{Stderr: s.stderr, StderrLevel: max(o.level, 0), Tag: r.tag()})
	signals := catchSignals() // from now on none of them ends the program on its own
	err := s.start(args)
	if err == nil {
		s.log.SetStderrLevel(o.level)
		if o.trying {
			welcome(stdout, o, s.engine.Addrs()[0])
		}
		s.stderr.Flush(stderrPatience) // it may be another from now on
		s.notifyReady(o.level >= 0)
		err = s.run(signals)
	}
	return s.end(err)
}

// tag is how lines of cache.log name the process: Squid's workers in the background are kids.
func (r role) tag() string {
	if r.kid() {
		return "kid1"
	}
	return ""
}

// start does all that needs the rights that we were started with, then gives root's up.
func (s *server) start(args []string) error {
	err := s.meetParent()
	if err != nil {
		return err
	}
	if s.settings, err = s.o.load(s.root, s.log.Say); err != nil {
		s.hint()
		return err
	}
	s.protectKeys(s.settings)
	if err := checkPIDFile(s.settings.Program.PIDFile, s.instance()); err != nil {
		return &abnormal{err.Error()}
	}
	who, err := s.user()
	if err != nil {
		return &abnormal{err.Error()}
	}
	if who != nil {
		s.trust(who)
	}
	s.started = s.settings.Program
	syscall.Umask(s.settings.Program.Umask)
	s.files = logs.NewFiles(s.log, who)
	s.files.CacheLogOpened = s.cacheLogOpened
	s.files.Lost = s.cannotLog
	s.openCacheLog()
	s.logStart()
	descriptors := s.raiseDescriptors()
	if s.setup, err = s.settings.Engine(s.log, s.files); err != nil {
		return &abnormal{err.Error()}
	}
	s.setup.Config.Descriptors = descriptors
	if s.engine, err = engine.New(s.setup.Config); err != nil {
		return s.cannotListen(err)
	}
	s.setup.Commit()
	if err := s.becomeUser(who, args); err != nil {
		return &abnormal{err.Error()}
	}
	if err := mayMark(s.settings); err != nil {
		return &abnormal{err.Error()}
	}
	for i, addr := range s.engine.Addrs() {
		s.log.Say(1, fmt.Sprintf("Accepting %s Socket connections at local=%s", accepted(&s.settings.Ports[i]), addr))
		sayAbsent(s.log, addr)
	}
	return nil
}

// accepted is what Squid calls the connections that a port is for.
func accepted(p *engine.Port) string {
	said := ""
	switch p.Mode {
	case engine.Intercept:
		said = "NAT intercepted "
	case engine.TPROXY:
		said = "TPROXY intercepted "
	case engine.Accel:
		said = "reverse-proxy "
	case engine.Forward:
	}
	if p.Bump {
		said += "SSL bumped "
	}
	if p.TLS != nil || p.Tunnels {
		return said + "HTTPS"
	}
	return said + "HTTP"
}

// hint helps whoever starts the program for the first time.
func (s *server) hint() {
	if _, err := os.Stat(s.o.configuration()); s.o.file == "" && !s.o.trying && os.IsNotExist(err) {
		s.log.Say(0, "To see it work without a configuration file: exaproxy --try")
	}
}

// logStart logs who starts.
func (s *server) logStart() {
	s.log.Say(1, fmt.Sprintf("Starting ExaProxy version %s (compatible with Squid %s) for %s/%s",
		version, s.settings.Version.Release(), runtime.GOOS, runtime.GOARCH))
	s.log.Say(1, fmt.Sprintf("Service Name: %s", serviceName(s.o.service)))
	s.log.Say(1, fmt.Sprintf("Process ID %d", os.Getpid()))
	if s.o.syslog {
		s.log.Say(1, "WARNING: nothing is sent to syslog; cache.log has everything")
	}
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
func (s *server) run(signals *caught) error {
	ended := make(chan error, 1)
	go func() { ended <- s.engine.Run(context.Background()) }()
	<-s.engine.Begun() // a signal to reload may have come already
	raiseMaxProcs(s.engine.Workers())
	setGarbagePercent()
	memory, ticks := newMemoryTrimmer(s.trim), time.NewTicker(trimEvery)
	defer ticks.Stop()
	alone := s.root.Gone()
	reloads, rotations := newErrand(s.prepare), newErrand(s.rotate)
	for stopping := false; ; {
		select {
		case <-ticks.C:
			memory.trim()
		case err := <-ended:
			return cmp.Or(s.fatal, err)
		case s.fatal = <-s.unlogged:
			s.engine.Shutdown(0)
		case <-alone:
			alone = nil
			s.lost()
		case sig := <-signals.end:
			s.shutdown(stopping || sig == syscall.SIGINT)
			stopping = true
		case sig := <-signals.other:
			s.obey(sig, reloads, rotations)
		case p := <-reloads.done:
			s.follow(p)
			reloads.finish()
		case err := <-rotations.done:
			s.rotated(err)
			rotations.finish()
		}
	}
}

// cannotLog has the program end, since a log with on-error=die has lost a line. Any goroutine may call it.
func (s *server) cannotLog(err error) {
	select {
	case s.unlogged <- &abnormal{err.Error()}:
	default: // it ends already
	}
}

// trim has all let go of memory that lies ready for a rush, and returns how many bytes that was.
func (s *server) trim() int64 { return s.engine.Trim() + s.files.Trim() + s.stderr.Trim() }

// obey does what a signal asks for that does not end the program.
func (s *server) obey(sig os.Signal, reloads *errand[*prepared], rotations *errand[error]) {
	switch sig {
	case syscall.SIGHUP, syscall.SIGTTIN:
		reloads.ask()
	case syscall.SIGUSR1:
		rotations.ask()
	case syscall.SIGUSR2:
		s.log.Say(0, "debug_options "+s.log.ToggleDebug(s.verbosity()).String())
	}
}

// stderrPatience is how long standard error is waited for.
const stderrPatience = time.Second

// shutdown lets transactions end for shutdown_lifetime, or with now no longer.
func (s *server) shutdown(now bool) {
	lifetime := s.settings.Program.Shutdown
	if now {
		lifetime = 0
	} else {
		s.notify("STOPPING=1")
		s.log.Say(1, "Preparing for shutdown")
		s.log.Say(1, fmt.Sprintf("Waiting up to %d seconds for active connections to finish", int(lifetime.Seconds())))
	}
	s.engine.Shutdown(lifetime)
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
		s.log.Say(0, fmt.Sprintf("ExaProxy (Version %s): Terminated abnormally.", version))
	}
	if err := s.pid.remove(s.root); err != nil {
		slog.New(s.log).Warn("cannot remove the pid file", "error", err)
	}
	if status == 0 {
		s.log.Say(1, fmt.Sprintf("ExaProxy (Version %s): Exiting normally.", version))
	}
	if s.setup != nil {
		s.setup.Close()
	}
	if s.files != nil {
		s.files.Close()
	}
	s.stderr.Flush(stderrPatience)
	return status
}
