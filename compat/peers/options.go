package peers

import (
	"fmt"
	"strings"
	"time"

	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
	"exaproxy/compat/outgoing"
)

// A reader reads the options of one cache_peer.
type reader struct {
	context *directive.Context
	line    *conf.Line
	peer    *peer

	tls     outgoing.Settings
	secured bool // there was an option of TLS
	noQuery bool
	keyed   bool // carp-key=
}

// frontEnd is when Front-End-Https is sent.
type frontEnd uint8

const (
	never frontEnd = iota
	always
	ofHTTPS
)

// caches are options that concern what a cache asks other caches: there is nothing to do for them.
var caches = map[string]bool{
	"proxy-only": true, "no-digest": true, "no-netdb-exchange": true, "no-delay": true, "background-ping": true,
	"closest-only": true, "allow-miss": true, "multicast-responder": true, "multicast-siblings": true, "htcp": true,
	"htcp-oldsquid": true, "no-tproxy": true, "auth-no-keytab": true, "connection-auth": true, "connection-auth=on": true,
	"connection-auth=off": true, "connection-auth=auto": true,
}

// option takes one option. As in Squid one that nobody knows is left out.
func (o *reader) option(word string) error {
	p := o.peer
	flags := map[string]*bool{
		"default": &p.isDefault, "round-robin": &p.roundRobin, "weighted-round-robin": &p.weighted, "carp": &p.carp,
		"userhash": &p.userHash, "sourcehash": &p.sourceHash, "originserver": &p.origin, "no-query": &o.noQuery,
	}
	name, value, valued := strings.Cut(word, "=")
	switch {
	case flags[word] != nil:
		*flags[word] = true
		return nil
	case caches[word]:
		p.ofCaches = append(p.ofCaches, word)
		return nil
	case word == "front-end-https" || word == "front-end-https=on":
		p.frontEnd = always
		return nil
	case word == "front-end-https=auto":
		p.frontEnd = ofHTTPS
		return nil
	case word == "ssl" || word == "tls" || word == "tls-":
		o.secured = true
		return nil
	case strings.HasPrefix(word, "tls-"):
		return o.tlsOption(word[4:])
	case strings.HasPrefix(word, "ssl"):
		return o.tlsOption(word[3:])
	case valued:
		return o.value(word, name, value)
	}
	o.unknown(word)
	return nil
}

func (o *reader) unknown(word string) {
	o.context.Say(0, "ERROR: Ignoring unknown cache_peer option '%s': correct it, or take it out", word)
}

// tlsOption takes an option of TLS, of which there are those of tls_outgoing_options.
func (o *reader) tlsOption(word string) error {
	if word == "disable" {
		o.secured, o.tls = false, outgoing.Settings{}
		return nil
	}
	o.secured = true
	if domain, ok := strings.CutPrefix(word, "domain="); ok {
		o.peer.serverName = domain
		return nil
	}
	o.tls.Usage = "cache_peer " + o.peer.host
	return o.tls.Option(o.context, word)
}

// value takes an option with a value.
func (o *reader) value(word, name, value string) error {
	p := o.peer
	numbers := map[string]*int{
		"weight": &p.weight, "basetime": &p.baseTime, "max-conn": &p.most, "standby": &p.standing,
		"connect-fail-limit": &p.failLimit, "ttl": new(int), "connect-timeout": new(int),
	}
	if n := numbers[name]; n != nil {
		var err error
		if *n, err = conf.ParseInt(value); err != nil {
			return err
		}
		if name == "connect-timeout" {
			p.timeout = time.Duration(*n) * time.Second
		}
		return nil
	}
	switch name {
	case "name":
		if value != "" {
			p.name = value
		}
	case "forceddomain":
		p.domain = value
	case "login":
		return o.login(value)
	case "carp-key":
		return o.carpKey(value)
	case "htcp":
		return o.htcp(value)
	case "digest-url":
	default:
		o.unknown(word)
	}
	return nil
}

// htcp takes the modes of HTCP, which is not spoken.
func (o *reader) htcp(value string) error {
	for mode := range strings.SplitSeq(value, ",") {
		switch mode {
		case "oldsquid", "no-clr", "no-purge-clr", "only-clr", "forward-clr":
		default:
			return o.fatal("invalid HTCP mode '%s'", mode)
		}
	}
	return nil
}

// fatal is why the line cannot be followed, in Squid's words and with its place, which Squid does not say.
func (o *reader) fatal(format string, a ...any) error {
	at := o.line.Pos
	return &conf.Fatal{Pos: at, Text: fmt.Sprintf(format, a...) + fmt.Sprintf(" (%s line %d)", at.File, at.Line)}
}

// finish judges the options as a whole, and says which of them have no effect.
func (o *reader) finish(icp uint16) error {
	p, c := o.peer, o.context
	switch {
	case p.most > 0 && p.most < p.standing:
		return o.fatal("ERROR: cache_peer %s max-conn=%d is lower than its standby=%d", p.host, p.most, p.standing)
	case o.keyed && !p.carp:
		return o.fatal("parse_peer: carp-key specified on non-carp peer %s/%d", p.host, p.port)
	}
	for _, hash := range []struct {
		on   bool
		name string
	}{{p.carp, "carp"}, {p.sourceHash, "sourcehash"}, {p.userHash, "userhash"}} {
		if hash.on && p.kind != parent {
			return o.fatal("parse_peer: non-parent %s peer %s/%d", hash.name, p.host, p.port)
		}
	}
	if p.failLimit < 1 {
		p.failLimit = 10
	}
	if p.kind != parent {
		c.Say(1, "NOTICE: cache_peer %s is asked for nothing, since nothing is cached: %s; call it a parent if requests are to go there", p.name, strings.ToLower(p.kind.String()))
	}
	if p.kind == parent && icp != 0 && !o.noQuery {
		c.Say(1, "NOTICE: cache_peer %s is not asked by ICP or HTCP: it is taken as with no-query, which may be added", p.name)
	}
	return o.finishTLS()
}

// finishTLS makes of all options of TLS how it is spoken.
func (o *reader) finishTLS() error {
	if !o.secured {
		return nil
	}
	o.tls.Usage = "cache_peer " + o.peer.host
	if o.peer.serverName == "" {
		o.peer.serverName = o.peer.host
	}
	var err error
	o.peer.tls, err = o.tls.Finished(o.context, o.peer.serverName)
	return err
}
