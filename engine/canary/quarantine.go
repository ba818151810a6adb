//go:build canary

package canary

import "sync"

// recent is the memory that was given back last. Nobody may write to it; who does so is found when it
// leaves, to be collected.
var recent struct {
	sync.Mutex
	ring [quarantined]held
	next int
}

// quarantine keeps memory that was given back, and looks at what has been there for longest.
func quarantine(h held) {
	recent.Lock()
	oldest := recent.ring[recent.next]
	recent.ring[recent.next] = h
	recent.next = (recent.next + 1) % quarantined
	recent.Unlock()
	if !marked(oldest.b, oldest.pool, oldest.owner) {
		Misused(name(oldest.pool, oldest.owner) + " was written to after it was given back")
	}
}
