package looptest_test

import (
	"fmt"
	"strings"
	"testing"

	"exaproxy/engine/loop"
	"exaproxy/engine/loop/looptest"
)

// recorder records what a test helper reports.
type recorder struct {
	testing.TB
	said []string
}

func (c *recorder) Errorf(format string, a ...any) {
	c.said = append(c.said, fmt.Sprintf(format, a...))
}

// Fatalf ends the goroutine, as the real one does.
func (c *recorder) Fatalf(format string, a ...any) {
	c.Errorf(format, a...)
	panic(c)
}

// settle returns what Settle reports.
func (c *recorder) settle(l *loop.Loop) (reports string) {
	defer func() {
		if r := recover(); r != nil && r != any(c) {
			panic(r)
		}
		reports = strings.Join(c.said, "; ")
	}()
	looptest.Settle(l)
	return ""
}

func TestSettleFindsTasksThatWaitWithoutErrAgain(t *testing.T) {
	readAll := func(fd *loop.FD) {
		var b [4]byte
		for {
			if _, err := fd.Read(b[:]); err != nil {
				return
			}
		}
	}
	for _, row := range []struct {
		name string
		do   func(*loop.FD)
		want string // of the report; empty: none
	}{
		{"reading until ErrAgain", readAll, ""},
		{"reading once", func(fd *loop.FD) { fd.Read(make([]byte, 4)) }, "read 4 bytes from"},
		{"reading up to the end and not the end", func(fd *loop.FD) { fd.Read(make([]byte, 100)) }, "read the end from"},
		{"not reading at all", func(*loop.FD) {}, ""},
		{"writing in pieces", func(fd *loop.FD) { readAll(fd); fd.Write([]byte("x")) }, "wrote 1 bytes to"},
		{"closing when woken once more", func() func(*loop.FD) {
			runs := 0
			return func(fd *loop.FD) {
				if runs++; runs == 2 {
					fd.Close()
				}
			}
		}(), "closed the connection with"},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := &recorder{TB: t}
			k, l := world(c)
			_, e := pair(t, k, l, row.do)
			e.WriteString("eight by")
			e.CloseWrite()
			got := c.settle(l)
			if row.want == "" && got != "" || !strings.Contains(got, row.want) {
				t.Errorf("it reports %q, want %q", got, row.want)
			}
		})
	}
}

func TestRestDoesNotLookForSuchTasks(t *testing.T) {
	c := &recorder{TB: t}
	k, l := world(c)
	_, e := pair(t, k, l, func(fd *loop.FD) { fd.Read(make([]byte, 4)) })
	e.WriteString("eight by")
	looptest.Rest(l)
	if got := strings.Join(c.said, "; "); got != "" || e.Unread() != 4 {
		t.Errorf("it reports %q, and %d bytes are unread, want 4", got, e.Unread())
	}
}

func TestSettleGivesUp(t *testing.T) {
	c := &recorder{TB: t}
	_, l := world(c)
	var w *loop.Waker
	w = l.NewWaker(task(func() { w.Wake() }))
	w.Wake()
	if got := c.settle(l); !strings.Contains(got, "something still happens") {
		t.Errorf("it says %q", got)
	}
}
