package engine

import "testing"

// What one request made the proxy keep, however much, is not kept for all that follow.
func TestLargeScratchIsNotKept(t *testing.T) {
	var r Request
	r.Keep(make([]byte, 1000))
	if r.reset(); cap(r.scratch) < 1000 {
		t.Error("ordinary memory is not used again")
	}
	r.Keep(make([]byte, 1<<20))
	if r.reset(); cap(r.scratch) > keptScratch {
		t.Errorf("%d bytes are kept for requests to come", cap(r.scratch))
	}
}
