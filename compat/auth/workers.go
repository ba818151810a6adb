package auth

import (
	"slices"
	"sync/atomic"

	"exaproxy/engine/loop"
)

// A worker is something of which each worker that follows a configuration has one.
type worker interface {
	comparable
	mailbox() *loop.Loop
}

// workers are those of all workers. No request takes a lock for them: what one has to tell the others is posted to their
// loops. The zero value has none.
type workers[T worker] struct{ all atomic.Pointer[[]T] }

// join adds one, which is told what the others tell from then on.
func (c *workers[T]) join(one T) { c.change(func(all []T) []T { return append(all, one) }) }

// leave removes one.
func (c *workers[T]) leave(one T) {
	c.change(func(all []T) []T { return slices.DeleteFunc(all, func(other T) bool { return other == one }) })
}

// change replaces the list, which nobody changes once it is there.
func (c *workers[T]) change(by func([]T) []T) {
	for {
		old := c.all.Load()
		var copied []T
		if old != nil {
			copied = slices.Clone(*old)
		}
		if copied = by(copied); c.all.CompareAndSwap(old, &copied) {
			return
		}
	}
}

// tell has all but one do something, each on its own goroutine.
func (c *workers[T]) tell(from T, do func(T)) {
	if all := c.all.Load(); all != nil {
		for _, other := range *all {
			if other != from {
				other.mailbox().Post(func() { do(other) })
			}
		}
	}
}
