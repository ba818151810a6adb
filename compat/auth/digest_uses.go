package auth

// uses are which counts of a nonce were used: of those below the highest the last ones are remembered one by one,
// since what a client sends over several connections does not come in its order.
type uses struct {
	highest uint64 // 0: none was
	recent  uint64 // bit i: highest-i was used
}

// They stand in one word: the lap of the nonce's number, the highest count, and the recent ones.
const (
	recentBits = 20
	countBits  = 24
	lapBits    = 64 - countBits - recentBits

	mostUses = 1<<countBits - 1
)

// lapOf tells the nonces apart that have the same word. It is the same again after 2^38 nonces.
func lapOf(number uint64) uint64 { return number / mostNonces & (1<<lapBits - 1) }

// of is the word of the uses of a nonce.
func (u uses) of(number uint64) uint64 {
	return lapOf(number)<<(countBits+recentBits) | u.highest<<recentBits | u.recent
}

func usesIn(word uint64) (u uses, lap uint64) {
	return uses{word >> recentBits & mostUses, word & (1<<recentBits - 1)}, word >> (countBits + recentBits)
}

// use adds a count, which is ok if it was not used. With strict it has to be the next one.
func (u uses) use(count uint64, strict bool) (after uses, ok bool) {
	switch {
	case count == 0 || count > mostUses || strict && count != u.highest+1:
		return u, false
	case count > u.highest:
		return uses{count, u.recent<<(count-u.highest)&(1<<recentBits-1) | 1}, true
	case u.highest-count >= recentBits || u.recent>>(u.highest-count)&1 == 1:
		return u, false
	}
	u.recent |= 1 << (u.highest - count)
	return u, true
}
