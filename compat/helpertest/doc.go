// Package helpertest tries helper programs: it starts them as the proxy would, puts lines to them, and tells what they
// answer, what the proxy would do with that, how long it takes, and what is wrong with how they speak.
//
// The processes are those of package helper's pool on a loop of its own, and lines and answers are made and read by the
// features that the proxy does it by: each gives a Talk. Command exaproxy calls Try and Bench on its main goroutine;
// all else happens there, but for one goroutine that reads the input.
//
// Nothing is served or logged, and when Try and Bench return every process has ended.
package helpertest
