package logformat

import (
	"slices"
	"sync/atomic"

	"exaproxy/engine"
)

// A Format is a compiled log format. The exported fields are set before the first Append and
// then left alone; Append itself may be called on any goroutine.
type Format struct {
	// StripQuery cuts the logged URL (%ru) behind its question mark (strip_query_terms).
	StripQuery bool
	// Headers appends the request's and the reply's header fields in brackets to a built-in
	// format (log_mime_hdrs). Compiled formats ask for what they want.
	Headers bool
	// Results are the names of %Ss.
	Results Results

	builtin builtin
	object  bool // the builtin writes a JSON object, and what Headers asks for in it
	parts   []part
	lines   atomic.Uint64 // how many lines were made: %sn
}

// builtin is a format written in Go rather than in codes.
type builtin func(dst []byte, f *Format, rec *engine.Record) []byte

// A part is a piece of a compiled format: a literal, then the value of a code, if there is
// one.
type part struct {
	literal string
	code    *code
	arg     string // {arg}
	quote   quoting
	left    bool // -: the value stands left in its field
	zero    bool // 0: a number is filled up with zeroes
	min     int  // least width
	max     int  // greatest width, or digits after the point; -1: none
}

// Uses reports whether the format has a code, which is written without its %. nil has none.
func (f *Format) Uses(code string) bool {
	return f != nil && slices.ContainsFunc(f.parts, func(p part) bool { return p.code != nil && p.code.name == code })
}

// NamesClients reports whether the format has the name of the client.
func (f *Format) NamesClients() bool { return f.Uses(">A") }

// RequestFields are what the format has of the request's header: names of fields, as they are written there, and "" for all.
func (f *Format) RequestFields() (names []string) {
	for _, p := range f.parts {
		if p.code != nil && (p.code.name == ">h" || p.code.name == ">ha") {
			names = append(names, p.arg)
		}
	}
	return names
}

// Append appends the line for rec to dst, without a line feed.
func (f *Format) Append(dst []byte, rec *engine.Record) []byte {
	if f.builtin != nil {
		start := len(dst)
		dst = f.builtin(dst, f, rec)
		if f.object {
			return dst
		}
		if f.Headers {
			dst = appendHeaders(dst, rec)
		}
		return escapeControls(dst, start)
	}
	for i := range f.parts {
		p := &f.parts[i]
		dst = append(dst, p.literal...)
		if p.code != nil {
			dst = p.append(dst, f, rec)
		}
	}
	return dst
}

// append appends the part's value, quoted and brought to its width.
func (p *part) append(dst []byte, f *Format, rec *engine.Record) []byte {
	start := len(dst)
	dst = p.code.value(dst, f, p, rec)
	if len(dst) == start {
		return append(dst, '-') // never filled up, as in Squid
	}
	quote := p.quote
	if quote == none {
		quote = p.code.quote
	}
	dst = requote(dst, start, quote)
	if quote != raw {
		dst = escapeControls(dst, start)
	}
	if p.max >= 0 && !p.code.number && len(dst)-start > p.max {
		dst = dst[:start+p.max]
	}
	return p.fill(dst, start)
}

// fill brings dst[start:] to the part's least width.
func (p *part) fill(dst []byte, start int) []byte {
	missing := p.min - (len(dst) - start)
	if missing <= 0 {
		return dst
	}
	filler := byte(' ')
	if p.zero && p.code.number && !p.left {
		filler = '0'
	}
	end := len(dst)
	for range missing {
		dst = append(dst, filler)
	}
	if !p.left {
		copy(dst[start+missing:], dst[start:end])
		for i := range missing {
			dst[start+i] = filler
		}
	}
	return dst
}
