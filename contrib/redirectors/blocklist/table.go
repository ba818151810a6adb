package main

import (
	"errors"
	"hash/maphash"
	"math/bits"
)

// maxCategories is how many categories may be in use at once.
const maxCategories = 256

// A set is a set of categories, by their numbers.
type set [maxCategories / 64]uint64

func (s set) has(category int) bool { return s[category/64]>>(category%64)&1 != 0 }

func (s set) with(category int) set {
	s[category/64] |= 1 << (category % 64)
	return s
}

func (s *set) add(other set) {
	for i := range s {
		s[i] |= other[i]
	}
}

// A table maps names to the sets of categories that have them, in 11 bytes a name: it keeps 48
// bits of each name's hash, and the number of its set in the other 16. A name that is not in it is
// taken for one that is about once in 2^45 lookups, and nobody can look for such names from
// outside: the seed is another in each process.
type table struct {
	slots   []uint64 // the hash's lower 48 bits, then the number of the set, which is never 0
	used    int
	seed    maphash.Seed
	sets    []set
	numbers map[set]uint16
}

const (
	setBits = 16
	setMask = 1<<setBits - 1
)

var (
	errFull = errors.New("the lists became longer while they were read")
	errSets = errors.New("the categories overlap in more than 65534 ways")
)

// newTable makes a table for so many names. It does not grow.
func newTable(names int) *table {
	return &table{
		slots:   make([]uint64, names+names/3+16),
		seed:    maphash.MakeSeed(),
		sets:    make([]set, 1),
		numbers: map[set]uint16{},
	}
}

// find returns the slot of a name, or the empty one where it would be.
func (t *table) find(name []byte) (slot int, tag uint64) {
	h := maphash.Bytes(t.seed, name)
	high, _ := bits.Mul64(h, uint64(len(t.slots)))
	slot, tag = int(high), h<<setBits
	for t.slots[slot] != 0 && t.slots[slot]&^setMask != tag {
		if slot++; slot == len(t.slots) {
			slot = 0
		}
	}
	return slot, tag
}

// get returns the categories of a name.
func (t *table) get(name []byte) set {
	slot, _ := t.find(name)
	return t.sets[t.slots[slot]&setMask] // that of number 0 is empty
}

// put adds a name to a category.
func (t *table) put(name []byte, category int) error {
	slot, tag := t.find(name)
	had := t.slots[slot] & setMask
	if had == 0 {
		if t.used+1+len(t.slots)/16 > len(t.slots) { // a full one would be searched for ever
			return errFull
		}
		t.used++
	}
	number, err := t.number(t.sets[had].with(category))
	t.slots[slot] = tag | uint64(number)
	return err
}

func (t *table) number(s set) (uint16, error) {
	n, ok := t.numbers[s]
	if !ok {
		if len(t.sets) > setMask {
			return setMask, errSets
		}
		n = uint16(len(t.sets))
		t.sets = append(t.sets, s)
		t.numbers[s] = n
	}
	return n, nil
}
