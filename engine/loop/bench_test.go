package loop_test

import (
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"exaproxy/engine/loop"
)

// benchLoop returns a loop on this machine.
func benchLoop(b *testing.B) *loop.Loop {
	k, err := loop.Linux()
	if err != nil {
		b.Fatal(err)
	}
	l, err := loop.New(k)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(l.Close)
	return l
}

// benchPair returns a watched descriptor and its far side.
func benchPair(b *testing.B, l *loop.Loop, w *loop.Waker) (*loop.FD, int) {
	s, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		b.Fatal(err)
	}
	fd, err := l.Watch(s[0], loop.Stream, w)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(fd.Close)
	b.Cleanup(func() { unix.Close(s[1]) })
	return fd, s[1]
}

// BenchmarkWake is waking a task and running it, with 100 to a turn.
func BenchmarkWake(b *testing.B) {
	l := benchLoop(b)
	var wakers [100]*loop.Waker
	for i := range wakers {
		wakers[i] = l.NewWaker(&task{})
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		wakers[i%100].Wake()
		if i%100 == 99 {
			l.Turn(false)
		}
	}
}

// BenchmarkTurn is a turn that finds nothing.
func BenchmarkTurn(b *testing.B) {
	l := benchLoop(b)
	b.ReportAllocs()
	for b.Loop() {
		l.Turn(false)
	}
}

// BenchmarkTimerPostpone is pushing a deadline on.
func BenchmarkTimerPostpone(b *testing.B) {
	t := benchLoop(b).NewTimer(nil)
	b.ReportAllocs()
	for b.Loop() {
		t.Set(time.Minute)
	}
}

// BenchmarkTimerClear is arming and disarming.
func BenchmarkTimerClear(b *testing.B) {
	t := benchLoop(b).NewTimer(nil)
	b.ReportAllocs()
	for b.Loop() {
		t.Set(time.Minute)
		t.Clear()
	}
}

// BenchmarkReadAgain is a read when it is known that there is nothing.
func BenchmarkReadAgain(b *testing.B) {
	l := benchLoop(b)
	fd, _ := benchPair(b, l, nil)
	var p [64]byte
	b.ReportAllocs()
	for b.Loop() {
		if _, err := fd.Read(p[:]); err != loop.ErrAgain {
			b.Fatal(err)
		}
	}
}

// BenchmarkReadWrite is a message in and a message out, without waiting.
func BenchmarkReadWrite(b *testing.B) {
	l := benchLoop(b)
	fd, far := benchPair(b, l, nil)
	var p [512]byte
	b.ReportAllocs()
	for b.Loop() {
		unix.Write(far, p[:])
		l.Turn(false)
		if n, err := fd.Read(p[:]); n != len(p) || err != nil {
			b.Fatal(n, err)
		}
		if n, err := fd.Write(p[:]); n != len(p) || err != nil {
			b.Fatal(n, err)
		}
		unix.Read(far, p[:])
	}
}

// echo answers what it reads.
type echo struct {
	fd     *loop.FD
	buffer [512]byte
}

func (e *echo) Run() {
	for {
		n, err := e.fd.Read(e.buffer[:])
		if err != nil {
			return
		}
		e.fd.Write(e.buffer[:n])
	}
}

// BenchmarkEcho is a message there and back from another thread, with one connection and
// with several that are busy at once.
func BenchmarkEcho(b *testing.B) {
	for _, busy := range []struct {
		name string
		n    int
	}{{"1", 1}, {"16", 16}, {"128", 128}} {
		b.Run(busy.name, func(b *testing.B) { benchEcho(b, busy.n) })
	}
}

func benchEcho(b *testing.B, busy int) {
	l := benchLoop(b)
	far := make([]int, busy)
	for i := range far {
		e := &echo{}
		w := l.NewWaker(e)
		e.fd, far[i] = benchPair(b, l, w)
		unix.SetNonblock(far[i], false)
		w.Wake()
	}
	var before, after unix.Rusage
	ended := make(chan struct{})
	go func() {
		l.Run()
		close(ended)
	}()
	unix.Getrusage(unix.RUSAGE_SELF, &before)
	var p [512]byte
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%busy != 0 {
			continue // a round is as many messages as there are connections
		}
		for _, sys := range far {
			unix.Write(sys, p[:])
		}
		for _, sys := range far {
			unix.Read(sys, p[:])
		}
	}
	unix.Getrusage(unix.RUSAGE_SELF, &after)
	spent := after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano()
	b.ReportMetric(float64(spent)/float64(b.N), "cpu-ns/op")
	l.Stop()
	<-ended
}

// BenchmarkConnection is dialling, accepting, and closing a connection on loopback.
func BenchmarkConnection(b *testing.B) {
	l := benchLoop(b)
	ln, err := listenOn(l, loop.ListenSpec{Addr: netip.MustParseAddrPort("127.0.0.1:0")}, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	b.ReportAllocs()
	for b.Loop() {
		ours, err := l.Dial(loop.DialSpec{Remote: ln.addr}, nil)
		if err != nil {
			b.Fatal(err)
		}
		var theirs *loop.FD
		for theirs == nil {
			l.Turn(false)
			theirs, _, _ = ln.Accept()
		}
		if done, err := ours.Connected(); !done || err != nil {
			b.Fatal(done, err)
		}
		ours.Reset() // so that no port stays in TIME_WAIT
		theirs.Close()
	}
}
