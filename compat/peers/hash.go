package peers

import (
	"bytes"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"exaproxy/engine"
	"exaproxy/engine/h1"
)

// A ring chooses among peers by the hash of a text, each as often as its weight says, and so that few texts change their
// peer when one comes or goes: the Cache Array Routing Protocol (draft-vinod-carp-v1-03), with Squid's arithmetic, so that
// proxies of both kinds choose the same.
type ring []spoke

// A spoke is one peer of a ring.
type spoke struct {
	place int // of the peer in the settings
	hash  uint32
	share float64 // load factor
	scale float64 // load multiplier
}

// newRing makes the ring of those peers that are in it.
func newRing(peers []*peer, in func(*peer) bool) ring {
	var r ring
	total := 0
	for i, p := range peers {
		if in(p) && p.kind == parent {
			total += p.weight
			r = append(r, spoke{place: i, hash: hashOfPeer(p.name)})
		}
	}
	for i := range r {
		r[i].share = float64(peers[r[i].place].weight) / float64(total)
		if math.Floor(r[i].share*1000) == 0 {
			r[i].share = 0
		}
	}
	slices.SortStableFunc(r, func(a, b spoke) int { return peers[a.place].weight - peers[b.place].weight })
	r.setScales()
	return r
}

// setScales finds the multipliers with which each spoke wins as often as its share is (section 3.3 of the draft).
func (r ring) setScales() {
	product, before, last := 1.0, 0.0, 0.0
	for i := range r {
		rest := float64(len(r) - i)
		x := rest * (r[i].share - before) / product
		x += math.Pow(last, rest)
		x = math.Pow(x, 1/rest)
		product *= x
		last, before = x, r[i].share
		r[i].scale = x
	}
}

const carpFactor = 0x62531965

func hashOfPeer(name string) uint32 {
	h := hashOf(0, []byte(name))
	h += h * carpFactor
	return bits.RotateLeft32(h, 21)
}

// hashOf goes on with a hash. Bytes are signed, as they are for Squid.
func hashOf(h uint32, text []byte) uint32 {
	for _, c := range text {
		h += bits.RotateLeft32(h, 19) + uint32(int8(c))
	}
	return h
}

// choose returns the place of the usable peer that a request goes to, or -1. hash is asked for each spoke in turn.
func (r ring) choose(hash func(place int) uint32, usable func(place int) bool) int {
	best, most := -1, 0.0
	for _, s := range r {
		h := hash(s.place) ^ s.hash
		h += h * carpFactor
		h = bits.RotateLeft32(h, 21)
		if score := float64(h) * s.scale; score > most && usable(s.place) {
			best, most = s.place, score
		}
	}
	return best
}

// key is of which parts of a URL the hash of CARP is made (carp-key=); the zero key is all of it.
type key struct{ scheme, host, port, path, params bool }

// carpKey takes carp-key=.
func (o *reader) carpKey(value string) error {
	k := &o.peer.key
	parts := map[string]*bool{"scheme": &k.scheme, "host": &k.host, "port": &k.port, "path": &k.path, "params": &k.params}
	o.keyed = true
	for part := range strings.SplitSeq(value, ",") {
		if parts[part] == nil {
			return o.fatal("invalid carp-key '%s'", part)
		}
		*parts[part] = true
	}
	return nil
}

// append appends the parts of a target that the key names, or all of its URL if that is nothing.
func (k key) append(dst []byte, t *h1.Target) []byte {
	before := len(dst)
	path, params, asks := bytes.Cut(t.Path, []byte("?"))
	if k.scheme && t.Scheme != "" {
		dst = append(append(dst, t.Scheme...), "://"...)
	}
	if k.host {
		dst = append(dst, t.Host...)
	}
	if k.port {
		dst = strconv.AppendUint(append(dst, ':'), uint64(t.Port), 10)
	}
	if k.path {
		dst = append(dst, path...)
	}
	if k.params && asks {
		dst = append(append(dst, '?'), params...)
	}
	if len(dst) == before {
		dst = t.AppendURL(dst)
	}
	return dst
}

// hashes are the rings of one worker, and memory for what is hashed.
type hashes struct {
	carp, user, source ring
	text               []byte
}

func newHashes(peers []*peer) hashes {
	return hashes{
		carp:   newRing(peers, func(p *peer) bool { return p.carp }),
		user:   newRing(peers, func(p *peer) bool { return p.userHash }),
		source: newRing(peers, func(p *peer) bool { return p.sourceHash }),
	}
}

// bySource is the place of the peer for the client's address, or -1.
func (h *hashes) bySource(r *engine.Request, usable func(int) bool) int {
	if len(h.source) == 0 {
		return -1
	}
	h.text = r.Client.Addr().Unmap().AppendTo(h.text[:0])
	return h.source.choose(always32(hashOf(0, h.text)), usable)
}

// byUser is the place of the peer for who the client has proved to be, or -1.
func (h *hashes) byUser(r *engine.Request, usable func(int) bool) int {
	if len(h.user) == 0 || r.User == "" {
		return -1
	}
	h.text = append(h.text[:0], r.User...)
	return h.user.choose(always32(hashOf(0, h.text)), usable)
}

func always32(hash uint32) func(int) uint32 { return func(int) uint32 { return hash } }

// byURL is the place of the peer for what is asked for, or -1. As in Squid the hash is not begun anew for each peer.
func (h *hashes) byURL(r *engine.Request, peers []*peer, usable func(int) bool) int {
	var hash uint32
	return h.carp.choose(func(place int) uint32 {
		h.text = peers[place].key.append(h.text[:0], r.Effective())
		hash = hashOf(hash, h.text)
		return hash
	}, usable)
}
