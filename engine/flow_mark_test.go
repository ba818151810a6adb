package engine

import (
	"log/slog"
	"strings"
	"testing"
	"time"
)

// TestFlowMarks has the marks of a client's connection read and changed, and told once a minute if that cannot be.
func TestFlowMarks(t *testing.T) {
	said := new(strings.Builder)
	p := newTransaction(t, greeting, given{config: func(c *Config) { c.FlowMarks, c.Log = true, slog.New(slog.NewTextHandler(said, nil)) }})
	p.wants(p.play(), reading)
	flow := &p.client.connection.Flow
	if *flow != (Flow{}) || !strings.Contains(said.String(), "cannot be read") {
		t.Errorf("of a connection that is not tracked %+v is known; the log has %q", *flow, said)
	}
	p.browser.Track(0x5f)
	p.wants(p.play(), reading)
	if *flow != (Flow{0x5f, true}) {
		t.Errorf("it is %+v", *flow)
	}
	p.client.changeFlow(FlowChange{})
	for _, row := range []struct {
		change FlowChange
		want   uint32
	}{{FlowChange{0xab, 0xf}, 0xfb}, {FlowChange{0x17, ^uint32(0)}, 0x17}, {FlowChange{0x17, 0xff}, 0x17}, {FlowChange{0, ^uint32(0)}, 0}} {
		if p.client.changeFlow(row.change); flow.Mark != row.want || p.browser.FlowMark() != row.want {
			t.Errorf("%+v makes it %+v, and the packet filter's %#x", row.change, *flow, p.browser.FlowMark())
		}
	}
	other := newTransaction(t, greeting, given{config: func(c *Config) { c.Log = p.client.worker.log }})
	other.client.changeFlow(FlowChange{Mark: 1, Mask: 1})
	for range 2 {
		p.client.flowFailed("changed", nil)
	}
	p.passes(flowWarningsEvery + time.Second)
	p.client.flowFailed("changed", nil)
	if *flow != (Flow{}) || strings.Count(said.String(), "cannot be changed (") != 1 {
		t.Errorf("the log has %q", said)
	}
}
