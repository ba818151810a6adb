//go:build canary

package canary

// A mark is 16 bytes that stand in no UTF-8, no protocol and no language: one where it begins, and the
// number of pool and owner in 15 digits. It is repeated, so that any 16 bytes tell everything, and 4 are
// enough to be seen.
const (
	First  = 0xf8 // the least byte of a mark, and the digit 0
	begins = 0xff
	base   = begins - First

	Size    = 16
	ownerIn = 36 // bits of the number
)

// encode is the mark of an owner.
func encode(p Pool, owner uint64) (mark [Size]byte) {
	n := uint64(p)<<ownerIn | owner&(1<<ownerIn-1)
	mark[0] = begins
	for i := Size - 1; i > 0; i-- {
		mark[i] = First + byte(n%base)
		n /= base
	}
	return mark
}

// Whose says what a run of bytes of a mark tells of its owner.
func Whose(run []byte) string {
	at := -1
	for i := range min(len(run), Size) {
		if run[i] == begins {
			at = i
		}
	}
	if len(run) < Size || at < 0 {
		return "somebody: it is too short a piece to tell whose"
	}
	var n uint64
	for i := 1; i < Size; i++ {
		n = n*base + uint64(run[(at+i)%Size]-First)
	}
	if p := Pool(n >> ownerIn); int(p) < len(names) {
		return name(p, n&(1<<ownerIn-1))
	}
	return "somebody: it is no mark of ours"
}

// quarantined is how many loans are watched after they were given back.
const quarantined = 32

// held is memory that was given back.
type held struct {
	b     []byte
	pool  Pool
	owner uint64
}
