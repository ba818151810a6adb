package compat

import (
	"fmt"
	"os"
	"strings"
	"syscall"

	"exaproxy/compat/conf"
	"exaproxy/compat/logformat"
)

// setRewriteProgram takes the program and its arguments. "none", as in Squid's other program
// directives, takes back what an included file set.
func setRewriteProgram(r *reading, l *conf.Line) error {
	args := r.args(l)
	var argv []string
	for {
		token, ok := args.Word()
		if !ok {
			break
		}
		argv = append(argv, token.Text)
	}
	if len(argv) == 0 {
		return conf.Invalid(nil)
	}
	r.settings.Rewriter.Argv = argv
	return nil
}

// setRewriteChildren takes MAX and its options.
func setRewriteChildren(r *reading, l *conf.Line) error {
	args := r.args(l)
	w := &r.settings.Rewriter
	n, err := args.Int()
	if err != nil {
		return err
	}
	if n < 1 {
		return conf.Invalid{"ERROR: The maximum number of processes cannot be less than 1."}
	}
	w.Children = n
	for {
		option, ok := args.Word()
		if !ok {
			r.capChildren(w)
			return nil
		}
		if err := childOption(w, option.Text); err != nil {
			return err
		}
	}
}

func childOption(w *Rewriter, option string) error {
	name, value, _ := strings.Cut(option, "=")
	var field *int
	switch name {
	case "startup":
		field = &w.Startup
	case "idle":
		field = &w.Idle
	case "concurrency":
		field = &w.Concurrency
	case "queue-size":
		field, w.sized = &w.QueueSize, true
	case "reservation-timeout":
		field = new(int) // of helpers that keep a conversation; rewriters do not
	case "on-persistent-overload":
		return overloadOption(w, value)
	case "pty":
		return ptyOption(w, value)
	default:
		return conf.Invalid{fmt.Sprintf("ERROR: Undefined option: %s.", option)}
	}
	n, err := conf.ParseUint(value)
	if err != nil {
		return err
	}
	if name == "idle" && n < 1 {
		return conf.Invalid{"ERROR: Idle helper processes cannot be less than 1."} // as Squid: 0 would answer nobody
	}
	*field = n
	return nil
}

func overloadOption(w *Rewriter, value string) error {
	switch value {
	case "die":
		w.Overload = OverloadLoud
	case "ERR":
		w.Overload = OverloadBypass
	default:
		return conf.Invalid{fmt.Sprintf("ERROR: Unsupported on-persistent-overloaded action: %s", value)}
	}
	return nil
}

// ptyOption takes pty, pty=on or pty=off, which are ours.
func ptyOption(w *Rewriter, value string) error {
	if value != "" && value != "on" && value != "off" {
		return conf.Invalid{fmt.Sprintf("ERROR: pty=%s: expected pty, pty=on or pty=off", value)}
	}
	w.PTY = value != "off"
	return nil
}

// capChildren keeps startup and idle below the maximum.
func (r *reading) capChildren(w *Rewriter) {
	for _, c := range []struct {
		name  string
		value *int
	}{{"startup", &w.Startup}, {"idle", &w.Idle}} {
		if *c.value > w.Children {
			r.say(1, "WARNING OVERIDE: Capping %s=%d to the defined maximum (%d)", c.name, *c.value, w.Children)
			*c.value = w.Children
		}
	}
}

// setRewriteConcurrency is the directive of 2.x and 3.x. It wins over the option, as in Squid.
func setRewriteConcurrency(r *reading, l *conf.Line) error {
	n, err := r.args(l).Int()
	if err != nil {
		return err
	}
	if n < 0 {
		return conf.Invalid{fmt.Sprintf("ERROR: the value of %s cannot be less than 0", l.Name)}
	}
	r.say(1, "WARNING: %s upgrade overriding url_rewrite_children settings.", l.Name)
	r.settings.Rewriter.Concurrency = n
	return nil
}

// setRewriteTimeout takes a time, on_timeout= and response=.
func setRewriteTimeout(r *reading, l *conf.Line) error {
	w := &r.settings.Rewriter
	args := r.args(l)
	timeout, err := args.TimeOrSeconds()
	if err != nil {
		return err
	}
	action, response, answered := TimeoutFail, "", false
	for {
		key, value, ok, err := args.KeyValue()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		switch key {
		case "on_timeout":
			if action, ok = timeoutActions[value]; !ok {
				return conf.Invalid{fmt.Sprintf(`FATAL: unsupported "on_timeout" action: %s`, value)}
			}
		case "response":
			response, answered = value, true
		default:
			return conf.Invalid{fmt.Sprintf("FATAL: unsupported option %s", key)}
		}
	}
	if action == TimeoutResponse && !answered {
		return conf.Invalid{"FATAL: Expected 'response=' option after 'on_timeout=use_configured_response' option"}
	}
	if action != TimeoutResponse && answered {
		return conf.Invalid{"FATAL: 'response=' option is valid only when used with the 'on_timeout=use_configured_response' option"}
	}
	w.Timeout, w.OnTimeout, w.Response = timeout, action, response
	return nil
}

var timeoutActions = map[string]OnTimeout{
	"fail":                    TimeoutFail,
	"bypass":                  TimeoutBypass,
	"retry":                   TimeoutRetry,
	"use_configured_response": TimeoutResponse,
}

// setRewriteFailure takes crash=, bh= and invalid=, each deny or pass.
func setRewriteFailure(r *reading, l *conf.Line) error {
	w := &r.settings.Rewriter
	fields := map[string]*Fault{"crash": &w.Crash, "bh": &w.Broken, "invalid": &w.Invalid}
	args := r.args(l)
	for given := false; ; given = true {
		key, value, ok, err := args.KeyValue()
		if err != nil {
			return err
		}
		if !ok {
			if !given {
				return conf.Invalid(nil)
			}
			return nil
		}
		field := fields[key]
		if field == nil || value != "deny" && value != "pass" {
			return conf.Invalid{fmt.Sprintf("ERROR: %s: '%s=%s' is not crash=, bh= or invalid= with deny or pass", l.Name, key, value)}
		}
		*field = Deny
		if value == "pass" {
			*field = Pass
		}
	}
}

// setRewriteExtras takes one word or quoted string. What comes after it is ignored, as in Squid.
func setRewriteExtras(r *reading, l *conf.Line) error {
	token, ok := r.args(l).Word()
	if !ok {
		return conf.Invalid(nil)
	}
	format, err := logformat.CompileExtras(token.Text)
	if err != nil {
		return conf.Invalid{"FATAL: " + err.Error()}
	}
	r.settings.Rewriter.Extras = format
	return nil
}

// finishRewriter completes the defaults that depend on several directives and looks whether the
// program is there.
func (r *reading) finishRewriter() error {
	w := &r.settings.Rewriter
	r.settings.Timeouts.Helper = w.Timeout
	if len(w.Argv) == 0 {
		return nil
	}
	if !w.sized {
		w.QueueSize = 2 * w.Children
		if w.Bypass {
			w.QueueSize = 0
		}
	}
	if err := executable(w.Argv[0]); err != nil {
		return r.fatal("url_rewrite_program %s: %s", w.Argv[0], SystemText(err))
	}
	return nil
}

// executable says why a program cannot be started, as far as looking at it tells.
func executable(path string) error {
	facts, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case facts.IsDir():
		return syscall.EISDIR
	case facts.Mode()&0o111 == 0:
		return syscall.EACCES
	}
	return nil
}
