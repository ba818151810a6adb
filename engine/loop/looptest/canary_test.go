//go:build canary

package looptest_test

import (
	"strings"
	"testing"

	"exaproxy/engine/canary"
	"exaproxy/engine/loop"
)

// TestPeersSeeMarks has a task write memory that it has given back to a pool of the test's.
func TestPeersSeeMarks(t *testing.T) {
	for _, row := range []struct {
		name     string
		giveBack bool
		want     string
	}{{"after giving back", true, "the other of its pair is sent memory of another: a test's memory"}, {"before", false, ""}} {
		t.Run(row.name, func(t *testing.T) {
			c := &recorder{TB: t}
			k, l := world(c)
			lent := []byte("what somebody else must not see")
			_, e := pair(t, k, l, func(fd *loop.FD) {
				if _, err := fd.Read(make([]byte, 100)); err == nil {
					fd.Write(lent)
				}
			})
			if row.giveBack {
				canary.Spoil(lent, canary.Test, 0)
			}
			e.WriteString("say it")
			got := c.settle(l)
			if !strings.Contains(got, row.want) || (got == "") != (row.want == "") {
				t.Errorf("it reports %q, want %q", got, row.want)
			}
		})
	}
}
