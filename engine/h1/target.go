package h1

import (
	"bytes"
	"strconv"
)

// maxURL is the longest request target that is read: Squid's MAX_URL without its final NUL.
const maxURL = 8191

// maxHost is the longest host name: that of a domain name in DNS, RFC 1035 section 2.3.4.
const maxHost = 255

// A Form is one of the four forms of a request target: RFC 9112 section 3.2.
type Form uint8

const (
	Origin    Form = iota // /path: the authority is elsewhere
	Absolute              // scheme://authority/path
	Authority             // host:port, for CONNECT
	Asterisk              // *, for OPTIONS and TRACE
)

// A Target is what a request asks for, in Squid's canonical form, which ACLs, helpers and logs use.
// Its slices are views of the bytes parsed or of the buffer given for canonical ones.
type Target struct {
	Form     Form
	Scheme   string // lower case; empty but for Absolute
	Userinfo []byte // as sent, still escaped; nil if none
	Host     []byte // lower case, without brackets and trailing dots; an IPv6 address in its shortest form
	IPv6     bool   // Host is an IPv6 address
	Port     uint16 // as sent or the scheme's; 443 for a CONNECT without one; 0 if there is no authority
	Path     []byte // "/…" with query and fragment; "*" for Asterisk, empty for Authority; of urn: all that follows
}

// Whitespace is what is done about whitespace in the path of a URL: Squid's uri_whitespace.
type Whitespace uint8

const (
	Strip  Whitespace = iota // take it out
	Deny                     // refuse the URL
	Allow                    // leave it in
	Encode                   // percent-encode what is unsafe
	Chop                     // end the URL there
)

// ParseTarget reads a request target of the given method (CONNECT's has another grammar).
// Where the canonical form differs from raw it is appended to dst, and the views in t point there;
// out is dst so extended. Raw must be left unchanged while t is used.
//
// It refuses hosts that two readers might read differently: with control or delimiting characters, with
// escapes, with several "@". Errors are *SyntaxError of the kinds BadURL and UnsupportedScheme.
func ParseTarget(method string, raw []byte, ws Whitespace, dst []byte) (t Target, out []byte, err error) {
	p := targetParser{raw: raw, out: dst, ws: ws}
	switch {
	case len(raw) == 0:
		err = p.fault("nothing")
	case len(raw) > maxURL:
		err = p.fault("more than " + strconv.Itoa(maxURL) + " bytes")
	case p.unprintable():
		err = fault(BadTarget, "control character", Shown(raw))
	case method == "CONNECT":
		err = p.connect()
	case len(raw) == 1 && raw[0] == '*' && (method == "OPTIONS" || method == "TRACE"):
		p.t = Target{Form: Asterisk, Path: raw}
	case raw[0] == '/':
		err = p.path(raw)
	default:
		err = p.absolute()
	}
	return p.t, p.out, err
}

// A targetParser fills in a Target part by part.
type targetParser struct {
	t      Target
	raw    []byte
	out    []byte // canonical bytes
	ws     Whitespace
	spaces bool // there is whitespace somewhere; if the host is right, in the path
}

func (p *targetParser) fault(what string) error { return fault(BadURL, what, Shown(p.raw)) }

// unprintable reports whether there are control characters other than whitespace, which it records.
func (p *targetParser) unprintable() bool {
	for _, c := range p.raw {
		if is(c, spaceChar) {
			p.spaces = true
		} else if is(c, ctlChar) {
			return true
		}
	}
	return false
}

// connect reads authority-form.
func (p *targetParser) connect() error {
	p.t.Form = Authority
	if bytes.IndexByte(p.raw, '@') >= 0 {
		return p.fault("user information")
	}
	return p.authority(p.raw, httpsPort)
}

// absolute reads `scheme "://" authority path`, where path may lack its slash or be missing.
func (p *targetParser) absolute() error {
	p.t.Form = Absolute
	name, rest, found := bytes.Cut(p.raw, colon)
	if !found || !validScheme(name) {
		return p.fault("no scheme")
	}
	scheme, port := knownScheme(name)
	p.t.Scheme = scheme
	if scheme == "urn" {
		return p.urn(rest)
	}
	rest, ok := bytes.CutPrefix(rest, slashes)
	if !ok {
		return p.fault("no authority")
	}
	end := indexClass(rest, endChar)
	if end < 0 {
		end = len(rest)
	}
	if err := p.authority(rest[:end], port); err != nil {
		return err
	}
	if rest = rest[end:]; scheme == cacheObject {
		// cache_object://HOST/PAGE@PASSWORD: the password is nobody's business but the cache manager's, which looks for it itself.
		rest, _, _ = bytes.Cut(rest, at)
	}
	if len(rest) == 0 {
		p.t.Path = slash
		return nil
	}
	return p.path(rest)
}

// urn reads what follows "urn:": a namespace identifier, a colon, a name. RFC 8141 section 2.
func (p *targetParser) urn(rest []byte) error {
	nid, _, found := bytes.Cut(rest, colon)
	if !found || len(nid) < 2 || len(nid) > 32 || !validScheme(nid) {
		return p.fault("no namespace")
	}
	return p.path(rest)
}

var (
	slash   = []byte("/")
	slashes = []byte("//")
)

// authority reads [userinfo "@"] host [":" port].
func (p *targetParser) authority(a []byte, port uint16) error {
	if i := bytes.IndexByte(a, '@'); i >= 0 {
		p.t.Userinfo, a = a[:i], a[i+1:]
		if !validUserinfo(p.t.Userinfo) {
			return p.fault("bad character in user information")
		}
	}
	host, number, hasPort := a, []byte(nil), false
	if bracket := bytes.IndexByte(a, ']'); bracket >= 0 {
		host, number = a[:bracket+1], a[bracket+1:]
		if number, hasPort = bytes.CutPrefix(number, colon); !hasPort && len(number) > 0 {
			return p.fault("bad character after the address")
		}
	} else {
		host, number, hasPort = bytes.Cut(a, colon)
	}
	if p.t.Port = port; hasPort && (len(number) > 0 || p.t.Form != Authority) {
		if p.t.Port = parsePort(number); p.t.Port == 0 {
			return p.fault("bad port")
		}
	}
	if p.t.Port == 0 {
		return fault(UnsupportedScheme, "unknown scheme and no port", Shown(p.raw))
	}
	return p.host(host)
}

var colon = []byte{':'}

// host reads a name or an address.
func (p *targetParser) host(h []byte) error {
	if len(h) > 0 && h[0] == '[' {
		return p.ipv6(h)
	}
	if !all(h, hostChar) {
		return p.fault("no host or a bad character in it")
	}
	h = bytes.TrimRight(h, ".")
	if len(h) == 0 || len(h) > maxHost || h[0] == '.' || bytes.Contains(h, dots) {
		return p.fault("bad host name")
	}
	if endsInNumber(h) {
		return p.ipv4(h)
	}
	p.t.Host = p.lowered(h)
	return nil
}

var dots = []byte("..")

// lowered returns h in lower case: h itself if it is already.
func (p *targetParser) lowered(h []byte) []byte {
	for i, c := range h {
		if lower[c] == c {
			continue
		}
		start := len(p.out)
		p.out = append(p.out, h[:i]...)
		for _, c := range h[i:] {
			p.out = append(p.out, lower[c])
		}
		return p.out[start:]
	}
	return h
}

// path reads path, query and fragment, all of which are kept as they are but for whitespace.
func (p *targetParser) path(path []byte) error {
	rooted := len(path) > 0 && path[0] == '/' || p.t.Scheme == "urn"
	if rooted && !p.spaces {
		p.t.Path = path
		return nil
	}
	if p.spaces && p.ws == Deny {
		return p.fault("whitespace")
	}
	start := len(p.out)
	if !rooted {
		p.out = append(p.out, '/')
	}
	if p.spaces {
		p.out = appendPath(p.out, path, p.ws)
	} else {
		p.out = append(p.out, path...)
	}
	p.t.Path = p.out[start:]
	return nil
}

// appendPath copies a path that has whitespace. Encode encodes all that is unsafe in such a path, and
// touches no other.
func appendPath(dst, path []byte, ws Whitespace) []byte {
	const hex = "0123456789ABCDEF"
	for _, c := range path {
		switch {
		case ws == Encode && is(c, unsafeChar):
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		case ws == Encode, ws == Allow, !is(c, spaceChar):
			dst = append(dst, c)
		case ws == Chop:
			return dst
		}
	}
	return dst
}

// Shown is what logs and pages may have of a request target, or of a request line, that could not be parsed: as it came, but
// for user information (RFC 3986 section 3.2.1), in which clients write passwords.
func Shown(raw []byte) []byte {
	if bytes.IndexByte(raw, '@') < 0 {
		return raw
	}
	start, scheme := beginOfAuthority(raw)
	shown, rest := raw[:start:start], withoutUserinfo(raw[start:])
	switch i := bytes.Index(rest, schemeEnd); {
	case equalFold(scheme, cacheObject):
		rest, _, _ = bytes.Cut(rest, at) // a password stands behind its page
	case scheme == nil && i >= 0: // something odd stands before it
		shown = append(shown, rest[:i+len(schemeEnd)]...)
		rest = withoutUserinfo(rest[i+len(schemeEnd):])
	}
	return append(shown, rest...)
}

// withoutUserinfo is what begins with an authority, without its user information.
func withoutUserinfo(b []byte) []byte {
	end := indexClass(b, endChar)
	if end < 0 {
		end = len(b)
	}
	return b[bytes.LastIndexByte(b[:end], '@')+1:]
}

// beginOfAuthority is where user information may begin in a target, or a request line, whatever is wrong with it, and the scheme
// before it; nil: there is none.
func beginOfAuthority(raw []byte) (start int, scheme []byte) {
	if method := indexClass(raw, spaceChar); method >= 0 && all(raw[:method], tokenChar) {
		for start = method; start < len(raw) && is(raw[start], spaceChar); {
			start++
		}
	}
	name, rest, found := bytes.Cut(raw[start:], colon)
	if found && validScheme(name) && bytes.HasPrefix(rest, slash) {
		scheme = name
		start += len(name) + 1
	}
	if scheme != nil || bytes.HasPrefix(raw[start:], slashes) {
		for start < len(raw) && raw[start] == '/' {
			start++
		}
	}
	return start, scheme
}

var at = []byte{'@'}

var schemeEnd = []byte("://")

// AppendURL appends the canonical URL: without user information and without the scheme's default port;
// host:port for CONNECT.
func (t *Target) AppendURL(dst []byte) []byte {
	switch t.Form {
	case Absolute:
		dst = append(dst, t.Scheme...)
		dst = append(dst, ':')
		if t.Scheme != "urn" {
			dst = t.AppendHost(append(dst, slashes...))
		}
		return append(dst, t.Path...)
	case Authority:
		return t.AppendHost(dst)
	case Origin, Asterisk:
		return append(dst, t.Path...)
	}
	panic("BUG: a request target has no form")
}

// AppendHost appends what belongs in the Host field: the host, in brackets if it is an IPv6 address, and the
// port if it is not the scheme's default. CONNECT has no scheme, and so always a port.
func (t *Target) AppendHost(dst []byte) []byte {
	if t.IPv6 {
		dst = append(dst, '[')
	}
	dst = append(dst, t.Host...)
	if t.IPv6 {
		dst = append(dst, ']')
	}
	if t.Port == 0 || t.Scheme != "" && t.Port == schemePort(t.Scheme) {
		return dst
	}
	return strconv.AppendUint(append(dst, ':'), uint64(t.Port), 10)
}
