package engine_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"exaproxy/engine"
	"exaproxy/engine/enginetest"
	"exaproxy/engine/h1"
	"exaproxy/engine/loop"
	"exaproxy/helper"
)

// plain is the smallest policy with which every stage can be reached. Helpers are asked the
// URL; they answer nothing, "302:URL", "deny", or a URL to fetch instead.
type plain struct {
	engine.DefaultPolicy
	helpers *helper.Pool
	log     *strings.Builder
	line    []byte
	full    bool // the log has no room
	waiting *loop.Waker
}

func (p *plain) Admit(r *engine.Request) engine.Decision {
	if string(r.Target.Host) == "forbidden.example" {
		return engine.Decision{Action: engine.Refuse, Failure: &engine.Failure{Kind: engine.Refused}}
	}
	return engine.Decision{}
}

func (p *plain) Question(r *engine.Request) ([]byte, engine.Action) {
	if p.helpers == nil {
		return nil, engine.Proceed
	}
	p.line = r.Target.AppendURL(p.line[:0])
	return p.line, engine.Ask
}

func (p *plain) Interpret(r *engine.Request, answer []byte, err error) engine.Decision {
	text := string(answer)
	switch {
	case err != nil:
		return engine.Decision{Action: engine.Refuse, Failure: &engine.Failure{Kind: engine.HelperLate, Err: err}}
	case text == "":
		return engine.Decision{}
	case strings.HasPrefix(text, "302:"):
		fields := "Location: " + text[4:] + "\r\nContent-Length: 0\r\n"
		return engine.Decision{Action: engine.Redirect, URL: text[4:], Reply: &engine.LocalReply{Status: 302, Fields: []byte(fields)}}
	case text == "deny":
		return engine.Decision{Action: engine.Refuse}
	}
	target, _, err := h1.ParseTarget(r.Method, r.Keep(answer), h1.Strip, nil)
	if err != nil {
		return engine.Decision{}
	}
	return engine.Decision{Action: engine.Rewrite, Target: target}
}

func (p *plain) Record(rec *engine.Record) {
	if string(rec.Request.Target.Path) == "/fault" {
		panic("a fault of the policy")
	}
	method, url := rec.Request.Method, string(rec.Request.Target.AppendURL(nil))
	fmt.Fprintf(p.log, "%s %s %d", method, url, rec.Status)
	if rec.Upstream.IsValid() {
		fmt.Fprintf(p.log, " %s", rec.Upstream)
	}
	if rec.Aborted {
		p.log.WriteString(" aborted")
	}
	if rec.Failure != nil {
		fmt.Fprintf(p.log, " (%s)", rec.Failure)
	}
	p.log.WriteString("\n")
}

func (p *plain) LogReady(w *loop.Waker) bool {
	if p.full {
		p.waiting = w
		return false
	}
	return true
}

// world makes a world with the plain policy. change, if not nil, changes the configuration.
func world(t *testing.T, change func(*engine.Config)) *enginetest.World {
	t.Helper()
	log := &strings.Builder{}
	c := engine.Config{
		Ports: []engine.Port{{Addr: netip.MustParseAddrPort("192.0.2.1:3128")}},
		NewPolicy: func(s engine.Services) (engine.Policy, error) {
			return &plain{log: log, helpers: s.Helpers}, nil
		},
	}
	if change != nil {
		change(&c)
	}
	w := enginetest.NewWorld(t, c)
	w.Log = func() string {
		defer log.Reset()
		return log.String()
	}
	return w
}

func helped(c *engine.Config) {
	c.Helper = &helper.Config{Name: "redirector", Argv: []string{"/bin/redirector"}, Children: 1, Startup: 1, Retries: 2}
}

// play plays a script with everything arriving whole, and cut to pieces.
func play(t *testing.T, change func(*engine.Config), script string) {
	t.Helper()
	playCut(t, change, script, 0, 1, 7)
}

// playCut plays a script with everything arriving in pieces of so many bytes; 0: whole.
func playCut(t *testing.T, change func(*engine.Config), script string, segments ...int) {
	t.Helper()
	for _, segment := range segments {
		t.Run(fmt.Sprintf("cut %d", segment), func(t *testing.T) {
			w := world(t, change)
			w.Segment = segment
			w.Play(script)
			w.End()
		})
	}
}
