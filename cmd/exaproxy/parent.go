package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"exaproxy/cmd/exaproxy/privsep"
	"exaproxy/compat/account"
)

// A parent starts the proxy, and another one if that crashes. It has the rights that the program was
// started with, does with them what the proxy may ask for, and has the pid file. Nothing of the
// network reaches it.
type parent struct {
	o              *options
	args           []string
	stdout, stderr io.Writer
	background     bool
	log            *parentLog
	serving        chan struct{} // one signal: the present proxy serves

	// of the goroutine that serves the present proxy; of the main one before it begins and after it has ended
	ready *os.File // to who waits for the background to serve; nil if nobody does any more
	pid   *pidFile
	ever  bool // a proxy has served
}

// Squid's limits: a proxy that ends so soon, more often in a row than that, is not started again.
const (
	quickFailure      = 10 * time.Second
	mostQuickFailures = 4
)

// watch is the parent's whole life; it returns the exit status. ready is nil in the foreground.
func watch(o *options, args []string, ready *os.File, stdout, stderr io.Writer) int {
	p := &parent{o: o, args: args, stdout: stdout, stderr: stderr, background: ready != nil, ready: ready,
		log: newParentLog(stderr), serving: make(chan struct{}, 1)}
	signal.Ignore(syscall.SIGPIPE)
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGTTIN, syscall.SIGUSR1, syscall.SIGUSR2)
	status := p.keepServing(signals)
	if err := p.pid.remove(nil); err != nil {
		p.log.say("WARNING: cannot remove the pid file: " + err.Error())
	}
	p.log.flush()
	return status
}

// lastWords is how long what a proxy has said before its end is waited for.
const lastWords = time.Second

// An ending is how a proxy ended, or could not begin.
type ending struct {
	what     string // for the log
	status   int    // of the program, if it ends now
	regular  bool   // it ended as it should, or as it was told to
	reported bool   // it has said why itself
}

// keepServing runs proxies until one ends as it should, was told to end, or cannot serve.
func (p *parent) keepServing(signals <-chan os.Signal) (status int) {
	for failures := 0; ; {
		began := time.Now()
		e := p.runProxy(signals)
		if e.regular || !p.ever {
			if !e.regular && !e.reported {
				p.log.say("FATAL: " + e.what)
			}
			return e.status
		}
		if failures++; time.Since(began) >= quickFailure {
			failures = 0
		}
		if failures > mostQuickFailures {
			p.log.say(fmt.Sprintf("FATAL: %s, for the %dth time in a row within %s of its start. It is not started again; the lines before say why", e.what, failures, quickFailure))
			return 1
		}
		p.log.say(fmt.Sprintf("ERROR: %s, after %s. Another is started", e.what, time.Since(began).Round(time.Millisecond)))
		if pause(failures, signals) {
			p.log.say("Ended as ordered, while no proxy ran")
			return 0
		}
	}
}

// pause waits before the next try: not after the first failure, then a second longer each time. It returns
// whether the program is to end.
func pause(failures int, signals <-chan os.Signal) (ending bool) {
	alarm := time.After(time.Duration(max(failures-1, 0)) * time.Second)
	for {
		select {
		case <-alarm:
			return false
		case s := <-signals:
			if ends(s) {
				return true
			}
		}
	}
}

// ends says whether a signal ends the program.
func ends(s os.Signal) bool { return s == syscall.SIGTERM || s == syscall.SIGINT }

// runProxy starts a proxy, passes signals on to it and returns how it ended.
func (p *parent) runProxy(signals <-chan os.Signal) ending {
	ours, theirs, err := socketPair()
	if err != nil {
		return ending{what: err.Error(), status: 1}
	}
	server, err := privsep.NewServer(ours, p, p.o.named)
	if err != nil {
		theirs.Close()
		return ending{what: err.Error(), status: 1}
	}
	proxy, err := p.startProxy(theirs)
	theirs.Close() // the proxy's end is the last
	if err != nil {
		server.Close()
		return ending{what: "the proxy cannot be started: " + err.Error(), status: 1}
	}
	served := make(chan struct{})
	go func() { server.Serve(); close(served) }()
	ended := make(chan struct{})
	go func() { proxy.Wait(); close(ended) }()
	stopping := p.passOn(signals, proxy.Process, ended)
	select {
	case <-served: // and has heard all that it said
	case <-time.After(lastWords): // somebody else has the other end
	}
	server.Close()
	<-served
	state := proxy.ProcessState
	e := ending{what: fmt.Sprintf("proxy process %d ended (%s)", state.Pid(), state), regular: stopping || state.Success()}
	if e.reported = state.Exited(); e.reported {
		e.status = state.ExitCode()
	} else if !stopping {
		e.status = 1
	}
	return e
}

// passOn passes signals on until the proxy has ended. Orders that come before it can follow them wait: it
// would die of them.
func (p *parent) passOn(signals <-chan os.Signal, proxy *os.Process, ended <-chan struct{}) (stopping bool) {
	select {
	case <-p.serving: // the one before
	default:
	}
	serving := false
	var waiting []os.Signal
	for {
		select {
		case <-ended:
			return stopping
		case <-p.serving:
			serving = true
			for _, s := range waiting {
				proxy.Signal(s)
			}
			waiting = nil
		case s := <-signals:
			stopping = stopping || ends(s)
			if serving || ends(s) {
				proxy.Signal(s)
			} else if !slices.Contains(waiting, s) {
				waiting = append(waiting, s)
			}
		}
	}
}

// startProxy starts a proxy with its end of the socket.
func (p *parent) startProxy(socket *os.File) (*exec.Cmd, error) {
	r := roleProxy
	if p.background {
		r = roleDaemon
	}
	proxy, err := again(p.args, "("+filepath.Base(p.args[0])+"-1)", r, socket)
	if err != nil {
		return nil, err
	}
	proxy.Stdout, proxy.Stderr = p.stdout, p.stderr
	if file := p.log.current(); file != nil && p.background {
		proxy.Stderr = file // our own leads nowhere by now, and it may have to say why it cannot start
	}
	return proxy, proxy.Start()
}

// Starting implements privsep.Owner.
func (p *parent) Starting(who *account.User, pidFile string) error {
	if p.pid.name() == pidFile && p.pid.ours() {
		return nil // of the proxy before
	}
	if err := p.pid.remove(nil); err != nil {
		p.log.say("WARNING: cannot remove the old pid file: " + err.Error())
	}
	var err error
	p.pid, err = writePIDFile(pidFile, who)
	return err
}

// Ready implements privsep.Owner.
func (p *parent) Ready(keepStderr bool) {
	p.ever = true
	select {
	case p.serving <- struct{}{}:
	default: // it says so once more, and nobody may be left who wants to know
	}
	if p.ready == nil {
		return
	}
	silence(keepStderr)
	io.WriteString(p.ready, readyWord) // one that is gone has stopped waiting
	p.ready.Close()
	p.ready = nil
}

// CacheLog implements privsep.Owner.
func (p *parent) CacheLog(file *os.File) { p.log.use(file) }

// Reloaded implements privsep.Owner.
func (p *parent) Reloaded(began int64, reason string) {
	var outcome error
	if reason != "" {
		outcome = errors.New(reason)
	}
	go tellOutcome(began, outcome)
}

// Notify implements privsep.Owner.
func (p *parent) Notify(state string) { notifySystemd(state) }

// RemovePIDFile implements privsep.Owner. The parent's own is removed when it ends.
func (p *parent) RemovePIDFile() error { return nil }
