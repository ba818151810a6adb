package logs

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
	"exaproxy/compat/logformat"
	"exaproxy/engine"
)

// Settings are what a configuration says of logs.
type Settings struct {
	CacheLog    string                       // cache_log; "" for none
	Verbosity   Verbosity                    // debug_options
	Rotate      int                          // logfile_rotate
	Formats     map[string]*logformat.Format // logformat, by name
	AccessLogs  []AccessLog
	KeyLog      *AccessLog        // tls_key_log, which has no format; nil: there is none
	StripQuery  bool              // strip_query_terms
	MIMEHeaders bool              // log_mime_hdrs
	Buffered    bool              // buffered_logs
	Results     logformat.Results // of %Ss
	Daemon      string            // logfile_daemon; "": none is needed
	Tunnels     time.Duration     // tunnel_log: after which time of an open tunnel there is another line of it; 0: none
	Hidden      uint32            // client_netmask: the bits of IPv4 addresses that it hides
}

// Defaults are Squid 5.7's, as Debian builds it.
func Defaults() Settings {
	return Settings{CacheLog: "/var/log/squid/cache.log", Verbosity: Verbosity{All: 1},
		Formats: make(map[string]*logformat.Format), StripQuery: true}
}

// Directives are the setters.
func (s *Settings) Directives() directive.Set {
	return directive.Set{
		"cache_log":         directive.Text(&s.CacheLog),
		"debug_options":     s.setDebugOptions,
		"logfile_rotate":    directive.Number(&s.Rotate),
		"access_log":        s.setAccessLog,
		"logfile_daemon":    directive.Text(&s.Daemon),
		"client_netmask":    s.setClientMask,
		"tunnel_log":        directive.Duration(time.Second, &s.Tunnels),
		"tls_key_log":       s.setKeyLog,
		"logformat":         s.setLogFormat,
		"strip_query_terms": directive.OnOff(&s.StripQuery),
		"log_mime_hdrs":     directive.OnOff(&s.MIMEHeaders),
		"buffered_logs":     directive.OnOff(&s.Buffered),
	}
}

func (s *Settings) setDebugOptions(c *directive.Context, l *conf.Line) error {
	token, _ := c.Args(l).Word()
	v, err := ParseVerbosity(token.Text)
	if err == nil {
		s.Verbosity = v
	}
	return err
}

// setClientMask takes a mask of IPv4 addresses. Clients with IPv6 are told whole, as in Squid, so one of IPv6 would hide nothing.
func (s *Settings) setClientMask(c *directive.Context, l *conf.Line) error {
	text, err := c.Args(l).String()
	if err != nil {
		return err
	}
	mask, err := netip.ParseAddr(text)
	switch {
	case err != nil:
		return conf.Invalid{fmt.Sprintf("FATAL: client_netmask %s is no mask, such as 255.255.255.0", text)}
	case mask.Is4():
		b := mask.As4()
		s.Hidden = ^binary.BigEndian.Uint32(b[:])
	case mask != wholeIPv6:
		return conf.Invalid{fmt.Sprintf("ERROR: client_netmask %s: only IPv4 addresses can be masked, as in Squid", text)}
	}
	return nil
}

var wholeIPv6 = netip.MustParseAddr("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")

// setLogFormat takes a name and a format.
func (s *Settings) setLogFormat(c *directive.Context, l *conf.Line) error {
	if len(l.Tokens) < 2 {
		return conf.Invalid(nil)
	}
	name, spec := l.Tokens[0].Text, l.Tokens[1].Text
	if _, builtin := logformat.Builtin(name); builtin {
		c.Say(0, "ERROR: logformat %s is already defined. Ignoring.", name)
		return nil
	}
	format, err := logformat.Compile(spec)
	if err != nil {
		return conf.Invalid{"configuration error: " + err.Error()}
	}
	s.Formats[name] = format
	return nil
}

// setAccessLog takes a place, its options, a format in the old position, and acls.
func (s *Settings) setAccessLog(c *directive.Context, l *conf.Line) error {
	if len(l.Tokens) == 0 {
		return conf.Invalid(nil)
	}
	place, rest := l.Tokens[0].Text, l.Tokens[1:]
	log := AccessLog{Rotate: -1, Line: l.Pos.String()}
	if place != "none" {
		var err error
		if err = log.setPlace(place); err != nil {
			return err
		}
	}
	format := "squid"
	taken := 1
	for _, token := range rest {
		name, value, option := strings.Cut(token.Text, "=")
		if !option {
			break
		}
		if err := log.option(name, value, &format); err != nil {
			return err
		}
		taken++
	}
	if taken == 1 && len(rest) > 0 && place != "none" && s.isFormat(rest[0].Text) {
		format = rest[0].Text
		taken++
	}
	if format == json {
		log.Format = logformat.JSON()
	} else if log.Format = s.format(format); log.Format == nil {
		return conf.Invalid{fmt.Sprintf("FATAL: Log format '%s' is not defined", format)}
	}
	if taken < len(l.Tokens) {
		var err error
		if log.Access, err = c.KnownConditions(l, taken); err != nil {
			return err
		}
		if log.Access.NeedsError() {
			return conf.Invalid{"ERROR: access_log cannot have an acl of the type squid_error yet: acls are not told how a transaction ended"}
		}
	}
	s.AccessLogs = append(s.AccessLogs, log)
	return nil
}

func (s *Settings) isFormat(name string) bool { return s.format(name) != nil }

// format returns the format of that name, nil if there is none.
func (s *Settings) format(name string) *logformat.Format {
	if f := s.Formats[name]; f != nil {
		return f
	}
	if f, ok := logformat.Builtin(name); ok {
		return f
	}
	return nil
}

// DefaultAccessLog is where Squid logs when the configuration does not say.
const DefaultAccessLog = "/var/log/squid/access.log"

// Finish gives the logs what directives anywhere in the configuration say of all of them. The acls
// are ready by then.
func (s *Settings) Finish(c *directive.Context) {
	s.Results.FailedTunnels = c.Version >= conf.Squid6
	if s.CacheLog == "none" {
		s.CacheLog = ""
	}
	if len(s.AccessLogs) == 0 {
		s.AccessLogs = []AccessLog{{Module: ToDaemon, Path: DefaultAccessLog, Format: s.format("squid"), Rotate: -1}}
	}
	for i := range s.AccessLogs {
		log := &s.AccessLogs[i]
		if log.Access != nil && log.Access.Slow() {
			c.Say(1, "WARNING: %s: access_log has an acl that may need a lookup; it matches what is known by the time of logging", log.Line)
		}
		log.Format.StripQuery, log.Format.Headers = s.StripQuery, s.MIMEHeaders
		log.Format.Results = s.Results
		if log.Rotate < 0 {
			log.Rotate = s.Rotate
		}
		log.setDaemon(s.Daemon, s.Rotate)
	}
	if s.KeyLog != nil && s.KeyLog.Rotate < 0 {
		s.KeyLog.Rotate = s.Rotate
	}
}

// NamesClients says whether a log tells the names of clients.
func (s *Settings) NamesClients() bool {
	return slices.ContainsFunc(s.AccessLogs, func(log AccessLog) bool { return log.Format.NamesClients() })
}

// NeedReply says whether acls of access logs are about the reply.
func (s *Settings) NeedReply() bool {
	return slices.ContainsFunc(s.AccessLogs, func(log AccessLog) bool { return log.Access != nil && log.Access.NeedsReply() })
}

// Configure has the engine keep what the formats want to know.
func (s *Settings) Configure(c *engine.Config) {
	c.KeepReplyHeads = s.MIMEHeaders || len(s.Formats) > 0
	c.KeepOutgoing = len(s.Formats) > 0
	c.MeasureBusy = slices.ContainsFunc(s.AccessLogs, func(log AccessLog) bool { return log.Format.Uses("busy_time") })
	c.TunnelLog = s.Tunnels
}
