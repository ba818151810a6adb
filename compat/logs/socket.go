package logs

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"exaproxy/compat/conf"
)

// maxDatagram is how many bytes of lines go in one datagram, unless one line has more. It is Squid's bound.
const maxDatagram = 1400

// dialTimeout is how long is waited for a connection. It is Squid's time.
const dialTimeout = 2 * time.Second

// A datagramLog sends lines by UDP: as many in a datagram as there are and as it holds. Whether they arrive nobody knows.
type datagramLog struct {
	address string
	conn    net.Conn
	tooLong int
}

func (o *datagramLog) put(lines []byte) (n int, err error) {
	if o.conn == nil {
		if o.conn, err = net.DialTimeout("udp", o.address, dialTimeout); err != nil {
			o.conn = nil
			return 0, err
		}
	}
	o.conn.SetWriteDeadline(time.Now().Add(pipeTimeout))
	for n < len(lines) {
		end := n + whole(lines[n:], maxDatagram)
		if err := o.send(lines[n:end]); err != nil {
			return n, err
		}
		n = end
	}
	return n, nil
}

// send sends one datagram. That nobody has listened for the one before is told with it, and no reason not to send it.
func (o *datagramLog) send(lines []byte) error {
	_, err := o.conn.Write(lines)
	if errors.Is(err, syscall.ECONNREFUSED) {
		_, err = o.conn.Write(lines)
	}
	switch {
	case errors.Is(err, syscall.EMSGSIZE):
		o.tooLong += bytes.Count(lines, []byte{'\n'})
		return nil
	case errors.Is(err, syscall.ECONNREFUSED):
		return nil
	}
	return err
}

func (o *datagramLog) lost() (n int) {
	n, o.tooLong = o.tooLong, 0
	return n
}

func (o *datagramLog) rotate() {}

func (o *datagramLog) close() {
	if o.conn != nil {
		o.conn.Close()
	}
}

// A streamLog sends lines over a TCP connection, which is made anew when it has ended; then it begins with the line that the
// last one has ended in. What the last one had taken and not delivered is lost, which nobody can tell.
type streamLog struct {
	address  string
	conn     *net.TCPConn
	attempts int    // that failed, since there was a connection
	begun    []byte // of a line that was not taken to its end
	sent     int    // how many bytes of these were sent by this connection
}

func (o *streamLog) put(lines []byte) (int, error) {
	if o.conn != nil && hasLeft(o.conn) {
		o.hangUp()
	}
	if o.conn == nil {
		if err := o.connect(); err != nil {
			return 0, err
		}
	}
	o.conn.SetWriteDeadline(time.Now().Add(pipeTimeout))
	n, err := o.conn.Write(o.begun[o.sent:])
	o.sent += n
	if err == nil {
		n, err = o.conn.Write(lines)
	} else {
		n = 0
	}
	if err != nil && !isLate(err) {
		o.hangUp()
		n = bytes.LastIndexByte(lines[:n], '\n') + 1
		if n > 0 {
			o.begun = nil
		}
		return n, err
	}
	o.remember(lines[:n])
	return n, err
}

// remember keeps the beginning of a line that was sent no further.
func (o *streamLog) remember(sent []byte) {
	if len(sent) == 0 {
		return
	}
	if end := bytes.LastIndexByte(sent, '\n') + 1; end > 0 {
		o.begun, sent = nil, sent[end:]
	}
	o.begun = append(o.begun, sent...)
	o.sent = len(o.begun)
}

// connect tries to make a connection. The error is in Squid's words.
func (o *streamLog) connect() error {
	conn, err := net.DialTimeout("tcp", o.address, dialTimeout)
	if err != nil {
		o.attempts++
		return fmt.Errorf("connection attempt #%d failed. Will keep trying every 0.50 seconds. %s", o.attempts, conf.SystemText(err))
	}
	o.attempts = 0
	o.conn = conn.(*net.TCPConn)
	return nil
}

func (o *streamLog) hangUp() {
	o.conn.Close()
	o.conn, o.sent = nil, 0
}

func (o *streamLog) lost() int { return 0 }

func (o *streamLog) rotate() {}

func (o *streamLog) close() {
	if o.conn != nil {
		o.conn.Close()
	}
}

// parseAddress reads HOST:PORT, or the same behind two slashes.
func parseAddress(target string) (address string, err error) {
	address = target
	if len(target) > 2 && target[:2] == "//" {
		address = target[2:]
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" {
		return "", fmt.Errorf("'%s' is not HOST:PORT", target)
	}
	if n, err := net.LookupPort("tcp", port); err != nil || n == 0 {
		return "", fmt.Errorf("'%s' has no port that there is", target)
	}
	return address, nil
}
