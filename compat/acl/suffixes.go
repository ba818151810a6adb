package acl

import "sort"

// suffixes are places in the text of domains, in the order of the names read from their ends, so that all
// names with one end lie together.
type suffixes []uint32

// sorted makes the suffixes of all names.
func (d *domains) sorted() suffixes {
	places := make(suffixes, 0, d.count)
	for at := 0; at < len(d.text); {
		places = append(places, uint32(at))
		_, at = d.at(at)
	}
	sort.Slice(places, func(i, j int) bool {
		a, _ := d.at(int(places[i]))
		b, _ := d.at(int(places[j]))
		return compareEnds(a, b) < 0
	})
	return places
}

// compareEnds compares two names from their last bytes on. Capitals do not count.
func compareEnds(a, b []byte) int {
	for i, j := len(a)-1, len(b)-1; i >= 0 && j >= 0; i, j = i-1, j-1 {
		if x, y := lower(a[i]), lower(b[j]); x != y {
			return int(x) - int(y)
		}
	}
	return len(a) - len(b)
}

// below reports whether any name ends with end, which begins with a dot, and has more before it.
func (d *domains) below(places suffixes, end []byte) bool {
	i := sort.Search(len(places), func(i int) bool {
		name, _ := d.at(int(places[i]))
		return compareEnds(name, end) > 0
	})
	if i == len(places) {
		return false
	}
	name, _ := d.at(int(places[i]))
	return len(name) > len(end) && equalFold(name[len(name)-len(end):], end)
}
