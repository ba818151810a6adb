package privsep

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/sys/unix"

	"exaproxy/compat/account"
	"exaproxy/compat/conf"
	"exaproxy/engine/loop"
)

// An Owner is the process with root's rights, as far as it is not about files and ports. Its methods are
// called on Serve's goroutine.
type Owner interface {
	// Starting says where the pid file is to be, and with whose rights it is written.
	Starting(who *account.User, pidFile string) error
	Ready(keepStderr bool)
	// CacheLog hands over the file that cache.log goes to. It is the owner's.
	CacheLog(file *os.File)
	Reloaded(began int64, reason string)
	Notify(state string)
	RemovePIDFile() error
}

// A Server does for one proxy what it asks for.
type Server struct {
	conn    *net.UnixConn
	owner   Owner
	named   func() (*Named, error)
	last    *Named // as long as the files that it was read from are the same
	started bool
	who     *account.User // whom the proxy has become
}

// NewServer makes the server of the proxy at the other end of a socket, which it owns from now on. named
// reads what the configuration names.
func NewServer(socket *os.File, owner Owner, named func() (*Named, error)) (*Server, error) {
	conn, err := newConn(socket)
	if err != nil {
		return nil, err
	}
	return &Server{conn: conn, owner: owner, named: named}, nil
}

// Close ends Serve. It is for any goroutine.
func (s *Server) Close() { s.conn.Close() }

// Serve answers until the proxy has ended, sends what is no question, or Close is called.
func (s *Server) Serve() {
	defer s.conn.Close()
	buffer := make([]byte, longestPacket)
	for {
		var q question
		file, err := receive(s.conn, buffer, &q)
		if err != nil {
			return
		}
		s.answer(&q, file)
	}
}

// answer answers one question.
func (s *Server) answer(q *question, passed *os.File) {
	paths, file, err := s.obey(q, passed)
	if file != nil {
		defer file.Close()
	}
	if q.ID == 0 {
		return
	}
	a := refusal(err)
	a.ID, a.Paths = q.ID, paths
	if err := send(s.conn, a, file); errors.Is(err, unix.EMSGSIZE) {
		a = refusal(err)
		a.ID = q.ID
		send(s.conn, a, nil) // a proxy that is gone needs no answer
	}
}

var errEarly = errors.New("the proxy has not said yet who it becomes")

// obey does what a question asks for, if it may be asked. It owns passed.
func (s *Server) obey(q *question, passed *os.File) (paths []string, file *os.File, err error) {
	if q.Op == opCacheLog {
		s.owner.CacheLog(passed)
		return nil, nil, nil
	}
	if passed != nil {
		defer passed.Close()
	}
	switch q.Op {
	case opStarting:
		return nil, nil, s.start(q)
	case opReady:
		s.owner.Ready(q.Keep)
	case opNotify:
		s.owner.Notify(notification(q.Text))
	case opReloaded:
		s.owner.Reloaded(q.Began, Printable(q.Text))
	case opRemove:
		return nil, nil, s.owner.RemovePIDFile()
	case opRead, opAppend, opShift, opMatch, opBind:
		return s.grant(q, passed)
	default:
		err = fmt.Errorf("unknown operation %q", q.Op)
	}
	return nil, nil, err
}

// start learns who the proxy becomes. It says so once: it is root only until then.
func (s *Server) start(q *question) error {
	if s.started {
		return errors.New("the proxy has said already who it becomes")
	}
	if err := s.owner.Starting(q.User, q.Path); err != nil {
		return err
	}
	s.started, s.who = true, q.User
	if s.who != nil {
		s.who.Alone = false // what the configuration names now decides, and not what it was at the start
	}
	return nil
}

// grant does what only root may, if the configuration names it.
func (s *Server) grant(q *question, socket *os.File) (paths []string, file *os.File, err error) {
	if !s.started {
		return nil, nil, errEarly
	}
	if !s.last.fresh() {
		if s.last, err = s.named(); err != nil {
			return nil, nil, err
		}
	}
	named := s.last
	switch q.Op {
	case opMatch:
		if !named.Pattern(q.Path) {
			return nil, nil, s.unnamed(q.Path)
		}
		paths, err = conf.Match(q.Path)
	case opBind:
		err = s.bind(socket, q.Addr)
	case opRead:
		if !named.Readable(q.Path) {
			return nil, nil, s.unnamed(q.Path)
		}
		file, err = readRegular(s.who, q.Path)
	case opShift:
		if !named.Writable(q.Path) || q.Old < 0 || q.Old > mostOld {
			return nil, nil, s.unnamed(q.Path)
		}
		err = s.who.Shift(q.Path, q.Old)
	case opAppend:
		if !named.Writable(q.Path) {
			return nil, nil, s.unnamed(q.Path)
		}
		file, err = s.who.Append(q.Path)
	}
	return paths, file, err
}

// mostOld bounds how many files a rotation renames.
const mostOld = 1000

// unnamed is the refusal of what the configuration does not name.
func (s *Server) unnamed(what any) error {
	if path := s.last.Distrusted(); path != "" {
		return fmt.Errorf("root does nothing for %v, since others than root can change %s: %w", what, path, unix.EACCES)
	}
	return fmt.Errorf("the configuration does not name %v: %w", what, unix.EACCES)
}

// readRegular opens a file to read it. Folders and devices are no files of a configuration.
func readRegular(who *account.User, path string) (*os.File, error) {
	file, err := who.Read(path)
	if err != nil {
		return nil, err
	}
	facts, err := file.Stat()
	if err == nil && !facts.Mode().IsRegular() {
		err = &fs.PathError{Op: "read", Path: path, Err: unix.EACCES}
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// bind binds a socket of the proxy's.
func (s *Server) bind(socket *os.File, addr netip.AddrPort) error {
	if socket == nil {
		return unix.EBADF
	}
	fd := int(socket.Fd())
	kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	switch {
	case err != nil:
		return os.NewSyscallError("getsockopt", err)
	case kind != unix.SOCK_STREAM || !s.last.Port(addr):
		return s.unnamed(addr)
	}
	return loop.Bind(fd, addr)
}

// notification is what of a text for the service manager a proxy may say for its parent. Whoever else
// is the main process, or how its watchdog is, is none of its business.
func notification(text string) string {
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		key, value, _ := strings.Cut(line, "=")
		switch key {
		case "READY", "RELOADING", "STOPPING":
			lines = append(lines, key+"=1")
		case "MONOTONIC_USEC":
			if n, err := strconv.ParseInt(value, 10, 64); err == nil {
				lines = append(lines, fmt.Sprintf("%s=%d", key, n))
			}
		case "STATUS":
			lines = append(lines, key+"="+Printable(value))
		}
	}
	return strings.Join(lines, "\n")
}

// Printable is a text without control characters, which terminals would obey.
func Printable(text string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, text)
}

// duplicate makes a file of a descriptor that stays the caller's.
func duplicate(fd int) (*os.File, error) {
	copied, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(copied), "socket"), nil
}
