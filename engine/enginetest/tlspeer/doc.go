// Package tlspeer has clients and servers of crypto/tls for worlds without a network: what travels between
// them and the engine is carried by whoever plays them. Each has a goroutine, so the world has to run in
// a bubble of testing/synctest, to know when they are at rest.
//
// Certificates are those of an Authority of the test's. Nothing of it runs but in tests.
package tlspeer
