package enginetest

import (
	"bytes"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

const crlf = "\r\n"

// perform does what anybody with a connection can do.
func (a *actor) perform(s *sentence, verb string) error {
	a.world.tb.Helper()
	switch verb {
	case "connects":
	case "sends":
		a.write(strings.Join(a.world.challenge.answer(s.text), crlf) + crlf + crlf)
	case "says":
		return a.says(s.text)
	case "reads":
		s.reason()
		return a.reads(s.text)
	case "hears":
		return a.hears(s.text)
	case "begins":
		return a.beginTLS(s.text)
	case "bears":
		s.reason()
		return a.bears(strings.Join(s.text, " "))
	case "marks":
		return a.marks(strings.Join(s.text, " "))
	case "has":
		s.reason()
		return a.has(s.text)
	case "lacks":
		s.reason()
		return a.lacks(s.text)
	case "is":
		s.reason()
		return a.is(strings.Join(s.text, " "))
	default:
		return a.moves(verb)
	}
	return nil
}

// moves does what needs no text.
func (a *actor) moves(verb string) error {
	switch verb {
	case "skips":
		a.arrived()
		a.got = nil
	case "finishes":
		if a.tls != nil {
			a.tls.CloseWrite()
			a.carry()
		}
		a.end.CloseWrite()
	case "closes":
		a.arrived()
		a.end.Close()
	case "resets":
		a.end.Reset()
	case "stalls":
		a.arrived()
		a.end.SetCapacity(0)
		a.end.Stall()
	case "resumes":
		a.end.SetCapacity(-1)
		a.end.Resume()
	default:
		return fmt.Errorf("nobody can %q", verb)
	}
	a.world.settle()
	return nil
}

func (a *actor) says(text []string) error {
	b, err := spoken(text)
	if err == nil {
		a.write(b)
	}
	return err
}

// reads checks that a head has arrived that fits.
func (a *actor) reads(want []string) error {
	got := a.arrived()
	head, rest, whole := bytes.Cut(got, []byte(crlf+crlf))
	if !whole {
		return fmt.Errorf("no head has arrived, only %q", clipped(got))
	}
	lines := strings.Split(string(head), crlf)
	if missing, ok := matchLines(want, lines); !ok {
		return fmt.Errorf("no match for %s; this has arrived:\n\t%s", missing, strings.Join(lines, "\n\t"))
	}
	a.world.challenge.note(lines)
	a.got = rest
	return nil
}

func (a *actor) hears(text []string) error {
	want, err := spoken(text)
	if err != nil {
		return err
	}
	got := a.arrived()
	if !bytes.HasPrefix(got, []byte(want)) {
		return fmt.Errorf("%d bytes have arrived: %q, not %q", len(got), clipped(got), clipped([]byte(want)))
	}
	a.got = got[len(want):]
	return nil
}

// bears checks what the packets to it bear.
func (a *actor) bears(want string) error {
	a.arrived()
	tos, mark := a.end.Borne()
	if got := fmt.Sprintf("tos=%#x mark=%#x", tos, mark); got != want {
		return fmt.Errorf("the packets to it bear %s", got)
	}
	return nil
}

// marks has the packet filter keep a mark with its connection.
func (a *actor) marks(text string) error {
	mark, err := strconv.ParseUint(text, 0, 32)
	if err == nil {
		a.end.Track(uint32(mark))
	}
	return err
}

func (a *actor) is(state string) error {
	got := a.arrived()
	switch {
	case len(got) > 0:
		return fmt.Errorf("there is something unread: %q", clipped(got))
	case state == "silent":
		return nil
	case state == "closed" && a.tls != nil && a.finishedTLS():
		return nil
	case state == "closed" && a.end.Closed() && !a.end.WasReset():
		return nil
	case state == "reset" && a.end.WasReset():
		return nil
	case state == "gone" && a.end.Closed():
		return nil
	case state == "open" && !a.end.Closed() && !a.end.WasReset():
		return nil
	}
	return fmt.Errorf("it is not %s (closed %v, reset %v)", state, a.end.Closed(), a.end.WasReset())
}

// perform does what an origin can do beside that.
func (o *origin) perform(s *sentence, verb string) error {
	o.world.tb.Helper()
	switch verb {
	case "listens":
		o.world.kernel.Reachable(o.addr)
		return nil
	case "refuses":
		o.world.kernel.Refuse(o.addr)
		return nil
	case "vanishes":
		o.world.kernel.Blackhole(o.addr)
		return nil
	case "accepts":
		if !o.accept() {
			return fmt.Errorf("nobody has connected")
		}
		return nil
	case "meets":
		s.reason()
		if from := o.here().end.Remote().Addr().String(); from != strings.Join(s.text, " ") {
			return fmt.Errorf("it meets %s", from)
		}
		return nil
	case "speaks":
		return o.speaks(s.text)
	case "is":
		s.reason()
		if len(s.text) > 0 && s.text[0] == "alone" {
			return o.alone()
		}
	}
	return o.here().perform(s, verb)
}

// alone checks that no further connection was made.
func (o *origin) alone() error {
	if o.accept() {
		return fmt.Errorf("somebody has connected")
	}
	return nil
}

// helperDoes does what a helper can do.
func (w *World) helperDoes(s *sentence) error {
	c := w.helpers.named(s.words[1])
	if c == nil {
		return fmt.Errorf("there is no helper %s", s.words[1])
	}
	switch s.words[2] {
	case "reads":
		s.reason()
		line, ok := c.next()
		if want := strings.Join(s.text, " "); !ok || !matches(want, line) {
			return fmt.Errorf("it was asked %q", line)
		}
		return nil
	case "gets":
		return c.gets(s.text)
	case "is":
		if line, ok := c.next(); ok {
			return fmt.Errorf("it was asked %q", line)
		}
		return nil
	case "writes":
		c.read()
		c.end.WriteString(strings.Join(s.text, " ") + "\n")
	case "says":
		b, err := spoken(s.text)
		if err != nil {
			return err
		}
		c.read()
		c.end.WriteString(b)
	case "dies":
		c.read()
		c.die(killed)
	case "buffers":
		c.read()
		c.keepBack()
	default:
		return fmt.Errorf("a helper cannot %q", s.words[2])
	}
	w.settle()
	return nil
}

// perform does what name servers can do.
func (s *nameServer) perform(step *sentence) error {
	switch step.words[1] {
	case "vanish":
		s.silent = true
	case "return":
		s.silent = false
	case "last": // names last 0s
		if len(step.words) < 3 {
			return fmt.Errorf("names last for some time")
		}
		d, err := time.ParseDuration(step.words[2])
		if err != nil {
			return err
		}
		s.ttl = uint32(d / time.Second)
	case "call": // names call 192.0.2.100 host.example
		if len(step.words) != 4 {
			return fmt.Errorf("names call an address by a name")
		}
		a, err := netip.ParseAddr(step.words[2])
		if err != nil || !a.Is4() {
			return fmt.Errorf("names call IPv4 addresses by a name, not %s", step.words[2])
		}
		if s.named[reverseName(a)] = step.words[3]; step.words[3] == "-" {
			delete(s.named, reverseName(a))
		}
	case "know":
		if len(step.words) < 3 {
			return fmt.Errorf("names know a name, and its addresses")
		}
		var addrs []netip.Addr
		for _, word := range step.words[3:] {
			a, err := netip.ParseAddr(word)
			if err != nil {
				return err
			}
			addrs = append(addrs, a)
		}
		s.known[step.words[2]] = addrs
	default:
		return fmt.Errorf("names cannot %q", step.words[1])
	}
	return nil
}

// clipped is as much of b as a message should show.
func clipped(b []byte) []byte {
	if len(b) > 400 {
		return b[:400]
	}
	return b
}
