package logs

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// capacity is how many bytes of memory a backlog has.
func (b *backlog) capacity() int { return cap(b.pending) + cap(b.spare) }

// TestBacklogKeepsWhatIsNeeded has the memory of much that is written stay while much is written now and then, and
// only then.
func TestBacklogKeepsWhatIsNeeded(t *testing.T) {
	const much = 300 << 10
	write := func(b *backlog, n int) {
		b.add(make([]byte, n))
		b.putBack(b.take()[:0])
	}
	for _, c := range []struct {
		name  string
		then  []int // bytes written between two trims, after much was
		keeps bool
	}{
		{"as much", []int{100, much, 100}, true},
		{"half of it", []int{much / 2}, true},
		{"lines", []int{100, 1000, 200}, false},
		{"nothing", nil, false},
	} {
		var b backlog
		for range 2 { // both pieces
			write(&b, much)
		}
		if n := b.trim(); n != 0 {
			t.Errorf("%s: %d bytes are let go of that were needed", c.name, n)
		}
		before := b.capacity()
		for _, n := range c.then {
			write(&b, n)
		}
		gone, kept := b.trim(), b.capacity()
		if keeps := kept >= much; keeps != c.keeps || before-gone > kept {
			t.Errorf("%s: of %d bytes %d are let go of, and %d are kept", c.name, before, gone, kept)
		}
	}
	var b backlog
	write(&b, leastMuch)
	b.trim()
	if n := b.trim(); n != 0 {
		t.Errorf("%d bytes are let go of, which is little", n)
	}
}

// TestBacklogIsTrimmedWithLines has memory that was needed let go of while lines wait in it.
func TestBacklogIsTrimmedWithLines(t *testing.T) {
	var b backlog
	for range 2 {
		b.add(make([]byte, 1<<20))
		b.putBack(b.take()[:0])
	}
	b.trim()
	b.add([]byte("a line\n"))
	if n := b.trim(); n < 2<<20 || b.capacity() > leastMuch {
		t.Errorf("%d bytes are let go of, %d are kept", n, b.capacity())
	}
	if lines := b.take(); string(lines) != "a line\n" {
		t.Errorf("the lines are %q", lines)
	}
}

// TestMemoryOfAFullDisk has a disk take at last what it refused for an hour, and nobody log anything from then on.
func TestMemoryOfAFullDisk(t *testing.T) {
	said := newMessages()
	files := NewFiles(said.CacheLog, nil)
	path := filepath.Join(t.TempDir(), "a.log")
	f, err := openFile(files, path, 0)
	if err != nil {
		t.Fatal(err)
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	good := f.file
	runJob(f, func() { f.file = full })
	const size, lines = 1 << 10, 4 << 10
	for i := range lines {
		f.Append([]byte(strings.Repeat("x", size-1) + "\n"))
		if i == lines/2 {
			f.Flush()
		}
	}
	runJob(f, func() { f.file = good; full.Close() })
	f.Flush()
	said.await(t, "is written again; 0 lines were lost")
	for range 2 {
		files.Trim()
	}
	f.mu.Lock()
	if n := f.lines.capacity(); n > leastMuch {
		t.Errorf("%d kB are kept for lines, of which nobody logs any", n>>10)
	}
	f.mu.Unlock()
	f.Append([]byte("the last line\n"))
	files.Close()
	if got := readFile(t, path); len(got) != size*lines+len("the last line\n") || !strings.HasSuffix(got, "x\nthe last line\n") {
		t.Errorf("the file has %d bytes, and ends with %q", len(got), got[len(got)-min(len(got), 20):])
	}
}

// TestFilesThatHaveEndedAreLetGoOf has a reconfiguration give a log up that never took its lines.
func TestFilesThatHaveEndedAreLetGoOf(t *testing.T) {
	files := NewFiles(newMessages().CacheLog, nil)
	defer files.Close()
	f, err := openFile(files, "/dev/full", 0)
	if err != nil {
		t.Fatal(err)
	}
	const size = 1 << 20
	f.Append(make([]byte, size))
	files.Release(f)
	<-f.done
	if n := files.Trim(); n < size || len(files.closing) > 0 {
		t.Errorf("%d bytes are let go of, want %d at least; %d files are closing", n, size, len(files.closing))
	}
}

// TestMemoryOfAStream has standard error read at last, when nothing more is said.
func TestMemoryOfAStream(t *testing.T) {
	read, write := io.Pipe()
	s := newStream(write)
	for i := range maxStream / 100 {
		fmt.Fprintf(s, "%099d\n", i)
	}
	go io.Copy(io.Discard, read) // until the end
	defer write.Close()
	s.Flush(time.Hour)
	for range 2 {
		s.Trim()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.lines.capacity(); n > leastMuch {
		t.Errorf("%d kB are kept", n>>10)
	}
}
