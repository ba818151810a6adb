//go:build !canary

package canarytest

import "testing"

// A Watch looks for marks in one stream of bytes, however it is cut.
type Watch struct{ Least int }

// See says whose mark is in what has come; "" for none.
func (*Watch) See([]byte) (whose string) { return "" }

// SkipReuse skips a test that is about memory being used again, which it is not in a canary build.
func SkipReuse(testing.TB) {}
