package h1

import (
	"bytes"
	"unsafe"
)

// maxFields bounds the work that one head can cause: names are looked up one by one.
const maxFields = 2000

// A Header is the fields of a message in the order in which they came. Names are compared
// without regard to case and written as they were given.
//
// Parsed fields are views of the head's bytes; Set and Add keep the value they are given. The
// zero value is an empty Header. To have a second one to change, use CopyFrom: two plain copies
// of the struct would share their fields.
type Header struct {
	fields []field
	bits   uint64 // nameBit of all names that may be among the fields
}

// A field is one header line: its name, and its value without surrounding whitespace.
type field struct{ name, value []byte }

// nameBit is a bit that all spellings of a name have in common, and few other names. Most names that
// are looked up in a head are not there, and need not be searched for when their bit is missing.
func nameBit(name string) uint64 {
	if len(name) == 0 {
		return 1
	}
	const caseBit = 0x20
	first, last := name[0]|caseBit, name[len(name)-1]|caseBit
	return 1 << ((uint(len(name)) + uint(first) + 2*uint(last)) % 64)
}

// lacks reports whether it is certain that no field has that name. If not, the fields must be searched.
func (h *Header) lacks(name string) bool { return h.bits&nameBit(name) == 0 }

func (h *Header) append(name, value []byte) {
	h.fields = append(h.fields, field{name, value})
	h.bits |= nameBit(stringView(name))
}

// Reset empties h and keeps its memory for the next message.
func (h *Header) Reset() {
	clear(h.fields)
	h.fields, h.bits = h.fields[:0], 0
}

// CopyFrom makes h hold the same fields as src. The bytes behind them remain shared.
func (h *Header) CopyFrom(src *Header) {
	h.Reset()
	h.fields, h.bits = append(h.fields, src.fields...), src.bits
}

// Len returns how many fields there are, repeated ones included.
func (h *Header) Len() int { return len(h.fields) }

// Get returns the first value of the named field: nil if there is none, empty but not nil if it has no content.
func (h *Header) Get(name string) []byte {
	if h.lacks(name) {
		return nil
	}
	for i := range h.fields {
		if equalFold(h.fields[i].name, name) {
			return h.fields[i].value
		}
	}
	return nil
}

// Has reports whether there is a field of that name.
func (h *Header) Has(name string) bool { return h.Get(name) != nil }

// Only is Get, and says whether the field is the only one of that name.
func (h *Header) Only(name string) (value []byte, only bool) {
	for i := range h.fields {
		if !equalFold(h.fields[i].name, name) {
			continue
		}
		if value != nil {
			return value, false
		}
		value = h.fields[i].value
	}
	return value, value != nil
}

// Count returns how often the name occurs.
func (h *Header) Count(name string) (n int) {
	for i := range h.fields {
		if equalFold(h.fields[i].name, name) {
			n++
		}
	}
	return n
}

// Each calls f for every field in order until it returns false; `for name, value := range h.Each`
// does the same. The Header must not be changed meanwhile, the bytes never.
func (h *Header) Each(f func(name, value []byte) bool) {
	for i := range h.fields {
		if !f(h.fields[i].name, h.fields[i].value) {
			return
		}
	}
}

// All calls f with every value of the named field in order until it returns false.
func (h *Header) All(name string, f func(value []byte) bool) {
	if h.lacks(name) {
		return
	}
	for i := range h.fields {
		if equalFold(h.fields[i].name, name) && !f(h.fields[i].value) {
			return
		}
	}
}

// Elements calls f with every element of the named field, read as a comma-separated list over all its occurrences.
func (h *Header) Elements(name string, f func(element []byte)) {
	h.All(name, func(list []byte) bool {
		for more := true; more; {
			var e []byte
			if e, list, more = element(list); len(e) > 0 {
				f(e)
			}
		}
		return true
	})
}

// HasToken reports whether the named field, read as a comma-separated list over all its
// occurrences, has the token, whatever its case.
func (h *Header) HasToken(name, token string) bool {
	if h.lacks(name) {
		return false
	}
	for i := range h.fields {
		if equalFold(h.fields[i].name, name) && listHas(h.fields[i].value, token) {
			return true
		}
	}
	return false
}

func listHas(list []byte, token string) bool {
	for more := true; more; {
		var e []byte
		if e, list, more = element(list); equalFold(e, token) {
			return true
		}
	}
	return false
}

// Add appends a field. The name must be a token. The value is kept, not copied: leave it unchanged
// while h lives. CR, LF and NUL, which would end the field early, become spaces (in a copy).
func (h *Header) Add(name string, value []byte) {
	h.append(viewOf(name), sanitize(value))
}

// Set makes value the only one of that name, at the place of the first occurrence, else at the end.
// It treats value as Add does.
func (h *Header) Set(name string, value []byte) {
	if h.lacks(name) {
		h.Add(name, value)
		return
	}
	for i := range h.fields {
		if equalFold(h.fields[i].name, name) {
			h.fields[i] = field{viewOf(name), sanitize(value)}
			h.delete(viewOf(name), i+1)
			return
		}
	}
	h.Add(name, value)
}

// Del removes every field of that name.
func (h *Header) Del(name string) { h.delete(viewOf(name), 0) }

// delete removes the fields of that name from index from on.
func (h *Header) delete(name []byte, from int) {
	if s := stringView(name); !h.lacks(s) {
		h.remove(from, func(other []byte) bool { return equalFold(other, s) })
	}
}

// Revise calls f for every field in order. A field that is not kept is removed, and else has the value that f returns,
// which is treated as by Add.
func (h *Header) Revise(f func(name, value []byte) (_ []byte, keep bool)) {
	kept := 0
	for _, one := range h.fields {
		if value, keep := f(one.name, one.value); keep {
			h.fields[kept] = field{one.name, sanitize(value)}
			kept++
		}
	}
	clear(h.fields[kept:])
	h.fields = h.fields[:kept]
}

// remove removes the fields with unwanted names from index from on.
func (h *Header) remove(from int, unwanted func(name []byte) bool) {
	kept := from
	for kept < len(h.fields) && !unwanted(h.fields[kept].name) {
		kept++
	}
	if kept == len(h.fields) {
		return
	}
	for i := kept + 1; i < len(h.fields); i++ {
		if unwanted(h.fields[i].name) {
			continue
		}
		h.fields[kept] = h.fields[i]
		kept++
	}
	clear(h.fields[kept:])
	h.fields = h.fields[:kept]
}

// AppendTo appends all fields, each with its CRLF, without the empty line that ends a head.
func (h *Header) AppendTo(dst []byte) []byte {
	for i := range h.fields {
		dst = append(dst, h.fields[i].name...)
		dst = append(dst, ':', ' ')
		dst = append(dst, h.fields[i].value...)
		dst = append(dst, '\r', '\n')
	}
	return dst
}

// sanitize returns value without what could end a field, and never nil.
func sanitize(value []byte) []byte {
	switch {
	case value == nil:
		return []byte{}
	case hasControl(value) && bytes.ContainsAny(value, "\r\n\x00"):
		return replaceControl(value)
	}
	return value
}

// replaceControl returns a copy of value with spaces in the place of what could end a field.
func replaceControl(value []byte) []byte {
	value = bytes.Clone(value)
	for i, c := range value {
		if c == '\r' || c == '\n' || c == 0 {
			value[i] = ' '
		}
	}
	return value
}

// viewOf returns the bytes of a string. They must not be written to.
func viewOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// stringView returns a string of bytes that do not change while it is used.
func stringView(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
