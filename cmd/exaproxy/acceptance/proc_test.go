package acceptance

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tcpClients is how many of a process's connections are with somebody who connected to it: those
// whose local port is one it listens at.
func tcpClients(pid int) (count int) {
	count, _ = heardClients(pid)
	return count
}

// heardClients is tcpClients, and how many of them have said nothing that the process has not read.
func heardClients(pid int) (count, heard int) {
	listening, others := tcpPorts(pid)
	for _, c := range others {
		if listening[c.port] {
			count++
			if !c.unread {
				heard++
			}
		}
	}
	return count, heard
}

// A connected socket is one of a process's.
type connected struct {
	port   uint16 // the local one
	unread bool   // there are bytes that were not read
}

// tcpPorts are the local ports of a process's TCP sockets: of those that listen, and of the others
// (proc_pid_net(5)).
func tcpPorts(pid int) (listening map[uint16]bool, others []connected) {
	const queues, inode, listens = 4, 9, "0A"
	own := sockets(pid)
	listening = map[uint16]bool{}
	for _, table := range []string{"tcp", "tcp6"} {
		for line := range strings.Lines(readAll(filepath.Join("/proc", strconv.Itoa(pid), "net", table))) {
			f := strings.Fields(line)
			if len(f) <= inode || !own[f[inode]] {
				continue
			}
			_, digits, _ := strings.Cut(f[1], ":")
			port, _ := strconv.ParseUint(digits, 16, 16)
			if f[3] == listens {
				listening[uint16(port)] = true
			} else {
				others = append(others, connected{uint16(port), !strings.HasSuffix(f[queues], ":00000000")})
			}
		}
	}
	return listening, others
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

// stopped says whether a process is stopped; the signal takes effect when it is scheduled.
func stopped(pid int) bool {
	_, state, _ := strings.Cut(readAll(filepath.Join("/proc", strconv.Itoa(pid), "status")), "State:\t")
	return strings.HasPrefix(state, "T")
}
