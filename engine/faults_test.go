package engine

import (
	"bytes"
	"context"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
)

// broken is a task that panics, and counts how often it was told to end.
type broken struct{ aborted int }

func (b *broken) Run()   { panic("a fault of ours") }
func (b *broken) Abort() { b.aborted++; panic("and another") }

// A fault of ours outside of transactions costs its task, and neither the program nor the disk.
func TestFaultsOfTasksDoNotEndTheProgram(t *testing.T) {
	var said bytes.Buffer
	e, err := New(Config{Workers: 1, Log: slog.New(slog.NewTextHandler(&said, nil)),
		Ports:     []Port{{Addr: netip.MustParseAddrPort("127.0.0.1:0")}},
		NewPolicy: func(Services) (Policy, error) { return DefaultPolicy{}, nil }})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- e.Run(context.Background()) }()
	w := e.workers[0]
	task := &broken{}
	again := make(chan bool)
	for range 3 {
		w.loop.Post(w.loop.NewWaker(task).Wake)
		w.loop.Post(func() { again <- true }) // the loop turns once more, behind the task's run
		<-again
		w.loop.Post(func() { again <- true })
		<-again
	}
	e.Shutdown(0)
	if err := <-ended; err != nil {
		t.Errorf("the engine ended with %v", err)
	}
	if task.aborted != 3 {
		t.Errorf("the task that panicked three times was ended %d times", task.aborted)
	}
	if n := strings.Count(said.String(), "a fault of ours; please report it"); n != 1 || !strings.Contains(said.String(), "broken).Run") {
		t.Errorf("%d of 3 faults in one moment are logged, want 1, with its stack:\n%s", n, &said)
	}
}
