//go:build race

package acl

// raceDetector says that sync.Pool, which regexp lives on, loses things on purpose.
const raceDetector = true
