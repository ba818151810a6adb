package rewrite

import (
	"cmp"
	"strconv"

	"exaproxy/compat/logformat"
	"exaproxy/engine"
)

// Append appends to dst the line that puts rec.Request to a helper: its canonical URL, a space
// and the extras. Of rec only the request is read. extras nil is Squid's default,
// "%>a/%>A %un %>rm myip=%la myport=%lp", with the user's name escaped so that it stays one
// word.
//
// Of a CONNECT whose tunnel asks for another name than its own, it is that name that is asked about: the helper
// has judged the other one before.
func Append(dst []byte, extras *logformat.Format, rec *engine.Record) []byte {
	start := len(dst)
	dst = append(appendURL(dst, rec.Request), ' ')
	if extras == nil {
		dst = appendDefault(dst, rec.Request)
	} else {
		dst = extras.Append(dst, rec)
	}
	logformat.OneLine(dst[start:])
	return dst
}

func appendURL(dst []byte, r *engine.Request) []byte {
	if name := r.InsideName(); len(name) > 0 {
		other := r.Target
		other.Host, other.IPv6 = name, false
		return other.AppendURL(dst)
	}
	return r.Target.AppendURL(dst)
}

func appendDefault(dst []byte, r *engine.Request) []byte {
	client := r.TellAddress()
	dst = append(client.AppendTo(dst), '/')
	if name := r.ClientName(); name != "" {
		dst = append(dst, name...)
	} else {
		dst = client.AppendTo(dst)
	}
	dst = append(dst, ' ')
	if user := cmp.Or(r.User, r.External.User); user == "" {
		dst = append(dst, '-')
	} else {
		dst = logformat.AppendEscaped(dst, user)
	}
	dst = append(dst, ' ')
	dst = append(dst, r.Method...)
	local := logformat.Listening(r)
	if !local.IsValid() {
		return append(dst, " myip=- myport=-"...)
	}
	dst = append(dst, " myip="...)
	dst = local.Addr().Unmap().AppendTo(dst)
	dst = append(dst, " myport="...)
	return strconv.AppendUint(dst, uint64(local.Port()), 10)
}
