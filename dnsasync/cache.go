package dnsasync

import (
	"net/netip"
	"time"
)

// A key is what an entry or a question is about.
type key struct {
	name   string     // whose addresses are wanted, canonical
	rooted bool       // it is not to be searched for
	addr   netip.Addr // whose names are wanted; invalid if it is about a name
}

// String is what is looked up, for errors.
func (k key) String() string {
	if k.addr.IsValid() {
		return k.addr.String()
	}
	return k.name
}

// An entry is what was found for a key. It does not change once a Lookup has it; new
// findings are a new entry.
type entry struct {
	key     key
	addrs   []netip.Addr
	names   []string
	err     *Error    // nil: found
	expires time.Time // zero: never
	partial bool      // the other family was still asked for
	used    time.Time // last

	newer, older *entry // in the order of use
	hit          Lookup // for all who find the entry in the cache
}

// A cache keeps entries until they expire or more recently used ones need the room. It may be several resolvers'.
type cache struct {
	limit  int
	byKey  map[key]*entry
	newest *entry
	oldest *entry
}

func newCache(limit int) *cache { return &cache{limit: limit, byKey: map[key]*entry{}} }

// fresh returns e, an entry of byKey or nil, if it is still good, and makes it the newest.
// The caller looks it up: a key made of bytes costs no memory in an index expression.
func (c *cache) fresh(e *entry, now time.Time) *entry {
	if e == nil {
		return nil
	}
	if !now.Before(e.expires) {
		c.remove(e)
		return nil
	}
	e.used = now
	if e != c.newest {
		c.unlink(e)
		c.link(e)
	}
	return e
}

// put adds an entry in place of the one with the same key.
func (c *cache) put(e *entry) {
	if c.limit == 0 {
		return
	}
	if old := c.byKey[e.key]; old != nil {
		c.remove(old)
	} else if len(c.byKey) == c.limit {
		c.remove(c.oldest)
	}
	c.byKey[e.key] = e
	c.link(e)
}

func (c *cache) remove(e *entry) {
	delete(c.byKey, e.key)
	c.unlink(e)
}

func (c *cache) link(e *entry) {
	e.older = c.newest
	if c.newest != nil {
		c.newest.newer = e
	} else {
		c.oldest = e
	}
	c.newest = e
}

func (c *cache) unlink(e *entry) {
	if e.newer != nil {
		e.newer.older = e.older
	} else {
		c.newest = e.older
	}
	if e.older != nil {
		e.older.newer = e.newer
	} else {
		c.oldest = e.newer
	}
	e.newer, e.older = nil, nil
}

// newEntry returns an entry that expires after ttl.
func (r *Resolver) newEntry(k key, ttl time.Duration) *entry {
	now := r.loop.Now()
	e := &entry{key: k, expires: now.Add(ttl), used: now}
	e.hit = Lookup{loop: r.loop, entry: e, cached: true}
	return e
}
