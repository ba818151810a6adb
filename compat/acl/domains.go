package acl

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
)

// domains is a set of domain names, each meant alone, or with all below it, or both.
//
// The names lie one after another in text; slots is a hash table with open addressing. A name
// costs its length and about fifteen bytes. Looking up a host costs a probe for each of its
// labels, whatever the size of the set.
type domains struct {
	text  []byte   // for each name: its scope, its length in two bytes, the name in lower case
	slots []uint64 // place in text plus one in the upper half, hash in the lower half; 0 is free
	count int
}

// A scope says for which hosts a name in a set stands; a name may have both.
type scope uint8

const (
	exactly scope = 1 << iota // written x: for the host x
	below                     // written .x: for the host x and every host below it
)

const (
	nameHead    = 3 // bytes in text before a name
	longestName = math.MaxUint16
)

var errTooManyDomains = errors.New("hold the domains of an acl: more than 4 GiB of names")

// add adds a name as it is written in the configuration.
func (d *domains) add(written string) error {
	name, as := written, exactly
	if name != "" && name[0] == '.' {
		name, as = name[1:], below
	}
	if len(name) > longestName {
		return fmt.Errorf("take the domain %.40q...: longer than %d bytes", written, longestName)
	}
	hash := hashSeed
	for i := len(name) - 1; i >= 0; i-- {
		hash = hashStep(hash, lower(name[i]))
	}
	if at, ok := find(d, hash, name); ok {
		d.text[at] |= byte(as)
		return nil
	}
	return d.put(hash, name, as)
}

// put appends a name that the set does not have.
func (d *domains) put(hash uint64, name string, as scope) error {
	if len(d.text)+nameHead+len(name) >= math.MaxUint32 {
		return errTooManyDomains
	}
	d.grow(1)
	d.insert(uint64(len(d.text)+1)<<32 | slotHash(hash))
	d.text = append(d.text, byte(as), byte(len(name)>>8), byte(len(name)))
	for i := range len(name) {
		d.text = append(d.text, lower(name[i]))
	}
	d.count++
	return nil
}

// grow makes room in the table for n more names, so that a quarter of it stays free.
func (d *domains) grow(n int) {
	size := max(len(d.slots), 8)
	for (d.count+n)*4 > size*3 {
		size *= 2
	}
	if size == len(d.slots) {
		return
	}
	old := d.slots
	d.slots = make([]uint64, size)
	for _, slot := range old {
		if slot != 0 {
			d.insert(slot)
		}
	}
}

func (d *domains) insert(slot uint64) {
	mask := uint64(len(d.slots) - 1)
	i := slot & mask
	for d.slots[i] != 0 {
		i = (i + 1) & mask
	}
	d.slots[i] = slot
}

// match reports whether the set stands for host. A dot before or behind host is no label.
func (d *domains) match(host []byte) bool {
	for len(host) > 0 && host[0] == '.' {
		host = host[1:]
	}
	if len(host) == 0 || d.count == 0 {
		return false
	}
	hash := hashSeed
	for i := len(host) - 1; i >= 0; i-- {
		c := lower(host[i])
		if c == '.' && d.scopeOf(hash, host[i+1:])&below != 0 {
			return true
		}
		hash = hashStep(hash, c)
	}
	return d.scopeOf(hash, host) != 0
}

// scopeOf is for what name stands in the set; 0 if it is not there.
func (d *domains) scopeOf(hash uint64, name []byte) scope {
	at, ok := find(d, hash, name)
	if !ok {
		return 0
	}
	return scope(d.text[at])
}

// find is the place in text of name, whose hash is given.
func find[T string | []byte](d *domains, hash uint64, name T) (at int, ok bool) {
	if len(d.slots) == 0 {
		return 0, false
	}
	mask := uint64(len(d.slots) - 1)
	short := slotHash(hash)
	for i := short & mask; d.slots[i] != 0; i = (i + 1) & mask {
		if d.slots[i]&math.MaxUint32 != short {
			continue
		}
		at := int(d.slots[i]>>32) - 1
		if known, _ := d.at(at); equalFold(known, name) {
			return at, true
		}
	}
	return 0, false
}

// at is the name that lies at a place in text, and the place of the next.
func (d *domains) at(at int) (name []byte, next int) {
	n := int(binary.BigEndian.Uint16(d.text[at+1:]))
	next = at + nameHead + n
	return d.text[at+nameHead : next], next
}

// finish gives back memory that more names would have used, and warns, in Squid's words, of
// names that are not needed because others stand for them too.
func (d *domains) finish(acl string) []string {
	d.text = slices.Clip(d.text)
	if cap(d.text)-len(d.text) > len(d.text)/8 {
		d.text = append(make([]byte, 0, len(d.text)), d.text...)
	}
	warnings := limitedWarnings{summary: "WARNING: %d more domains of the ACL named '" + acl + "' are subdomains of others in it"}
	for at := 0; at < len(d.text); {
		name, next := d.at(at)
		if cover := d.cover(name, scope(d.text[at])); cover != "" {
			text := name
			if scope(d.text[at]) == below {
				text = d.dotted(at)
			}
			warnings.add(
				fmt.Sprintf("WARNING: '%s' is a subdomain of '%s'", text, cover),
				fmt.Sprintf("WARNING: You should remove '%s' from the ACL named '%s'", text, acl))
		}
		at = next
	}
	return warnings.lines()
}

// dotted is the name at a place in text as it was written, with its dot.
func (d *domains) dotted(at int) []byte {
	name, _ := d.at(at)
	return append([]byte{'.'}, name...)
}

// cover is what else in the set stands for name, as it was written; empty if nothing does.
func (d *domains) cover(name []byte, as scope) string {
	hash := hashSeed
	for i := len(name) - 1; i >= 0; i-- {
		if name[i] == '.' && d.scopeOf(hash, name[i+1:])&below != 0 {
			return "." + string(name[i+1:])
		}
		hash = hashStep(hash, name[i])
	}
	if as == exactly|below {
		return "." + string(name)
	}
	return ""
}

// The hash is FNV-1a of the name's bytes from the last to the first, so that one walk over a
// host gives the hash of every domain above it.
const hashSeed uint64 = 14695981039346656037

func hashStep(hash uint64, c byte) uint64 { return (hash ^ uint64(c)) * 1099511628211 }

// slotHash is what the table keeps of a hash, well mixed for the choice of a slot.
func slotHash(hash uint64) uint64 {
	hash ^= hash >> 32
	hash *= 0x9e3779b97f4a7c15
	return hash >> 32
}
