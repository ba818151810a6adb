package engine

import (
	"errors"
	"syscall"
	"time"
)

// starvedDelay is how long a request waits before it tries again to get a descriptor.
const starvedDelay = 50 * time.Millisecond

// crowdedEvery is how often it is logged that descriptors run out.
const crowdedEvery = 15 * time.Second

// roomFor is how many descriptors a worker may watch and still accept clients; 0: any number. What is
// beyond, a quarter of what helpers do not need, is for serving those that were accepted, and for a
// reconfiguration.
func roomFor(c *Config, worker, workers int) int {
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

// crowded says whether so many descriptors are in use that no client may be accepted. Connections that
// nobody uses are the first to go.
func (w *worker) crowded() bool {
	if w.room == 0 || w.loop.Watched() < w.room {
		return false
	}
	w.idle.close()
	if w.loop.Watched() < w.room {
		return false
	}
	if now := w.loop.Now(); w.crowdedSaid.IsZero() || now.Sub(w.crowdedSaid) >= crowdedEvery {
		w.crowdedSaid = now
		w.log.Warn("running out of descriptors: clients wait to be accepted until others leave; see max_filedescriptors",
			"clients", w.open, "of the worker's descriptors in use", w.loop.Watched())
	}
	return true
}

// starved reports whether an error is that there is no descriptor.
func starved(err error) bool { return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) }
