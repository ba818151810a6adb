package loop

import (
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// parking waits for the event queue by parking the goroutine on its descriptor, which
// Go's own poller then watches: the thread goes on with other goroutines meanwhile, and
// no thread must be woken to return. An event queue is readable when it holds events.
type parking struct {
	file   *os.File // the event queue; nil: wait in epoll_wait
	conn   syscall.RawConn
	armed  time.Time // the deadline that is set on file
	events []Event   // where look puts what it takes, for the time of a park
	n      int
	ready  func(uintptr) bool // looked, bound once
}

func (p *parking) open(k *linux) error {
	if err := unix.SetNonblock(k.epoll, true); err != nil { // or NewFile leaves it to block
		return os.NewSyscallError("fcntl", err)
	}
	// The file owns its descriptor, and closes it.
	p.file = os.NewFile(uintptr(k.epoll), "epoll")
	conn, err := p.file.SyscallConn()
	if err != nil {
		return err
	}
	p.conn, p.ready = conn, k.looked
	return p.file.SetReadDeadline(time.Time{}) // fails if the poller does not have it
}

func (p *parking) close(k *linux) {
	if p.file != nil {
		p.file.Close()
		p.file, k.epoll = nil, -1
	}
}

// park is Wait, if it may take time.
func (k *linux) park(events []Event, until time.Time) int {
	p := &k.parking
	p.arm(k.now, until)
	p.events, p.n = events, 0
	err := p.conn.Read(p.ready)
	p.events = nil
	if err != nil { // the deadline; nobody has looked if it was over before
		n, _ := k.look(events)
		return n
	}
	return p.n
}

// looked takes what there is; if there is nothing the goroutine is parked, and it is
// called again.
func (k *linux) looked(uintptr) (any bool) {
	p := &k.parking
	p.n, any = k.look(p.events)
	return any
}

// arm sets the deadline. One that is earlier than needed is left, as setting costs more
// than the wait that it ends for nothing, once.
func (p *parking) arm(now, until time.Time) {
	early := p.armed.After(now) && (until.IsZero() || !p.armed.After(until))
	never := p.armed.IsZero() && until.IsZero()
	if !early && !never {
		p.armed = until
		p.file.SetReadDeadline(until)
	}
}
