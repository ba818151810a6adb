package compat

import (
	"fmt"
	"strconv"
	"strings"

	"exaproxy/compat/conf"
	"exaproxy/compat/logformat"
)

// setLogFormat takes a name and a format.
func setLogFormat(r *reading, l *conf.Line) error {
	if len(l.Tokens) < 2 {
		return conf.Invalid(nil)
	}
	name, spec := l.Tokens[0].Text, l.Tokens[1].Text
	if _, builtin := logformat.Builtin(name); builtin {
		r.say(0, "ERROR: logformat %s is already defined. Ignoring.", name)
		return nil
	}
	format, err := logformat.Compile(spec)
	if err != nil {
		return conf.Invalid{"configuration error: " + err.Error()}
	}
	r.settings.Formats[name] = format
	return nil
}

// setAccessLog takes a place, its options, a format in the old position, and acls.
func setAccessLog(r *reading, l *conf.Line) error {
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
	if taken == 1 && len(rest) > 0 && place != "none" && r.isFormat(rest[0].Text) {
		format = rest[0].Text
		taken++
	}
	if log.Format = r.format(format); log.Format == nil {
		return conf.Invalid{fmt.Sprintf("FATAL: Log format '%s' is not defined", format)}
	}
	if taken < len(l.Tokens) {
		var err error
		if log.Access, err = r.terms(l, taken); err != nil {
			return err
		}
	}
	r.settings.AccessLogs = append(r.settings.AccessLogs, log)
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

func (r *reading) isFormat(name string) bool {
	_, own := r.settings.Formats[name]
	_, builtin := logformat.Builtin(name)
	return own || builtin
}

// format returns the format of that name, nil if there is none.
func (r *reading) format(name string) *logformat.Format {
	if f := r.settings.Formats[name]; f != nil {
		return f
	}
	if f, ok := logformat.Builtin(name); ok {
		return f
	}
	return nil
}

// defaultAccessLog is where Squid logs when the file does not say.
const defaultAccessLog = "/var/log/squid/access.log"

// finishLogs gives the logs what directives anywhere in the file say of all of them.
func (r *reading) finishLogs() error {
	s := r.settings
	if len(s.AccessLogs) == 0 {
		s.AccessLogs = []AccessLog{{Path: defaultAccessLog, Format: r.format("squid"), Rotate: -1}}
	}
	for i := range s.AccessLogs {
		log := &s.AccessLogs[i]
		log.Format.StripQuery, log.Format.Headers = s.StripQuery, s.MIMEHeaders
		if log.Rotate < 0 {
			log.Rotate = s.Rotate
		}
	}
	for _, path := range []*string{&s.PIDFile, &s.CacheLog, &s.CoreDir} {
		if *path == "none" {
			*path = ""
		}
	}
	return nil
}
