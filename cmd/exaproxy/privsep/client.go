package privsep

import (
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"exaproxy/compat/account"
)

// patience is how long an answer is waited for: a disk may be slow.
const patience = 20 * time.Second

var (
	errNobody = errors.New("there is no process with root's rights to ask")
	errGone   = errors.New("the process with root's rights has ended")
	errSilent = errors.New("the process with root's rights does not answer")
)

// A Client asks the process with root's rights. A nil Client has nobody to ask: each of its methods
// says so. Methods are for any goroutine, and wait for the answer.
type Client struct {
	gone chan struct{}

	conn    *net.UnixConn
	answers chan received

	mu    sync.Mutex // held from a question to its answer
	asked uint64     // questions
}

// received is an answer with the file beside it.
type received struct {
	answer
	file *os.File
}

// NewClient makes the client of the process at the other end of a socket, which it owns from now on.
func NewClient(socket *os.File) (*Client, error) {
	conn, err := newConn(socket)
	if err != nil {
		return nil, err
	}
	c := &Client{conn: conn, gone: make(chan struct{}), answers: make(chan received, 1)}
	go c.listen()
	return c, nil
}

// listen receives answers until the other end is closed.
func (c *Client) listen() {
	defer close(c.gone)
	buffer := make([]byte, longestPacket)
	for {
		var a answer
		file, err := receive(c.conn, buffer, &a)
		if err != nil {
			return
		}
		select {
		case c.answers <- received{a, file}:
		case old := <-c.answers: // nobody waited for it
			old.close()
			c.answers <- received{a, file}
		}
	}
}

// Gone is closed when the process with root's rights has ended. A nil Client's never is.
func (c *Client) Gone() <-chan struct{} {
	if c == nil {
		return nil
	}
	return c.gone
}

// Close ends the connection. The process with root's rights takes that for the proxy's end.
func (c *Client) Close() {
	if c != nil {
		c.conn.Close()
	}
}

// ask asks one question, with a file beside it unless that is nil.
func (c *Client) ask(q question, file *os.File) (received, error) {
	if c == nil {
		return received{}, errNobody
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	q.ID = c.asked
	if err := c.send(q, file); err != nil {
		return received{}, err
	}
	alarm := time.NewTimer(patience)
	defer alarm.Stop()
	for {
		select {
		case r := <-c.answers:
			if r.ID == q.ID {
				return r, r.err()
			}
			r.close() // of a question that was given up
		case <-c.gone:
			return received{}, errGone
		case <-alarm.C:
			return received{}, errSilent
		}
	}
}

// sendPatience is how long a process that does not listen may keep us from going on.
const sendPatience = time.Second

func (c *Client) send(q question, file *os.File) error {
	c.conn.SetWriteDeadline(time.Now().Add(sendPatience))
	err := send(c.conn, q, file)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errSilent
	case err != nil:
		return errGone
	}
	return nil
}

// tell sends a message, for which no answer comes: it is for those who must not wait.
func (c *Client) tell(q question, file *os.File) error {
	if c == nil {
		return errNobody
	}
	return c.send(q, file)
}

// close closes the file beside an answer that nobody wants.
func (r *received) close() {
	if r.file != nil {
		r.file.Close()
	}
}

// do asks for something that is answered with no more than an error.
func (c *Client) do(q question, file *os.File) error {
	r, err := c.ask(q, file)
	r.close()
	return err
}

// open asks for a file.
func (c *Client) open(q question) (*os.File, error) {
	r, err := c.ask(q, nil)
	if err == nil && r.file == nil {
		err = errSilent
	}
	if err != nil {
		return nil, &fs.PathError{Op: "open as root", Path: q.Path, Err: err}
	}
	return r.file, nil
}

// Starting says, while the proxy is root still, whom it becomes (nil: it stays who it is) and where its
// pid file is ("": nowhere). Nothing is opened for it before.
func (c *Client) Starting(who *account.User, pidFile string) error {
	return c.do(question{Op: opStarting, User: who, Path: pidFile}, nil)
}

// Ready says that the proxy serves. keepStderr is for -d.
func (c *Client) Ready(keepStderr bool) error {
	return c.do(question{Op: opReady, Keep: keepStderr}, nil)
}

// Read opens a file that the configuration names, or is part of it.
func (c *Client) Read(path string) (*os.File, error) { return c.open(question{Op: opRead, Path: path}) }

// Append opens a log that the configuration names; see account.User.Append.
func (c *Client) Append(path string) (*os.File, error) {
	return c.open(question{Op: opAppend, Path: path})
}

// Shift makes room for a new log that the configuration names; see account.User.Shift.
func (c *Client) Shift(path string, keep int) error {
	return c.do(question{Op: opShift, Path: path, Old: keep}, nil)
}

// Match names the files that a pattern of an include line matches.
func (c *Client) Match(pattern string) ([]string, error) {
	r, err := c.ask(question{Op: opMatch, Path: pattern}, nil)
	return r.Paths, err
}

// Bind gives a socket, which stays the caller's, an address of a port that the configuration names.
func (c *Client) Bind(socket int, addr netip.AddrPort) error {
	copied, err := duplicate(socket)
	if err != nil {
		return err
	}
	defer copied.Close()
	return c.do(question{Op: opBind, Addr: addr}, copied)
}

// CacheLog says where cache.log goes from now on; nil is nowhere.
func (c *Client) CacheLog(file *os.File) error { return c.tell(question{Op: opCacheLog}, file) }

// Reloaded says how a reload ended that began then; a nil error is that it is followed.
func (c *Client) Reloaded(began int64, outcome error) error {
	q := question{Op: opReloaded, Began: began}
	if outcome != nil {
		q.Text = outcome.Error()
	}
	return c.tell(q, nil)
}

// Notify has the service manager told our state: lines READY=1, RELOADING=1 with MONOTONIC_USEC=,
// STOPPING=1 and STATUS= of sd_notify(3), and no others.
func (c *Client) Notify(state string) error { return c.tell(question{Op: opNotify, Text: state}, nil) }

// RemovePIDFile removes the pid file if it names this proxy.
func (c *Client) RemovePIDFile() error { return c.do(question{Op: opRemove}, nil) }
