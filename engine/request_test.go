package engine

import (
	"testing"

	"exaproxy/engine/canary/canarytest"
)

// What one request made the proxy keep, however much, is not kept for all that follow.
func TestLargeScratchIsNotKept(t *testing.T) {
	canarytest.SkipReuse(t)
	var r Request
	r.Keep(make([]byte, 1000))
	if r.reset(0); cap(r.scratch) < 1000 {
		t.Error("ordinary memory is not used again")
	}
	r.Keep(make([]byte, 1<<20))
	if r.reset(0); cap(r.scratch) > keptScratch {
		t.Errorf("%d bytes are kept for requests to come", cap(r.scratch))
	}
}
