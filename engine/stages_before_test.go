package engine

import "net/netip"

// stageBefore says which stage comes before each.
var stageBefore = map[stage]stage{
	reading: greeting, admitting: reading, asking: admitting, interpreting: asking, routing: interpreting,
	resolving: routing, connecting: resolving, piercing: connecting, sending: connecting, relaying: sending, tunnelling: connecting,
	bumping: interpreting, establishing: interpreting, hearing: establishing, securing: establishing, answering: interpreting,
}

// page is what is answered where a test says nothing else.
var page = LocalReply{Status: 403, Fields: []byte("Content-Length: 3\r\n"), Body: []byte("no\n"), Page: "ERR_TEST"}

// bring puts the transaction at a stage, by way of those before it.
func (p *played) bring(at stage) {
	p.t.Helper()
	if at == greeting {
		return
	}
	before := stageBefore[at]
	p.bring(before)
	p.leave(before, at)
	p.enter(at)
}

// leave does what a stage has done when all has gone well with it and another follows.
func (p *played) leave(from, to stage) {
	p.t.Helper()
	switch from {
	case greeting:
		p.wants(p.greet(), reading)
	case reading:
		p.wants(p.read(), admitting)
	case interpreting:
		if to == bumping {
			p.wants(p.interpret(), bumping)
			return
		}
		p.setReply(page)
		p.next, p.inTunnel = hearing, to == establishing
		if p.client.connection.Port.Certificate != nil {
			p.next = securing
		}
	case routing:
		p.routed()
	case resolving:
		addrs := p.hop.Addrs
		if addrs == nil {
			addrs = []netip.Addr{serverAddr.Addr()}
		}
		p.dial(addrs...)
	case connecting:
		p.connected(to)
	case sending:
		p.wants(p.send(), sending)
		p.wants(p.send(), relaying)
		p.server.Read()
	case establishing:
		p.wants(p.establish(), p.next)
		p.browser.Read()
	}
}

// routed is what routing leaves.
func (p *played) routed() {
	p.hop = Direct(p.request)
	p.hop.Port = serverAddr.Port()
	if p.given.hop != nil {
		p.given.hop(&p.hop)
	}
	p.record.Forwarded, p.record.Hierarchy = true, p.hop.Hierarchy
}

// connected is what connecting leaves.
func (p *played) connected(next stage) {
	p.t.Helper()
	p.wants(p.connect(), connecting)
	p.turn()
	p.wants(p.connect(), next)
	p.server = p.port.Accept()
	if p.given.saved {
		p.upstream.used, p.record.Reused = 2, true
	}
}

// kept puts a connection to a hop among the idle ones, as if it had served before.
func (p *played) idleTo(h Hop) *upstream {
	p.t.Helper()
	fd, err := p.worker.loop.Dial(dialSpec(serverAddr), nil)
	if err != nil {
		p.t.Fatal(err)
	}
	p.turn()
	if done, err := fd.Connected(); !done || err != nil {
		p.t.Fatal("the idle connection is not connected: ", err)
	}
	p.server = p.port.Accept()
	u := p.worker.idle.opened(fd, fd, &h, serverAddr)
	u.used = 1
	// Nothing is readable there: a server that has said nothing.
	fd.Read(make([]byte, 1))
	p.worker.idle.put(u)
	return u
}

// goes plays on through stages. What one waits for comes when the loop turns, if it comes at all.
func (p *played) goes(stages ...stage) {
	p.t.Helper()
	for _, want := range stages {
		next := p.play()
		if next == p.stage {
			p.turn()
			next = p.play()
		}
		p.wants(next, want)
		p.enter(want)
	}
}
