package looptest

import (
	"net/netip"
	"slices"
	"syscall"

	"exaproxy/engine/loop"
)

// find returns an open descriptor, with the lock held.
func (k *Kernel) find(sys int) (*descriptor, error) {
	if sys < 0 || sys >= len(k.open) || k.open[sys] == nil {
		return nil, syscall.EBADF
	}
	return k.open[sys], nil
}

// with calls f on an open descriptor.
func (k *Kernel) with(sys int, f func(*descriptor) (int, error)) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	d, err := k.find(sys)
	if err != nil {
		return 0, err
	}
	return f(d)
}

// Watch implements loop.Kernel.
func (k *Kernel) Watch(sys int, slot, generation int32) error {
	_, err := k.with(sys, func(d *descriptor) (int, error) {
		if d.watched {
			return 0, syscall.EEXIST
		}
		d.watched, d.slot, d.generation = true, slot, generation
		d.markReady()
		return 0, nil
	})
	return err
}

// WatchListener implements loop.Kernel.
func (k *Kernel) WatchListener(sys int, slot, generation int32) error {
	return k.Watch(sys, slot, generation)
}

// Unwatch implements loop.Kernel.
func (k *Kernel) Unwatch(sys int) error {
	_, err := k.with(sys, func(d *descriptor) (int, error) {
		d.watched = false
		return 0, nil
	})
	return err
}

// Read implements loop.Kernel.
func (k *Kernel) Read(sys int, _ loop.Type, p []byte) (int, error) {
	return k.with(sys, func(d *descriptor) (int, error) { return d.read(p) })
}

// Write implements loop.Kernel.
func (k *Kernel) Write(sys int, _ loop.Type, p []byte) (int, error) {
	return k.with(sys, func(d *descriptor) (int, error) { return d.write(p) })
}

// Writev implements loop.Kernel.
func (k *Kernel) Writev(sys int, _ loop.Type, p [][]byte) (int, error) {
	return k.with(sys, func(d *descriptor) (int, error) {
		if d.datagram {
			return d.write(slices.Concat(p...)) // one datagram
		}
		n := 0
		for _, s := range p {
			m, err := d.write(s)
			n += m
			if n > 0 && err != nil {
				return n, nil // the next call says so
			} else if err != nil || m < len(s) {
				return n, err
			}
		}
		return n, nil
	})
}

// Unread implements loop.Kernel.
func (k *Kernel) Unread(sys int, _ loop.Type) (int, error) {
	return k.with(sys, func(d *descriptor) (int, error) { return d.out.unread(), nil })
}

// CloseWrite implements loop.Kernel.
func (k *Kernel) CloseWrite(sys int) error {
	_, err := k.with(sys, func(d *descriptor) (int, error) {
		if d.end == nil || d.connecting || d.reset {
			return 0, syscall.ENOTCONN
		}
		d.out.ended = true
		d.markReady()
		return 0, nil
	})
	return err
}

// Close implements loop.Kernel.
func (k *Kernel) Close(sys int) error {
	_, err := k.with(sys, func(d *descriptor) (int, error) {
		// tcp_close: if bytes were left unread, the peer gets RST.
		d.close(d.in.unread() > 0 && !d.pair)
		return 0, nil
	})
	return err
}

// Reset implements loop.Kernel.
func (k *Kernel) Reset(sys int) error {
	_, err := k.with(sys, func(d *descriptor) (int, error) {
		d.close(true)
		return 0, nil
	})
	return err
}

// close closes the loop's side, with RST if reset.
func (d *descriptor) close(reset bool) {
	d.record("closed the connection with")
	d.watched = false
	d.k.open[d.sys] = nil
	for _, waiting := range d.backlog {
		waiting.end.wasReset = true
	}
	d.backlog = nil
	if d.end != nil {
		d.end.wasReset = d.end.wasReset || reset && !d.reset
		d.end.gone = true
		d.out.ended = true
	}
	d.k.changed.Broadcast()
}

// SocketError implements loop.Kernel.
func (k *Kernel) SocketError(sys int) error {
	_, err := k.with(sys, func(d *descriptor) (int, error) { return 0, d.takeError() })
	return err
}

// Names implements loop.Kernel.
func (k *Kernel) Names(sys int) (local, original netip.AddrPort, err error) {
	_, err = k.with(sys, func(d *descriptor) (int, error) {
		local, original = d.local, d.original
		return 0, nil
	})
	return local, original, err
}

// Bear implements loop.Kernel.
func (k *Kernel) Bear(sys int, tos, mark int) error {
	_, err := k.with(sys, func(d *descriptor) (int, error) {
		if tos >= 0 {
			d.borne[0] = tos
		}
		if mark >= 0 {
			d.borne[1] = mark
		}
		return 0, nil
	})
	return err
}

// ConnMark implements loop.Kernel.
func (k *Kernel) ConnMark(sys int, _ bool) (mark uint32, err error) {
	_, err = k.with(sys, func(d *descriptor) (int, error) {
		if d.connMark == nil {
			return 0, syscall.ENOENT
		}
		mark = *d.connMark
		return 0, nil
	})
	return mark, err
}

// SetConnMark implements loop.Kernel.
func (k *Kernel) SetConnMark(sys int, mark uint32) error {
	_, err := k.with(sys, func(d *descriptor) (int, error) {
		if d.connMark == nil {
			return 0, syscall.ENOENT
		}
		*d.connMark = mark
		return 0, nil
	})
	return err
}

// OpenListener implements loop.Kernel.
func (k *Kernel) OpenListener(s loop.ListenSpec) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if s.Addr.Port() == 0 {
		s.Addr = netip.AddrPortFrom(s.Addr.Addr(), k.allocatePort())
	}
	for _, d := range k.open {
		if d != nil && d.listening && d.collides(s) {
			return -1, syscall.EADDRINUSE
		}
	}
	return k.add(&descriptor{listening: true, spec: s, local: s.Addr}), nil
}

// collides reports whether a listener with this ListenSpec cannot be opened beside d.
func (d *descriptor) collides(s loop.ListenSpec) bool {
	if d.spec.ReusePort && s.ReusePort {
		return false
	}
	return covers(d.spec, s.Addr) || covers(s, d.spec.Addr)
}

// covers reports whether a connection to the address is one for this listener.
func covers(s loop.ListenSpec, to netip.AddrPort) bool {
	at := s.Addr.Addr()
	switch {
	case s.Addr.Port() != to.Port():
		return false
	case at.IsUnspecified():
		return at.Is4() == to.Addr().Is4() || at.Is6()
	}
	return at == to.Addr() || s.Transparent
}

// Accept implements loop.Kernel.
func (k *Kernel) Accept(sys int) (int, loop.Peer, error) {
	var peer loop.Peer
	conn, err := k.with(sys, func(d *descriptor) (int, error) {
		if len(d.backlog) == 0 {
			return -1, loop.ErrAgain
		}
		if k.acceptErrs > 0 {
			k.acceptErrs--
			return -1, k.acceptErr
		}
		c := d.backlog[0]
		d.backlog = d.backlog[1:]
		peer.Remote = c.remote
		c.record("accepted")
		return k.add(c), nil
	})
	return conn, peer, err
}
