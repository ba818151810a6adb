package dnsasync

import (
	"encoding/binary"
	"fmt"
	"io"
)

// random returns identifiers that cannot be guessed (RFC 5452 section 9.2). It reads many
// at once, to save system calls.
type random struct {
	source io.Reader
	buffer [512]byte
	left   []byte // of buffer
}

func (r *random) id() uint16 {
	if len(r.left) < 2 {
		if _, err := io.ReadFull(r.source, r.buffer[:]); err != nil {
			panic(fmt.Sprintf("BUG: the random source failed: %v", err))
		}
		r.left = r.buffer[:]
	}
	id := binary.BigEndian.Uint16(r.left)
	r.left = r.left[2:]
	return id
}
