package logformat

import (
	"strconv"
	"strings"

	"exaproxy/compat/verify"
	"exaproxy/engine"
)

// sequence counts the lines of the format from 0.
func sequence(dst []byte, f *Format, _ *part, _ *engine.Record) []byte {
	return strconv.AppendUint(dst, f.lines.Add(1)-1, 10)
}

// errorCode is the name of the page that the client was sent, or would have been.
func errorCode(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
	return append(dst, rec.Page...)
}

// errorDetail is the side of the proxy on which it went wrong.
func errorDetail(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
	f := rec.Failure
	switch {
	case f == nil:
		return dst
	case f.Kind == engine.ClientGone:
		return append(dst, "WITH_CLIENT"...)
	case f.Kind == engine.ClientInsecure:
		return append(dst, "SQUID_TLS_ERR_ACCEPT"...)
	case f.Kind == engine.SecureLate:
		return append(dst, "TLS_CONNECT_TIMEOUT"...)
	case f.Kind == engine.CannotSecure:
		return append(dst, verify.Code(f.Err)...)
	case f.Side == engine.UpstreamSide && f.Kind != engine.ReplyTooLarge:
		return append(dst, "WITH_SERVER"...)
	}
	return dst
}

// note gives the values of the annotation that the argument names, or all annotations. The
// argument may say what to write between them: name:separator.
func note(dst []byte, _ *Format, p *part, rec *engine.Record) []byte {
	name, separator, ok := strings.Cut(p.arg, ":")
	if !ok {
		separator = ","
	}
	if name == "" {
		return appendNotes(dst, rec, ok, separator)
	}
	return appendNote(dst, rec, name, separator)
}

// reportOnly is ours: what the directive report_only has let pass that would have got this verdict.
func reportOnly(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
	return appendNote(dst, rec, "report_only", ",")
}

func appendNote(dst []byte, rec *engine.Record, name, separator string) []byte {
	start := len(dst)
	for _, n := range rec.Request.Notes {
		if string(n.Key) != name {
			continue
		}
		if len(dst) > start {
			dst = append(dst, separator...)
		}
		dst = append(dst, n.Value...)
	}
	return dst
}

// appendNotes appends all annotations, each as a line unless another separator is wanted.
func appendNotes(dst []byte, rec *engine.Record, separated bool, separator string) []byte {
	if !separated {
		separator = "\r\n"
	}
	for _, n := range rec.Request.Notes {
		dst = append(dst, n.Key...)
		dst = append(dst, ": "...)
		dst = append(dst, n.Value...)
		dst = append(dst, separator...)
	}
	return dst
}
