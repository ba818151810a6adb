package engine

import (
	"runtime"
	"testing"

	"exaproxy/helper"
)

// TestWorkersAreNoMoreThanHelpers: each worker has a helper of each kind, and a file that wants one process gets one.
func TestWorkersAreNoMoreThanHelpers(t *testing.T) {
	for _, row := range []struct {
		c    Config
		most int
	}{
		{Config{Workers: 7, PolicyHelpers: []helper.Config{{Children: 1}}}, 7},
		{Config{PolicyHelpers: []helper.Config{{Children: 1000}, {Children: 1}}}, 1},
		{Config{Helper: &helper.Config{Children: 4}}, 1},
		{Config{Helper: &helper.Config{Children: 1}, PolicyHelpers: []helper.Config{{Children: 2}}}, 1},
	} {
		if n := row.c.workers(); n != row.most {
			t.Errorf("there are %d workers, want %d", n, row.most)
		}
	}
	if n := (&Config{PolicyHelpers: []helper.Config{{Children: 1000}}}).workers(); n != runtime.NumCPU() {
		t.Errorf("there are %d workers", n)
	}
}
