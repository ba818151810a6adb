package engine

import "exaproxy/engine/loop"

// An End is one end of a connection that a transaction carries bytes from or to: a descriptor, or
// what behaves like one, such as TLS over a descriptor. It reports edges as loop.FD does: wait
// only after it said loop.ErrAgain, and look first after SetWaker.
//
// An End is used on its worker's goroutine only, and belongs to whoever closes it.
type End interface {
	// Read reads what is there; io.EOF is the orderly end, and all other errors but loop.ErrAgain
	// are final.
	Read(p []byte) (int, error)
	// Write and Writev write as much as is taken. If that is less than all they return an error
	// too: loop.ErrAgain when the rest may be written later, or a final one.
	Write(p []byte) (int, error)
	Writev(p [][]byte) (int, error)
	// CloseWrite tells the peer that nothing more will be written.
	CloseWrite() error
	// Close ends the connection; Reset so that the peer notices that this is no regular end.
	Close()
	Reset()

	// Readable says whether a Read might find something.
	Readable() bool
	// PeerDone says whether the peer writes no more. Bytes may still wait to be read.
	PeerDone() bool
	// Broken says whether writing has become useless.
	Broken() bool

	// SetWaker says who is woken from now on.
	SetWaker(w *loop.Waker)

	// Descriptor is what the bytes of the End travel through unchanged, for whoever moves them
	// without looking at them (splice(2)). ok is false if there is no such descriptor.
	Descriptor() (sys int, ok bool)
}

var _ End = (*loop.FD)(nil)
