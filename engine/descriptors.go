package engine

import (
	"time"
)

// starvedDelay is how long a request waits before it tries again to get a descriptor.
const starvedDelay = 50 * time.Millisecond

// descriptorWarnEvery is how often it is logged that descriptors run out.
const descriptorWarnEvery = 15 * time.Second

// acceptLimit is how many descriptors a worker may watch and still accept clients; 0: any number. What is
// beyond, a quarter of what helpers do not need, is for serving those that were accepted, and for a
// reconfiguration.
func acceptLimit(c *Config, worker, workers int) int {
	if c.Descriptors == 0 {
		return 0
	}
	share := c.Descriptors / workers
	connections := share
	if c.Helper != nil {
		connections -= 2 * c.Helper.Share(worker, workers).Children
	}
	return max(share-max(connections, 0)/4, 1)
}

// nearDescriptorLimit says whether so many descriptors are in use that no client may be accepted.
// Connections that nobody uses are the first to go.
func (w *worker) nearDescriptorLimit() bool {
	if w.acceptLimit == 0 || w.loop.Watched() < w.acceptLimit {
		return false
	}
	w.idle.close()
	if w.loop.Watched() < w.acceptLimit {
		return false
	}
	if _, ok := w.descriptorWarnings.Allow(w.loop.Now(), descriptorWarnEvery); ok {
		w.log.Warn("running out of descriptors: clients wait to be accepted until others leave; see max_filedescriptors",
			"clients", w.open, "of the worker's descriptors in use", w.loop.Watched())
	}
	return true
}
