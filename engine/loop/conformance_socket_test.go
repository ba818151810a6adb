package loop_test

import (
	"errors"
	"net/netip"
	"syscall"
	"time"

	"exaproxy/engine/loop"
)

func listenerInsists(w *world) {
	task := &task{}
	ln := w.listen(task)
	if _, _, err := ln.Accept(); err != loop.ErrAgain {
		w.Errorf("accept without connections says %v", err)
	}
	one, two := w.outside.dial(ln.addr), w.outside.dial(ln.addr)
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
		if local, original, err := fd.Names(); local != ln.addr || original.IsValid() || err != nil {
			w.Errorf("its own name is %v, original %v, error %v; want %v", local, original, err, ln.addr)
		}
	}
	w.rest()
	task.runs = 0
	w.wantRuns("the listener's task, when all is accepted", task, 0)
}

func closedListener(w *world) {
	task := &task{}
	ln := w.listen(task)
	client := w.outside.dial(ln.addr)
	defer client.Close()
	ln.Listener.Close()
	ln.Listener.Close()
	w.wantRuns("the task of a closed listener", task, 0)
	if _, _, err := ln.Accept(); err != loop.ErrAgain {
		w.Errorf("a closed listener accepts: %v", err)
	}
}

func listenerLent(w *world) {
	k := w.loop.Kernel()
	sys, err := k.OpenListener(loop.ListenSpec{Addr: netip.MustParseAddrPort("127.0.0.1:0")})
	if err != nil {
		w.Fatal(err)
	}
	defer k.Close(sys)
	at, _, err := k.Names(sys)
	if err != nil {
		w.Fatal(err)
	}
	for range 2 {
		task := &task{}
		ln, err := w.loop.WatchListener(sys, w.loop.NewWaker(task))
		if err != nil {
			w.Fatal(err)
		}
		far := w.outside.dial(at)
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
	if _, err := listenOn(w.loop, loop.ListenSpec{Addr: ln.addr}, nil); err != syscall.EADDRINUSE {
		w.Errorf("listening twice on an address says %v", err)
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
		w.Error("the task was not woken when the connection was made")
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
	to := w.outside.refusing()
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
	fd, task, err := w.dial(loop.DialSpec{Type: loop.Datagram, Remote: s.addr()})
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

func datagramRefused(w *world) {
	fd, task, err := w.dial(loop.DialSpec{Type: loop.Datagram, Remote: w.outside.refusing()})
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
