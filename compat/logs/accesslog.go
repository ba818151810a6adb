package logs

import (
	"fmt"
	"strconv"
	"strings"

	"exaproxy/compat/acl"
	"exaproxy/compat/conf"
	"exaproxy/compat/logformat"
)

// An AccessLog is one access_log line.
type AccessLog struct {
	Path   string // "" for none: the lines after it do not log what its acls match
	Format *logformat.Format
	Access *acl.List // nil: every transaction
	Rotate int       // rotate=; -1: as logfile_rotate
	Line   string    // of the configuration, that has it: "squid.conf(12)"; "": none has. For messages
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
