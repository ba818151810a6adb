package loop_test

import (
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"exaproxy/engine/loop"
	"exaproxy/engine/loop/looptest"
)

func memoryWorld(t *testing.T) (*world, *looptest.Kernel) {
	k := looptest.NewKernel(t)
	return newWorld(t, k, memory{k}), k
}

func TestTaskRunsOnceHoweverOftenItIsWoken(t *testing.T) {
	w, _ := memoryWorld(t)
	task := &task{}
	waker := w.loop.NewWaker(task)
	waker.Wake()
	waker.Wake()
	if !w.loop.Turn(false) || task.runs != 1 {
		t.Errorf("a task that was woken twice ran %d times", task.runs)
	}
	if w.loop.Turn(false) || task.runs != 1 {
		t.Errorf("a turn without anything to do ran it again, or said that something happened")
	}
}

func TestTaskRetiredWhileQueuedNeverRuns(t *testing.T) {
	w, _ := memoryWorld(t)
	task := &task{}
	waker := w.loop.NewWaker(task)
	waker.Wake()
	waker.Retire()
	w.loop.Turn(false)
	waker.Wake()
	w.loop.Turn(false)
	if task.runs != 0 {
		t.Errorf("a retired task ran %d times", task.runs)
	}
}

func TestTaskRetiredByAnotherOfTheSamePassNeverRuns(t *testing.T) {
	w, _ := memoryWorld(t)
	second := &task{}
	secondWaker := w.loop.NewWaker(second)
	first := &task{does: secondWaker.Retire}
	w.loop.NewWaker(first).Wake()
	secondWaker.Wake()
	w.loop.Turn(false)
	if first.runs != 1 || second.runs != 0 {
		t.Errorf("the first ran %d times, the one it retired %d times", first.runs, second.runs)
	}
}

func TestWakeDuringOwnRunRunsInTheNextPass(t *testing.T) {
	w, _ := memoryWorld(t)
	var order []string
	var self *loop.Waker
	again := &task{}
	again.does = func() {
		order = append(order, "first")
		if again.runs == 1 {
			self.Wake()
		}
	}
	self = w.loop.NewWaker(again)
	other := w.loop.NewWaker(&task{does: func() { order = append(order, "other") }})
	self.Wake()
	other.Wake()
	w.loop.Turn(false)
	if want := []string{"first", "other", "first"}; !slices.Equal(order, want) {
		t.Errorf("the order was %v, want %v", order, want)
	}
}

func TestTurnEndsThoughTasksGoOn(t *testing.T) {
	w, _ := memoryWorld(t)
	var self *loop.Waker
	selfWaking := &task{does: func() { self.Wake() }}
	self = w.loop.NewWaker(selfWaking)
	self.Wake()
	w.loop.Turn(true) // does not wait either, as a task is queued
	if selfWaking.runs != 8 {
		t.Errorf("a task that always wakes itself ran %d times in one turn, want 8", selfWaking.runs)
	}
}

func TestNilWakers(t *testing.T) {
	var none *loop.Waker
	none.Wake()
	none.Retire()
	var timer *loop.Timer
	timer.Clear()
	var ln *loop.Listener
	ln.Close()
	w, _ := memoryWorld(t)
	expiring := w.loop.NewTimer(nil)
	expiring.Set(0)
	w.until("a timer without a waker expires", expiring.Expired)
}

func TestPostedFunctionsRunInOrderAndOneTurnAtATime(t *testing.T) {
	w, _ := memoryWorld(t)
	var order []int
	for i := range 3 {
		w.loop.Post(func() {
			order = append(order, i)
			w.loop.Post(func() { order = append(order, 10+i) })
		})
	}
	w.loop.Turn(true)
	if !slices.Equal(order, []int{0, 1, 2}) {
		t.Errorf("after one turn %v had run", order)
	}
	w.loop.Turn(true)
	if !slices.Equal(order, []int{0, 1, 2, 10, 11, 12}) {
		t.Errorf("after two turns %v had run", order)
	}
	if w.loop.Turn(false) {
		t.Error("a turn of a loop without anything did something")
	}
}

func TestFunctionsPostedByManyGoroutinesAllRun(t *testing.T) {
	onBothKernels(t, func(w *world) {
		const senders, each = 8, 500
		arrived := 0
		for range senders {
			go func() {
				for range each {
					w.loop.Post(func() { arrived++ })
				}
			}()
		}
		for arrived < senders*each {
			w.loop.Turn(true)
		}
	})
}

func TestRunReturnsAtOnceAfterStop(t *testing.T) {
	onBothKernels(t, func(w *world) {
		w.loop.Stop()
		w.loop.Run()
	})
}

func TestTurnsAllocateNothing(t *testing.T) {
	w := linuxWorld(t)
	fd, far, _ := w.pair()
	waker := w.loop.NewWaker(&task{})
	timer := w.loop.NewTimer(waker)
	buffer, word := make([]byte, 64), []byte("word")
	pieces := [][]byte{word, word}
	for name, do := range map[string]func(){
		"wake and turn": func() { waker.Wake(); w.loop.Turn(false) },
		"set and clear": func() { timer.Set(1e9); timer.Clear() },
		"an event, a read, a write": func() {
			unix.Write(far.(*machineEnd).sys, word)
			w.loop.Turn(false)
			fd.Read(buffer)
			fd.Read(buffer)
			fd.Write(word)
			fd.Writev(pieces)
			unix.Read(far.(*machineEnd).sys, buffer)
		},
	} {
		if n := testing.AllocsPerRun(100, do); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

// WakeNextTurn has a task run once a turn, behind those that the kernel has woken, and no turn waits meanwhile.
func TestWakeNextTurn(t *testing.T) {
	w, _ := memoryWorld(t)
	task := &task{}
	waker := w.loop.NewWaker(task)
	task.does = func() {
		waker.WakeNextTurn()
		waker.Wake() // it is queued already
	}
	waker.Wake()
	for want := 1; want < 5; want++ {
		if !w.loop.Turn(true) || task.runs != want {
			t.Errorf("after %d turns it has run %d times", want, task.runs)
		}
	}
	waker.Retire()
	waker.WakeNextTurn()
	w.loop.Turn(false)
	if task.runs != 4 {
		t.Errorf("it has run %d times though it is retired", task.runs)
	}
}
