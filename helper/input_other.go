//go:build !amd64

package helper

// System calls that these machines do not have, or that the C library does not use: numbers that none has.
const (
	callPoll = -2 - iota
	callSelect
	callEpollWait
)
