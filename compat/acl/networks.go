package acl

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"sort"
)

// networks is a set of addresses, given as addresses, networks and ranges.
//
// After finish it is two sorted lists of ranges that do not touch, one for each family, in which
// an address is found by halving. Networks that lie in one another are simply united; Squid
// leaves out whichever of the two comes later.
type networks struct {
	v4 []range4
	v6 []range6

	added []network // in order; gone after finish
}

// A network is what one value of the configuration stands for.
type network struct {
	first, last netip.Addr // of one family
	text        string     // as Squid shows it
	noWarning   bool       // it may lie in another
	index       int        // among the values
}

type range4 struct{ first, last uint32 }

type range6 struct{ first, last uint128 }

// uint128 is an IPv6 address as a number.
type uint128 struct{ high, low uint64 }

func (n *networks) add(w network) {
	w.index = len(n.added)
	n.added = append(n.added, w)
}

// has reports whether an address was added by itself. Call it before finish.
func (n *networks) has(addr netip.Addr) bool {
	return slices.ContainsFunc(n.added, func(w network) bool { return w.first == addr && w.last == addr })
}

// contains reports whether addr is in the set. An IPv4 address within an IPv6 one counts as
// itself.
func (n *networks) contains(addr netip.Addr) bool {
	addr = addr.Unmap()
	if addr.Is4() {
		a := number4(addr)
		i := sort.Search(len(n.v4), func(i int) bool { return n.v4[i].last >= a })
		return i < len(n.v4) && n.v4[i].first <= a
	}
	if !addr.IsValid() {
		return false
	}
	a := number6(addr)
	i := sort.Search(len(n.v6), func(i int) bool { return !n.v6[i].last.less(a) })
	return i < len(n.v6) && !a.less(n.v6[i].first)
}

func number4(a netip.Addr) uint32 {
	b := a.As4()
	return binary.BigEndian.Uint32(b[:])
}

func number6(a netip.Addr) uint128 {
	b := a.As16()
	return uint128{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

func (a uint128) less(b uint128) bool { return a.high < b.high || a.high == b.high && a.low < b.low }

// finish makes the set ready for contains, and warns of networks that lie in others.
func (n *networks) finish(acl string) []string {
	slices.SortFunc(n.added, func(a, b network) int {
		return cmp.Or(a.first.Compare(b.first), b.last.Compare(a.last), cmp.Compare(a.index, b.index))
	})
	warnings := limitedWarnings{summary: "WARNING: %d more networks of the ACL named '" + acl + "' are subnetworks of others in it"}
	var outer network // of those before, the one that reaches furthest
	for _, w := range n.added {
		if outer.first.BitLen() == w.first.BitLen() && !outer.last.Less(w.last) {
			if !w.noWarning {
				warnings.add(overlap(w, outer, acl)...)
			}
			continue
		}
		if outer = w; w.first.Is4() {
			n.append4(number4(w.first), number4(w.last))
		} else {
			n.append6(number6(w.first), number6(w.last))
		}
	}
	n.added = nil
	n.v4, n.v6 = slices.Clip(n.v4), slices.Clip(n.v6)
	return warnings.lines()
}

// append4 unites a range with those before it, of which it may overlap the last.
func (n *networks) append4(first, last uint32) {
	if end := len(n.v4) - 1; end >= 0 && first <= n.v4[end].last {
		n.v4[end].last = last
		return
	}
	n.v4 = append(n.v4, range4{first, last})
}

func (n *networks) append6(first, last uint128) {
	if end := len(n.v6) - 1; end >= 0 && !n.v6[end].last.less(first) {
		n.v6[end].last = last
		return
	}
	n.v6 = append(n.v6, range6{first, last})
}

// overlap words it as Squid does, where A is the one that comes later in the configuration.
func overlap(inner, outer network, acl string) []string {
	small, big := "A", "B"
	if inner.index < outer.index || inner.first == outer.first && inner.last == outer.last {
		small, big = "B", "A"
	}
	return []string{
		fmt.Sprintf("WARNING: (%s) '%s' is a subnetwork of (%s) '%s'", small, inner.text, big, outer.text),
		fmt.Sprintf("WARNING: You should probably remove '%s' from the ACL named '%s'", inner.text, acl),
	}
}

// size is how many ranges the set holds, or will hold at most.
func (n *networks) size() int { return len(n.v4) + len(n.v6) + len(n.added) }
