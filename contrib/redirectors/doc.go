// Package redirectors is empty: it holds the test of the example redirectors beside it, which
// are programs of their own. See README.md.
package redirectors
