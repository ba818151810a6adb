// Package compattest is for the tests of compat's features: it reads lines of a configuration into
// one feature's settings, and makes the request and the services of a worker that a policy is asked
// with. Nothing of it runs but in tests.
package compattest
