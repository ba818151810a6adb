package logformat

import (
	"bytes"
	"strconv"
	"strings"

	"exaproxy/engine"
	"exaproxy/engine/h1"
)

// method is what the client asked for.
func method(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
	if rec.Unread {
		return dst
	}
	return append(dst, rec.Request.Method...)
}

// version gives 0.0 where there was no request, and 1.1, as Squid does, for one so broken that
// it has no version.
func version(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
	r := rec.Request
	switch {
	case rec.Unread:
		return append(dst, "0.0"...)
	case r.Major == 0 && r.Minor == 0:
		return append(dst, "1.1"...)
	}
	dst = strconv.AppendUint(dst, uint64(r.Major), 10)
	dst = append(dst, '.')
	return strconv.AppendUint(dst, uint64(r.Minor), 10)
}

// requestHeader gives the field that the argument names, or all of them.
func requestHeader(dst []byte, _ *Format, p *part, rec *engine.Record) []byte {
	if !parsed(rec) {
		return dst
	}
	h := &rec.Request.Header
	name, element, separator := fieldArgument(p.arg)
	if name == "" {
		return appendHead(dst, rec.Request)
	}
	start := len(dst)
	h.All(name, func(value []byte) bool {
		dst = appendListed(dst, start, value)
		return true
	})
	return onlyElement(dst, start, element, separator)
}

// appendHead appends all fields of a request but those that prove who the client is. Who names one gets it.
func appendHead(dst []byte, r *engine.Request) []byte {
	r.Header.Each(func(name, value []byte) bool {
		if !h1.IsCredential(name) {
			dst = append(append(append(append(dst, name...), ": "...), value...), "\r\n"...)
		}
		return true
	})
	return dst
}

// replyHeader gives the field that the argument names, or the whole head, of the next hop's
// reply.
func replyHeader(dst []byte, _ *Format, p *part, rec *engine.Record) []byte {
	name, element, separator := fieldArgument(p.arg)
	if name == "" {
		return append(dst, rec.ReplyHead...)
	}
	start := len(dst)
	_, rest, _ := bytes.Cut(rec.ReplyHead, lineFeed)
	for len(rest) > 0 {
		var line []byte
		line, rest, _ = bytes.Cut(rest, lineFeed)
		if got, value, ok := bytes.Cut(line, colon); ok && isName(got, name) {
			dst = appendListed(dst, start, bytes.TrimSpace(value))
		}
	}
	return onlyElement(dst, start, element, separator)
}

var (
	lineFeed = []byte("\n")
	colon    = []byte(":")
)

// isName compares the names of fields.
func isName(got []byte, want string) bool { return strings.EqualFold(string(got), want) }

// appendListed appends one more value of a field to those that begin at start.
func appendListed(dst []byte, start int, value []byte) []byte {
	if len(dst) > start {
		dst = append(dst, ", "...)
	}
	return append(dst, value...)
}

// fieldArgument takes apart an argument name[:[separator]element].
func fieldArgument(arg string) (name, element string, separator byte) {
	name, element, _ = strings.Cut(arg, ":")
	separator = ','
	if element != "" && !isAlphanumeric(element[0]) {
		separator, element = element[0], element[1:]
	}
	return name, element, separator
}

func isAlphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// onlyElement reduces the list at dst[start:] to the value of one of its elements, as that of
// a cookie; all of it stays if there is no element to look for.
func onlyElement(dst []byte, start int, element string, separator byte) []byte {
	if element == "" {
		return dst
	}
	list := dst[start:]
	for len(list) > 0 {
		item := list
		if end := bytes.IndexByte(list, separator); end >= 0 {
			item, list = list[:end], list[end+1:]
		} else {
			list = nil
		}
		name, value, ok := bytes.Cut(bytes.TrimSpace(item), equals)
		if ok && string(name) == element {
			return append(dst[:start], value...)
		}
	}
	return dst[:start]
}

var equals = []byte("=")

func status(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
	return strconv.AppendInt(dst, int64(rec.Status), 10)
}

// mediaType is the content type without its parameters.
func mediaType(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
	t := rec.ContentType
	for i, c := range t {
		if c == ';' || c == ' ' || c == '\t' {
			t = t[:i]
			break
		}
	}
	return append(dst, t...)
}

func total(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
	return strconv.AppendInt(dst, rec.In+rec.Out, 10)
}

func received(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
	return strconv.AppendInt(dst, rec.In, 10)
}

func sent(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
	return strconv.AppendInt(dst, rec.Out, 10)
}
