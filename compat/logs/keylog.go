package logs

import (
	"fmt"
	"strings"

	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
)

// setKeyLog takes tls_key_log of Squid 6: a place and its options. It has the secrets of all TLS that the proxy
// speaks, in the format of NSS (SSLKEYLOGFILE), for programs such as Wireshark.
func (s *Settings) setKeyLog(c *directive.Context, l *conf.Line) error {
	switch {
	case len(l.Tokens) == 0:
		return conf.Invalid(nil)
	case s.KeyLog != nil:
		return conf.Invalid{"FATAL: tls_key_log: there can be one"}
	}
	place := l.Tokens[0].Text
	path, err := filePath(place)
	if err != nil {
		return conf.Invalid{strings.ReplaceAll(err.Error(), "access_log", "tls_key_log")}
	}
	log := &AccessLog{Path: path, Rotate: -1, Line: l.Pos.String()}
	for _, token := range l.Tokens[1:] {
		if err := log.keyOption(token.Text); err != nil {
			return err
		}
	}
	s.KeyLog = log
	c.Say(1, "WARNING: tls_key_log: whoever can read %s can decrypt what clients and servers say", path)
	return nil
}

// keyOption takes one option of a tls_key_log line.
func (log *AccessLog) keyOption(text string) error {
	name, value, option := strings.Cut(text, "=")
	switch {
	case text == "if":
		return conf.Invalid{"ERROR: tls_key_log cannot have acls yet: secrets are agreed on before there is a request; leave 'if' out, and the line when it has served"}
	case !option || name == "logformat" || name == "format":
		return conf.Invalid{fmt.Sprintf("FATAL: Unknown tls_key_log option '%s'", text)}
	}
	var none string
	return log.option(name, value, &none)
}
