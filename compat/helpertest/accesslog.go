package helpertest

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"exaproxy/engine"
	"exaproxy/engine/h1"
)

// errNoRequest is what most lines are that nothing is made of: clients that said nothing, and what was no request.
var errNoRequest = errors.New("the line of the log tells of no request")

// combined is the form of "common" and "combined" (squid.conf, logformat): client, ident, user, [time], "request", result,
// size, and perhaps "referer" and "browser".
var combined = regexp.MustCompile(`^(\S+) \S+ (\S+) \[[^]]*\] "(\S+) (\S+) HTTP/[0-9.]+" [^"]*(?:"([^"]*)" "([^"]*)")?`)

// fromLog makes the request that a line of an access log tells of, in Squid's native form or one of combined. What the log
// does not have, such as a query that was left out, the request has not either.
func fromLog(line string) (*engine.Request, error) {
	if m := combined.FindStringSubmatch(line); m != nil {
		return loggedRequest(m[1], m[2], m[3], m[4], "Referer: "+m[5], "User-Agent: "+m[6])
	}
	// time elapsed client result/status size method URL user hierarchy/peer type
	words := strings.Fields(line)
	if len(words) < 8 || !strings.Contains(words[3], "/") {
		return nil, errors.New("the line is neither one of Squid's native access log nor of combined")
	}
	return loggedRequest(words[2], words[7], words[5], words[6])
}

// loggedRequest makes a request of what a log tells.
func loggedRequest(client, user, method, url string, fields ...string) (*engine.Request, error) {
	addr, err := netip.ParseAddr(client)
	if err != nil {
		return nil, fmt.Errorf("'%s' is no client's address", client)
	}
	if strings.HasPrefix(url, "error:") || method == "-" || method == "NONE" {
		return nil, errNoRequest
	}
	if user == "-" {
		user = ""
	}
	return Request(addr, user, method, url, fields...)
}

// Request makes the request of a client that was not there, as the proxy understands it. Fields without a value, or with
// that of a log that has none, are left out.
func Request(client netip.Addr, user, method, url string, fields ...string) (*engine.Request, error) {
	head := method + " " + url + " HTTP/1.1\r\n"
	for _, field := range fields {
		if name, value, _ := strings.Cut(field, ": "); value != "" && value != "-" {
			head += name + ": " + value + "\r\n"
		}
	}
	r := &engine.Request{Client: netip.AddrPortFrom(client, 40000), Local: netip.AddrPortFrom(loopback(client), 3128), User: user}
	if _, err := h1.ParseRequest([]byte(head+"\r\n"), &r.Request, h1.Limits{Relaxed: true}); err != nil {
		return nil, fmt.Errorf("%s %s is no request: %w", method, url, err)
	}
	if !r.Header.Has("Host") {
		r.Header.Add("Host", r.Target.AppendHost(nil))
	}
	return r, nil
}

// loopback is our end of a connection of which nobody knows more than who the client was.
func loopback(client netip.Addr) netip.Addr {
	if client.Is6() && !client.Is4In6() {
		return netip.IPv6Loopback()
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1})
}
