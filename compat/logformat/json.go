package logformat

import (
	"net/netip"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"exaproxy/engine"
)

// jsonVersion changes when a member gets another meaning, or goes. New ones may come at any time, before "notes".
const jsonVersion = 1

// JSON returns a new Format that writes each line as a JSON object (RFC 8259) in ASCII, whatever bytes its values have: bytes
// that are not UTF-8 are written as the characters of Latin-1 that have their number. docs/logs.md describes its members.
// StripQuery is on, Headers off.
func JSON() *Format { return &Format{builtin: appendJSON, StripQuery: true, object: true} }

// appendJSON writes the object.
func appendJSON(dst []byte, f *Format, rec *engine.Record) []byte {
	r := rec.Request
	o := object{dst: append(dst, '{')}
	o.number("v", jsonVersion)
	o.key("time")
	o.dst = append(rec.Ended.UTC().AppendFormat(append(o.dst, '"'), "2006-01-02T15:04:05.000Z"), '"')
	o.text("event", event(rec))
	o.number("duration_ms", rec.Took.Milliseconds())
	o.client(f, rec)
	o.value("user", user, f, rec)
	o.value("method", method, f, rec)
	o.value("url", loggedURL, f, rec)
	o.value("version", ifParsed(version), f, rec)
	o.field("referer", r, rec)
	o.field("user_agent", r, rec)
	o.text("result", f.resultCode(rec))
	o.number("status", int64(rec.Status))
	o.value("content_type", mediaType, f, rec)
	o.number("bytes_in", rec.In)
	o.number("bytes_out", rec.Out)
	o.text("redirected_to", rec.URL)
	o.value("error", errorCode, f, rec)
	o.value("error_detail", errorDetail, f, rec)
	o.server(f, rec)
	o.value("sni", withHello(requestedName), f, rec)
	o.value("bump_mode", bumpMode, f, rec)
	o.spent(&rec.Spent)
	if f.Headers {
		o.heads(rec)
	}
	o.notes(r.Notes)
	return append(o.dst, '}')
}

// event says of what a line tells.
func event(rec *engine.Record) string {
	if rec.Open {
		return "open"
	}
	return "end"
}

// An object is a JSON object that is being written.
type object struct {
	dst     []byte
	scratch []byte
}

func (o *object) key(name string) {
	if o.dst[len(o.dst)-1] != '{' {
		o.dst = append(o.dst, ',')
	}
	o.dst = append(append(append(o.dst, '"'), name...), `":`...)
}

func (o *object) number(name string, n int64) {
	o.key(name)
	o.dst = strconv.AppendInt(o.dst, n, 10)
}

// text writes a string; null if it is empty.
func (o *object) text(name, text string) {
	o.scratch = append(o.scratch[:0], text...)
	o.bytes(name, o.scratch)
}

func (o *object) bytes(name string, text []byte) {
	o.key(name)
	if len(text) == 0 {
		o.dst = append(o.dst, "null"...)
		return
	}
	o.dst = appendJSONString(o.dst, text)
}

// value writes what a code has as a string.
func (o *object) value(name string, v value, f *Format, rec *engine.Record) {
	o.scratch = v(o.scratch[:0], f, &plain, rec)
	o.bytes(name, o.scratch)
}

// plain is a part that has no modifiers.
var plain = part{max: -1}

// field writes a field of the request's.
func (o *object) field(name string, r *engine.Request, rec *engine.Record) {
	var value []byte
	if parsed(rec) {
		value = r.Header.Get(fieldNames[name])
	}
	o.bytes(name, value)
}

var fieldNames = map[string]string{"referer": "Referer", "user_agent": "User-Agent"}

func (o *object) client(f *Format, rec *engine.Record) {
	o.value("client", clientAddress, f, rec)
	o.port("client_port", rec.Request.Sender())
}

func (o *object) port(name string, a netip.AddrPort) {
	if a.IsValid() {
		o.number(name, int64(a.Port()))
		return
	}
	o.bytes(name, nil)
}

func (o *object) server(f *Format, rec *engine.Record) {
	o.value("hierarchy", hierarchy, f, rec)
	o.value("server", serverAddress, f, rec)
	o.port("server_port", rec.Upstream)
	o.number("server_bytes_in", rec.UpstreamIn)
	o.number("server_bytes_out", rec.UpstreamOut)
}

func (o *object) spent(s *engine.Spent) {
	for _, row := range [...]struct {
		name string
		time time.Duration
	}{{"helper_ms", s.Helper}, {"dns_ms", s.Names}, {"connect_ms", s.Connect}, {"server_ms", s.Upstream}} {
		o.number(row.name, row.time.Milliseconds())
	}
}

// heads writes what log_mime_hdrs asks for.
func (o *object) heads(rec *engine.Record) {
	o.scratch = o.scratch[:0]
	if parsed(rec) {
		o.scratch = appendHead(o.scratch, rec.Request)
	}
	o.bytes("request_head", o.scratch)
	o.bytes("reply_head", rec.ReplyHead)
}

// notes writes each annotation once; one that has several values has them in an array, too, if there is one.
func (o *object) notes(notes []engine.Note) {
	o.key("notes")
	o.dst = append(o.dst, '{')
	for i, n := range notes {
		same := func(m engine.Note) bool { return string(m.Key) == string(n.Key) }
		if slices.ContainsFunc(notes[:i], same) {
			continue
		}
		if o.dst[len(o.dst)-1] != '{' {
			o.dst = append(o.dst, ',')
		}
		o.dst = append(appendJSONString(o.dst, n.Key), ":["...)
		for j, m := range notes[i:] {
			if !same(m) {
				continue
			}
			if j > 0 {
				o.dst = append(o.dst, ',')
			}
			o.dst = appendJSONString(o.dst, m.Value)
		}
		o.dst = append(o.dst, ']')
	}
	o.dst = append(o.dst, '}')
}

// appendJSONString writes a string of RFC 8259 section 7 in ASCII.
func appendJSONString[text string | []byte](dst []byte, value text) []byte {
	dst = append(dst, '"')
	for s := []byte(value); len(s) > 0; {
		c, size := utf8.DecodeRune(s)
		if c == utf8.RuneError && size == 1 {
			c = rune(s[0])
		}
		s = s[size:]
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', byte(c))
		case c >= ' ' && c < 0x7f:
			dst = append(dst, byte(c))
		case c >= 0x10000:
			dst = appendUnit(appendUnit(dst, 0xd800+(c-0x10000)>>10), 0xdc00+(c-0x10000)&0x3ff)
		default:
			dst = appendUnit(dst, c)
		}
	}
	return append(dst, '"')
}

// appendUnit writes a unit of UTF-16.
func appendUnit(dst []byte, u rune) []byte {
	const hex = "0123456789abcdef"
	return append(dst, '\\', 'u', hex[u>>12&15], hex[u>>8&15], hex[u>>4&15], hex[u&15])
}
