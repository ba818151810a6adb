//go:build !canary

package engine

import "testing"

// TestGivingBackWritesNothing holds the ordinary build: no byte is written for nothing.
func TestGivingBackWritesNothing(t *testing.T) {
	p := newBuffers()
	for _, lend := range []func() *buffer{p.head, p.relay, p.bulk} {
		b := lend()
		held := b.b
		copy(held, "as it was")
		p.put(b)
		if again := lend(); string(held[:9]) != "as it was" || &again.b[0] != &held[0] {
			t.Errorf("a buffer of %d bytes that was given back holds %q", len(held), held[:9])
		}
	}
}
