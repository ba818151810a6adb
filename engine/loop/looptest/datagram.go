package looptest

import (
	"net/netip"
	"syscall"
)

// A DatagramPort is a server of datagrams outside.
type DatagramPort struct {
	k       *Kernel
	at      netip.AddrPort
	letters []letter
}

// A letter is a datagram and who sent it.
type letter struct {
	from netip.AddrPort
	data []byte
}

// ListenDatagram opens a DatagramPort. Only one may be at an address.
func (k *Kernel) ListenDatagram(at netip.AddrPort) *DatagramPort {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.datagram[at] != nil {
		k.tb.Fatalf("two servers receive datagrams on %v", at)
	}
	p := &DatagramPort{k: k, at: at}
	k.datagram[at] = p
	return p
}

// Receive returns the next datagram that the loop sent, if there is one.
func (p *DatagramPort) Receive() (from netip.AddrPort, data []byte, ok bool) {
	p.k.mu.Lock()
	defer p.k.mu.Unlock()
	if len(p.letters) == 0 {
		return from, nil, false
	}
	l := p.letters[0]
	p.letters = p.letters[1:]
	return l.from, l.data, true
}

// Send sends a datagram to a socket of the loop. As with a real connected socket, it is
// lost if that socket is closed or was not dialled to this port.
func (p *DatagramPort) Send(to netip.AddrPort, data []byte) {
	p.k.mu.Lock()
	defer p.k.mu.Unlock()
	for _, d := range p.k.open {
		if d != nil && d.datagram && d.local == to && d.remote == p.at {
			d.letters = append(d.letters, append([]byte(nil), data...))
			d.poke()
		}
	}
}

// Close closes the port: datagrams to it are refused.
func (p *DatagramPort) Close() {
	p.k.mu.Lock()
	defer p.k.mu.Unlock()
	delete(p.k.datagram, p.at)
}

// post delivers a datagram of the loop. If nobody is there, the sender's next call learns
// it: the answer is an ICMP message.
func (k *Kernel) post(d *descriptor, p []byte) error {
	port, w := k.datagram[d.remote], k.weather[d.remote]
	switch {
	case w == swallowed:
	case w == refused || port == nil:
		d.err = syscall.ECONNREFUSED
		d.poke()
	default:
		port.letters = append(port.letters, letter{d.local, append([]byte(nil), p...)})
	}
	return nil
}
