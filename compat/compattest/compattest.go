package compattest

import (
	"io"
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"exaproxy/compat/acl"
	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
	"exaproxy/engine"
	"exaproxy/engine/h1"
	"exaproxy/engine/loop"
	"exaproxy/engine/loop/looptest"
	"exaproxy/helper"
)

// A Reading is a configuration that is being read.
type Reading struct {
	*directive.Context
	Messages []string // in their order
}

// Read has setters take the lines of a configuration, up to the first error. Lines of acls are
// taken in any case.
func Read(acls *acl.Set, setters directive.Set, text string) (*Reading, error) {
	if setters["acl"] == nil {
		setters["acl"] = func(_ *directive.Context, l *conf.Line) error { _, err := acls.Add(l); return err }
	}
	r := &Reading{}
	r.Context = directive.NewContext(acls, nil, func(_ int, text string) { r.Messages = append(r.Messages, text) })
	lines, err := conf.Parse("squid.conf", conf.Options{Open: open(text)})
	for i := range lines {
		l := &lines[i]
		if l.Type == conf.Setting {
			if err := setters.Run(r.Context, l); err != nil {
				return r, err
			}
		}
	}
	return r, err
}

// MustRead is Read of a configuration that is in order.
func MustRead(t testing.TB, acls *acl.Set, setters directive.Set, text string) *Reading {
	t.Helper()
	r, err := Read(acls, setters, text)
	if err != nil {
		t.Fatalf("the configuration is rejected: %v", err)
	}
	return r
}

// open opens squid.conf, and every other file as an empty one.
func open(text string) conf.Open {
	return func(name string) (io.ReadCloser, error) {
		if name != "squid.conf" {
			return io.NopCloser(strings.NewReader("")), nil
		}
		return io.NopCloser(strings.NewReader(text)), nil
	}
}

// NewRequest makes the request of a head, as from a client. Lines of the head end in "\n".
func NewRequest(t testing.TB, head string) *engine.Request {
	t.Helper()
	r := &engine.Request{
		Client: netip.MustParseAddrPort("192.0.2.1:40000"),
		Local:  netip.MustParseAddrPort("192.0.2.9:3128"),
	}
	head = strings.ReplaceAll(head, "\n", "\r\n") + "\r\n\r\n"
	if _, err := h1.ParseRequest([]byte(head), &r.Request, h1.Limits{Relaxed: true}); err != nil {
		t.Fatal(err)
	}
	return r
}

// Services are those of the only worker, on a kernel in memory, without helpers.
func Services(t testing.TB) engine.Services {
	t.Helper()
	l, err := loop.New(looptest.NewKernel(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return engine.Services{Loop: l, Log: slog.New(slog.DiscardHandler), Workers: 1}
}

// AddHelpers gives the worker a pool of helpers, none of which can be started.
func AddHelpers(s *engine.Services, c helper.Config) {
	c.Spawn, c.Idle = noHelper{}, 0
	s.Helpers = helper.NewPool(s.Loop, c)
}

type noHelper struct{}

func (noHelper) Spawn(*helper.Config, int) (helper.Process, error) { return nil, io.EOF }
