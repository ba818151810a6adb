package acceptance

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tcpClients is how many of a process's connections are with somebody who connected to it: those
// whose local port is one it listens at (proc_pid_net(5)).
func tcpClients(pid int) int {
	own := sockets(pid)
	count := 0
	listening := map[string]bool{}
	var established []string
	for _, table := range []string{"tcp", "tcp6"} {
		for line := range strings.Lines(readAll(filepath.Join("/proc", strconv.Itoa(pid), "net", table))) {
			f := strings.Fields(line)
			if len(f) < 10 || !own[f[9]] {
				continue
			}
			_, port, _ := strings.Cut(f[1], ":")
			switch f[3] {
			case "0A":
				listening[port] = true
			default:
				established = append(established, port)
			}
		}
	}
	for _, port := range established {
		if listening[port] {
			count++
		}
	}
	return count
}

// sockets are the inodes of a process's sockets.
func sockets(pid int) map[string]bool {
	own := map[string]bool{}
	dir := filepath.Join("/proc", strconv.Itoa(pid), "fd")
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if target, err := os.Readlink(filepath.Join(dir, e.Name())); err == nil && strings.HasPrefix(target, "socket:[") {
			own[strings.TrimSuffix(strings.TrimPrefix(target, "socket:["), "]")] = true
		}
	}
	return own
}

// A watch samples the memory of a process until it is stopped.
type watch struct {
	stop, done chan struct{}
	samples    []int64 // bytes
}

func watchMemory(pid int) *watch {
	w := &watch{stop: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(w.done)
		every := time.NewTicker(20 * time.Millisecond)
		defer every.Stop()
		for {
			select {
			case <-w.stop:
				return
			case <-every.C:
				w.samples = append(w.samples, resident(pid))
			}
		}
	}()
	return w
}

// most ends the watch and returns the highest sample.
func (w *watch) most() int64 {
	close(w.stop)
	<-w.done
	var most int64
	for _, s := range w.samples {
		most = max(most, s)
	}
	return most
}
