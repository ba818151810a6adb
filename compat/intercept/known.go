package intercept

import (
	"hash/maphash"
	"net/netip"
	"time"
)

// known are names of which was found, a moment ago, that they lead to an address: so most requests need no lookup. It is
// bounded: a name may push out another.
type known struct {
	seed    maphash.Seed
	entries []pair // nil until the first
}

// A pair is a name that leads to an address.
type pair struct {
	host  string
	addr  netip.Addr
	until time.Time
}

const (
	mostKnown = 1024        // a power of two
	longKnown = time.Minute // at most; the answer may be good for less
)

// place is where a name stands, if it does.
func (k *known) place(host []byte) *pair {
	if k.entries == nil {
		k.seed, k.entries = maphash.MakeSeed(), make([]pair, mostKnown)
	}
	return &k.entries[maphash.Bytes(k.seed, host)%mostKnown]
}

// leads says whether a name is known to lead to an address.
func (k *known) leads(host []byte, to netip.Addr, now time.Time) bool {
	p := k.place(host)
	return p.addr == to && p.host == string(host) && now.Before(p.until)
}

// learn keeps that a name leads to an address. ttl is how long that is good for, negative if for ever.
func (k *known) learn(host []byte, to netip.Addr, now time.Time, ttl time.Duration) {
	if ttl < 0 || ttl > longKnown {
		ttl = longKnown
	}
	*k.place(host) = pair{string(host), to, now.Add(ttl)}
}
