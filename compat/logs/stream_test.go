package logs

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

func newStream(to io.Writer) *Stream { return NewStream(to, func() time.Time { return time.Time{} }) }

// TestStreamThatNobodyReads writes more to a pipe than it and the stream hold. No writer waits; when
// somebody reads, whole lines come, in order, and where some are missing their number.
func TestStreamThatNobodyReads(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer write.Close()
	write.Fd() // makes it block, as standard error does
	log := NewCacheLog(CacheLogOptions{Stderr: newStream(write), StderrLevel: 1, Clock: func() time.Time { return time.Time{} }})
	helper := log.Stderr()
	const lines = 40000 // twice of what fits: into memory, and into a write that nobody takes
	for i := range lines / 2 {
		log.Say(1, fmt.Sprintf("%070d", 2*i)) // 100 bytes with date and all
		fmt.Fprintf(helper, "%099d\n", 2*i+1)
	}
	in := bufio.NewReader(read)
	missing := 0
	for next := 0; next < lines; {
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if _, count, found := strings.Cut(line, "nobody read this; "); found {
			gap := 0
			if _, err := fmt.Sscanf(count, "%d lines are missing here\n", &gap); err != nil || gap < 1 {
				t.Fatalf("after line %d it says %q", next, line)
			}
			missing += gap
			next += gap
			continue
		}
		if !strings.HasSuffix(strings.TrimSpace(line), fmt.Sprintf("0%d", next)) {
			t.Fatalf("line %d is %q", next, line)
		}
		next++
	}
	if missing == 0 {
		t.Error("the stream holds more than it may")
	}
}

func TestStreamIsFlushed(t *testing.T) {
	var out strings.Builder
	s := newStream(&out)
	for i := range 3 {
		fmt.Fprintln(s, i)
		s.Flush(time.Hour)
		if got, want := out.String(), "0\n1\n2\n"[:2*i+2]; got != want {
			t.Fatalf("after a flush there is %q, want %q", got, want)
		}
	}
}

func TestFlushOfAStreamThatNobodyReads(t *testing.T) {
	read, write := io.Pipe()
	defer read.Close()
	s := newStream(write)
	fmt.Fprintln(s, "a line")
	s.Flush(time.Millisecond) // and the test goes on
	if line, err := bufio.NewReader(read).ReadString('\n'); line != "a line\n" {
		t.Errorf("it is read as %q: %v", line, err)
	}
}
