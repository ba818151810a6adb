package dnsasync

import (
	"encoding/binary"
	"iter"
)

// A wire is a message as it came. It is read in one pass for each thing that is wanted, in time that grows with its size
// alone: only names that matter are put together, and of the records only those that may.
type wire struct {
	bytes  []byte
	begins [extras + 1]int // of the sections
}

// The sections of a message, in the order of their counts in the header (RFC 1035 section 4.1.1).
const (
	questions = iota
	answers
	authorities
	extras
)

const (
	maxWireName = 255             // RFC 1035 section 2.3.4
	nameBuffer  = 4 * maxWireName // as text, if each byte is escaped
	maxPointers = 32              // that lead to one name
	maxKept     = 4 * maxAliases  // aliases of an answer
	recordHead  = 2 + 2 + 4 + 2   // type, class, TTL, length of the data
	pointerBits = 0xc0            // RFC 1035 section 4.1.4
)

// A resource is where a resource record stands (RFC 1035 section 4.1.3).
type resource struct {
	owner       int // offset of the name
	kind, class uint16
	ttl         uint32
	data, end   int // offsets
}

// An alias is a CNAME record.
type alias struct {
	owner, target string
	ttl           uint32
}

// count is what the header says of a section.
func (m *wire) count(section int) int {
	return int(binary.BigEndian.Uint16(m.bytes[4+2*section:]))
}

// question reports whether the message is about the records of a type and name, or about nothing, and where the
// answers begin.
func (m *wire) question(name string, qtype uint16) (end int, ours bool) {
	if m.count(questions) == 0 {
		return headerSize, true
	}
	var buffer [nameBuffer]byte
	theirs, end, ok := m.name(buffer[:0], headerSize)
	if !ok || m.count(questions) != 1 || len(m.bytes) < end+4 || !sameName(theirs, name) {
		return 0, false
	}
	kind, class := binary.BigEndian.Uint16(m.bytes[end:]), binary.BigEndian.Uint16(m.bytes[end+2:])
	return end + 4, kind == qtype && class == classInternet
}

// name appends the name at an offset to dst, as text without the dot at its end; end is the offset behind it. ok is false if there
// is none: it leaves the message, is too long, or its pointers lead anywhere but back.
func (m *wire) name(dst []byte, at int) (text []byte, end int, ok bool) {
	begin, size, pointers, least := len(dst), 1, 0, at
	for at < len(m.bytes) {
		c := int(m.bytes[at])
		switch {
		case c == 0:
			if pointers == 0 {
				end = at + 1
			}
			return dst, end, true
		case c < 1+maxLabel:
			if size += 1 + c; size > maxWireName || at+1+c > len(m.bytes) {
				return dst, 0, false
			}
			if len(dst) > begin {
				dst = append(dst, '.')
			}
			for _, b := range m.bytes[at+1 : at+1+c] {
				dst = appendPresented(dst, b)
			}
			at += 1 + c
		case c&pointerBits == pointerBits && at+1 < len(m.bytes):
			if pointers == 0 {
				end = at + 2
			}
			pointers++
			at = int(binary.BigEndian.Uint16(m.bytes[at:])) &^ (pointerBits << 8)
			if at >= least || pointers > maxPointers {
				return dst, 0, false
			}
			least = at
		default:
			return dst, 0, false
		}
	}
	return dst, 0, false
}

// skipName returns the offset behind the name at an offset, without following pointers.
func (m *wire) skipName(at int) (end int, ok bool) {
	for at < len(m.bytes) {
		c := int(m.bytes[at])
		switch {
		case c == 0:
			return at + 1, true
		case c < 1+maxLabel:
			at += 1 + c
		default:
			return at + 2, c&pointerBits == pointerBits && at+2 <= len(m.bytes)
		}
	}
	return 0, false
}

// resource reads the record at an offset.
func (m *wire) resource(at int) (r resource, ok bool) {
	r.owner = at
	at, ok = m.skipName(at)
	if !ok || at+recordHead > len(m.bytes) {
		return r, false
	}
	head := m.bytes[at:]
	r.kind, r.class = binary.BigEndian.Uint16(head), binary.BigEndian.Uint16(head[2:])
	r.ttl = binary.BigEndian.Uint32(head[4:])
	r.data = at + recordHead
	r.end = r.data + int(binary.BigEndian.Uint16(head[8:]))
	return r, r.end <= len(m.bytes)
}

// section goes through the records of a section that was found to be whole.
func (m *wire) section(section int) iter.Seq[resource] {
	return func(yield func(resource) bool) {
		at := m.begins[section]
		for range m.count(section) {
			r, ok := m.resource(at)
			if !ok || !yield(r) {
				return
			}
			at = r.end
		}
	}
}

// aliases are those in the answer, as far as there are not too many. ok is false if one is malformed.
func (m *wire) aliases() (all []alias, ok bool) {
	var owner, target [nameBuffer]byte
	for r := range m.section(answers) {
		if r.kind != typeCNAME || r.class != classInternet || len(all) == maxKept {
			continue
		}
		from, _, ok := m.name(owner[:0], r.owner)
		to, end, leads := m.name(target[:0], r.data)
		if !ok || !leads || end != r.end {
			return nil, false
		}
		all = append(all, alias{string(from), string(to), r.ttl})
	}
	return all, true
}
