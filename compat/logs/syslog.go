package logs

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"
)

// syslogSocket is where the system's syslog listens: log(3) of every C library.
const syslogSocket = "/dev/log"

// facilities and severities are the words of syslog:FACILITY.SEVERITY, with their numbers of RFC 3164 section 4.1.1.
var facilities = map[string]int{
	"authpriv": 10, "auth": 4, "cron": 9, "daemon": 3, "ftp": 11, "kern": 0, "lpr": 6, "mail": 2, "news": 7, "syslog": 5, "user": 1, "uucp": 8,
	"local0": 16, "local1": 17, "local2": 18, "local3": 19, "local4": 20, "local5": 21, "local6": 22, "local7": 23,
}

var severities = map[string]int{
	"emerg": 0, "alert": 1, "crit": 2, "err": 3, "error": 3, "warning": 4, "notice": 5, "info": 6, "debug": 7,
}

// parsePriority reads FACILITY.SEVERITY, either of which may be missing: user and info. Squid takes '|' for the point, too.
func parsePriority(text string) (int, error) {
	facility, severity := facilities["user"], severities["info"]
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '.' || r == '|' }) {
		if n, ok := facilities[strings.ToLower(strings.TrimPrefix(word, "LOG_"))]; ok {
			facility = n
		} else if n, ok := severities[strings.ToLower(strings.TrimPrefix(word, "LOG_"))]; ok {
			severity = n
		} else {
			return 0, fmt.Errorf("Unknown syslog facility/priority '%s'", word)
		}
	}
	return facility<<3 | severity, nil
}

// A syslogLog sends each line to the system's syslog, as syslog(3) does.
type syslogLog struct {
	socket   string
	priority int
	tag      string // the program's name, as it stands in the line
	clock    func() time.Time
	conn     net.Conn
	line     []byte
	tooLong  int
}

func (o *syslogLog) put(lines []byte) (n int, err error) {
	if o.conn == nil {
		if err := o.connect(); err != nil {
			return 0, err
		}
	}
	o.conn.SetWriteDeadline(time.Now().Add(pipeTimeout))
	for n < len(lines) {
		length := lineLength(lines[n:])
		if err := o.send(lines[n : n+length]); err != nil {
			return n, err
		}
		n += length
	}
	return n, nil
}

// send sends one line with its end, as Squid does.
func (o *syslogLog) send(line []byte) error {
	o.line = fmt.Appendf(o.line[:0], "<%d>%s %s: ", o.priority, o.clock().Format(time.Stamp), o.tag)
	o.line = append(o.line, line...)
	_, err := o.conn.Write(o.line)
	switch {
	case err == nil || isLate(err):
		return err
	case errors.Is(err, syscall.EMSGSIZE):
		o.tooLong++
		return nil
	}
	o.conn.Close() // whoever listened there has been started anew
	o.conn = nil
	return err
}

func (o *syslogLog) connect() (err error) {
	o.conn, err = net.DialTimeout("unixgram", o.socket, dialTimeout)
	if err != nil {
		o.conn = nil
	}
	return err
}

func (o *syslogLog) lost() (n int) {
	n, o.tooLong = o.tooLong, 0
	return n
}

func (o *syslogLog) rotate() {}

func (o *syslogLog) close() {
	if o.conn != nil {
		o.conn.Close()
	}
}
