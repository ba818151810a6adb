package logformat

import (
	"strconv"

	"exaproxy/engine"
)

// Builtin returns a new Format of one of Squid's own: squid, common, combined, referrer or
// useragent. StripQuery is on, Headers off.
func Builtin(name string) (*Format, bool) {
	b, ok := builtins[name]
	if !ok {
		return nil, false
	}
	return &Format{builtin: b, StripQuery: true}, true
}

var builtins = map[string]builtin{
	"squid": appendSquid, "common": appendCommon, "combined": appendCombined,
	"referrer": appendReferrer, "useragent": appendUserAgent,
}

// appendSquid writes what in codes would be
// %ts.%03tu %6tr %>a %Ss/%03>Hs %<st %rm %ru %[un %Sh/%<a %mt
func appendSquid(dst []byte, f *Format, rec *engine.Record) []byte {
	dst = append(appendStamp(dst, rec.Ended.UnixMilli()), ' ')
	dst = append(pad(dst, int(rec.Took.Milliseconds()), 6, ' '), ' ')
	dst = append(orDash(clientAddress, dst, f, rec), ' ')
	dst = append(append(dst, f.resultCode(rec)...), '/')
	dst = append(pad(dst, rec.Status, 3, '0'), ' ')
	dst = append(strconv.AppendInt(dst, rec.Out, 10), ' ')
	dst = append(orDash(method, dst, f, rec), ' ')
	dst = append(loggedURL(dst, f, nil, rec), ' ')
	dst = append(appendUser(dst, rec), ' ')
	dst = append(hierarchy(dst, f, nil, rec), '/')
	dst = append(orDash(serverAddress, dst, f, rec), ' ')
	return orDash(mediaType, dst, f, rec)
}

// appendCommon writes Apache's common log format with Squid's result code behind it.
func appendCommon(dst []byte, f *Format, rec *engine.Record) []byte {
	return appendOutcome(appendExchange(dst, f, rec), f, rec)
}

// appendCombined writes the common format with referrer and user agent, whose quotation marks
// Squid leaves as they are.
func appendCombined(dst []byte, f *Format, rec *engine.Record) []byte {
	dst = append(appendExchange(dst, f, rec), ` "`...)
	dst = append(appendField(dst, rec, "Referer"), `" "`...)
	dst = append(appendField(dst, rec, "User-Agent"), '"')
	return appendOutcome(dst, f, rec)
}

// appendExchange writes who asked when for what, and what was answered.
func appendExchange(dst []byte, f *Format, rec *engine.Record) []byte {
	dst = append(orDash(clientAddress, dst, f, rec), " - "...)
	dst = append(appendUser(dst, rec), " ["...)
	dst = append(appendTime(dst, rec.Ended.Local(), commonTime), `] "`...)
	dst = append(orDash(method, dst, f, rec), ' ')
	dst = loggedURL(dst, f, nil, rec)
	if rec.Unread {
		dst = append(dst, " NONE/"...)
	} else {
		dst = append(dst, " HTTP/"...)
	}
	dst = append(version(dst, f, nil, rec), `" `...)
	dst = append(status(dst, f, nil, rec), ' ')
	return sent(dst, f, nil, rec)
}

// appendOutcome writes what ends the common formats.
func appendOutcome(dst []byte, f *Format, rec *engine.Record) []byte {
	dst = append(append(dst, ' '), f.resultCode(rec)...)
	return hierarchy(append(dst, ':'), f, nil, rec)
}

func appendReferrer(dst []byte, f *Format, rec *engine.Record) []byte {
	dst = append(appendStamp(dst, rec.Ended.UnixMilli()), ' ')
	dst = append(orDash(clientAddress, dst, f, rec), ' ')
	dst = append(appendField(dst, rec, "Referer"), ' ')
	return loggedURL(dst, f, nil, rec)
}

func appendUserAgent(dst []byte, f *Format, rec *engine.Record) []byte {
	dst = append(orDash(clientAddress, dst, f, rec), " ["...)
	dst = append(appendTime(dst, rec.Ended.Local(), commonTime), `] "`...)
	return append(appendField(dst, rec, "User-Agent"), '"')
}

// orDash appends a value that takes no modifiers, or "-".
func orDash(v value, dst []byte, f *Format, rec *engine.Record) []byte {
	start := len(dst)
	if dst = v(dst, f, nil, rec); len(dst) == start {
		dst = append(dst, '-')
	}
	return dst
}

// appendUser appends the user's name so that it cannot be taken for the end of the field's
// brackets.
func appendUser(dst []byte, rec *engine.Record) []byte {
	start := len(dst)
	if dst = user(dst, nil, nil, rec); len(dst) == start {
		return append(dst, '-')
	}
	return requote(dst, start, mimeBlob)
}

// appendField appends the request's field of that name, or "-".
func appendField(dst []byte, rec *engine.Record, name string) []byte {
	value := rec.Request.Header.Get(name)
	if len(value) == 0 || !parsed(rec) {
		return append(dst, '-')
	}
	return append(dst, value...)
}

// appendHeaders appends the heads of the request and of the next hop's reply, for
// log_mime_hdrs.
func appendHeaders(dst []byte, rec *engine.Record) []byte {
	dst = append(dst, " ["...)
	start := len(dst)
	if parsed(rec) {
		dst = appendHead(dst, rec.Request)
	}
	dst = append(requote(dst, start, mimeBlob), "] ["...)
	start = len(dst)
	dst = append(dst, rec.ReplyHead...)
	return append(requote(dst, start, mimeBlob), ']')
}
