package logformat

import (
	"bytes"
	"strconv"

	"exaproxy/engine"
	"exaproxy/engine/h1"
)

// What Squid logs in place of a URL that it could not read.
const (
	urlOfUnread     = "error:transaction-end-before-headers"
	urlOfUnaccepted = "error:accept-client-connection"
	urlOfTooLarge   = "error:request-too-large"
	urlOfInvalid    = "error:invalid-request"
	urlOfMethod     = "error:method-not-allowed"
)

// parsed reports whether the request was read and could be parsed. Of others Squid logs only the
// line they began with.
func parsed(rec *engine.Record) bool {
	if f := rec.Failure; f != nil {
		switch f.Kind {
		case engine.BadRequest, engine.HeadTooLarge, engine.NotAllowed:
			return false
		}
	}
	return !rec.Unread
}

// appendURL appends the URL t of the transaction's request, or what stands for it.
func appendURL(dst []byte, rec *engine.Record, t *h1.Target) []byte {
	switch {
	case rec.Unread && rec.Failure != nil && rec.Failure.Kind == engine.NotDiverted:
		return append(dst, urlOfUnaccepted...)
	case rec.Unread:
		return append(dst, urlOfUnread...)
	case rec.Failure != nil && rec.Failure.Kind == engine.HeadTooLarge:
		return append(dst, urlOfTooLarge...)
	case rec.Failure != nil && rec.Failure.Kind == engine.NotAllowed:
		return append(dst, urlOfMethod...)
	case len(t.Host) > 0 || len(t.Path) > 0:
		return t.AppendURL(dst)
	case len(rec.Request.RawTarget) > 0: // not parsed, so not to be trusted either
		return appendEscaped(dst, h1.Shown(rec.Request.RawTarget), true)
	}
	return append(dst, urlOfInvalid...)
}

func loggedURL(dst []byte, f *Format, _ *part, rec *engine.Record) []byte {
	start := len(dst)
	dst = appendURL(dst, rec, rec.Request.Effective())
	if f.StripQuery {
		if query := bytes.IndexByte(dst[start:], '?'); query >= 0 {
			dst = dst[:start+query+1]
		}
	}
	return dst
}

func clientURL(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
	return appendURL(dst, rec, &rec.Request.Target)
}

func serverURL(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
	if rec.Unread {
		return dst
	}
	return appendURL(dst, rec, rec.Request.Effective())
}

// fromTarget makes the value of a piece of one of the request's two targets.
func fromTarget(which func(*engine.Request) *h1.Target, piece func(dst []byte, t *h1.Target) []byte) value {
	return func(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
		if !parsed(rec) {
			return dst
		}
		return piece(dst, which(rec.Request))
	}
}

func clientTarget(r *engine.Request) *h1.Target { return &r.Target }
func serverTarget(r *engine.Request) *h1.Target { return r.Effective() }

func scheme(dst []byte, t *h1.Target) []byte { return append(dst, t.Scheme...) }

func domain(dst []byte, t *h1.Target) []byte {
	if !t.IPv6 {
		return append(dst, t.Host...)
	}
	dst = append(dst, '[')
	dst = append(dst, t.Host...)
	return append(dst, ']')
}

func port(dst []byte, t *h1.Target) []byte {
	if t.Port == 0 {
		return dst
	}
	return strconv.AppendUint(dst, uint64(t.Port), 10)
}

func path(dst []byte, t *h1.Target) []byte { return append(dst, t.Path...) }
