package main

import (
	"net/netip"
	"strings"
)

// A question is a line of the proxy's, with url_rewrite_extras as they are by default:
// [CHANNEL] URL CLIENT/NAME USER METHOD …
type question struct {
	channel string // with the space behind it; "" without concurrency=
	url     string
	client  netip.Addr // not valid if the line has none
	name    string     // the client's, or its address
	user    string     // "-" if there is none
}

// parseQuestion reads a line. Whatever it is, its channel is found, if it has one: no URL and no
// host:port is all digits.
func parseQuestion(line string) question {
	var q question
	line = strings.TrimSuffix(line, "\r")
	first, rest, more := strings.Cut(line, " ")
	if more && first != "" && strings.Trim(first, "0123456789") == "" {
		q.channel = line[:len(first)+1]
		line = rest
	}
	var client string
	q.url, rest, _ = strings.Cut(line, " ")
	client, rest, _ = strings.Cut(rest, " ")
	q.user, _, _ = strings.Cut(rest, " ")
	address, name, _ := strings.Cut(client, "/")
	q.name = name
	if a, err := netip.ParseAddr(address); err == nil {
		q.client = a.Unmap().WithZone("")
	}
	if q.user = unescape(q.user); q.user == "" {
		q.user = "-"
	}
	return q
}
