package loop_test

import (
	"bytes"
	"errors"
	"io"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"exaproxy/engine/loop"
)

// TestConformance is what a kernel must do for the loop. It keeps the kernel in memory
// honest: it runs on that of this machine too.
func TestConformance(t *testing.T) {
	for _, row := range []struct {
		name string
		test func(*world)
	}{
		{"bytes that come wake a reader that was told to wait", wakesReader},
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
		{"CloseWrite is the peer's end, and reading goes on", closeWrite},
		{"a closed descriptor refuses everything", refusesWhenClosed},
		{"another waker is woken from now on", changesWaker},
		{"a listener is reported as long as connections wait", listenerInsists},
		{"a listener pauses", listenerPauses},
		{"a listener that was lent stays open", listenerLent},
		{"an address in use is named", addressInUse},
		{"a connection is dialled", dials},
		{"a dialled connection is refused", dialRefused},
		{"a dialled connection comes from where it should", dialsFrom},
		{"an idle connection is readable only when bytes come", dialledReader},
		{"datagrams go to and fro, one by one", exchangesDatagrams},
		{"a datagram to nobody is an error, once", datagramToNobody},
		{"options are taken", takesOptions},
		{"a timer expires, not early", timerExpires},
		{"a posted function ends the wait", postEndsWait},
		{"Stop ends Run", stopEndsRun},
	} {
		t.Run(row.name, func(t *testing.T) { onBothKernels(t, row.test) })
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

// pattern is n bytes that are not the same everywhere.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * 7 >> 3)
	}
	return b
}

func writerWaits(w *world) {
	for _, connect := range []func() (*loop.FD, far, *task){w.pair, w.accepted} {
		fd, far, task := connect()
		far.Limit()
		all := pattern(8 << 20)
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
	all := pattern(8 << 20)
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
		if err := fd.CloseWrite(); err != nil {
			w.Error(err)
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
		"Connected": connectErr, "CloseWrite": fd.CloseWrite(), "SetOption": fd.SetOption(loop.KeepAlive, 1),
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
	far.Write([]byte("for nobody"))
	w.rest()
	second := &task{}
	fd.SetWaker(w.loop.NewWaker(second))
	w.want("an edge that came while nobody waited", fd, "for nobody", nil)
	w.wantAgain("after it", fd)
	far.Write([]byte("for the second"))
	w.until("the second runs", func() bool { return second.runs > 0 })
	if first.runs != before {
		w.Error("the first waker was woken after it had been replaced")
	}
}

func listenerInsists(w *world) {
	task := &task{}
	ln := w.listen(task)
	if _, _, err := ln.Accept(); err != loop.ErrAgain {
		w.Errorf("accept without connections says %v", err)
	}
	one, two := w.outside.dial(ln.Addr()), w.outside.dial(ln.Addr())
	defer one.Close()
	defer two.Close()
	w.until("it is reported again and again", func() bool { return task.runs > 3 })
	for i := range 2 {
		fd, peer, err := ln.Accept()
		if err != nil {
			w.Fatalf("accept %d: %v", i, err)
		}
		defer fd.Close()
		if !peer.Remote.Addr().Is4() || peer.Remote.Port() == 0 {
			w.Errorf("the peer is %v", peer.Remote)
		}
		if local, original, err := fd.Names(); local != ln.Addr() || original.IsValid() || err != nil {
			w.Errorf("its own name is %v, original %v, error %v; want %v", local, original, err, ln.Addr())
		}
	}
	w.rest()
	task.runs = 0
	w.wantRuns("the listener's task, when all is accepted", task, 0)
}

func listenerPauses(w *world) {
	task := &task{}
	ln := w.listen(task)
	ln.Pause()
	ln.Pause()
	defer w.outside.dial(ln.Addr()).Close()
	w.wantRuns("the task of a paused listener", task, 0)
	if _, _, err := ln.Accept(); err != loop.ErrAgain {
		w.Errorf("a paused listener accepts: %v", err)
	}
	ln.Resume()
	ln.Resume()
	w.until("it is reported", func() bool { return task.runs > 0 })
	fd, _, err := ln.Accept()
	if err != nil {
		w.Fatal(err)
	}
	fd.Close()
	ln.Close()
	ln.Resume()
	ln.Pause()
	if _, _, err := ln.Accept(); err != loop.ErrAgain {
		w.Errorf("a closed listener says %v", err)
	}
}

func listenerLent(w *world) {
	k := w.loop.Kernel()
	sys, err := k.OpenListener(loop.ListenSpec{Addr: netip.MustParseAddrPort("127.0.0.1:0")})
	if err != nil {
		w.Fatal(err)
	}
	defer k.Close(sys)
	for range 2 {
		task := &task{}
		ln, err := w.loop.WatchListener(sys, w.loop.NewWaker(task))
		if err != nil {
			w.Fatal(err)
		}
		far := w.outside.dial(ln.Addr())
		w.until("it is reported", func() bool { return task.runs > 0 })
		fd, _, err := ln.Accept()
		if err != nil {
			w.Error(err)
		}
		fd.Close()
		far.Close()
		ln.Close()
		ln.Close()
	}
}

func addressInUse(w *world) {
	ln := w.listen(&task{})
	_, err := w.loop.Listen(loop.ListenSpec{Addr: ln.Addr()}, nil)
	want := "listen " + ln.Addr().String() + ": address already in use"
	if err == nil || err.Error() != want || !errors.Is(err, syscall.EADDRINUSE) {
		w.Errorf("got %v, want %s", err, want)
	}
}

// dial dials, and waits for the outcome.
func (w *world) dial(s loop.DialSpec) (*loop.FD, *task, error) {
	task := &task{}
	fd, err := w.loop.Dial(s, w.loop.NewWaker(task))
	if err != nil {
		return nil, task, err
	}
	w.Cleanup(fd.Close)
	w.until("dialling comes to an end", func() (done bool) {
		done, err = fd.Connected()
		return done
	})
	return fd, task, err
}

func dials(w *world) {
	s := w.outside.listen()
	fd, task, err := w.dial(loop.DialSpec{Remote: s.addr()})
	if err != nil {
		w.Fatal(err)
	}
	if task.runs == 0 {
		w.Error("nobody was woken when the connection was made")
	}
	var far far
	w.until("the server accepts", func() bool { far = s.accept(); return far != nil })
	defer far.Close()
	if _, err := fd.Write([]byte("ping")); err != nil {
		w.Error(err)
	}
	w.wantFar(far, []byte("ping"))
	if local, original, err := fd.Names(); !local.IsValid() || original.IsValid() || err != nil {
		w.Errorf("its own name is %v, original %v, error %v", local, original, err)
	}
}

func dialRefused(w *world) {
	to := w.outside.nobody()
	fd, _, err := w.dial(loop.DialSpec{Remote: to})
	want := "connect " + to.String() + ": connection refused"
	if err == nil || err.Error() != want || !errors.Is(err, syscall.ECONNREFUSED) {
		w.Errorf("got %v, want %s", err, want)
	}
	if !fd.Broken() {
		w.Error("a refused connection is not broken")
	}
}

func dialsFrom(w *world) {
	s := w.outside.listen()
	local := netip.MustParseAddrPort("127.0.0.9:0")
	fd, _, err := w.dial(loop.DialSpec{Remote: s.addr(), Local: local})
	if err != nil {
		w.Fatal(err)
	}
	if got, _, _ := fd.Names(); got.Addr() != local.Addr() || got.Port() == 0 {
		w.Errorf("it comes from %v", got)
	}
}

func dialledReader(w *world) {
	s := w.outside.listen()
	fd, task, err := w.dial(loop.DialSpec{Remote: s.addr()})
	if err != nil {
		w.Fatal(err)
	}
	var far far
	w.until("the server accepts", func() bool { far = s.accept(); return far != nil })
	defer far.Close()
	w.wantAgain("before anything comes", fd)
	w.rest()
	before := task.runs
	far.Write([]byte("hello"))
	w.until("the reader runs", func() bool { return task.runs > before })
	w.want("what came", fd, "hello", nil)
}

func exchangesDatagrams(w *world) {
	s := w.outside.receive()
	fd, task, err := w.dial(loop.DialSpec{Kind: loop.Datagram, Remote: s.addr()})
	if err != nil {
		w.Fatal(err)
	}
	w.wantAgain("before anything comes", fd)
	fd.Write([]byte("question"))
	var from netip.AddrPort
	w.until("the server receives", func() bool {
		var data []byte
		var ok bool
		from, data, ok = s.receive()
		return ok && string(data) == "question"
	})
	w.rest()
	before := task.runs
	for _, answer := range []string{"one", "", "two"} {
		s.send(from, []byte(answer))
	}
	w.until("the reader runs", func() bool { return task.runs > before })
	w.want("the first", fd, "one", nil)
	w.want("an empty one, which is no end", fd, "", nil)
	w.want("the last", fd, "two", nil)
	w.wantAgain("after it", fd)
}

func datagramToNobody(w *world) {
	fd, task, err := w.dial(loop.DialSpec{Kind: loop.Datagram, Remote: w.outside.nobody()})
	if err != nil {
		w.Fatal(err)
	}
	w.wantAgain("before anything is sent", fd)
	w.rest()
	before := task.runs
	fd.Write([]byte("question"))
	w.until("the reader runs", func() bool { return task.runs > before })
	w.want("the refusal", fd, "", syscall.ECONNREFUSED)
	w.wantAgain("after it", fd)
	if fd.Broken() {
		w.Error("a datagram socket is broken by one refusal")
	}
}

func takesOptions(w *world) {
	fd, _, _ := w.accepted()
	for option, v := range map[loop.Option]int{
		loop.NoDelay: 0, loop.KeepAlive: 1, loop.KeepAliveIdle: 60, loop.KeepAliveInterval: 10,
		loop.KeepAliveCount: 3, loop.TOS: 8, loop.ReceiveBuffer: 10000, loop.SendBuffer: 10000,
	} {
		if err := fd.SetOption(option, v); err != nil {
			w.Errorf("option %d: %v", option, err)
		}
	}
}

func timerExpires(w *world) {
	task := &task{}
	timer := w.loop.NewTimer(w.loop.NewWaker(task))
	w.loop.Turn(false)
	begin := w.loop.Now()
	timer.Set(40 * time.Millisecond)
	w.until("it expires", timer.Expired)
	if took := w.loop.Now().Sub(begin); took < 40*time.Millisecond || task.runs != 1 {
		w.Errorf("it expired after %v and its task ran %d times", took, task.runs)
	}
}

func postEndsWait(w *world) {
	for range 100 {
		delivered := false
		go w.loop.Post(func() { delivered = true })
		for !delivered {
			w.loop.Turn(true)
		}
	}
}

func stopEndsRun(w *world) {
	ran := make(chan bool)
	w.loop.Post(func() { close(ran) })
	ended := make(chan bool)
	go func() {
		w.loop.Run()
		close(ended)
	}()
	<-ran
	w.loop.Stop()
	<-ended
	w.loop.Close()
	w.loop.Post(func() { w.Error("a function posted after Close was run") })
	w.loop.Stop()
}

// TestRelay copies a stream from one connection to another through a small buffer, with
// a slow reader: the whole rule of edge triggering at work.
func TestRelay(t *testing.T) {
	onBothKernels(t, func(w *world) {
		in, source, _ := w.accepted()
		out, sink, _ := w.accepted()
		sink.Limit()
		r := &relay{in: in, out: out}
		waker := w.loop.NewWaker(r)
		r.waker = waker
		in.SetWaker(waker)
		out.SetWaker(waker)
		waker.Wake()
		all := pattern(3 << 20)
		sent, got := 0, []byte(nil)
		w.until("everything is relayed", func() bool {
			if sent < len(all) {
				sent += source.Write(all[sent:min(sent+100_000, len(all))])
			} else {
				source.CloseWrite()
			}
			got = append(got, sink.Read()...)
			return len(got) >= len(all) && sink.Closed()
		})
		if !bytes.Equal(got, all) {
			w.Errorf("%d bytes came out that are not the %d that went in", len(got), len(all))
		}
	})
}

// relay copies from in to out, at most 64 KiB a run.
type relay struct {
	in, out *loop.FD
	waker   *loop.Waker
	buffer  [4096]byte
	held    []byte
	ended   bool
}

func (r *relay) Run() {
	for range 16 {
		if len(r.held) > 0 {
			n, err := r.out.Write(r.held)
			r.held = r.held[n:]
			if err != nil {
				return
			}
		}
		n, err := r.in.Read(r.buffer[:])
		r.held = r.buffer[:n]
		if err == io.EOF && !r.ended {
			r.ended = true
			r.out.CloseWrite()
		}
		if err != nil {
			return
		}
	}
	r.waker.Wake() // it has had its share of this turn
}
