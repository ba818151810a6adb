package engine

import (
	"time"
)

// starvedDelay is how long a request waits before it tries again to get a descriptor.
const starvedDelay = 50 * time.Millisecond

// descriptorWarnEvery is how often it is logged that descriptors run out.
const descriptorWarnEvery = 15 * time.Second

// A helper child takes five descriptors: its three pipes, one by which it is waited for, one for the process. The
// loop watches two of them. While it is started it takes five more: its ends of the pipes, and a pipe that tells
// how the start went.
const (
	childDescriptors    = 5
	startingDescriptors = 10
	watchedOfChild      = 2
)

// descriptorLimits are how many descriptors a worker may watch and still do what needs one more; 0: any number.
type descriptorLimits struct {
	accept  int // a client
	connect int // to a next hop
}

// newDescriptorLimits divides a worker's descriptors. Helpers need theirs, and those of new ones that are started
// while they finish; a sixteenth is for logs and the like. What is left is for connections, and a quarter of that
// for serving the clients who were accepted. Where helpers would take more than half, nothing is sure.
func newDescriptorLimits(c *Config, worker, workers int) descriptorLimits {
	if c.Descriptors == 0 {
		return descriptorLimits{}
	}
	children := c.children(worker, workers)
	share := c.Descriptors / workers
	connections := max(share-share/16-(childDescriptors+startingDescriptors)*children, share/2)
	connect := max(connections+watchedOfChild*children, 1)
	return descriptorLimits{accept: max(connect-connections/4, 1), connect: connect}
}

// children is how many helper processes one worker may have.
func (c *Config) children(worker, workers int) (n int) {
	if c.Helper != nil {
		n = c.Helper.Share(worker, workers).Children
	}
	for i := range c.PolicyHelpers {
		n += c.PolicyHelpers[i].Share(worker, workers).Children
	}
	return n
}

// hasRoom says whether fewer than limit descriptors are watched. Connections that nobody uses are the first to go.
func (w *worker) hasRoom(limit int) bool {
	if limit == 0 || w.loop.Watched() < limit {
		return true
	}
	w.idle.close()
	return w.loop.Watched() < limit
}

// mayConnect says whether there may be one more connection to a next hop: helpers are to have descriptors too.
func (w *worker) mayConnect() bool { return w.hasRoom(w.limits.connect) }

// nearDescriptorLimit says whether so many descriptors are in use that no client may be accepted.
func (w *worker) nearDescriptorLimit() bool {
	if w.hasRoom(w.limits.accept) {
		return false
	}
	if _, ok := w.descriptorWarnings.Allow(w.loop.Now(), descriptorWarnEvery); ok {
		w.log.Warn("running out of descriptors: clients wait to be accepted until others leave; see max_filedescriptors",
			"clients", w.open, "of the worker's descriptors in use", w.loop.Watched())
	}
	return true
}
