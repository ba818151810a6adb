package engine

import "cmp"

// Packets are what the packets of a connection bear: a type of service and a mark (SO_MARK). 0: as before.
type Packets struct{ TOS, Mark int }

// ReplyPackets are what packets to a client bear from the reply to its request on, a next hop's or one of ours, whatever they
// have borne before (qos_flows). Tunnels bear what they have borne.
type ReplyPackets struct {
	TOS, Mark int // -1: as before
	// Kept are the bits of the mark that the packet filter keeps with the connection to the next hop which packets that
	// relay its reply bear besides Mark. If there are any, it costs a question to the kernel for each reply.
	Kept uint32
}

// bear has packets to the client bear what the policy says of its request.
func (c *client) bear(p Packets) {
	was := c.connection.Packets
	c.mark(Packets{cmp.Or(p.TOS, was.TOS), cmp.Or(p.Mark, was.Mark)})
}

// bearReply has packets to the client bear what replies bear. from is whose reply it is; nil: it is one of ours.
func (c *client) bearReply(r *ReplyPackets, from *upstream) {
	p := c.connection.Packets
	if r.TOS >= 0 {
		p.TOS = r.TOS
	}
	if r.Mark >= 0 {
		p.Mark = r.Mark
		if r.Kept != 0 && from != nil {
			p.Mark |= int(c.markOf(from) & r.Kept)
		}
	}
	c.mark(p)
}

// mark has packets to the client bear something, 0 too.
func (c *client) mark(p Packets) {
	was := c.connection.Packets
	if p == was {
		return
	}
	c.connection.Packets = p
	if err := c.fd.Bear(changed(was.TOS, p.TOS), changed(was.Mark, p.Mark)); err != nil {
		c.worker.log.Error("packets to clients cannot be marked as the configuration says", "client", c.connection.Client.String(), "error", err)
	}
}

// changed is what FD.Bear is told of a value.
func changed(was, is int) int {
	if was == is {
		return -1
	}
	return is
}
