//go:build !canary

package canary

// On says whether this is a build that marks.
const On = false

// Spoil says that nobody may read b any more, up to its capacity. It was lent to the owner of this number.
func Spoil([]byte, Pool, uint64) {}

// Again is b, emptied, for its next use; nobody may read what it held.
func Again(b []byte, _ Pool, _ uint64) []byte { return b[:0] }

// A Loan is kept with memory that is lent whole.
type Loan struct{}

// Begin says that b is lent to the owner of this number.
func (*Loan) Begin(_ []byte, _ Pool, _ uint64) {}

// End says that b, which is all of what was lent, is given back. A second time is a fault.
func (*Loan) End([]byte) {}

// Misused ends the program, since somebody has used memory that is not his.
func Misused(string) {}
