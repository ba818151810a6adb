package reqmod

import (
	"cmp"
	"strconv"

	"exaproxy/compat/logformat"
	"exaproxy/engine"
	"exaproxy/engine/h1"
)

// Append appends to dst the block that puts r to a helper. uri is reqmod_uri, and host its host.
//
// The request's own head is as the client sent it, but for its first line, which has the URL in canonical form, as it
// will be fetched, and for what is not to go on: Proxy-Authorization, Connection, and what that names. So a helper that
// copies the head sets nothing that the client's Connection strikes out again. Of a CONNECT whose tunnel asks for another name
// than its own, it is that name that is asked about.
func Append(dst []byte, uri, host string, r *engine.Request) []byte {
	target := r.Target
	if name := r.InsideName(); len(name) > 0 {
		target.Host, target.IPv6 = name, false
	}
	var buf [512]byte // most URLs are shorter, and then this costs no memory
	url := logformat.OneLine(target.AppendURL(buf[:0]))
	dst = append(append(append(dst, "REQMOD "...), uri...), " ICAP/1.0\n"...)
	dst = appendLine(dst, "Host: ", host)
	dst = appendPragmas(dst, r, &target)
	if user := cmp.Or(r.User, r.External.User); user != "" {
		dst = append(logformat.AppendEscaped(append(dst, "X-Authenticated-User: "...), user), '\n')
	}
	var fields h1.Header
	fields.CopyEndToEnd(&r.Header, "Proxy-Authorization", r.Secret())
	dst = append(dst, "Encapsulated: req-hdr=0, null-body="...) // the last: helpers rely on that
	dst = strconv.AppendInt(dst, int64(headLength(r, &fields, url)), 10)
	return appendHead(append(dst, "\n\n"...), r, &fields, url)
}

// appendPragmas appends what 1.x told helpers of a request, in its order. Two of them never had another value.
func appendPragmas(dst []byte, r *engine.Request, t *h1.Target) []byte {
	path := t.Path
	if len(path) == 0 {
		path = []byte("/")
	}
	dst = appendLine(dst, "Pragma: transport=", cmp.Or(t.Scheme, "http"))
	dst = append(dst, "Pragma: proxy=test\nPragma: scheme=http\n"...)
	dst = append(r.Local.Addr().Unmap().AppendTo(append(dst, "Pragma: accept="...)), '\n')
	dst = append(strconv.AppendUint(append(dst, "Pragma: accept-port="...), uint64(r.Local.Port()), 10), '\n')
	dst = append(r.TellAddress().AppendTo(append(dst, "Pragma: client="...)), '\n')
	dst = appendLine(dst, "Pragma: host=", t.Host)
	dst = appendLine(dst, "Pragma: path=", path)
	return appendLine(dst, "Pragma: method=", r.Method)
}

func appendLine[T string | []byte](dst []byte, name string, value T) []byte {
	dst = append(dst, name...)
	start := len(dst)
	dst = append(dst, value...)
	logformat.OneLine(dst[start:])
	return append(dst, '\n')
}

// headLength is the length of what appendHead appends.
func headLength(r *engine.Request, fields *h1.Header, url []byte) int {
	n := len(r.Method) + len(" ") + len(url) + len(" HTTP/1.1\r\n") + len("\r\n")
	fields.Each(func(name, value []byte) bool {
		n += len(name) + len(": ") + len(value) + len("\r\n")
		return true
	})
	return n
}

// appendHead appends the head of a request.
func appendHead(dst []byte, r *engine.Request, fields *h1.Header, url []byte) []byte {
	dst = append(append(append(append(dst, r.Method...), ' '), url...), " HTTP/"...)
	dst = append(dst, '0'+r.Major, '.', '0'+r.Minor, '\r', '\n')
	return append(fields.AppendTo(dst), "\r\n"...)
}
