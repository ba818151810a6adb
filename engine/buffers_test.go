package engine

import (
	"slices"
	"testing"

	"exaproxy/engine/canary"
)

func TestBuffersOfARushAreLetGo(t *testing.T) {
	if canary.On {
		t.Skip("with marks no buffer is lent a second time, and none is kept")
	}
	for name, lend := range map[string]func(*buffers) *buffer{
		"head": (*buffers).head, "relay": (*buffers).relay, "bulk": (*buffers).bulk,
	} {
		t.Run(name, func(t *testing.T) {
			p := newTransaction(t, reading, given{})
			w := p.worker
			trim := func() {
				p.engine.Trim()
				w.loop.Turn(false)
			}
			var rush []*buffer
			for range keptBulks {
				rush = append(rush, lend(&w.buffers))
			}
			for _, b := range rush {
				w.buffers.put(b)
			}
			trim() // it ends the time in which they were needed
			used := lend(&w.buffers)
			w.buffers.put(used)
			trim()
			if n, want := p.engine.Trim(), int64(len(rush)-1)*int64(len(used.b)); n != want {
				t.Errorf("%d bytes were let go of, want %d", n, want)
			}
			again, more := lend(&w.buffers), lend(&w.buffers)
			if again != used {
				t.Error("a buffer that is in use was let go of")
			}
			if slices.Contains(rush, more) {
				t.Error("a buffer that only a rush needed is still there")
			}
			w.buffers.put(again)
			w.buffers.put(more)
		})
	}
}

// TestBuffersOfLargeHeadsAreCounted has those that are kept for nobody be told as let go of, once: else what a rush of large heads
// has taken would stay with the program, which allocates nothing when it is over.
func TestBuffersOfLargeHeadsAreCounted(t *testing.T) {
	p := newTransaction(t, reading, given{})
	w := p.worker
	large := w.buffers.exactly(64 << 10)
	size := int64(len(large.b))
	w.buffers.put(large)
	for _, want := range []int64{size, 0} {
		p.engine.Trim()
		w.loop.Turn(false)
		if n := p.engine.Trim(); n != want {
			t.Errorf("%d bytes were let go of, want %d", n, want)
		}
	}
}
