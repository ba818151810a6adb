//go:build race

package acceptance

// raceDetector says whether the tests are built with the race detector.
const raceDetector = true
