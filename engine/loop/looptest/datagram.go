package looptest

import (
	"net/netip"
	"syscall"
)

// A DatagramPort is a server outside that receives and sends datagrams.
type DatagramPort struct {
	k        *Kernel
	at       netip.AddrPort
	received []datagram
}

type datagram struct {
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
	if len(p.received) == 0 {
		return from, nil, false
	}
	d := p.received[0]
	p.received = p.received[1:]
	return d.from, d.data, true
}

// Send sends a datagram to a socket of the loop. As with a real connected socket, it is
// lost if that socket is closed or was not dialled to this port.
func (p *DatagramPort) Send(to netip.AddrPort, data []byte) {
	p.k.mu.Lock()
	defer p.k.mu.Unlock()
	for _, d := range p.k.open {
		if d != nil && d.datagram && d.local == to && d.remote == p.at {
			d.received = append(d.received, append([]byte(nil), data...))
			d.markReady()
		}
	}
}

// Close closes the port: datagrams to it are refused.
func (p *DatagramPort) Close() {
	p.k.mu.Lock()
	defer p.k.mu.Unlock()
	delete(p.k.datagram, p.at)
}

// send delivers a datagram of the loop. If there is no DatagramPort, the sender's next call
// fails: the reply is an ICMP message.
func (k *Kernel) send(d *descriptor, p []byte) error {
	port, c := k.datagram[d.remote], k.addresses[d.remote]
	switch {
	case c == blackholed:
	case c == refused || port == nil:
		d.err = syscall.ECONNREFUSED
		d.markReady()
	default:
		port.received = append(port.received, datagram{d.local, append([]byte(nil), p...)})
	}
	return nil
}
