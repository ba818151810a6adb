package acceptance

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A wire is one HTTP message as it was on the wire, cut by its own framing and by nothing that package engine/h1 knows.
type wire struct {
	start  string
	fields []string // the lines, in their order
	body   string   // without the chunked coding
	coding string   // how the body ends: "", "length", "chunked", "close"
	extra  string   // extensions of chunks, and trailer fields
	whole  bool     // all of it has come
}

// cutWire cuts the message that b begins with. A reply is one to a method; that of a request is "". It is no message at all
// (ok is false) if b has no head yet, or is framed as no strict reader would have it.
func cutWire(b []byte, method string) (w wire, rest []byte, ok bool) {
	head, rest, found := bytes.Cut(b, []byte("\r\n\r\n"))
	if !found {
		return w, b, false
	}
	lines := strings.Split(string(head), "\r\n")
	w.start, w.fields = lines[0], lines[1:]
	lengths, codings := w.values("Content-Length"), w.values("Transfer-Encoding")
	switch {
	case w.bodiless(method):
		w.whole = true
		return w, rest, true
	case len(codings) == 1 && strings.EqualFold(codings[0], "chunked") && len(lengths) == 0:
		w.coding = "chunked"
		return w.cutChunks(rest)
	case len(lengths) == 1 && len(codings) == 0:
		n, err := strconv.ParseUint(lengths[0], 10, 32)
		if err != nil {
			return w, b, false
		}
		w.coding = "length"
		most := min(int(n), len(rest))
		w.body, w.whole = string(rest[:most]), most == int(n)
		return w, rest[most:], true
	case len(lengths)+len(codings) > 0:
		return w, b, false
	case method == "":
		w.whole = true
		return w, rest, true
	}
	w.body, w.coding = string(rest), "close"
	return w, nil, true
}

// bodiless says whether the reply to a method has no body whatever it declares: RFC 9112, section 6.3.
func (w *wire) bodiless(method string) bool {
	_, status, _ := strings.Cut(w.start, " ")
	status, _, _ = strings.Cut(status, " ")
	switch {
	case method == "":
		return false
	case method == "HEAD", status == "204", status == "304", strings.HasPrefix(status, "1"):
		return true
	}
	return method == "CONNECT" && strings.HasPrefix(status, "2")
}

// values are those of the fields of a name.
func (w *wire) values(name string) []string {
	var all []string
	for _, line := range w.fields {
		if n, v, _ := strings.Cut(line, ":"); strings.EqualFold(n, name) {
			all = append(all, strings.Trim(v, " \t"))
		}
	}
	return all
}

// cutChunks cuts a chunked body off b.
func (w wire) cutChunks(b []byte) (_ wire, rest []byte, ok bool) {
	for {
		line, after, found := bytes.Cut(b, []byte("\r\n"))
		if !found {
			return w, nil, true // not whole
		}
		digits, extension, _ := strings.Cut(string(line), ";")
		n, err := strconv.ParseUint(digits, 16, 32)
		if err != nil {
			return w, b, false
		}
		if extension != "" {
			w.extra += "(extension " + extension + ")"
		}
		if n == 0 {
			return w.cutTrailer(after)
		}
		if len(after) < int(n)+2 {
			w.body += string(after[:min(int(n), len(after))])
			return w, nil, true
		}
		if string(after[n:n+2]) != "\r\n" {
			return w, b, false
		}
		w.body += string(after[:n])
		b = after[n+2:]
	}
}

func (w wire) cutTrailer(b []byte) (_ wire, rest []byte, ok bool) {
	for {
		line, after, found := bytes.Cut(b, []byte("\r\n"))
		if !found {
			return w, nil, true
		}
		b = after
		if len(line) == 0 {
			w.whole = true
			return w, b, true
		}
		w.extra += "(trailer " + string(line) + ")"
	}
}

// usualOf are the fields that a message has when nothing is special, as they are told.
var usualOf = map[bool][]string{
	false: {"Cache-Control: max-age=259200", "Connection: keep-alive", "Host: SITE:PORT", "Via: 1.1 proxy.test (squid/5.7)", "X-Forwarded-For: CLIENT"},
	true:  {"Connection: keep-alive", "Date: (any)", "Via: 1.1 proxy.test (squid/5.7)", "X-Cache: MISS from proxy.test", "X-Cache-Lookup: MISS from proxy.test:PORT"},
}

// text tells the message in lines, by the fields that are not usual and those that are and are missing. Fields are told in the order
// of their names, since only the order among those of one name means anything (RFC 9110, section 5.3). A page is told by its name:
// others compare what else stands in those.
func (w wire) text(plain func(string) string) string {
	reply := strings.HasPrefix(w.start, "HTTP/")
	if name := w.values("X-Squid-Error"); len(name) > 0 && reply && w.whole {
		page, _, _ := strings.Cut(name[0], " ") // the errno behind it depends on whether the machine has IPv6
		return fmt.Sprintf("%s (%s)\n%s", w.start, page, strings.Join(prefixed("Connection: ", w.values("Connection")), ""))
	}
	var fields []string
	for _, line := range w.fields {
		if name, value, _ := strings.Cut(line, ": "); name == "Date" && reply && strings.HasSuffix(value, " GMT") {
			line = "Date: (any)"
		}
		fields = append(fields, plain(line))
	}
	usual := usualOf[reply]
	if slices.Contains(fields, usual[3]) { // somebody has forwarded it
		for _, line := range usual {
			if at := slices.Index(fields, line); at >= 0 {
				fields = slices.Delete(fields, at, at+1)
			} else {
				fields = append(fields, "(not "+line+")")
			}
		}
	}
	slices.SortStableFunc(fields, func(a, b string) int {
		a, _, _ = strings.Cut(strings.TrimPrefix(a, "(not "), ":")
		b, _, _ = strings.Cut(strings.TrimPrefix(b, "(not "), ":")
		return strings.Compare(strings.ToLower(a), strings.ToLower(b))
	})
	text := printable(plain(w.start)) + "\n" + repeated(fields) + w.bodyText(plain)
	if text == fmt.Sprintf("HTTP/1.1 200 OK\nContent-Length: %d\n(length) %s\n", len(w.body), w.body) {
		return w.body + "\n"
	}
	return text
}

// now is any time but those that shapes name.
var now = regexp.MustCompile(`[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} (202[2-9]|20[3-9]\d) \d\d:\d\d:\d\d GMT`)

func (w *wire) bodyText(plain func(string) string) string {
	if w.coding == "" {
		return ""
	}
	cut := ""
	if !w.whole && w.coding != "close" {
		cut = ", cut"
	}
	return fmt.Sprintf("(%s%s) %s%s\n", w.coding, cut, printable(plain(w.body)), printable(w.extra))
}

func prefixed(prefix string, values []string) []string {
	for i := range values {
		values[i] = prefix + values[i] + "\n"
	}
	return values
}

// repeated are lines, of which those that come several times in a row are told once.
func repeated(lines []string) string {
	var b strings.Builder
	for i := 0; i < len(lines); {
		n := 1
		for i+n < len(lines) && lines[i+n] == lines[i] {
			n++
		}
		b.WriteString(printable(lines[i]))
		if n > 1 {
			fmt.Fprintf(&b, " (%d times)", n)
		}
		b.WriteString("\n")
		i += n
	}
	return b.String()
}

var longRun = regexp.MustCompile(`A{40,}|x{40,}|a{40,}|0{40,}`)

// printable is a text in one line, with what is long shortened.
func printable(text string) string {
	text = now.ReplaceAllString(text, "(now)")
	text = longRun.ReplaceAllStringFunc(text, func(run string) string { return fmt.Sprintf("%c{%d}", run[0], len(run)) })
	text = strings.TrimSuffix(strings.TrimPrefix(strconv.QuoteToASCII(text), `"`), `"`)
	const most = 300
	if len(text) > most {
		text = fmt.Sprintf("%s…(%d)", text[:most], len(text))
	}
	return strings.ReplaceAll(text, `\"`, `"`)
}
