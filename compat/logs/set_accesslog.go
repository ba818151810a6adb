package logs

import (
	"fmt"
	"strconv"
	"strings"

	"exaproxy/compat/acl"
	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
	"exaproxy/compat/logformat"
)

// An AccessLog is one access_log line.
type AccessLog struct {
	Path   string // "" for none: the lines after it do not log what its acls match
	Format *logformat.Format
	Access *acl.List // nil: every transaction
	Rotate int       // rotate=; -1: as logfile_rotate
}

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
	log := AccessLog{Rotate: -1}
	if place != "none" {
		var err error
		if log.Path, err = logPath(place); err != nil {
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
	if log.Format = s.format(format); log.Format == nil {
		return conf.Invalid{fmt.Sprintf("FATAL: Log format '%s' is not defined", format)}
	}
	if taken < len(l.Tokens) {
		var err error
		if log.Access, err = c.Conditions(l, taken); err != nil {
			return err
		}
	}
	s.AccessLogs = append(s.AccessLogs, log)
	return nil
}

// option takes one option of an access_log line.
func (log *AccessLog) option(name, value string, format *string) error {
	switch name {
	case "logformat":
		*format = value
	case "rotate":
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 {
			return conf.Invalid{fmt.Sprintf("ERROR: access_log rotate=%s is not a number of files", value)}
		}
		log.Rotate = n
	case "buffer-size", "on-error": // lines are always buffered, and no error ends the program
	default:
		return conf.Invalid{fmt.Sprintf("FATAL: Unknown access_log option '%s=%s'", name, value)}
	}
	return nil
}

// logPath is the file that an access_log place names. Squid's daemon only writes a file, which
// is done here without another process.
func logPath(place string) (string, error) {
	module, path, found := strings.Cut(place, ":")
	if !found || strings.HasPrefix(place, "/") {
		return place, nil
	}
	switch module {
	case "stdio", "daemon":
		if path == "" {
			return "", conf.Invalid{fmt.Sprintf("FATAL: access_log %s names no file", place)}
		}
		return path, nil
	case "syslog", "udp", "tcp":
		return "", conf.Invalid{fmt.Sprintf("ERROR: access_log place '%s' cannot be written to yet: only files can", place)}
	}
	return place, nil
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
