package privsep

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"

	"exaproxy/compat/account"
	"exaproxy/compat/conf"
	"exaproxy/engine/loop"
)

// An Owner is the process with root's rights, as far as it is not about files and ports. Its methods are
// called by the goroutine of Serve.
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

// A server serves one proxy.
type server struct {
	conn    *net.UnixConn
	owner   Owner
	named   func() (*Named, error)
	started bool
	who     *account.User // whom the proxy has become
}

// Serve does what the proxy at the other end of a socket asks for, until that one has ended. It owns the
// socket. named is what the configuration names at the moment.
func Serve(socket *os.File, owner Owner, named func() (*Named, error)) error {
	conn, err := newConn(socket)
	if err != nil {
		return err
	}
	defer conn.Close()
	s := &server{conn: conn, owner: owner, named: named}
	buffer := make([]byte, longestPacket)
	for {
		var q question
		file, err := receive(conn, buffer, &q)
		if err != nil {
			return nil // it has ended, or sends what is none of ours
		}
		s.answer(&q, file)
	}
}

// answer answers one question.
func (s *server) answer(q *question, passed *os.File) {
	paths, file, err := s.obey(q, passed)
	a := refusal(err)
	a.Paths = paths
	if err := send(s.conn, a, file); errors.Is(err, unix.EMSGSIZE) {
		send(s.conn, refusal(err), nil) // a proxy that is gone needs no answer
	}
	if file != nil {
		file.Close()
	}
}

var errEarly = errors.New("the proxy has not said yet who it becomes")

// obey does what a question asks for, if it may be asked. It owns passed.
func (s *server) obey(q *question, passed *os.File) (paths []string, file *os.File, err error) {
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
		s.owner.Notify(q.Text)
	case opReloaded:
		s.owner.Reloaded(q.Began, q.Text)
	case opUnlist:
		return nil, nil, s.owner.RemovePIDFile()
	case opRead, opAppend, opMatch, opBind:
		return s.grant(q, passed)
	default:
		err = fmt.Errorf("unknown operation %q", q.Op)
	}
	return nil, nil, err
}

// start learns who the proxy becomes. It says so once: it is root only until then.
func (s *server) start(q *question) error {
	if s.started {
		return errors.New("the proxy has said already who it becomes")
	}
	if err := s.owner.Starting(q.User, q.Path); err != nil {
		return err
	}
	s.started, s.who = true, q.User
	return nil
}

// grant does what only root may, if the configuration names it.
func (s *server) grant(q *question, socket *os.File) (paths []string, file *os.File, err error) {
	if !s.started {
		return nil, nil, errEarly
	}
	named, err := s.named()
	if err != nil {
		return nil, nil, err
	}
	switch q.Op {
	case opMatch:
		if !named.Pattern(q.Path) {
			return nil, nil, unnamed(q.Path)
		}
		paths, err = conf.Match(q.Path)
	case opBind:
		err = bind(named, socket, q.Addr)
	case opRead:
		if !named.Readable(q.Path) {
			return nil, nil, unnamed(q.Path)
		}
		file, err = s.who.Read(q.Path)
	case opAppend:
		if !named.Writable(q.Path) {
			return nil, nil, unnamed(q.Path)
		}
		file, err = s.who.Append(q.Path, q.Mode&fs.ModePerm)
	}
	return paths, file, err
}

// unnamed is the refusal of what the configuration does not name.
func unnamed(what any) error {
	return fmt.Errorf("the configuration does not name %v: %w", what, unix.EACCES)
}

// bind binds a socket of the proxy's.
func bind(named *Named, socket *os.File, addr netip.AddrPort) error {
	switch {
	case socket == nil:
		return unix.EBADF
	case !named.Port(addr.Port()):
		return unnamed(addr)
	}
	return loop.Bind(int(socket.Fd()), addr)
}

// duplicate makes a file of a descriptor that stays the caller's.
func duplicate(fd int) (*os.File, error) {
	copied, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(copied), "socket"), nil
}
