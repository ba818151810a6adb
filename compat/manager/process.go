package manager

import (
	"runtime/metrics"
	"strconv"
	"syscall"
	"time"
)

// process is what the whole process has used.
type process struct {
	cpu      time.Duration
	faults   uint64 // pages that had to be read from a disk
	resident uint64 // most memory so far, in KB
}

// measure is getrusage(2).
func measure() (p process) {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) == nil {
		p.cpu = time.Duration(u.Utime.Nano() + u.Stime.Nano())
		p.faults, p.resident = uint64(u.Majflt), uint64(u.Maxrss)
	}
	return p
}

// memory is what Go's heap is: bytes in use, allocations and frees so far.
type memory struct{ used, allocated, freed uint64 }

func measureMemory() memory {
	samples := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/gc/heap/allocs:objects"}, {Name: "/gc/heap/frees:objects"}}
	metrics.Read(samples)
	return memory{samples[0].Value.Uint64(), samples[1].Value.Uint64(), samples[2].Value.Uint64()}
}

// descriptors are how many the process has open, and the largest of them; /proc knows.
func descriptors() (open, largest int) {
	dir, err := syscall.Open("/proc/self/fd", syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return 0, 0
	}
	defer syscall.Close(dir)
	buf := make([]byte, 8192)
	var names []string
	for {
		n, err := syscall.ReadDirent(dir, buf)
		if err != nil || n <= 0 {
			break
		}
		for _, _, names = syscall.ParseDirent(buf[:n], -1, names[:0]); len(names) > 0; names = names[1:] {
			if sys, err := strconv.Atoi(names[0]); err == nil && sys != dir {
				open, largest = open+1, max(largest, sys)
			}
		}
	}
	return open, largest
}

// descriptorLimit is how many the process may have open (getrlimit(2)).
func descriptorLimit() int {
	var l syscall.Rlimit
	syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l)
	return int(l.Cur)
}
