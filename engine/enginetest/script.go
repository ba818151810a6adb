package enginetest

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Play plays a script: a dialogue of one sentence a line.
//
//	WHO [NAME] VERB  TEXT
//	                 more lines of the same text
//
// A line that begins with white space continues the text of the one before; one that begins
// with # is a comment. In what is expected, … stands for anything within a line, and a line
// that is … alone for any lines. A last "sentence in quotes" is printed if the check fails.
//
// Clients (client a, or a@10.0.0.7 from that address, or a#2 to the second port) connect when they are first spoken of, origins (origin 192.0.2.7:80)
// listen from then on, helpers are numbered in the order in which they were started: helper 1 is a redirector, helper
// basicauthenticator/1 is one of a pool of that name.
//
//	sends      a head: the lines of the text, each with CRLF, and an empty line. {digest USER PASSWORD} is the
//	           answer to the last challenge that was read; also nc=2, uri=URI and method=METHOD
//	says       exact bytes: "quoted as in Go", 3*"repeated", one after the other
//	reads      a head has arrived that is so; it is taken away
//	hears      exactly these bytes have arrived next; they are taken away
//	finishes   closes its sending side
//	closes, resets          the connection
//	stalls, resumes         stops taking bytes, goes on
//	skips      what has arrived
//	marks 0x5f the packet filter keeps that mark with the connection from now on
//	bears tos=0x0 mark=0x7  the packets to it bear that from now on
//	is closed, is reset, is gone (either), is open, is silent     checks
//
// A client that wants 192.0.2.7:80 connects there, and is diverted to us by the packet filter (intercept, tproxy).
//
// An origin also accepts (the next connection is spoken of from now on), refuses (connections
// to it), vanishes (they get no answer), listens again, and is alone (nobody has connected); it meets 10.0.0.1 whose connection has that address. A helper reads a line, writes a line, gets
// several lines (all that it was asked), says bytes, is silent, or dies. Names (names know a.example 192.0.2.7 2001:db8::7) are what the name
// server knows; it may be told to be silent with "names vanish", and "names return", and for how long
// its answers are good: names last 0s. They also call an address by a name, or - for none:
// names call 192.0.2.100 host.example.
//
// In a World that has Security, TLS may be spoken. From then on all else is said and heard inside it.
//
//	begins tls sni=NAME           a client's ClientHello; also version=1.2, protocols=300 (of 200 bytes each, which
//	                              make it long), trusts=sites (and not the proxy) and gets=PATH (a request
//	                              that comes with the end of the handshake)
//	speaks tls cert=NAME,NAME     an origin, on all connections; also version=1.2
//	has tls proxy NAME            a client was shown a certificate for a name, signed by the proxy, or by sites
//	has tls NAME                  an origin was asked for a name; - is none
//	lacks tls TEXT                the handshake has failed, and the error contains the text
//
//	clock +30s              time passes
//	log has    LINE         the next lines of the log are so
//	log is empty
//	reconfigure NAME        the proxy follows the configuration of that name from now on
//	restart helpers         new helpers take the place of the present ones
//	shutdown 30s            the proxy is told to end
//	held clients=1 buffers<3        what the engine holds; helpers=1 are processes
func (w *World) Play(script string) {
	w.tb.Helper()
	for _, s := range sentences(script) {
		w.where = fmt.Sprintf("line %d: %s", s.line, s.head)
		if err := w.perform(s); err != nil {
			w.tb.Fatalf("%s: %v%s", w.where, err, s.because())
		}
	}
}

// A sentence is one step of a script.
type sentence struct {
	line  int
	head  string   // its first line
	words []string // of its first line
	text  []string // the lines of its text, the first without the words before it
	why   string
}

func (s *sentence) because() string {
	if s.why == "" {
		return ""
	}
	return "\n\t" + s.why
}

// sentences takes a script apart.
func sentences(script string) (all []*sentence) {
	var now *sentence
	for n, line := range strings.Split(script, "\n") {
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "" || line[0] == '#':
		case line[0] == ' ' || line[0] == '\t':
			if now != nil {
				now.text = append(now.text, trimmed)
			}
		default:
			now = &sentence{line: n + 1, head: trimmed, words: strings.Fields(trimmed)}
			all = append(all, now)
		}
	}
	return all
}

// split takes n words off the first line; what remains is the first line of the text.
func (s *sentence) split(n int) {
	rest := s.head
	for range n {
		rest = strings.TrimLeft(rest, " \t")
		if at := strings.IndexAny(rest, " \t"); at >= 0 {
			rest = rest[at:]
		} else {
			rest = ""
		}
	}
	if rest = strings.TrimSpace(rest); rest != "" {
		s.text = append([]string{rest}, s.text...)
	}
}

// reason takes a last sentence in quotes off the text.
func (s *sentence) reason() {
	last := len(s.text) - 1
	if last < 0 || !strings.HasSuffix(s.text[last], `"`) {
		return
	}
	if at := strings.Index(s.text[last], `"`); at < len(s.text[last])-1 {
		s.why = strings.Trim(s.text[last][at:], `"`)
		s.text[last] = strings.TrimSpace(s.text[last][:at])
		if at == 0 {
			s.text = s.text[:last]
		}
	}
}

// perform does what a sentence says, or checks it.
func (w *World) perform(s *sentence) error {
	w.tb.Helper()
	if len(s.words) < 2 {
		return fmt.Errorf("a sentence needs somebody and a verb")
	}
	switch s.words[0] {
	case "client":
		s.split(3)
		if s.words[2] == "wants" {
			return w.wants(s)
		}
		return w.client(s.words[1]).perform(s, s.words[2])
	case "origin":
		s.split(3)
		return w.origin(s.words[1]).perform(s, s.words[2])
	case "helper":
		s.split(3)
		return w.helperDoes(s)
	case "names":
		return w.names.perform(s)
	case "clock":
		return w.pass(s.words[1])
	case "machine":
		return w.addAddress(s.words[len(s.words)-1])
	case "log":
		s.split(2)
		return w.checkLog(s)
	case "reconfigure":
		return w.reconfigure(s.words[1])
	case "restart":
		w.engine.RestartHelpers()
		w.settle()
		return nil
	case "shutdown":
		return w.shutdown(s.words[1])
	case "held":
		return w.checkHeld(s)
	}
	return fmt.Errorf("nobody is called %q", s.words[0])
}

// wants has a client connect to an address, from which it is diverted to us.
func (w *World) wants(s *sentence) error {
	s.reason()
	to, err := netip.ParseAddrPort(strings.Join(s.text, " "))
	if err != nil || w.clients[s.words[1]] != nil {
		return fmt.Errorf("a client wants an address and its port before it says anything")
	}
	w.diverted(s.words[1], to)
	return nil
}

func (w *World) pass(text string) error {
	d, err := time.ParseDuration(strings.TrimPrefix(text, "+"))
	if err != nil {
		return err
	}
	w.kernel.Advance(d)
	w.settle()
	return nil
}

// addAddress gives the machine an address.
func (w *World) addAddress(text string) error {
	a, err := netip.ParseAddr(text)
	if err != nil {
		return err
	}
	w.kernel.AddAddress(a)
	return nil
}

func (w *World) reconfigure(name string) error {
	w.tb.Helper()
	if w.Configuration == nil {
		return fmt.Errorf("there is no configuration %q", name)
	}
	c, err := w.Configuration(name)
	if err != nil {
		return err
	}
	return w.Reconfigure(c)
}

func (w *World) shutdown(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil {
		return err
	}
	w.engine.Shutdown(d)
	w.settle()
	return nil
}

func (w *World) checkHeld(s *sentence) error {
	held := w.engine.Held()
	numbers := map[string]int{"clients": held.Clients, "transactions": held.Transactions,
		"buffers": held.Buffers, "idleupstreams": held.IdleUpstreams, "helpers": held.Helpers}
	for _, word := range s.words[1:] {
		at := strings.IndexAny(word, "=<")
		if at < 0 {
			return fmt.Errorf("%q is neither NAME=NUMBER nor NAME<NUMBER", word)
		}
		have, known := numbers[word[:at]]
		want, err := strconv.Atoi(word[at+1:])
		if err != nil || !known {
			return fmt.Errorf("%q counts nothing", word)
		}
		if word[at] == '=' && have != want || word[at] == '<' && have >= want {
			return fmt.Errorf("the engine holds %+v", held)
		}
	}
	return nil
}

func (w *World) checkLog(s *sentence) error {
	lines := w.log()
	if s.words[1] == "is" {
		if len(lines) > 0 {
			return fmt.Errorf("the log has %q", lines)
		}
		return nil
	}
	s.reason()
	for i, pattern := range s.text {
		if i >= len(lines) || !matches(squeeze(pattern), squeeze(lines[i])) {
			return fmt.Errorf("the log has\n\t%s", strings.Join(lines, "\n\t"))
		}
	}
	w.logged = lines[len(s.text):]
	return nil
}

// squeeze makes runs of blanks one blank.
func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

// spoken puts the exact bytes of a text together: "quoted" and 3*"repeated" pieces.
func spoken(text []string) (string, error) {
	var out strings.Builder
	for _, piece := range text {
		for piece = strings.TrimSpace(piece); piece != ""; piece = strings.TrimSpace(piece) {
			times := 1
			if count, rest, ok := strings.Cut(piece, `*"`); ok && !strings.HasPrefix(piece, `"`) {
				n, err := strconv.Atoi(count)
				if err != nil {
					return "", err
				}
				times, piece = n, `"`+rest
			}
			quoted, err := strconv.QuotedPrefix(piece)
			if err != nil {
				return "", fmt.Errorf("exact bytes are written in quotes: %s", piece)
			}
			plain, _ := strconv.Unquote(quoted)
			out.WriteString(strings.Repeat(plain, times))
			piece = piece[len(quoted):]
		}
	}
	return out.String(), nil
}
