package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"exaproxy/engine"
	"exaproxy/engine/enginetest"
)

// titled serves its title, whatever is asked, and counts how many of its kind live.
type titled struct {
	engine.DefaultPolicy
	title string
	alive *atomic.Int32
}

func (p *titled) Admit(*engine.Request) engine.Decision {
	fields := fmt.Appendf(nil, "Content-Length: %d\r\n", len(p.title))
	return engine.Decision{Action: engine.Serve, Reply: &engine.LocalReply{Status: 200, Fields: fields, Body: []byte(p.title)}}
}

func (p *titled) Close() { p.alive.Add(-1) }

// titledConfig is a configuration of two workers whose policies serve a title. The policy of the second
// worker fails with fail, if that is not nil.
func titledConfig(title string, alive *atomic.Int32, fail error, ports ...string) engine.Config {
	c := engine.Config{Workers: 2, NewPolicy: func(s engine.Services) (engine.Policy, error) {
		if s.Worker == 1 && fail != nil {
			return nil, fail
		}
		if s.Workers != 2 {
			return nil, fmt.Errorf("the policy is told of %d workers", s.Workers)
		}
		alive.Add(1)
		return &titled{title: title, alive: alive}, nil
	}}
	for _, p := range ports {
		c.Ports = append(c.Ports, engine.Port{Addr: netip.MustParseAddrPort(p), WorkerQueues: true})
	}
	return c
}

// started runs an engine on real loops until the test ends.
func started(t *testing.T, c engine.Config) *engine.Engine {
	t.Helper()
	e, err := engine.New(c)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- e.Run(context.Background()) }()
	t.Cleanup(func() {
		e.Shutdown(0)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return e
}

// titles asks the port often enough for every worker's queue to be asked, and returns what it heard.
func titles(t *testing.T, at netip.AddrPort) string {
	t.Helper()
	heard := map[string]bool{}
	for range 32 {
		transport := &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: at.String()}), DisableKeepAlives: true}
		client := http.Client{Transport: transport, Timeout: time.Minute}
		reply, err := client.Get("http://a.example/")
		if err != nil {
			t.Fatal(err)
		}
		title, _ := io.ReadAll(reply.Body)
		reply.Body.Close()
		heard[string(title)] = true
	}
	var all []string
	for title := range heard {
		all = append(all, title)
	}
	return strings.Join(all, " and ")
}

// serving waits until both workers have their policy. Nobody has connected by then, so that only what
// the engine has open is open.
func serving(t *testing.T, alive *atomic.Int32) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); alive.Load() < 2; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("the workers do not start")
		}
	}
}

func openDescriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// Where one worker cannot follow a new configuration, none does, and nothing is left of the attempt.
func TestReconfigureThatOneWorkerCannotFollowChangesNothing(t *testing.T) {
	var old, rejected, next atomic.Int32
	e := started(t, titledConfig("old", &old, nil, "127.0.0.1:0"))
	serving(t, &old)
	before := openDescriptors(t)

	refusal := errors.New("no policy for you")
	err := e.Reconfigure(titledConfig("rejected", &rejected, refusal, "127.0.0.1:0", "127.0.0.2:0"))
	if !errors.Is(err, refusal) {
		t.Fatalf("the second worker's policy fails, and Reconfigure returns %v", err)
	}
	if after := openDescriptors(t); after != before {
		t.Errorf("%d descriptors were open before and %d are after", before, after)
	}
	if got := titles(t, e.Addrs()[0]); got != "old" || len(e.Addrs()) != 1 {
		t.Errorf("after it, %s is served at %v", got, e.Addrs())
	}
	if old.Load() != 2 || rejected.Load() != 0 {
		t.Errorf("2 policies of the old configuration should live and none of the rejected one: %d, %d", old.Load(), rejected.Load())
	}

	if err := e.Reconfigure(titledConfig("next", &next, nil, "127.0.0.1:0", "127.0.0.2:0")); err != nil {
		t.Fatal(err)
	}
	for _, at := range e.Addrs() {
		if got := titles(t, at); got != "next" {
			t.Errorf("after a configuration that all can follow, %s is served at %v", got, at)
		}
	}
	if old.Load() != 0 || next.Load() != 2 {
		t.Errorf("2 policies of the next configuration should live and none of the old: %d, %d", next.Load(), old.Load())
	}
}

// A port that cannot be opened rejects a configuration too.
func TestReconfigureWithATakenPortChangesNothing(t *testing.T) {
	var old, rejected atomic.Int32
	e := started(t, titledConfig("old", &old, nil, "127.0.0.1:0"))
	serving(t, &old)
	taken, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	before := openDescriptors(t)
	err = e.Reconfigure(titledConfig("rejected", &rejected, nil, "127.0.0.1:0", "127.0.0.3:0", taken.Addr().String()))
	if err == nil || !strings.Contains(err.Error(), taken.Addr().String()) {
		t.Fatalf("the error should name the port that is taken: %v", err)
	}
	if after := openDescriptors(t); after != before {
		t.Errorf("%d descriptors were open before and %d are after", before, after)
	}
	if got := titles(t, e.Addrs()[0]); got != "old" || old.Load() != 2 {
		t.Errorf("after it, %s is served by %d policies", got, old.Load())
	}
}

// An address is one port, for a new configuration as for the first; port 0 is another one each time.
func TestReconfigureWithAPortTwice(t *testing.T) {
	var old, rejected, next atomic.Int32
	e := started(t, titledConfig("old", &old, nil, "127.0.0.1:0", "127.0.0.1:0"))
	serving(t, &old)
	before := openDescriptors(t)
	if at := e.Addrs(); len(at) != 2 || at[0] == at[1] {
		t.Fatalf("the ports are %v", at)
	}
	twice := e.Addrs()[0].String()
	err := e.Reconfigure(titledConfig("rejected", &rejected, nil, twice, twice))
	if err == nil || !strings.Contains(err.Error(), twice) || rejected.Load() != 0 {
		t.Errorf("the error should name the port that is there twice: %v", err)
	}
	if after := openDescriptors(t); after != before {
		t.Errorf("%d descriptors were open before and %d are after", before, after)
	}
	if err := e.Reconfigure(titledConfig("next", &next, nil, "127.0.0.1:0")); err != nil {
		t.Fatal(err)
	}
	if after := openDescriptors(t); after != before-2 {
		t.Errorf("one of two ports less has %d descriptors open, of %d", after, before)
	}
	if got := titles(t, e.Addrs()[0]); got != "next" || len(e.Addrs()) != 1 {
		t.Errorf("%s is served at %v", got, e.Addrs())
	}
}

// A request is judged by the configuration of the moment in which its head is complete.
func TestRequestThatBeganBeforeAReconfigurationIsJudgedByTheNew(t *testing.T) {
	var old, next atomic.Int32
	config := func(title string, alive *atomic.Int32) engine.Config {
		return engine.Config{Ports: []engine.Port{{Addr: netip.MustParseAddrPort("192.0.2.1:3128")}},
			NewPolicy: func(engine.Services) (engine.Policy, error) {
				alive.Add(1)
				return &titled{title: title, alive: alive}, nil
			}}
	}
	w := enginetest.NewWorld(t, config("old", &old))
	w.Configuration = func(string) (engine.Config, error) { return config("new", &next), nil }
	w.Play(`
client a says                "G"
client b sends               GET http://a.example/ HTTP/1.1
client b reads               HTTP/1.1 200 OK
                             …
client b hears               "old"
reconfigure next
client b sends               GET http://a.example/ HTTP/1.1
client b reads               HTTP/1.1 200 OK
                             …
client b hears               "new"
client a says                "ET http://a.example/ HTTP/1.1\r\n\r\n"
client a reads               HTTP/1.1 200 OK
                             …
client a hears               "new"
`)
	if old.Load() != 0 {
		t.Error("the old policy is kept although no request follows it any more")
	}
	w.End()
}
