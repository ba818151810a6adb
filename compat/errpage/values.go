package errpage

import (
	"bytes"
	"strconv"
	"syscall"
	"time"

	"exaproxy/compat/conf"
	"exaproxy/compat/verify"
	"exaproxy/engine"
	"exaproxy/engine/h1"
)

// Values are what the codes of a page stand for. They are only read, and not kept.
type Values struct {
	Request *engine.Request
	Failure *engine.Failure // nil if nothing failed
	Now     time.Time
	Host    string // visible_hostname
	Product string // what we call ourselves, with the version
	Contact string // cache_mgr
	Message string // what an external acl said of it (%o)

	Stylesheet string // err_page_stylesheet; "": ours
	Text       string // err_html_text, HTML
	MailData   bool   // email_err_data: mail links say what happened

	page string // the page's name
}

// A code is what may follow a % in a template.
type code struct {
	value   func(dst []byte, v *Values) []byte
	trusted bool // HTML of ours or of the administrator
}

// codes are the codes of Squid 5 for pages.
var codes = map[byte]code{
	'a': {value: userName}, 'A': {value: localAddress}, 'b': {value: localPort}, 'B': {value: ftpURL},
	'c': {value: pageName}, 'D': {value: detail}, 'e': {value: errno}, 'E': {value: errnoText},
	'f': {value: constant("nothing")}, 'F': {value: constant("nothing")}, 'g': {value: constant("")},
	'h': {value: field(func(v *Values) string { return v.Host })}, 'H': {value: requestHost},
	'i': {value: clientAddress}, 'I': {value: serverAddress},
	'l': {value: stylesheet, trusted: true}, 'L': {value: field(func(v *Values) string { return v.Text }), trusted: true},
	'm': {value: authMessage}, 'M': {value: requestMethod}, 'o': {value: message}, 'O': {value: message, trusted: true},
	'p': {value: requestPort}, 'P': {value: requestScheme}, 'R': {value: requestHead},
	's': {value: field(func(v *Values) string { return v.Product })}, 'S': {value: signature, trusted: true},
	't': {value: localTime}, 'T': {value: dateTime}, 'u': {value: requestURL}, 'U': {value: publicURL},
	'w': {value: field(func(v *Values) string { return v.Contact })}, 'W': {value: mailQuery, trusted: true},
	'x': {value: errorDetail}, 'z': {value: nameFailure}, 'Z': {value: failureText}, '%': {value: constant("%")},
}

// constant makes the value of a code that always is the same.
func constant(s string) func([]byte, *Values) []byte {
	return func(dst []byte, _ *Values) []byte { return append(dst, s...) }
}

// field makes the value of a code that is one of the strings of Values.
func field(f func(*Values) string) func([]byte, *Values) []byte {
	return func(dst []byte, v *Values) []byte { return append(dst, f(v)...) }
}

// hasTarget reports whether the request's target could be parsed.
func (v *Values) hasTarget() bool { return len(v.Request.Target.Host) > 0 }

func userName(dst []byte, v *Values) []byte { return orElse(dst, v.Request.User, "-") }

func orElse(dst []byte, s, otherwise string) []byte {
	if s == "" {
		s = otherwise
	}
	return append(dst, s...)
}

func localAddress(dst []byte, v *Values) []byte {
	return v.Request.Local.Addr().Unmap().AppendTo(dst)
}

func localPort(dst []byte, v *Values) []byte {
	return strconv.AppendUint(dst, uint64(v.Request.Local.Port()), 10)
}

func clientAddress(dst []byte, v *Values) []byte {
	return v.Request.Sender().Addr().Unmap().AppendTo(dst)
}

func serverAddress(dst []byte, v *Values) []byte {
	if v.Failure == nil || !v.Failure.Remote.IsValid() {
		return append(dst, "[unknown]"...)
	}
	return v.Failure.Remote.Addr().Unmap().AppendTo(dst)
}

// pageName is also the id of the page's body, which has no status in it.
func pageName(dst []byte, v *Values) []byte { return append(dst, v.page...) }

func errno(dst []byte, v *Values) []byte {
	if v.Failure == nil {
		return append(dst, '0')
	}
	return strconv.AppendInt(dst, int64(Errno(v.Failure)), 10)
}

func errnoText(dst []byte, v *Values) []byte {
	n := 0
	if v.Failure != nil {
		n = Errno(v.Failure)
	}
	if n == 0 {
		return append(dst, "[No Error]"...)
	}
	return append(dst, conf.SystemText(syscall.Errno(n))...)
}

func requestMethod(dst []byte, v *Values) []byte {
	return orElse(dst, v.Request.Method, "[unknown method]")
}

func requestScheme(dst []byte, v *Values) []byte {
	if !v.hasTarget() {
		return append(dst, "[unknown protocol]"...)
	}
	return append(dst, v.Request.Target.Scheme...)
}

func requestHost(dst []byte, v *Values) []byte {
	if !v.hasTarget() {
		return append(dst, "[unknown host]"...)
	}
	return append(dst, v.Request.Effective().Host...)
}

func requestPort(dst []byte, v *Values) []byte {
	if !v.hasTarget() {
		return append(dst, "[unknown port]"...)
	}
	return strconv.AppendUint(dst, uint64(v.Request.Effective().Port), 10)
}

func requestURL(dst []byte, v *Values) []byte {
	r := v.Request
	switch {
	case v.hasTarget():
		return r.Target.AppendURL(dst)
	case len(r.RawTarget) > 0:
		return append(dst, h1.Shown(r.RawTarget)...)
	}
	return append(dst, "error:invalid-request"...)
}

// publicURL is the URL without its query, and of a tunnel only the host.
func publicURL(dst []byte, v *Values) []byte {
	start := len(dst)
	if v.Request.IsConnect() && v.hasTarget() {
		dst = v.Request.Target.AppendHost(append(dst, "https://"...))
		return append(bytes.TrimSuffix(dst, httpsPort), "/*"...)
	}
	dst = requestURL(dst, v)
	if query := bytes.IndexByte(dst[start:], '?'); query >= 0 {
		dst = dst[:start+query+1]
	}
	return dst
}

var httpsPort = []byte(":443")

func ftpURL(dst []byte, v *Values) []byte {
	if v.Request.Target.Scheme != "ftp" {
		return dst
	}
	return requestURL(dst, v)
}

// requestHead is the request as it was understood, without what proves who the client is.
func requestHead(dst []byte, v *Values) []byte {
	if !v.hasTarget() {
		return append(dst, "[no request]"...)
	}
	r := v.Request
	dst = append(append(dst, r.Method...), ' ')
	dst = append(append(dst, r.Target.Path...), " HTTP/"...)
	dst = append(strconv.AppendUint(dst, uint64(r.Major), 10), '.')
	dst = append(strconv.AppendUint(dst, uint64(r.Minor), 10), '\n')
	r.Header.Each(func(name, value []byte) bool {
		if !h1.IsCredential(name) {
			dst = append(append(dst, name...), ": "...)
			dst = append(append(dst, value...), '\n')
		}
		return true
	})
	return dst
}

func message(dst []byte, v *Values) []byte { return append(dst, v.Message...) }

// authMessage is what the helper has said that judged the client's credentials.
func authMessage(dst []byte, v *Values) []byte {
	for _, n := range v.Request.Notes {
		if string(n.Key) == "message" {
			return append(dst, n.Value...)
		}
	}
	return append(dst, "[not available]"...)
}

func localTime(dst []byte, v *Values) []byte {
	return v.Now.Local().AppendFormat(dst, "02/Jan/2006:15:04:05 -0700")
}

func dateTime(dst []byte, v *Values) []byte { return v.Now.UTC().AppendFormat(dst, h1.DateLayout) }

func errorDetail(dst []byte, v *Values) []byte {
	switch {
	case v.Failure == nil:
		return dst
	case v.Failure.Kind == engine.CannotSecure:
		return append(dst, verify.Code(v.Failure.Err)...)
	case v.Failure.Side == engine.UpstreamSide:
		return append(dst, "WITH_SERVER"...)
	}
	return append(dst, "[Unknown Error Code]"...)
}

// detail tells what is wrong with a server's certificates. Squid has details of other failures from nobody.
func detail(dst []byte, v *Values) []byte {
	if v.Failure == nil || v.Failure.Kind != engine.CannotSecure {
		return append(dst, "[No Error Detail]"...)
	}
	return append(dst, verify.Detail(v.Failure.Err)...)
}

// nameFailure is what the name servers said.
func nameFailure(dst []byte, v *Values) []byte {
	if v.Failure == nil || v.Failure.Side != engine.NameSide {
		return append(dst, "[unknown]"...)
	}
	return failureText(dst, v)
}

func failureText(dst []byte, v *Values) []byte {
	if v.Failure == nil || v.Failure.Err == nil {
		return append(dst, "[unknown]"...)
	}
	return append(dst, v.Failure.Err.Error()...)
}

func stylesheet(dst []byte, v *Values) []byte { return orElse(dst, v.Stylesheet, style) }

// signature ends old templates.
func signature(dst []byte, v *Values) []byte {
	dst = append(dst, "\n<hr>\n<div id=\"footer\">\nGenerated "...)
	dst = append(dateTime(dst, v), " by "...)
	start := len(dst)
	dst = append(append(dst, v.Host...), " ("...)
	dst = append(append(dst, v.Product...), ')')
	return append(forHTML.escape(dst, start), "\n</div>\n</body></html>\n"...)
}

// mailQuery is the query of a mail link that says what happened.
func mailQuery(dst []byte, v *Values) []byte {
	if !v.MailData {
		return dst
	}
	dst = append(dst, "?subject=CacheErrorInfo%20-%20"...)
	dst = append(v.inURL(dst, pageName), "&amp;body="...)
	for _, line := range mailLines {
		for i := range len(line.label) {
			dst = appendURLByte(dst, line.label[i])
		}
		dst = append(v.inURL(dst, line.value), "%0D%0A"...)
	}
	return dst
}

// mailLines are the lines of such a mail.
var mailLines = []struct {
	label string
	value func(dst []byte, v *Values) []byte
}{
	{"CacheHost: ", func(dst []byte, v *Values) []byte { return append(dst, v.Host...) }},
	{"ErrPage: ", pageName}, {"Err: ", errnoText}, {"TimeStamp: ", dateTime},
	{"ClientIP: ", clientAddress}, {"ServerIP: ", serverAddress}, {"URL: ", publicURL},
}

// inURL appends a value as part of a URL.
func (v *Values) inURL(dst []byte, value func([]byte, *Values) []byte) []byte {
	start := len(dst)
	return forURL.escape(value(dst, v), start)
}
