package engine

import (
	"log/slog"
	"strings"
	"testing"
)

// TestReplyPackets has packets to the client bear what replies bear, and of the connection to the server what the packet filter keeps with it.
func TestReplyPackets(t *testing.T) {
	const unknown = 0
	for _, row := range []struct {
		name      string
		bears     *ReplyPackets
		server    uint32
		reply     string
		tos, mark int
		said      string
	}{
		{"nothing is configured", nil, 0x5f, okReply, 0x40, 0x18, ""},
		{"a type of service", &ReplyPackets{TOS: 0x30, Mark: -1}, 0x5f, okReply, 0x30, 0x18, ""},
		{"none", &ReplyPackets{TOS: 0, Mark: -1}, 0x5f, okReply, 0, 0x18, ""},
		{"a mark", &ReplyPackets{TOS: -1, Mark: 7}, 0x5f, okReply, 0x40, 7, ""},
		{"the server's", &ReplyPackets{TOS: -1, Kept: ^uint32(0)}, 0xffffffff, okReply, 0x40, 0xffffffff, ""},
		{"a part of the server's", &ReplyPackets{TOS: -1, Mark: 0xa0, Kept: 0x0f}, 0x5f, okReply, 0x40, 0xaf, ""},
		{"the server's, which nobody knows", &ReplyPackets{TOS: -1, Mark: 0xa0, Kept: 0x0f}, unknown, okReply, 0x40, 0xa0,
			"the mark that the packet filter keeps with a server's connection cannot be read (packets to clients bear nothing of it)\" server=192.0.2.7:80"},
		{"no reply yet", &ReplyPackets{TOS: 0x30, Mark: 7}, 0x5f, "HTTP/1.1 103 X\r\n\r\n", 0x40, 0x18, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			said := new(strings.Builder)
			p := newTransaction(t, relaying, given{config: func(c *Config) { c.ReplyPackets, c.Log = row.bears, slog.New(slog.NewTextHandler(said, nil)) }})
			p.client.bear(Packets{0x40, 0x18})
			if row.server != unknown {
				p.server.Track(row.server)
			}
			p.server.WriteString(row.reply)
			p.turn()
			p.wants(p.play(), relaying)
			if tos, mark := p.browser.Borne(); tos != row.tos || mark != row.mark || p.client.connection.Packets != (Packets{tos, mark}) {
				t.Errorf("they bear %#x and %#x, and %+v is known", tos, mark, p.client.connection.Packets)
			}
			if !strings.Contains(said.String(), row.said) || row.said == "" && said.Len() > 0 {
				t.Errorf("the log has %q", said)
			}
		})
	}
}

// TestPacketsOfOurPages bear nothing of a server.
func TestPacketsOfOurPages(t *testing.T) {
	p := newTransaction(t, answering, given{config: func(c *Config) { c.ReplyPackets = &ReplyPackets{Mark: 0xa0, Kept: 0x0f} }})
	p.client.bear(Packets{0x40, 0x18})
	p.play()
	if tos, mark := p.browser.Borne(); tos != 0 || mark != 0xa0 {
		t.Errorf("they bear %#x and %#x", tos, mark)
	}
}

// What the next request says nothing of, packets bear as before.
func TestBearKeepsWhatIsNotSaid(t *testing.T) {
	p := newTransaction(t, relaying, given{})
	for _, said := range []Packets{{0x40, 0x18}, {TOS: 0x20}, {Mark: 7}, {}} {
		p.client.bear(said)
	}
	if tos, mark := p.browser.Borne(); tos != 0x20 || mark != 7 || p.client.connection.Packets != (Packets{0x20, 7}) {
		t.Errorf("packets bear %#x %#x, noted is %+v", tos, mark, p.client.connection.Packets)
	}
}

// That the mark of a server's connection is not known is said also where that of the client's was not.
func TestBothMarksAreMissed(t *testing.T) {
	said := new(strings.Builder)
	p := newTransaction(t, relaying, given{config: func(c *Config) {
		c.ReplyPackets, c.Log = &ReplyPackets{TOS: -1, Mark: 0xa0, Kept: 15}, slog.New(slog.NewTextHandler(said, nil))
	}})
	p.client.readMark()
	p.server.WriteString(okReply)
	p.turn()
	p.wants(p.play(), relaying)
	if n := strings.Count(said.String(), "server's connection cannot be read"); n != 1 {
		t.Errorf("that is said %d times: %s", n, said)
	}
}
