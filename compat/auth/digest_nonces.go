package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"sync/atomic"
	"time"
)

// nonces are those of one configuration. Every worker makes them, and a nonce is good at each, whichever made it: it
// has a number, the time, and a code of the configuration's key, so that none can be made up. Which of its counts were
// used stands in a word that workers change by compare-and-swap: nobody waits for anybody, and no count is taken twice.
//
// The words are as many as nonces can be good at a time. Who asks for more than that makes the oldest stale.
type nonces struct {
	key  [sha256.Size]byte
	last atomic.Uint64 // the number that was given last
	used []atomic.Uint64
}

const (
	mostNonces = 1 << 18
	timeBytes  = 6 // seconds since 1970
	plainBytes = timeBytes + 8
	codeBytes  = 16
	nonceBytes = plainBytes + codeBytes
)

func newNonces() *nonces {
	n := &nonces{used: make([]atomic.Uint64, mostNonces)}
	rand.Read(n.key[:]) // it never fails
	return n
}

// A nonce is one that we have made.
type nonce struct {
	number uint64
	made   time.Time
}

// appendNew appends a nonce that nobody has.
func (n *nonces) appendNew(dst []byte, now time.Time) []byte {
	number := n.last.Add(1)
	n.used[number%mostNonces].Store(uses{}.of(number))
	var b [nonceBytes]byte
	binary.BigEndian.PutUint64(b[:8], uint64(now.Unix())<<(64-8*timeBytes))
	binary.BigEndian.PutUint64(b[timeBytes:plainBytes], number)
	copy(b[plainBytes:], n.code(b[:plainBytes]))
	return base64.RawURLEncoding.AppendEncode(dst, b[:])
}

// code is what only we can tell of a nonce.
func (n *nonces) code(plain []byte) []byte {
	mac := hmac.New(sha256.New, n.key[:])
	mac.Write(plain)
	return mac.Sum(nil)[:codeBytes]
}

// read reads a nonce; ok is false if it is none of ours.
func (n *nonces) read(text []byte) (found nonce, ok bool) {
	var b [nonceBytes]byte
	if base64.RawURLEncoding.DecodedLen(len(text)) != nonceBytes {
		return nonce{}, false
	}
	if _, err := base64.RawURLEncoding.Decode(b[:], text); err != nil || !hmac.Equal(b[plainBytes:], n.code(b[:plainBytes])) {
		return nonce{}, false
	}
	seconds := binary.BigEndian.Uint64(b[:8]) >> (64 - 8*timeBytes)
	return nonce{binary.BigEndian.Uint64(b[timeBytes:plainBytes]), time.Unix(int64(seconds), 0)}, true
}

// highest is the highest count of a nonce that was used; the greatest there is if a later nonce has its place.
func (n *nonces) highest(number uint64) uint64 {
	u, lap := usesIn(n.used[number%mostNonces].Load())
	if lap != lapOf(number) {
		return mostUses
	}
	return u.highest
}

// take uses a nonce by a rule, and reports whether that could be done.
func (n *nonces) take(number uint64, by func(uses) (uses, bool)) bool {
	word := &n.used[number%mostNonces]
	for {
		old := word.Load()
		u, lap := usesIn(old)
		if lap != lapOf(number) {
			return false // a later nonce has its place
		}
		u, ok := by(u)
		if !ok {
			return false
		}
		if word.CompareAndSwap(old, u.of(number)) {
			return true
		}
	}
}
