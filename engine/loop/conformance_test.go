package loop_test

import (
	"errors"
	"io"
	"os"
	"syscall"
	"testing"

	"exaproxy/engine/loop"
)

// TestConformance is what a kernel must do for the loop. It keeps the kernel in memory
// honest: it runs on that of this machine too.
func TestConformance(t *testing.T) {
	for _, row := range []struct {
		name string
		test func(*world)
	}{
		{"bytes that come wake a reader that had ErrAgain", wakesReader},
		{"bytes that come wake a reader that has read short", wakesShortReader},
		{"bytes that were there before Watch are found", findsEarlyBytes},
		{"the end comes after the bytes and stays", endsAfterBytes},
		{"a peer that has finished writing can be written to", writesToHalfClosed},
		{"a write finds no room, and is woken when there is", writerWaits},
		{"writev takes what fits, and is woken for the rest", gathererWaits},
		{"writev skips what is empty", gathererSkips},
		{"a closed pair breaks the pipe", pairBreaks},
		{"a connection that the peer closed breaks at the second write", connectionBreaks},
		{"a reset connection gives what was read, an error, and the end", resetByPeer},
		{"Reset resets", resetsPeer},
		{"closing with bytes unread resets", closeUnread},
		{"what the peer has not read is counted", countsUnread},
		{"CloseWrite is the peer's end, and reading goes on", closeWrite},
		{"a closed descriptor refuses everything", refusesWhenClosed},
		{"another waker is woken from now on", changesWaker},
		{"a listener is reported as long as connections wait", listenerInsists},
		{"a closed listener accepts nothing", closedListener},
		{"a listener that was lent stays open", listenerLent},
		{"an address in use is named", addressInUse},
		{"a connection is dialled", dials},
		{"a dialled connection is refused", dialRefused},
		{"a dialled connection comes from where it should", dialsFrom},
		{"an idle connection is readable only when bytes come", dialledReader},
		{"datagrams go to and fro, one by one", exchangesDatagrams},
		{"a refused datagram is an error, once", datagramRefused},
		{"a timer expires, not early", timerExpires},
		{"a posted function ends the wait", postEndsWait},
		{"Stop ends Run", stopEndsRun},
	} {
		t.Run(row.name, func(t *testing.T) { onBothKernels(t, row.test) })
	}
}

func countsUnread(w *world) {
	fd, far, _ := w.pair()
	if n := fd.Unread(); n != 0 {
		w.Errorf("before anything is written, %d bytes are unread", n)
	}
	if _, err := fd.Write([]byte("hello")); err != nil {
		w.Fatal(err)
	}
	if fd.Unread() == 0 {
		w.Error("what was just written is said to be read")
	}
	far.Read()
	if n := fd.Unread(); n != 0 {
		w.Errorf("after everything was read, %d bytes are unread", n)
	}
	fd.Close()
	if n := fd.Unread(); n != 0 {
		w.Errorf("of a closed descriptor %d bytes are unread", n)
	}
}

func wakesReader(w *world) {
	fd, far, task := w.pair()
	w.wantAgain("before anything comes", fd)
	w.rest()
	before := task.runs
	far.Write([]byte("hello"))
	w.wantRuns("the reader", task, before+1)
	w.want("what came", fd, "hello", nil)
	w.wantAgain("after it", fd)
}

func wakesShortReader(w *world) {
	fd, far, task := w.accepted()
	far.Write([]byte("one"))
	w.until("bytes come", func() bool { return tryRead(fd) == "one" })
	if fd.Readable() {
		w.Error("after a short read of a stream socket the descriptor is still readable")
	}
	w.rest()
	before := task.runs
	far.Write([]byte("two"))
	w.until("the reader runs again", func() bool { return task.runs > before })
	w.want("what came second", fd, "two", nil)
}

// tryRead reads what there is.
func tryRead(fd *loop.FD) string {
	var b [1 << 10]byte
	n, _ := fd.Read(b[:])
	return string(b[:n])
}

func findsEarlyBytes(w *world) {
	sys, far := w.outside.pair()
	far.Write([]byte("early"))
	fd, err := w.loop.Watch(sys, loop.Stream, nil)
	if err != nil {
		w.Fatal(err)
	}
	defer fd.Close()
	defer far.Close()
	w.want("before any turn", fd, "early", nil)
}

func endsAfterBytes(w *world) {
	for _, connect := range []func() (*loop.FD, far, *task){w.pair, w.accepted} {
		fd, far, task := connect()
		w.wantAgain("before anything comes", fd)
		far.Write([]byte("last words"))
		far.CloseWrite()
		w.until("the reader runs", func() bool { return task.runs > 0 && fd.PeerDone() })
		if fd.Broken() {
			w.Error("a peer that only writes no more makes the descriptor broken")
		}
		w.want("the bytes", fd, "last words", nil)
		w.want("the end", fd, "", io.EOF)
		w.want("the end again", fd, "", io.EOF)
	}
}

func writesToHalfClosed(w *world) {
	fd, far, _ := w.accepted()
	far.CloseWrite()
	w.until("the end is reported", fd.PeerDone)
	if _, err := fd.Write([]byte("still here?")); err != nil {
		w.Errorf("writing to a peer that writes no more: %v", err)
	}
	w.wantFar(far, []byte("still here?"))
}

// large is more bytes than a connection has room for: tcp_wmem is 4 MiB at most by default, see tcp(7).
const large = 8 << 20

// pattern is n bytes that are not the same everywhere.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7>>3) % 0xf8 // no byte of a canary's mark
	}
	return b
}

func writerWaits(w *world) {
	for _, connect := range []func() (*loop.FD, far, *task){w.pair, w.accepted} {
		fd, far, task := connect()
		far.Limit()
		all := pattern(large)
		n, err := fd.Write(all)
		if n == len(all) || err != loop.ErrAgain {
			w.Fatalf("a write without room took %d of %d bytes and said %v", n, len(all), err)
		}
		if m, err := fd.Write(all[n:]); m != 0 || err != loop.ErrAgain {
			w.Errorf("a second write took %d bytes and said %v, before the edge", m, err)
		}
		task.does = func() {
			m, err := fd.Write(all[n:])
			n += m
			if err != nil && err != loop.ErrAgain {
				w.Errorf("a write that was woken: %v", err)
			}
		}
		w.wantFar(far, all)
	}
}

func gathererWaits(w *world) {
	fd, far, task := w.accepted()
	far.Limit()
	all := pattern(large)
	pieces := func(b []byte) (p [][]byte) {
		for len(b) > 0 {
			n := min(len(b), 100_000)
			p, b = append(p, b[:n]), b[n:]
		}
		return p
	}
	n, err := fd.Writev(pieces(all))
	if n == len(all) || err != loop.ErrAgain {
		w.Fatalf("a writev without room took %d of %d bytes and said %v", n, len(all), err)
	}
	task.does = func() {
		m, err := fd.Writev(pieces(all[n:]))
		n += m
		if err != nil && err != loop.ErrAgain {
			w.Errorf("a writev that was woken: %v", err)
		}
	}
	w.wantFar(far, all)
}

func gathererSkips(w *world) {
	fd, far, _ := w.pair()
	p := [][]byte{nil, []byte("a"), {}, []byte("bc"), nil}
	if n, err := fd.Writev(p); n != 3 || err != nil {
		w.Errorf("writev wrote %d bytes and said %v, want 3 and nothing", n, err)
	}
	if n, err := fd.Writev([][]byte{nil, {}}); n != 0 || err != nil {
		w.Errorf("writev of nothing wrote %d bytes and said %v", n, err)
	}
	w.wantFar(far, []byte("abc"))
	if string(p[1]) != "a" || string(p[3]) != "bc" {
		w.Error("writev changed its argument")
	}
}

func pairBreaks(w *world) {
	fd, far, _ := w.pair()
	far.Close()
	w.until("it is broken", fd.Broken)
	if n, err := fd.Write([]byte("x")); n != 0 || !errors.Is(err, syscall.EPIPE) {
		w.Errorf("writing wrote %d and said %v, want 0 and EPIPE", n, err)
	}
	w.want("reading", fd, "", io.EOF)
}

func connectionBreaks(w *world) {
	fd, far, _ := w.accepted()
	far.Close()
	w.until("the end is reported", fd.PeerDone)
	if fd.Broken() {
		w.Error("a peer that closed regularly makes the descriptor broken before anything was written")
	}
	if _, err := fd.Write([]byte("x")); err != nil {
		w.Errorf("the first write to a closed connection says %v: the kernel cannot know yet", err)
	}
	w.until("it is broken", fd.Broken)
	if _, err := fd.Write([]byte("y")); !errors.Is(err, syscall.EPIPE) {
		w.Errorf("the second write says %v, want EPIPE", err)
	}
	w.want("reading", fd, "", io.EOF)
}

func resetByPeer(w *world) {
	fd, far, task := w.accepted()
	w.wantAgain("before anything comes", fd)
	far.Write([]byte("half a"))
	w.until("bytes come", func() bool { return task.runs > 0 && fd.Readable() })
	far.Reset()
	w.until("it is broken", fd.Broken)
	w.want("what had come", fd, "half a", nil)
	w.want("the reset", fd, "", syscall.ECONNRESET)
	w.want("after it", fd, "", io.EOF)
	if _, err := fd.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		w.Errorf("writing says %v, want EPIPE", err)
	}
}

func resetsPeer(w *world) {
	fd, far, _ := w.accepted()
	fd.Write([]byte("half a"))
	w.wantFar(far, []byte("half a"))
	fd.Reset()
	fd.Reset()
	w.until("the peer is reset", far.WasReset)
}

func closeUnread(w *world) {
	fd, far, _ := w.accepted()
	far.Write([]byte("never read"))
	w.until("bytes come", fd.Readable)
	w.rest()
	fd.Close()
	w.until("the peer is reset", far.WasReset)
}

func closeWrite(w *world) {
	for _, connect := range []func() (*loop.FD, far, *task){w.pair, w.accepted} {
		fd, far, _ := connect()
		fd.Write([]byte("bye"))
		for range 2 {
			if err := fd.CloseWrite(); err != nil {
				w.Error(err)
			}
		}
		if _, err := fd.Write([]byte("more")); !errors.Is(err, syscall.EPIPE) {
			w.Errorf("a write after CloseWrite says %v, want EPIPE", err)
		}
		w.wantFar(far, []byte("bye"))
		w.until("the peer is at the end", far.Closed)
		if far.WasReset() {
			w.Error("CloseWrite reset the connection")
		}
		far.Write([]byte("farewell"))
		far.CloseWrite()
		w.until("both have finished", fd.PeerDone)
		if fd.Broken() {
			w.Error("two sides that have finished in good order are called broken")
		}
		w.want("what came last", fd, "farewell", nil)
		w.want("the end", fd, "", io.EOF)
	}
}

func refusesWhenClosed(w *world) {
	fd, _, task := w.pair()
	fd.Close()
	fd.Close()
	w.wantRuns("the task of a closed descriptor", task, 0)
	if fd.Open() || fd.Readable() {
		w.Error("a closed descriptor is open or readable")
	}
	_, readErr := fd.Read(make([]byte, 1))
	_, writeErr := fd.Write([]byte("x"))
	_, writevErr := fd.Writev([][]byte{[]byte("x")})
	_, _, namesErr := fd.Names()
	_, connectErr := fd.Connected()
	for what, err := range map[string]error{
		"Read": readErr, "Write": writeErr, "Writev": writevErr, "Names": namesErr,
		"Connected": connectErr, "CloseWrite": fd.CloseWrite(),
	} {
		if !errors.Is(err, os.ErrClosed) {
			w.Errorf("%s of a closed descriptor says %v", what, err)
		}
	}
	var none *loop.FD
	none.Close()
	none.Reset()
	if none.Open() {
		w.Error("no descriptor is open")
	}
}

func changesWaker(w *world) {
	fd, far, first := w.pair()
	w.wantAgain("before anything comes", fd)
	w.rest()
	before := first.runs
	fd.SetWaker(nil)
	far.Write([]byte("unwatched"))
	w.rest()
	second := &task{}
	fd.SetWaker(w.loop.NewWaker(second))
	w.want("an edge that came without a waker", fd, "unwatched", nil)
	w.wantAgain("after it", fd)
	far.Write([]byte("for the second"))
	w.until("the second runs", func() bool { return second.runs > 0 })
	if first.runs != before {
		w.Error("the first waker was woken after it had been replaced")
	}
}
