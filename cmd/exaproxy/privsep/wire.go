package privsep

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"

	"exaproxy/compat/account"
)

// An operation is what a question asks for.
type operation string

const (
	opStarting operation = "starting" // User and Path (the pid file): it is about to give up root's rights
	opReady    operation = "ready"    // Keep standard error or not: it serves
	opRead     operation = "read"     // Path; answered with a descriptor
	opAppend   operation = "append"   // Path; answered with a descriptor
	opShift    operation = "shift"    // Path, Old: a log's old files get the numbers after their own
	opMatch    operation = "match"    // Path is a pattern of an include line; answered with Paths
	opBind     operation = "bind"     // Addr, and a socket to be bound to it
	opCacheLog operation = "cachelog" // the file that cache.log goes to from now on
	opReloaded operation = "reloaded" // Began, Text: why the reload failed; "" if it did not
	opNotify   operation = "notify"   // Text is for the service manager (sd_notify(3))
	opRemove   operation = "remove"   // the pid file
)

// A question is a packet of the proxy's. Operations say which fields count.
type question struct {
	ID    uint64 // 0: it is a message, and nobody waits for an answer
	Op    operation
	Path  string         `json:",omitempty"`
	Text  string         `json:",omitempty"`
	Addr  netip.AddrPort `json:",omitzero"`
	User  *account.User  `json:",omitempty"`
	Began int64          `json:",omitempty"` // on the monotonic clock, in nanoseconds
	Keep  bool           `json:",omitempty"`
	Old   int            `json:",omitempty"`
}

// An answer is a packet to the proxy. An error that the system had has its number too, so that
// errors.Is finds it.
type answer struct {
	ID    uint64
	Error string        `json:",omitempty"`
	Errno syscall.Errno `json:",omitempty"`
	Paths []string      `json:",omitempty"`
}

// refusal is the answer of an error; nil is none.
func refusal(err error) answer {
	if err == nil {
		return answer{}
	}
	a := answer{Error: err.Error()}
	errors.As(err, &a.Errno)
	return a
}

// err is the error that the answer tells.
func (a *answer) err() error {
	switch {
	case a.Error == "":
		return nil
	case a.Errno != 0:
		return &remoteError{a.Error, a.Errno}
	default:
		return errors.New(a.Error)
	}
}

// A remoteError is an error of the system's in the other process.
type remoteError struct {
	text  string
	errno syscall.Errno
}

func (e *remoteError) Error() string { return e.text }
func (e *remoteError) Unwrap() error { return e.errno }

// longestPacket bounds a packet, in bytes. The kernel holds no more for a socket by default.
const longestPacket = 128 << 10

// newConn makes one end of the pair usable, and owns file.
func newConn(file *os.File) (*net.UnixConn, error) {
	defer file.Close()
	conn, err := net.FileConn(file)
	if err != nil {
		return nil, fmt.Errorf("socket to the process with root's rights: %w", err)
	}
	unix, ok := conn.(*net.UnixConn)
	if !ok {
		conn.Close()
		return nil, errors.New("socket to the process with root's rights: it is no unix socket")
	}
	return unix, nil
}

// send sends one packet, and a file beside it unless that is nil.
func send(conn *net.UnixConn, packet any, file *os.File) error {
	text, err := json.Marshal(packet)
	if err == nil && len(text) > longestPacket {
		err = syscall.EMSGSIZE
	}
	if err != nil {
		return err
	}
	var rights []byte
	if file != nil {
		rights = syscall.UnixRights(int(file.Fd()))
	}
	_, _, err = conn.WriteMsgUnix(text, rights, nil)
	return err
}

// receive receives one packet, and the file beside it; nil if there is none. buffer has room for a
// packet.
func receive(conn *net.UnixConn, buffer []byte, packet any) (*os.File, error) {
	rights := make([]byte, syscall.CmsgSpace(4)) // of one descriptor, or two; the kernel closes others
	n, m, _, _, err := conn.ReadMsgUnix(buffer, rights)
	if err != nil {
		return nil, err
	}
	file, err := descriptor(rights[:m])
	if err == nil {
		err = json.Unmarshal(buffer[:n], packet)
	}
	if err != nil && file != nil {
		file.Close()
		file = nil
	}
	return file, err
}

// descriptor is the file in a control message. More than one is an error.
func descriptor(rights []byte) (*os.File, error) {
	if len(rights) == 0 {
		return nil, nil
	}
	messages, err := syscall.ParseSocketControlMessage(rights)
	if err != nil || len(messages) != 1 {
		return nil, fmt.Errorf("control message: %w", errors.Join(err, syscall.EBADMSG))
	}
	fds, err := syscall.ParseUnixRights(&messages[0])
	if err == nil && len(fds) == 1 {
		return os.NewFile(uintptr(fds[0]), "passed"), nil
	}
	for _, fd := range fds {
		syscall.Close(fd)
	}
	return nil, fmt.Errorf("control message: %w", errors.Join(err, syscall.EBADMSG))
}
