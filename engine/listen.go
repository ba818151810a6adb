package engine

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"syscall"

	"exaproxy/engine/loop"
)

// acceptBatch is how many connections one play accepts before others have their turn.
const acceptBatch = 64

// An opened port is a listening descriptor, or one for each worker if the port wants queues
// of their own. It belongs to the engine; workers only watch it.
type opened struct {
	port *Port
	tls  *tls.Config    // of an https_port
	addr netip.AddrPort // as bound: with the number the kernel chose for port 0
	sys  []int          // one, or one for each worker
}

// A binder is Config.Bind.
type binder = func(sys int, addr netip.AddrPort) error

// open opens a port's descriptors.
func open(k loop.Kernel, p *Port, workers int, bind binder) (opened, error) {
	o := opened{port: p}
	spec := loop.ListenSpec{Addr: p.Addr, ReusePort: p.WorkerQueues, Transparent: p.Mode == TPROXY, Bind: bind}
	count := 1
	if p.WorkerQueues {
		count = workers
	}
	for range count {
		sys, err := k.OpenListener(spec)
		if err != nil {
			o.close(k)
			return o, fmt.Errorf("listen on %s: %w%s", p.Addr, err, p.remedy(err))
		}
		o.sys = append(o.sys, sys)
		if o.addr, _, err = k.Names(sys); err != nil {
			o.close(k)
			return o, fmt.Errorf("listen on %s: %w", p.Addr, err)
		}
		spec.Addr = o.addr
	}
	return o, nil
}

// remedy is what helps where a port cannot be opened.
func (p *Port) remedy(err error) string {
	switch {
	case p.Mode == TPROXY && errors.Is(err, syscall.EPERM):
		return ": a port of tproxy needs CAP_NET_RAW, which is kept if there is one at the start, by root"
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Sprintf(": another program listens there ('ss -ltnp sport = :%d' tells which): end it, or choose another port", p.Addr.Port())
	case errors.Is(err, syscall.EACCES):
		return ": only root may open ports below 1024, and who has CAP_NET_BIND_SERVICE"
	}
	return ""
}

// placed is an error of the port's with the line that names it.
func (p *Port) placed(err error) error {
	if p.Line == "" {
		return err
	}
	return fmt.Errorf("%s: %w", p.Line, err)
}

func (o *opened) close(k loop.Kernel) {
	for _, sys := range o.sys {
		k.Close(sys)
	}
	o.sys = nil
}

// within reports whether the port is one of some: whether it has the same descriptors.
func (o *opened) within(some []opened) bool {
	return slices.ContainsFunc(some, func(s opened) bool { return s.sys[0] == o.sys[0] })
}

// of gives the descriptor that worker n watches.
func (o *opened) of(n int) int { return o.sys[n%len(o.sys)] }

// A listener is one worker's watch over an opened port. It is a task.
type listener struct {
	worker *worker
	port   *Port
	tls    *tls.Config // of an https_port
	bound  netip.AddrPort
	sys    int
	on     *loop.Listener
	waker  *loop.Waker
	most   int // how many the next run accepts; 0: none yet
}

// Run accepts who waits, but no more than seem to: to look for one more who is not there is a
// system call for nothing. Who was not seen is reported in the next turn, which accepts twice as
// many.
func (l *listener) Run() {
	if l.most == 0 {
		return
	}
	for n := range l.most {
		if l.worker.nearDescriptorLimit() {
			l.on.BackOff()
			return
		}
		fd, from, err := l.on.Accept()
		if err == loop.ErrAgain {
			l.most = max(n, 1)
			return
		}
		if err != nil {
			l.worker.log.Warn("cannot accept a connection", "port", l.bound.String(), "error", err)
			l.worker.idle.close() // it is descriptors that are wanting, and these can be spared
			return
		}
		l.worker.addClient(fd, from, l)
	}
	l.most = min(2*l.most, acceptBatch)
}

func (l *listener) close() {
	l.on.Close()
	l.waker.Retire()
}

// watching gives the worker's listener of a descriptor, or nil.
func (w *worker) watching(sys int) *listener {
	for _, l := range w.listeners {
		if l.sys == sys {
			return l
		}
	}
	return nil
}

// watch watches a port for the worker. Nobody is accepted before begin.
func (w *worker) watch(o *opened) (*listener, error) {
	l := &listener{worker: w, port: o.port, tls: o.tls, bound: o.addr, sys: o.of(w.number)}
	l.waker = w.loop.NewWaker(l)
	var err error
	if l.on, err = w.loop.WatchListener(l.sys, l.waker); err != nil {
		return nil, fmt.Errorf("watch %s: %w", o.addr, err)
	}
	return l, nil
}

// begin begins to accept.
func (l *listener) begin() {
	l.most = 1
	l.waker.Wake()
}

func (w *worker) stopListening() {
	for _, l := range w.listeners {
		l.close()
	}
	w.listeners = nil
}
