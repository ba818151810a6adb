package engine

import (
	"log/slog"
	"strings"
	"testing"
	"time"
)

// TestConnMarks has the marks of a client's connection read and changed, and told once a minute if that cannot be.
func TestConnMarks(t *testing.T) {
	said := new(strings.Builder)
	p := newTransaction(t, greeting, given{config: func(c *Config) { c.ConnMarks, c.Log = true, slog.New(slog.NewTextHandler(said, nil)) }})
	p.wants(p.play(), reading)
	known := &p.client.connection.Mark
	if *known != (ConnMark{}) || !strings.Contains(said.String(), "cannot be read") {
		t.Errorf("of a connection that is not tracked %+v is known; the log has %q", *known, said)
	}
	p.browser.Track(0x5f)
	p.wants(p.play(), reading)
	if *known != (ConnMark{0x5f, true}) {
		t.Errorf("it is %+v", *known)
	}
	p.client.changeMark(MarkChange{})
	for _, row := range []struct {
		change MarkChange
		want   uint32
	}{{MarkChange{0xab, 0xf}, 0xfb}, {MarkChange{0x17, ^uint32(0)}, 0x17}, {MarkChange{0x17, 0xff}, 0x17}, {MarkChange{0, ^uint32(0)}, 0}} {
		if p.client.changeMark(row.change); known.Mark != row.want || p.browser.ConnMark() != row.want {
			t.Errorf("%+v makes it %+v, and the packet filter's %#x", row.change, *known, p.browser.ConnMark())
		}
	}
	other := newTransaction(t, greeting, given{config: func(c *Config) { c.Log = p.client.worker.log }})
	other.client.changeMark(MarkChange{Mark: 1, Mask: 1})
	for range 2 {
		p.client.markFailed("changed", nil)
	}
	p.passes(markWarningsEvery + time.Second)
	p.client.markFailed("changed", nil)
	if *known != (ConnMark{}) || strings.Count(said.String(), "cannot be changed (") != 1 {
		t.Errorf("the log has %q", said)
	}
}
