package helper

import "math/bits"

// channels are the questions that a child has in flight, by channel number. Numbers run from 0
// and the lowest free one is used next, which is what the documentation of every version of
// the protocol promises to helpers: they may index an array with it.
type channels struct {
	held []*Question
	busy []uint64 // a bit for each channel
	n    int      // how many are busy
}

// assign puts the question on the lowest free channel.
func (c *channels) assign(q *Question) (channel int) {
	channel = c.lowest()
	if channel == len(c.held) {
		c.held = append(c.held, nil)
	}
	c.held[channel] = q
	c.busy[channel/64] |= 1 << (channel % 64)
	c.n++
	return channel
}

// lowest returns the lowest free channel.
func (c *channels) lowest() int {
	for i, word := range c.busy {
		if word != ^uint64(0) {
			return i*64 + bits.TrailingZeros64(^word)
		}
	}
	c.busy = append(c.busy, 0)
	return (len(c.busy) - 1) * 64
}

// at returns the question on a channel; nil if there is none.
func (c *channels) at(channel int) *Question {
	if channel < 0 || channel >= len(c.held) {
		return nil
	}
	return c.held[channel]
}

// release frees a channel.
func (c *channels) release(channel int) {
	c.held[channel] = nil
	c.busy[channel/64] &^= 1 << (channel % 64)
	c.n--
}

// oldest returns the question that was asked first; nil if there is none.
func (c *channels) oldest() (first *Question) {
	for _, q := range c.held {
		if q != nil && (first == nil || q.serial < first.serial) {
			first = q
		}
	}
	return first
}

// empty frees all channels and returns what was on them.
func (c *channels) empty() (all []*Question) {
	for _, q := range c.held {
		if q != nil {
			all = append(all, q)
		}
	}
	*c = channels{}
	return all
}
