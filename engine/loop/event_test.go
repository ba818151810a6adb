package loop_test

import (
	"errors"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"exaproxy/engine/loop"
	"exaproxy/engine/loop/looptest"
)

// scripted is a kernel in memory that reports what a test says.
type scripted struct {
	*looptest.Kernel
	events  []loop.Event
	watched []loop.Event // slot and generation, in order
	until   time.Time    // of the last Wait
}

func (s *scripted) Watch(sys int, slot, generation int32) error {
	s.watched = append(s.watched, loop.Event{Slot: slot, Generation: generation})
	return s.Kernel.Watch(sys, slot, generation)
}

func (s *scripted) Wait(events []loop.Event, until time.Time) int {
	s.until = until
	n := copy(events, s.events)
	s.events = s.events[n:]
	return n
}

func scriptedWorld(t *testing.T) (*world, *scripted) {
	k := looptest.NewKernel(t)
	s := &scripted{Kernel: k}
	return newWorld(t, s, memory{k}), s
}

func TestWhatEventsSay(t *testing.T) {
	for _, row := range []struct {
		name         string
		bits         loop.Bits
		typ          loop.Type
		finished     bool // we have called CloseWrite
		done, broken bool
	}{
		{name: "bytes", bits: loop.In | loop.Out},
		{name: "RDHUP: the peer writes no more", bits: loop.In | loop.Done, done: true},
		{name: "HUP: nothing goes any more", bits: loop.In | loop.Done | loop.Hup, done: true, broken: true},
		{name: "HUP after CloseWrite: both have finished", bits: loop.In | loop.Done | loop.Hup, finished: true, done: true},
		{name: "ERR", bits: loop.Failed, done: true, broken: true},
		{name: "ERR after CloseWrite", bits: loop.Failed | loop.Hup, finished: true, done: true, broken: true},
		{name: "HUP of a pipe that is read", bits: loop.Hup, typ: loop.Pipe, done: true, broken: true},
		{name: "ERR of a datagram socket", bits: loop.Failed, typ: loop.Datagram},
	} {
		t.Run(row.name, func(t *testing.T) {
			w, script := scriptedWorld(t)
			sys, _ := w.outside.pair()
			fd, _ := w.watch(sys, row.typ)
			if row.finished {
				fd.CloseWrite()
			}
			e := script.watched[0]
			e.Bits = row.bits
			script.events = []loop.Event{e}
			w.loop.Turn(false)
			if fd.PeerDone() != row.done || fd.Broken() != row.broken {
				t.Errorf("done %v and broken %v, want %v and %v", fd.PeerDone(), fd.Broken(), row.done, row.broken)
			}
		})
	}
}

func TestStaleEventsOfAClosedDescriptorAreIgnored(t *testing.T) {
	w, script := scriptedWorld(t)
	oldSys, _ := w.outside.pair()
	old, oldTask := w.watch(oldSys, loop.Stream)
	stale := script.watched[0]
	stale.Bits = loop.In | loop.Hup | loop.Failed
	old.Close()
	script.events = []loop.Event{stale}
	w.loop.Turn(false)
	newSys, _ := w.outside.pair()
	successor, successorTask := w.watch(newSys, loop.Stream)
	if got := script.watched[1]; got.Slot != stale.Slot || got.Generation == stale.Generation {
		t.Fatalf("slot %d, generation %d follows slot %d, generation %d: want the next generation in the same slot",
			got.Slot, got.Generation, stale.Slot, stale.Generation)
	}
	script.events = []loop.Event{stale, stale}
	w.loop.Turn(false)
	if oldTask.runs != 0 || successorTask.runs != 0 || successor.Broken() {
		t.Errorf("stale events ran the old owner's task %d times, the new one's %d times; broken: %v",
			oldTask.runs, successorTask.runs, successor.Broken())
	}
}

func TestDescriptorClosedByAnEarlierTaskOfTheBatch(t *testing.T) {
	w, script := scriptedWorld(t)
	firstSys, _ := w.outside.pair()
	secondSys, _ := w.outside.pair()
	first, firstTask := w.watch(firstSys, loop.Stream)
	secondTask := &task{}
	secondWaker := w.loop.NewWaker(secondTask)
	second, err := w.loop.Watch(secondSys, loop.Stream, secondWaker)
	if err != nil {
		t.Fatal(err)
	}
	firstTask.does = func() {
		second.Close()
		secondWaker.Retire()
	}
	w.wantAgain("the first", first)
	for _, e := range script.watched {
		e.Bits = loop.In | loop.Done
		script.events = append(script.events, e)
	}
	w.loop.Turn(false)
	if firstTask.runs != 1 || secondTask.runs != 0 {
		t.Errorf("the first task ran %d times, that of the closed descriptor %d times", firstTask.runs, secondTask.runs)
	}
}

func TestDuplicateInAChildCannotDisturb(t *testing.T) {
	w := linuxWorld(t)
	sys, far := w.outside.pair()
	defer far.Close()
	duplicate, err := unix.Dup(sys)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(duplicate) // keeps the registration alive
	old, oldTask := w.watch(sys, loop.Stream)
	w.rest()
	old.Close()
	oldTask.runs = 0
	successor, _, successorTask := w.pair()
	w.wantAgain("the successor", successor)
	w.rest()
	successorTask.runs = 0
	far.Write([]byte("to a dead one"))
	w.rest()
	if oldTask.runs+successorTask.runs != 0 || successor.Readable() {
		t.Errorf("an event of a closed descriptor ran its task %d times and its successor's %d times", oldTask.runs, successorTask.runs)
	}
}

func TestNoWakeForWhatIsKnown(t *testing.T) {
	w, script := scriptedWorld(t)
	sys, _ := w.outside.pair()
	fd, task := w.watch(sys, loop.Stream)
	e := script.watched[0]
	e.Bits = loop.In | loop.Out
	script.events = []loop.Event{e}
	w.loop.Turn(false)
	if task.runs != 0 {
		t.Errorf("an owner that has not had ErrAgain was woken %d times", task.runs)
	}
	w.wantAgain("a read", fd)
	script.events = []loop.Event{e, e}
	w.loop.Turn(false)
	if task.runs != 1 {
		t.Errorf("an owner that had ErrAgain was woken %d times", task.runs)
	}
}

func TestErrorsNameTheOperand(t *testing.T) {
	w := linuxWorld(t)
	for _, row := range []struct {
		name string
		do   func() error
		want string
	}{
		{"dialling nowhere", func() error {
			_, err := w.loop.Dial(loop.DialSpec{}, nil)
			return err
		}, "connect invalid AddrPort: destination address required"},
		{"watching a file", func() error {
			f, err := os.Open(os.Args[0])
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = w.loop.Watch(int(f.Fd()), loop.Pipe, nil)
			if err != nil {
				err = errors.Unwrap(err)
			}
			return err
		}, "operation not permitted"},
		{"lending something that does not exist", func() error {
			_, err := w.loop.WatchListener(-1, nil)
			return err
		}, "watch listener -1: bad file descriptor"},
		{"making a loop of nothing", func() error {
			_, err := loop.New(nil)
			return err
		}, "make a loop: no kernel"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if err := row.do(); err == nil || err.Error() != row.want {
				t.Errorf("got %v, want %s", err, row.want)
			}
		})
	}
}
