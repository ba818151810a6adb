// Package canarytest finds the marks of package canary in what peers receive and in what logs hold. In a
// build without the tag canary there are none, and it does not look.
package canarytest

// How many bytes of a mark in a row are one. Few are enough where the text is known; bytes that are random, as
// those of TLS are, do for longer ones.
const (
	InText   = 4
	InRandom = 12
)
