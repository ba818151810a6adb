package loop

import (
	"fmt"
	"slices"

	"exaproxy/engine/canary"
)

// A FreeList keeps objects that one goroutine uses again and again, so that lending one costs no
// allocation. At most Most are kept, so that the memory of a rush returns to the collector. The zero
// FreeList keeps none.
//
// What was put in comes out as it was: whoever puts an object in resets it.
type FreeList[T any] struct {
	Most  int // objects kept
	free  []*T
	least int // how many lay there at any time since the last Trim
}

// Get returns an object that was put in before, or a new zero one.
func (f *FreeList[T]) Get() *T {
	last := len(f.free) - 1
	if last < 0 {
		return new(T)
	}
	t := f.free[last]
	f.free[last] = nil
	f.free = f.free[:last]
	f.least = min(f.least, last)
	return t
}

// Put keeps an object for a later Get, and reports whether it did.
func (f *FreeList[T]) Put(t *T) bool {
	if canary.On && slices.Contains(f.free, t) {
		canary.Misused(fmt.Sprintf("a %T was given back twice", t))
	}
	if len(f.free) >= f.Most {
		return false
	}
	f.free = append(f.free, t)
	return true
}

// Trim lets go of the objects that nobody has needed since the last Trim, and returns them, for what else refers to
// them.
func (f *FreeList[T]) Trim() (unneeded []*T) {
	unneeded = slices.Clone(f.free[:f.least])
	kept := copy(f.free, f.free[f.least:])
	clear(f.free[kept:])
	f.free = f.free[:kept]
	f.least = kept
	return unneeded
}
