package engine

import (
	"net/netip"

	"exaproxy/engine/loop"
	"exaproxy/helper"
)

// A View shows what one worker has in hand, whichever setup it belongs to: what the pages of the cache manager tell of.
// It is used on the worker's goroutine, and looking changes nothing. What a function is given by one of its methods is
// valid during the call only. The zero View has nothing to show.
type View struct{ worker *worker }

// A ShownClient is a client's connection.
type ShownClient struct {
	Connection *Connection
	Descriptor int
	In, Out    uint64  // bytes of the connection
	Served     int     // requests, the present one included
	Held, Room int     // bytes that are received and not consumed, and for which there is room
	Lingers    bool    // the last reply was sent
	Request    *Record // the request in hand, as far as it is known; nil: there is none
}

// A ShownUpstream is a connection to a next hop.
type ShownUpstream struct {
	Host       string
	Peer       netip.AddrPort
	Descriptor int
	In, Out    uint64  // bytes of the connection
	Idle       bool    // it waits for a request
	Request    *Record // that it serves; nil if it is idle
}

// A ShownPort is a listening port.
type ShownPort struct {
	Addr       netip.AddrPort
	Descriptor int
}

// Descriptors is how many the process may have open; 0: nobody knows.
func (v View) Descriptors() int {
	if v.worker == nil {
		return 0
	}
	return v.worker.engine.config.Descriptors
}

// EachClient calls f for all clients.
func (v View) EachClient(f func(*ShownClient)) {
	if v.worker == nil {
		return
	}
	for c := v.worker.clients; c != nil; c = c.next {
		s := ShownClient{Connection: &c.connection, Descriptor: number(c.fd), Served: c.served, Lingers: c.phase == lingering}
		s.In, s.Out = c.fd.Moved()
		if c.in != nil {
			s.Held, s.Room = len(c.in.bytes()), len(c.in.room())
		}
		if t := c.tx; t == nil || t.recorded {
			f(&s)
		} else {
			t.show(func(rec *Record) {
				s.Request = rec
				f(&s)
			})
		}
	}
}

// EachUpstream calls f for all connections to next hops.
func (v View) EachUpstream(f func(*ShownUpstream)) {
	if v.worker == nil {
		return
	}
	for u := v.worker.idle.newest; u != nil; u = u.older {
		s := u.view()
		f(&s)
	}
	for c := v.worker.clients; c != nil; c = c.next {
		if t := c.tx; t != nil && t.upstream != nil && !t.recorded {
			s := t.upstream.view()
			t.show(func(rec *Record) {
				s.Request = rec
				f(&s)
			})
		}
	}
}

// Uses is how many connections to next hops have ended by how many requests they had served; the last is for that many
// and more.
func (v View) Uses() []uint64 {
	if v.worker == nil {
		return nil
	}
	return v.worker.idle.uses[:]
}

// EachPort calls f for the ports that are listened at.
func (v View) EachPort(f func(ShownPort)) {
	if v.worker == nil {
		return
	}
	for _, l := range v.worker.listeners {
		f(ShownPort{l.bound, l.sys})
	}
}

// EachPool calls f with how the worker's pools of helpers are doing, those that are ending included.
func (v View) EachPool(f func(helper.Stats)) {
	if v.worker == nil {
		return
	}
	for _, p := range v.worker.pools {
		if !p.Closed() {
			f(p.Stats())
		}
	}
}

// number is what the kernel calls a descriptor; -1 if it is closed.
func number(fd *loop.FD) int {
	if sys, ok := fd.Descriptor(); ok {
		return sys
	}
	return -1
}

func (u *upstream) view() ShownUpstream {
	s := ShownUpstream{Host: u.hop.key.host, Peer: u.remote, Descriptor: number(u.fd), Idle: u.idle()}
	s.In, s.Out = u.fd.Moved()
	return s
}

// show calls f with the record as it would be if the transaction were over now. A request that was given back is made
// again for that moment.
func (t *transaction) show(f func(*Record)) {
	gone, judged := t.request == nil, t.judged
	if gone {
		t.judged = nil
		t.recall()
	}
	rec := t.record
	t.sum(&rec)
	f(&rec)
	if gone {
		t.client.worker.freeRequest(t.request)
		t.request, t.judged = nil, judged
	}
}

// Key is what a connection that waits is found by, as Squid writes it.
func (s *ShownUpstream) Key() string { return s.Peer.String() + "/" + s.Host }
