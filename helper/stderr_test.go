package helper

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// What children write to standard error is passed on, but for a few lines while they end of what they are asked.
func TestStandardErrorInAStorm(t *testing.T) {
	var got bytes.Buffer
	limit := &stderrLimit{}
	w := lineWriter{to: &got, limit: limit}
	traceback := []byte(strings.Repeat("a line of it\n", 20))
	for range 100 {
		w.write(traceback)
	}
	if n := strings.Count(got.String(), "a line of it"); n != 2000 {
		t.Errorf("%d lines were passed on, want all 2000", n)
	}
	limit.stormy()
	got.Reset()
	for range 1000 {
		w.write(traceback)
	}
	if n := strings.Count(got.String(), "a line of it"); n < stormLines || n > 10000 {
		t.Errorf("%d of 20000 lines were passed on, want %d and what is gained meanwhile", n, stormLines)
	}
	limit.until = limit.filled
	left := limit.dropped
	w.write([]byte("after\n"))
	if want := fmt.Sprintf("(%d lines of the standard error", left); !strings.Contains(got.String(), want) || left == 0 {
		t.Errorf("it is not said that %d lines were left out", left)
	}
	if !strings.HasSuffix(got.String(), "\nafter\n") {
		t.Error("after the storm not all is passed on")
	}
}
