package logformat

import "exaproxy/engine"

// The request statuses of Squid that a proxy without a cache can have.
const (
	untried     = "NONE_NONE"
	Miss        = "TCP_MISS"
	denied      = "TCP_DENIED"
	deniedReply = "TCP_DENIED_REPLY"
	redirect    = "TCP_REDIRECT"
	tunnelled   = "TCP_TUNNEL"
	tunnelOpen  = "TCP_TUNNEL_OPEN" // ours: of one that is not over (tunnel_log)
)

// resultCode returns Squid's name for what became of the request (%Ss).
func (f *Format) resultCode(rec *engine.Record) string {
	name := f.Results.Of(rec)
	if rec.Open {
		return tunnelOpen
	}
	if !rec.Aborted || rec.Unread {
		return name
	}
	switch name {
	case untried:
		return "NONE_NONE_ABORTED"
	case Miss:
		return "TCP_MISS_ABORTED"
	case denied:
		return "TCP_DENIED_ABORTED"
	case redirect:
		return "TCP_REDIRECT_ABORTED"
	}
	return name // a tunnel may end as it likes
}

// forbidden is the status of what is refused.
const forbidden = 403

// Results are the names for what became of requests in a version of Squid.
type Results struct {
	// FailedTunnels has a CONNECT that was let through and led nowhere be TCP_TUNNEL, as since Squid 6; before it is NONE_NONE.
	FailedTunnels bool
}

// Of is Squid's name for what became of the request, without the suffix for a client that left.
func (s Results) Of(rec *engine.Record) string {
	failed := func(k engine.FailureKind) bool { return rec.Failure != nil && rec.Failure.Kind == k }
	switch {
	case rec.Decided == engine.Redirect:
		return redirect
	case rec.Decided == engine.Challenge, rec.Decided == engine.Refuse && (rec.Failure == nil || failed(engine.Refused)),
		rec.Decided == engine.Serve && rec.Status == forbidden: // a page, or a reply, that a helper refuses with
		return denied
	case failed(engine.ReplyRefused):
		return deniedReply
	case rec.Tunnel, refusedByParent(rec):
		return tunnelled
	case rec.Decided == engine.Serve, failed(engine.Looping):
		return Miss // Squid's own pages are objects that it did not find in its cache
	case rec.Forwarded && !rec.Request.IsConnect():
		return Miss
	case rec.Forwarded && s.FailedTunnels:
		return tunnelled
	}
	return untried // unread, refused as malformed, or a CONNECT that led nowhere
}

// refusedByParent says whether the client of a CONNECT was told what a parent said to it.
func refusedByParent(rec *engine.Record) bool {
	return rec.Request.IsConnect() && rec.Peer != "" && rec.Failure == nil && rec.Status != 0 && rec.Decided == engine.Proceed
}

func squidResult(dst []byte, f *Format, _ *part, rec *engine.Record) []byte {
	return append(dst, f.resultCode(rec)...)
}
