package main

// An errand is what may have to wait for a disk or a name server. It is run on a goroutine of its own,
// so that the program hears signals meanwhile, and never twice at a time: whoever asks while it is run
// is served by one more run, however many they are. It belongs to the main goroutine, which calls
// finish for each result of done.
type errand[T any] struct {
	run  func() T
	done chan T

	running, again bool
}

func newErrand[T any](run func() T) *errand[T] {
	return &errand[T]{run: run, done: make(chan T, 1)}
}

// ask has it run from its beginning after now.
func (e *errand[T]) ask() {
	if e.running {
		e.again = true
		return
	}
	e.running = true
	go func() { e.done <- e.run() }()
}

// finish lets those be served who asked meanwhile.
func (e *errand[T]) finish() {
	e.running = false
	if e.again {
		e.again = false
		e.ask()
	}
}
