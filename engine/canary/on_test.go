//go:build canary

package canary

import (
	"strings"
	"testing"
)

func TestAMarkTellsItsOwner(t *testing.T) {
	for _, row := range []struct {
		pool  Pool
		owner uint64
		want  string
	}{
		{Buffer, Owner(40123, 7), "a buffer of the client at port 40123, in request 7 of its connection"},
		{Buffer, Owner(65535, 65535), "a buffer of the client at port 65535, in request 65535 of its connection"},
		{Question, 4711, "the text of question 4711"},
		{Test, 0, "a test's memory"},
	} {
		b := make([]byte, 5, 100)
		Spoil(b, row.pool, row.owner)
		for at := range 100 - Size {
			if got := Whose(b[:100][at:]); got != row.want {
				t.Errorf("from byte %d on it is %q, want %q", at, got, row.want)
			}
		}
		for i, c := range b[:100] {
			if c < First {
				t.Errorf("byte %d is %#x, which others use", i, c)
			}
		}
	}
	if got := Whose([]byte{First, First, First, First}); !strings.Contains(got, "too short") {
		t.Errorf("four bytes tell %q", got)
	}
}

func TestMemoryIsNotUsedAgain(t *testing.T) {
	held := append(make([]byte, 0, 100), "secret"...)
	if next := append(Again(held, Test, 0), "other's"...); &next[0] == &held[0] {
		t.Error("what one has kept, another uses")
	}
	if got := Whose(held[:cap(held)]); got != "a test's memory" {
		t.Errorf("what one has kept is %q", held)
	}
}

func TestLoansAreWatched(t *testing.T) {
	var said string
	defer OnMisuse(func(what string) { said += what + "\n" })()
	expect := func(want string) {
		t.Helper()
		if !strings.Contains(said, want) || (want == "") != (said == "") {
			t.Errorf("it says %q, want %q", said, want)
		}
		said = ""
	}
	var one Loan
	b := make([]byte, 40)
	one.Begin(b, Test, 1)
	one.Begin(b, Test, 2)
	expect("was lent to two")
	one.End(b)
	expect("")
	one.End(b)
	expect("was given back twice")

	written := make([]byte, 40)
	one.Begin(written, Buffer, Owner(30001, 3))
	one.End(written)
	written[20] = 'x'
	for range quarantined {
		var other Loan
		b := make([]byte, 8)
		other.Begin(b, Test, 0)
		other.End(b)
	}
	expect("a buffer of the client at port 30001, in request 3 of its connection was written to after it was given back")
}
