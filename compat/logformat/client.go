package logformat

import (
	"cmp"
	"net/netip"
	"strconv"

	"exaproxy/engine"
)

// constant makes the value of a code that always is the same.
func constant(s string) value {
	return func(dst []byte, _ *Format, _ *part, _ *engine.Record) []byte { return append(dst, s...) }
}

// noValue is the value of a code that has none here.
func noValue(dst []byte, _ *Format, _ *part, _ *engine.Record) []byte { return dst }

// ifParsed makes a value that is there only if the request could be parsed.
func ifParsed(v value) value {
	return func(dst []byte, f *Format, p *part, rec *engine.Record) []byte {
		if !parsed(rec) {
			return dst
		}
		return v(dst, f, p, rec)
	}
}

// ifContacted makes a value that is there only if a next hop was tried.
func ifContacted(v value) value {
	return func(dst []byte, f *Format, p *part, rec *engine.Record) []byte {
		if !rec.Upstream.IsValid() {
			return dst
		}
		return v(dst, f, p, rec)
	}
}

func appendAddress(dst []byte, a netip.AddrPort) []byte {
	if !a.IsValid() {
		return dst
	}
	return a.Addr().Unmap().AppendTo(dst)
}

func appendPort(dst []byte, a netip.AddrPort) []byte {
	if !a.IsValid() {
		return dst
	}
	return strconv.AppendUint(dst, uint64(a.Port()), 10)
}

// appendTold appends the client's address as far as it is told.
func appendTold(dst []byte, r *engine.Request) []byte {
	if a := r.TellAddress(); a.IsValid() {
		return a.AppendTo(dst)
	}
	return dst
}

func clientAddress(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
	return appendTold(dst, rec.Request)
}

// clientName gives the address when there is no name: as in Squid since 3.5.
func clientName(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
	if name := rec.Request.ClientName(); name != "" {
		return append(dst, name...)
	}
	return appendTold(dst, rec.Request)
}

// connectionID is the number of the client's connection.
func connectionID(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
	if c := rec.Request.Connection; c != nil {
		return strconv.AppendUint(dst, c.ID, 10)
	}
	return dst
}

func clientPort(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
	return appendPort(dst, rec.Request.Sender())
}

// Listening is where the port listens that a request came in by. Of connections that were diverted to us Squid tells the
// port's address and number as they are written, and neither if no address is; then it is not valid. Of one with a PROXY
// header it tells that in the header if no address is written.
func Listening(r *engine.Request) netip.AddrPort {
	written := r.Port != nil && !r.Port.Addr.Addr().IsUnspecified()
	switch {
	case r.Original().IsValid():
		if !written {
			return netip.AddrPort{}
		}
		return r.Port.Addr
	case r.Connection != nil && r.Connection.ProxyHeader != nil && written && r.Port.Addr.Port() != 0:
		return r.Port.Addr
	}
	return r.Local
}

func listeningAddress(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
	return appendAddress(dst, Listening(rec.Request))
}

func listeningPort(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
	return appendPort(dst, Listening(rec.Request))
}

func localAddress(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
	return appendAddress(dst, rec.Request.Local)
}

func localPort(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
	return appendPort(dst, rec.Request.Local)
}

// user is who the client proved to be, or else who a helper says that it is, or it itself.
func user(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
	r := rec.Request
	return append(dst, cmp.Or(r.User, r.External.User, r.Claimed)...)
}

// login is who the client has proved to be, or has said to be.
func login(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
	return append(dst, cmp.Or(rec.Request.User, rec.Request.Claimed)...)
}

// external makes a value of what an external acl's helper has said.
func external(of func(*engine.External) string) value {
	return func(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
		return append(dst, of(&rec.Request.External)...)
	}
}
