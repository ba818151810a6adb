package children

import (
	"fmt"
	"strings"

	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
	"exaproxy/helper"
)

// Settings are how many processes of a helper run, and what each does at a time: the values of
// url_rewrite_children, and of "children" of auth_param.
type Settings struct {
	Max         int
	Startup     int
	Idle        int
	Concurrency int
	QueueSize   int  // questions that may wait for a helper before the administrator is warned
	Sized       bool // QueueSize was given
	Reservation int  // seconds for which a helper is kept for a conversation where others wait; 0: not given
	Pipeline    int  // questions that a helper without concurrency has at a time; below 2: one
	PTY         helper.PTY
	Headers     bool // what they answer may change header fields
	Redirectors bool // they may be given headers=
	Overload    Overload
}

// Overload is what becomes of new requests when the helpers have been overloaded for long
// (on-persistent-overload).
type Overload uint8

const (
	OverloadWait   Overload = iota // die: they wait, and it is logged as an error; the program never ends for it
	OverloadBypass                 // ERR: as if the helper had said so
)

// Set takes MAX and its options, which args has next. What the options do not say stays as it is.
func (n *Settings) Set(c *directive.Context, args *conf.Args) error {
	most, err := args.Int()
	if err != nil {
		return err
	}
	if most < 1 {
		return conf.Invalid{"ERROR: The maximum number of processes cannot be less than 1."}
	}
	n.Max = most
	for {
		option, ok := args.Word()
		if !ok {
			n.capStarted(c)
			return n.Check()
		}
		if err := n.setOption(c, option.Text); err != nil {
			return err
		}
	}
}

// setOption takes one of the options behind MAX.
func (n *Settings) setOption(c *directive.Context, option string) error {
	name, value, _ := strings.Cut(option, "=")
	var field *int
	switch name {
	case "startup":
		field = &n.Startup
	case "idle":
		field = &n.Idle
	case "concurrency":
		field = &n.Concurrency
	case "pipeline": // ours
		field = &n.Pipeline
	case "queue-size":
		field, n.Sized = &n.QueueSize, true
	case "reservation-timeout":
		field = &n.Reservation
	case "on-persistent-overload":
		return n.setOverload(value)
	case "pty":
		return n.SetPTY(value)
	case "headers": // ours
		return n.setHeaders(value)
	default:
		return undefined(option)
	}
	number, err := conf.ParseUint(value)
	if err != nil {
		return err
	}
	if name == "idle" && number < 1 {
		c.Say(0, "WARNING OVERRIDE: Using idle=0 for helpers causes request failures. Overriding to use idle=1 instead.")
		number = 1
	}
	*field = number
	return nil
}

func undefined(option string) error {
	return conf.Invalid{fmt.Sprintf("ERROR: Undefined option: %s.", option)}
}

// setHeaders takes headers=on and headers=off.
func (n *Settings) setHeaders(value string) error {
	switch {
	case !n.Redirectors:
		return undefined("headers=" + value)
	case value != "on" && value != "off":
		return conf.Invalid{fmt.Sprintf("ERROR: headers=%s: expected headers=on or headers=off", value)}
	}
	n.Headers = value == "on"
	return nil
}

func (n *Settings) setOverload(value string) error {
	switch value {
	case "die":
		n.Overload = OverloadWait
	case "ERR":
		n.Overload = OverloadBypass
	default:
		return conf.Invalid{fmt.Sprintf("ERROR: Unsupported on-persistent-overloaded action: %s", value)}
	}
	return nil
}

// SetPTY takes pty, pty=on, pty=off or pty=auto, which are ours.
func (n *Settings) SetPTY(value string) error {
	switch value {
	case "", "on":
		n.PTY = helper.PTYOn
	case "off":
		n.PTY = helper.PTYOff
	case "auto":
		n.PTY = helper.PTYAuto
	default:
		return conf.Invalid{fmt.Sprintf("ERROR: pty=%s: expected pty, pty=on, pty=off or pty=auto", value)}
	}
	return nil
}

// Check says whether options contradict each other.
func (n *Settings) Check() error {
	const most = 1000
	switch {
	case n.Pipeline > 1 && n.Concurrency > 0:
		return conf.Invalid{fmt.Sprintf("ERROR: pipeline=%d is for helpers without channel numbers; concurrency=%d gives them some", n.Pipeline, n.Concurrency)}
	case n.Pipeline > most:
		return conf.Invalid{fmt.Sprintf("ERROR: pipeline=%d: at most %d", n.Pipeline, most)}
	}
	return nil
}

// SizeQueue gives queue-size its default.
func (n *Settings) SizeQueue() {
	if !n.Sized {
		n.QueueSize = 2 * n.Max
	}
}

// capStarted keeps startup and idle below the maximum.
func (n *Settings) capStarted(c *directive.Context) {
	for _, option := range []struct {
		name  string
		value *int
	}{{"startup", &n.Startup}, {"idle", &n.Idle}} {
		if *option.value > n.Max {
			c.Say(1, "WARNING OVERRIDE: Capping %s=%d to the defined maximum (%d)", option.name, *option.value, n.Max)
			*option.value = n.Max
		}
	}
}
