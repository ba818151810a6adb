package loop_test

import (
	"fmt"
	"io"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"exaproxy/engine/loop"
	"exaproxy/engine/loop/looptest"
)

// printer prints what it reads, and stops the loop at the end.
type printer struct {
	loop *loop.Loop
	fd   *loop.FD
	buf  [4096]byte
}

// Run is called by the loop when the waker was woken.
func (p *printer) Run() {
	for {
		n, err := p.fd.Read(p.buf[:])
		if err == loop.ErrAgain {
			return // woken again when there is more
		}
		if err != nil {
			fmt.Println("end:", err == io.EOF)
			p.fd.Close()
			p.loop.Stop()
			return
		}
		fmt.Printf("read %q\n", p.buf[:n])
	}
}

// A task reads a pipe that another goroutine writes to.
func Example() {
	kernel, err := loop.Linux()
	if err != nil {
		panic(err)
	}
	l, err := loop.New(kernel)
	if err != nil {
		panic(err)
	}
	defer l.Close()
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_NONBLOCK|unix.O_CLOEXEC); err != nil {
		panic(err)
	}

	p := &printer{loop: l}
	waker := l.NewWaker(p)
	if p.fd, err = l.Watch(ends[0], loop.Pipe, waker); err != nil {
		panic(err)
	}
	waker.Wake() // to read until ErrAgain once; from then on the kernel wakes it
	go func() {
		unix.Write(ends[1], []byte("hello"))
		unix.Close(ends[1])
	}()
	l.Run()
	// Output:
	// read "hello"
	// end: true
}

// Functions of other goroutines run on the loop's by Post.
func ExampleLoop_Post() {
	kernel, err := loop.Linux()
	if err != nil {
		panic(err)
	}
	l, err := loop.New(kernel)
	if err != nil {
		panic(err)
	}
	defer l.Close()
	go l.Post(func() {
		fmt.Println("on the loop's goroutine")
		l.Stop()
	})
	l.Run()
	// Output: on the loop's goroutine
}

type printTask string

func (p printTask) Run() { fmt.Println(p) }

// With the kernel of looptest no time passes but by Advance.
func ExampleTimer() {
	kernel := looptest.NewKernel(nil)
	l, err := loop.New(kernel)
	if err != nil {
		panic(err)
	}
	timer := l.NewTimer(l.NewWaker(printTask("expired")))
	timer.Set(time.Minute)
	l.Turn(false)
	fmt.Println(timer.Armed(), timer.Expired())
	kernel.Advance(time.Minute + 16*time.Millisecond)
	l.Turn(false)
	fmt.Println(timer.Armed(), timer.Expired())
	// Output:
	// true false
	// expired
	// false true
}

// accepter accepts connections and closes them.
type accepter struct{ listener *loop.Listener }

func (a *accepter) Run() {
	for {
		fd, peer, err := a.listener.Accept()
		if err != nil {
			return // loop.ErrAgain: woken again when there is another
		}
		fmt.Println("accepted", peer.Remote.Addr())
		fd.Write([]byte("goodbye"))
		fd.Close()
	}
}

// A listener, and a client played by the test.
func ExampleListener() {
	kernel := looptest.NewKernel(nil)
	l, err := loop.New(kernel)
	if err != nil {
		panic(err)
	}
	at := netip.MustParseAddrPort("192.0.2.1:3128")
	sys, err := kernel.OpenListener(loop.ListenSpec{Addr: at})
	if err != nil {
		panic(err)
	}
	a := &accepter{}
	if a.listener, err = l.WatchListener(sys, l.NewWaker(a)); err != nil {
		panic(err)
	}
	client := kernel.Dial(at)
	l.Turn(false)
	fmt.Printf("the client read %q, closed: %v\n", client.Read(), client.Closed())
	// Output:
	// accepted 10.0.0.2
	// the client read "goodbye", closed: true
}
