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

func TestFreeListTrimsWhatNobodyNeeds(t *testing.T) {
	list := loop.FreeList[int]{Most: 4}
	for range 4 {
		list.Put(new(int))
	}
	list.Trim() // all have just come
	needed := []*int{list.Get(), list.Get(), list.Get()}
	for _, n := range needed {
		list.Put(n)
	}
	list.Trim()
	for range needed {
		if got := list.Get(); got != needed[0] && got != needed[1] && got != needed[2] {
			t.Error("an object that was needed was let go")
		}
	}
	*needed[0], *needed[1], *needed[2] = 1, 1, 1
	if *list.Get() != 0 {
		t.Error("an object was given twice")
	}
	if list.Put(new(int)); *list.Get() != 0 {
		t.Error("the list is of no use any more")
	}
}

func TestFreeListKeepsNothingOfARush(t *testing.T) {
	list := loop.FreeList[int]{Most: 4}
	rush := []*int{list.Get(), list.Get(), list.Get(), list.Get()}
	for i, n := range rush {
		*n = i + 1
		list.Put(n)
	}
	list.Trim()
	list.Trim()
	if *list.Get() != 0 {
		t.Error("an object that nobody has needed for two trims is still there")
	}
}
