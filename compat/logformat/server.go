package logformat

import (
	"strconv"
	"time"

	"exaproxy/engine"
)

func serverAddress(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
	return appendAddress(dst, rec.Upstream)
}

func serverName(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
	switch {
	case !rec.Upstream.IsValid():
		return dst
	case rec.Peer != "":
		return append(dst, rec.Peer...)
	}
	return domain(dst, rec.Request.Effective())
}

func serverPort(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
	return appendPort(dst, rec.Upstream)
}

// outgoingAddress gives Squid's 0.0.0.0 for a connection that never came to be.
func outgoingAddress(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
	if rec.Upstream.IsValid() && !rec.Outgoing.IsValid() {
		return append(dst, "0.0.0.0"...)
	}
	return appendAddress(dst, rec.Outgoing)
}

func outgoingPort(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
	if rec.Upstream.IsValid() && !rec.Outgoing.IsValid() {
		return append(dst, '0')
	}
	return appendPort(dst, rec.Outgoing)
}

// attempts is how many connections to next hops were tried.
func attempts(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
	return strconv.AppendInt(dst, int64(rec.Attempts), 10)
}

// upstreamTime is the time from the request's sending to the reply's head.
func upstreamTime(dst []byte, _ *Format, p *part, rec *engine.Record) []byte {
	if rec.ReplyHead == nil && !rec.Tunnel {
		return dst
	}
	return appendMilliseconds(dst, p, rec.Spent.Upstream)
}

func lookupTime(dst []byte, _ *Format, p *part, rec *engine.Record) []byte {
	if rec.Spent.Names == 0 {
		return dst
	}
	return appendMilliseconds(dst, p, rec.Spent.Names)
}

func responseTime(dst []byte, _ *Format, p *part, rec *engine.Record) []byte {
	return appendMilliseconds(dst, p, rec.Took)
}

// appendMilliseconds appends d, with as many digits after the point as the code's greatest
// width.
func appendMilliseconds(dst []byte, p *part, d time.Duration) []byte {
	dst = strconv.AppendInt(dst, d.Milliseconds(), 10)
	if p.max <= 0 {
		return dst
	}
	dst = append(dst, '.')
	fraction := d % time.Millisecond
	for range p.max {
		fraction *= 10
		dst = append(dst, '0'+byte(fraction/time.Millisecond))
		fraction %= time.Millisecond
	}
	return dst
}

func hierarchy(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
	if rec.Hierarchy == "" {
		return append(dst, "HIER_NONE"...)
	}
	return append(dst, rec.Hierarchy...)
}

// serverBody counts what the next hop sent behind its reply's head.
func serverBody(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
	if rec.ReplyHead == nil {
		return dst
	}
	return strconv.AppendInt(dst, max(rec.UpstreamIn-int64(len(rec.ReplyHead)), 0), 10)
}

// serverStatus reads the status code in the next hop's status line.
func serverStatus(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
	const at = len("HTTP/1.1 ")
	if len(rec.ReplyHead) < at+3 {
		return dst
	}
	return append(dst, rec.ReplyHead[at:at+3]...)
}
