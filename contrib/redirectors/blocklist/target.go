package main

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
)

// A target is what a request is for, with everything undone that can be written in several ways.
type target struct {
	host    string // lower case, without final dots; an address in its usual form, without brackets
	literal bool   // the host is an address
	port    string
	path    string // "/…", see cleanPath; "" of a CONNECT
	query   string // with its "?"; cleaned too
	rest    string // path and query as they were asked for
	connect bool
}

var errUnreadable = errors.New("no host can be read in it")

// maxHost is the length of the longest name that DNS can have.
const maxHost = 253

// parseTarget reads a URL, or the host:port that a CONNECT asks for.
func parseTarget(url string) (target, error) {
	scheme, rest, ok := strings.Cut(url, "://")
	t := target{connect: !ok || !isScheme(scheme)}
	if t.connect {
		rest = url
	}
	end := strings.IndexAny(rest, `/?#\`)
	if end < 0 {
		end = len(rest)
	}
	if t.connect && end < len(rest) || strings.HasPrefix(rest[end:], `\`) {
		return t, errUnreadable // some read \ as /, others as a part of the name before @
	}
	authority := rest[:end]
	authority = authority[strings.LastIndexByte(authority, '@')+1:]
	if err := t.setHost(authority); err != nil {
		return t, err
	}
	if !t.connect {
		t.rest = rest[end:]
		t.path, t.query = cleanPath(t.rest)
	}
	return t, nil
}

func isScheme(s string) bool {
	for _, c := range []byte(s) {
		if !isLetter(c) && !isDigit(c) && c != '+' && c != '-' && c != '.' && c != '_' {
			return false
		}
	}
	return s != "" && isLetter(s[0])
}

// setHost reads HOST[:PORT].
func (t *target) setHost(authority string) error {
	host := authority
	if inside, ok := strings.CutPrefix(authority, "["); ok {
		address, port, ok := strings.Cut(inside, "]")
		if !ok || port != "" && port[0] != ':' {
			return errUnreadable
		}
		host, t.port = address, strings.TrimPrefix(port, ":")
		return t.setAddress(host)
	}
	if colon := strings.IndexByte(host, ':'); colon >= 0 {
		host, t.port = host[:colon], host[colon+1:]
	}
	if strings.Trim(t.port, "0123456789") != "" {
		return errUnreadable
	}
	host = strings.TrimRight(strings.ToLower(unescape(host)), ".")
	if host == "" || len(host) > maxHost {
		return errUnreadable
	}
	for _, c := range []byte(host) {
		if c <= ' ' || c == 0x7f || strings.IndexByte(`/\?#@:[]%"<>^|`, c) >= 0 {
			return errUnreadable
		}
	}
	t.host = host
	if last := host[strings.LastIndexByte(host, '.')+1:]; isDigit(last[0]) {
		return t.setNumbers()
	}
	return nil
}

// setAddress takes an IPv6 address. One that stands for an IPv4 address is that.
func (t *target) setAddress(text string) error {
	a, err := netip.ParseAddr(unescape(text))
	if err != nil {
		return errUnreadable
	}
	t.host, t.literal = a.WithZone("").Unmap().String(), true
	return nil
}

// setNumbers reads a host whose last part begins with a digit as the C library does: up to four
// numbers, decimal, octal (0…) or hexadecimal (0x…), of which the last fills what is left of the
// address. A name may end so too, if the last part is no number.
func (t *target) setNumbers() error {
	parts := strings.Split(t.host, ".")
	var address uint64
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 0, 64)
		if err != nil && len(part) > 1 && part[0] == '0' && strings.Trim(part, "0123456789") == "" {
			return errUnreadable // 08: octal to one, decimal to another
		}
		if err != nil || strings.ContainsRune(part, '_') {
			return t.nameOfDigits(parts)
		}
		last := i == len(parts)-1
		if i > 3 || !last && n > 255 || last && n >= 1<<(8*(4-i)) {
			return errUnreadable
		}
		if last {
			address += n
		} else {
			address += n << (8 * (3 - i))
		}
	}
	a := netip.AddrFrom4([4]byte{byte(address >> 24), byte(address >> 16), byte(address >> 8), byte(address)})
	t.host, t.literal = a.String(), true
	return nil
}

// nameOfDigits lets a name pass whose last part is not all digits.
func (t *target) nameOfDigits(parts []string) error {
	if strings.Trim(parts[len(parts)-1], "0123456789") == "" {
		return errUnreadable
	}
	return nil
}

// cleanPath writes the path and query of a URL as they are in a list: lower case, %XX decoded, no
// empty segments, none of "." and "..", no "/" at the end of the path, no fragment.
func cleanPath(rest string) (path, query string) {
	rest, _, _ = strings.Cut(rest, "#")
	path, query, asks := strings.Cut(rest, "?")
	if asks {
		query = "?" + strings.ToLower(unescape(query))
	}
	path = strings.ReplaceAll(strings.ToLower(unescape(path)), `\`, "/")
	if !strings.Contains(path, "//") && !strings.Contains(path, "/.") && (path == "/" || path != "" && path[len(path)-1] != '/') {
		return path, query
	}
	clean := make([]byte, 0, len(path)+1)
	for segment := range strings.SplitSeq(path, "/") {
		switch segment {
		case "", ".":
		case "..":
			clean = clean[:max(0, strings.LastIndexByte(string(clean), '/'))]
		default:
			clean = append(append(clean, '/'), segment...)
		}
	}
	if len(clean) == 0 {
		clean = append(clean, '/')
	}
	return string(clean), query
}

// unescape decodes %XX, once. What is no %XX stays as it is.
func unescape(s string) string {
	at := strings.IndexByte(s, '%')
	if at < 0 {
		return s
	}
	b := append(make([]byte, 0, len(s)), s[:at]...)
	for i := at; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]) {
			n, _ := strconv.ParseUint(s[i+1:i+3], 16, 8)
			b = append(b, byte(n))
			i += 2
			continue
		}
		b = append(b, s[i])
	}
	return string(b)
}

func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isHex(c byte) bool    { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }
