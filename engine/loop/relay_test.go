package loop_test

import (
	"bytes"
	"io"
	"testing"

	"exaproxy/engine/loop"
)

// TestRelay copies a stream from one connection to another through a small buffer, with
// a slow reader: the whole rule of edge triggering at work.
func TestRelay(t *testing.T) {
	onBothKernels(t, func(w *world) {
		in, source, _ := w.accepted()
		out, sink, _ := w.accepted()
		sink.Limit()
		r := &relay{in: in, out: out}
		waker := w.loop.NewWaker(r)
		r.waker = waker
		in.SetWaker(waker)
		out.SetWaker(waker)
		waker.Wake()
		all := pattern(large)
		sent, got := 0, []byte(nil)
		w.until("everything is relayed", func() bool {
			if sent < len(all) {
				sent += source.Write(all[sent:min(sent+100_000, len(all))])
			} else {
				source.CloseWrite()
			}
			got = append(got, sink.Read()...)
			return len(got) >= len(all) && sink.Closed()
		})
		if !bytes.Equal(got, all) {
			w.Errorf("%d bytes came out that are not the %d that went in", len(got), len(all))
		}
	})
}

// relay copies from in to out, at most 64 KiB a run.
type relay struct {
	in, out *loop.FD
	waker   *loop.Waker
	buffer  [4096]byte
	held    []byte
	ended   bool
}

func (r *relay) Run() {
	for range 16 {
		if len(r.held) > 0 {
			n, err := r.out.Write(r.held)
			r.held = r.held[n:]
			if err != nil {
				return
			}
		}
		n, err := r.in.Read(r.buffer[:])
		r.held = r.buffer[:n]
		if err == io.EOF && !r.ended {
			r.ended = true
			r.out.CloseWrite()
		}
		if err != nil {
			return
		}
	}
	r.waker.Wake() // others have their turn
}
