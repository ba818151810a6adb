// Package lru remembers what was used last: a map of which the entries that were not used for longest go first. It knows
// no clock, takes no lock, and belongs to the goroutine that uses it.
package lru

import "iter"

// A Cache holds values by their keys. The zero Cache holds nothing: Most is to be set.
type Cache[K comparable, V any] struct {
	// Most is how many values are held. It is not changed.
	Most int

	byKey          map[K]*entry[K, V]
	newest, oldest *entry[K, V] // by their last use
}

type entry[K comparable, V any] struct {
	key          K
	value        V
	newer, older *entry[K, V]
}

// Get returns a value, which is used by that.
func (c *Cache[K, V]) Get(k K) (v V, ok bool) {
	e := c.byKey[k]
	if e == nil {
		return v, false
	}
	if c.newest != e {
		c.unlink(e)
		c.push(e)
	}
	return e.value, true
}

// Put holds a value in the place of the last one of its key, and lets go of the one that was not used for longest if
// there are too many.
func (c *Cache[K, V]) Put(k K, v V) {
	if c.byKey == nil {
		c.byKey = make(map[K]*entry[K, V])
	}
	c.Delete(k)
	e := &entry[K, V]{key: k, value: v}
	c.byKey[k] = e
	c.push(e)
	for len(c.byKey) > c.Most {
		c.Delete(c.oldest.key)
	}
}

// Delete lets go of a value, if there is one.
func (c *Cache[K, V]) Delete(k K) {
	if e := c.byKey[k]; e != nil {
		c.unlink(e)
		delete(c.byKey, k)
	}
}

// Len is how many values are held.
func (c *Cache[K, V]) Len() int { return len(c.byKey) }

// Values are all that are held, the one that was used last first. The Cache may not change meanwhile.
func (c *Cache[K, V]) Values() iter.Seq[V] {
	return func(yield func(V) bool) {
		for e := c.newest; e != nil && yield(e.value); e = e.older {
		}
	}
}

func (c *Cache[K, V]) push(e *entry[K, V]) {
	e.older, e.newer = c.newest, nil
	if c.newest != nil {
		c.newest.newer = e
	}
	c.newest = e
	if c.oldest == nil {
		c.oldest = e
	}
}

func (c *Cache[K, V]) unlink(e *entry[K, V]) {
	if e.older != nil {
		e.older.newer = e.newer
	} else {
		c.oldest = e.newer
	}
	if e.newer != nil {
		e.newer.older = e.older
	} else {
		c.newest = e.older
	}
}
