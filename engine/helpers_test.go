package engine_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"exaproxy/engine"
	"exaproxy/helper"
)

// A helper that ignores the end of its input does not outlive the engine.
func TestHelpersDoNotOutliveTheEngine(t *testing.T) {
	t.Parallel() // it takes the five seconds that helpers have
	file := filepath.Join(t.TempDir(), "pid")
	program := fmt.Sprintf("echo $$ > %s.new; mv %s.new %s; read line; while :; do sleep 0.1; done", file, file, file)
	e, err := engine.New(engine.Config{
		Workers: 1, Ports: []engine.Port{{Addr: netip.MustParseAddrPort("127.0.0.1:0")}},
		NewPolicy: func(engine.Services) (engine.Policy, error) { return engine.DefaultPolicy{}, nil },
		Helper:    &helper.Config{Argv: []string{"/bin/sh", "-c", program}, Children: 1, Startup: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- e.Run(context.Background()) }()
	var text []byte
	for deadline := time.Now().Add(time.Minute); len(text) == 0; text, _ = os.ReadFile(file) {
		if time.Now().After(deadline) {
			t.Fatal("the helper does not start")
		}
	}
	e.Shutdown(0)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	var pid int
	fmt.Sscan(strings.TrimSpace(string(text)), &pid)
	if err := syscall.Kill(pid, 0); err != syscall.ESRCH {
		syscall.Kill(pid, syscall.SIGKILL)
		t.Errorf("when the engine has ended its helper %d is still there", pid)
	}
}
