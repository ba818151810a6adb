package loop_test

import (
	"testing"

	"exaproxy/engine/loop"
)

func TestFreeListReturnsWhatWasPutIn(t *testing.T) {
	list := loop.FreeList[int]{Most: 1}
	first, second := list.Get(), list.Get()
	*first = 7
	if !list.Put(first) {
		t.Error("an object was not kept although there was room")
	}
	if list.Put(second) {
		t.Error("more objects were kept than Most allows")
	}
	if got := list.Get(); got != first || *got != 7 {
		t.Error("the object that was put in does not come out as it was")
	}
	if got := list.Get(); got == second || *got != 0 {
		t.Error("an empty list does not give a new zero object")
	}
}
