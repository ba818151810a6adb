package logs

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"exaproxy/compat/acl"
	"exaproxy/compat/conf"
	"exaproxy/compat/logformat"
)

// A Module is where the lines of a log go to.
type Module uint8

// The modules of Squid.
const (
	ToFile   Module = iota // stdio:PATH, or a path
	ToDaemon               // daemon:PATH: the program of logfile_daemon
	ToSyslog               // syslog:FACILITY.SEVERITY
	ToUDP                  // udp://HOST:PORT
	ToTCP                  // tcp://HOST:PORT
)

// modules are their names.
var modules = map[string]Module{"stdio": ToFile, "daemon": ToDaemon, "syslog": ToSyslog, "udp": ToUDP, "tcp": ToTCP}

// An AccessLog is one access_log line.
type AccessLog struct {
	Module   Module
	Path     string // of a file, or HOST:PORT; "" to a file for none: the lines after it do not log what its acls match
	Priority int    // of syslog
	Program  string // of logfile_daemon
	Format   *logformat.Format
	Access   *acl.List // nil: every transaction
	Rotate   int       // rotate=; -1: as logfile_rotate
	Buffer   int       // buffer-size=, bytes; 0: not said. It bounds what is kept of what is not taken elsewhere than in a file
	Die      bool      // on-error=die: the program ends rather than lose a line
	Line     string    // of the configuration, that has it: "squid.conf(12)"; "": none has. For messages
}

// json is what format=json asks for: no name of a logformat, which has no blanks.
const json = "format=json"

// leastBuffer is the least bound of lines that are kept, in bytes.
const leastBuffer = 64 << 10

// None says whether the line is "none".
func (log *AccessLog) None() bool { return log.Module == ToFile && log.Path == "" }

// key is what lines share that go to the same file or outlet.
func (log *AccessLog) key(buffered bool) string {
	if log.Module != ToDaemon {
		return log.place()
	}
	return fmt.Sprintf("%s of %s, logfile_rotate %d, buffered_logs %t", log.place(), log.Program, log.Rotate, buffered)
}

// place is what messages call the file or outlet.
func (log *AccessLog) place() string {
	switch log.Module {
	case ToUDP:
		return "udp:" + log.Path
	case ToTCP:
		return "tcp:" + log.Path
	case ToSyslog:
		return fmt.Sprintf("syslog:%d", log.Priority)
	case ToDaemon:
		return "daemon:" + log.Path
	case ToFile:
	}
	return log.Path
}

// setPlace takes MODULE:WHERE, or a path.
func (log *AccessLog) setPlace(place string) (err error) {
	name, where, found := strings.Cut(place, ":")
	module, known := modules[name]
	if !found || !known || strings.HasPrefix(place, "/") {
		log.Path = place
		return nil
	}
	log.Module = module
	switch module {
	case ToSyslog:
		log.Priority, err = parsePriority(where)
	case ToUDP, ToTCP:
		log.Path, err = parseAddress(where)
	case ToFile, ToDaemon:
		if log.Path = where; where == "" {
			err = fmt.Errorf("it names no file")
		}
	}
	if err != nil {
		return conf.Invalid{fmt.Sprintf("FATAL: access_log %s: %s", place, err)}
	}
	return nil
}

// setDaemon has the program of logfile_daemon take the lines of a daemon. Squid's own only writes a file, which is done
// here without another process.
func (log *AccessLog) setDaemon(program string, rotate int) {
	if log.Module != ToDaemon {
		return
	}
	if log.Program = program; program == "" || filepath.Base(program) == "log_file_daemon" {
		log.Module, log.Program = ToFile, ""
		return
	}
	log.Rotate = rotate // Squid tells a program nothing else
}

// option takes one option of an access_log line.
func (log *AccessLog) option(name, value string, format *string) error {
	switch name {
	case "logformat":
		*format = value
	case "format":
		if value != "json" {
			return conf.Invalid{fmt.Sprintf("ERROR: access_log format=%s: there is json only; logformat= takes names", value)}
		}
		*format = json
	case "rotate":
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 {
			return conf.Invalid{fmt.Sprintf("ERROR: access_log rotate=%s is not a number of files", value)}
		}
		log.Rotate = n
	case "buffer-size":
		n, err := conf.ParseSize(value)
		if err != nil || n < 0 || n > maxBacklog {
			return conf.Invalid{fmt.Sprintf("ERROR: access_log buffer-size=%s is not a size of up to %d MB, such as 64KB", value, maxBacklog>>20)}
		}
		log.Buffer = int(n)
	case "on-error":
		if value != "die" && value != "drop" {
			return conf.Invalid{fmt.Sprintf("FATAL: Unknown value '%s' for on-error= of access_log: it is die or drop", value)}
		}
		log.Die = value == "die"
	default:
		return conf.Invalid{fmt.Sprintf("FATAL: Unknown access_log option '%s=%s'", name, value)}
	}
	return nil
}

// filePath is the file that a place names: tls_key_log has no other.
func filePath(place string) (string, error) {
	var log AccessLog
	if err := log.setPlace(place); err != nil {
		return "", err
	}
	if log.Module != ToFile && log.Module != ToDaemon {
		return "", conf.Invalid{fmt.Sprintf("ERROR: tls_key_log place '%s' cannot be written to: only files can", place)}
	}
	return log.Path, nil
}
