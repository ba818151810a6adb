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

// descriptors are those that the process has open, and what they are: paths of files, or the kernel's words for what has
// none (proc(5)). It costs microseconds for each,
// and waits for no disk.
func descriptors() map[int]string {
	all := make(map[int]string)
	const place = "/proc/self/fd"
	dir, err := syscall.Open(place, syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return all
	}
	defer syscall.Close(dir)
	buf, link := make([]byte, 8192), make([]byte, 512)
	for {
		n, err := syscall.ReadDirent(dir, buf)
		if err != nil || n <= 0 {
			return all
		}
		_, _, names := syscall.ParseDirent(buf[:n], -1, nil)
		for _, name := range names {
			sys, err := strconv.Atoi(name)
			if err != nil || sys == dir {
				continue
			}
			if n, err := syscall.Readlink(place+"/"+name, link); err == nil {
				all[sys] = string(link[:n])
			}
		}
	}
}

// descriptorLimit is how many the process may have open (getrlimit(2)).
func descriptorLimit() int {
	var l syscall.Rlimit
	syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l)
	return int(l.Cur)
}
