// Package enginetest has a world to run an engine in: clients, helpers, origin servers and
// name servers that a script plays, on a kernel in memory with a clock that moves when told.
//
// A test makes a World from an engine.Config, on the test's goroutine, and plays scripts in
// it; the engine's one worker runs on that same goroutine, whenever the script has done
// something, until nothing moves any more. So the order of all things is fixed, nothing sleeps,
// and no port is used.
//
// A World lives as long as its test. It never touches the network, a file or a process; what
// the policy writes to its log is read through World.Log.
//
//	w := enginetest.NewWorld(t, config)
//	w.Play(`
//	client a sends         GET http://a.example/ HTTP/1.1
//	helper 1 reads         http://a.example/ …
//	helper 1 writes        ERR
//	origin 192.0.2.7:80 reads   GET / HTTP/1.1
//	                       …
//	`)
//	w.End()
//
// The language is described at World.Play.
package enginetest
