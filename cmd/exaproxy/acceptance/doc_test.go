// Package acceptance holds the built program against the things that it will meet: Debian's Squid,
// which it replaces, squidGuard and jesred, which it serves, curl and Chromium, which it is used by.
//
// The program is built once, in TestMain. Each test starts it with a configuration of its own in a
// folder of its own, learns its port from what it says, and ends it by its process. Origins are
// servers of the test, at addresses of 127.0.0.0/8 and ::1; names come from a hosts file that the test writes
// and, where the test may listen on port 53, from a name server of the test.
//
// A peer that is not installed skips the tests that need it. Helpers that no package provides are
// this test binary itself, started with the word "helper" (helper_test.go) or "wayward" (storm_helper_test.go).
//
// Helpers that others have written for Squid decide in configurations of testdata/helpers (realhelpers_test.go). Where
// EXAPROXY_PEERS is "required", as in CI, one that is missing fails its test.
//
// Some 800 shapes of requests and replies are bytes that go through both programs (shapes_test.go); where these differ stands in
// testdata/differences.txt, with reasons.
//
// TestStorm plays scenes of minutes with "make storm", of seconds otherwise (storm_test.go).
package acceptance
