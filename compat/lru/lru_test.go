package lru

import (
	"slices"
	"testing"
)

// known are the keys that are held, which looking does not use.
func known(c *Cache[string, int]) (keys []string) {
	for e := c.newest; e != nil; e = e.older {
		keys = append(keys, e.key)
	}
	if len(keys) != c.Len() {
		return append(keys, "and others")
	}
	return keys
}

func TestWhatWasUsedLastIsHeld(t *testing.T) {
	c := Cache[string, int]{Most: 3}
	for i, k := range []string{"a", "b", "c"} {
		c.Put(k, i)
	}
	c.Get("a")
	c.Put("d", 3)
	if got, want := known(&c), []string{"d", "a", "c"}; !slices.Equal(got, want) {
		t.Errorf("it holds %v, want %v", got, want)
	}
	if _, ok := c.Get("b"); ok {
		t.Error("it holds b still")
	}
	c.Put("c", 7)
	if v, ok := c.Get("c"); v != 7 || !ok || c.Len() != 3 {
		t.Errorf("c is %d, %v, among %d", v, ok, c.Len())
	}
	c.Delete("c")
	c.Delete("nobody")
	if got, want := known(&c), []string{"d", "a"}; !slices.Equal(got, want) {
		t.Errorf("it holds %v, want %v", got, want)
	}
}

func TestNothingIsHeld(t *testing.T) {
	c := Cache[string, int]{}
	c.Put("a", 1)
	if _, ok := c.Get("a"); ok || c.Len() != 0 {
		t.Errorf("it holds %v", known(&c))
	}
}
