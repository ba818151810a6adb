package main

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// samples is how many different requests are measured with.
const samples = 200_000

// measure says how long loading took and what it needs, and how much of a processor's time answers
// take: for names that are in the lists and for names that are not, in random order, so that they
// are in no cache.
func measure(to io.Writer, l *list, loading time.Duration) {
	fmt.Fprintf(to, "loaded:      %d entries in %.2f s (%.2f s of a processor)\n", l.entries, loading.Seconds(), processorTime().Seconds())
	perName := float64(len(l.names.slots)*8) / float64(max(1, l.names.used))
	fmt.Fprintf(to, "table:       %d different names, %.1f bytes each, %.1f MB\n", l.names.used, perName, float64(len(l.names.slots)*8)/1e6)
	fmt.Fprintf(to, "memory:      %s resident, %s at most\n", fromStatus("VmRSS:"), fromStatus("VmHWM:"))
	var listed, others []string
	for _, name := range l.sample() {
		listed = append(listed, "http://"+name+"/index.html?a=b 192.0.2.7/192.0.2.7 - GET myip=192.0.2.1 myport=3128")
	}
	for range samples {
		name := fmt.Sprintf("www.n%x.host%d.example", rand.Uint64(), rand.IntN(1000))
		others = append(others, "http://"+name+"/index.html?a=b 192.0.2.7/192.0.2.7 - GET myip=192.0.2.1 myport=3128")
	}
	for _, kind := range []struct {
		name  string
		lines []string
	}{{"listed", listed}, {"not listed", others}} {
		if len(kind.lines) == 0 {
			continue
		}
		lookup, whole := l.time(kind.lines)
		fmt.Fprintf(to, "%-12s lookup %s, whole answer %s\n", kind.name+":", lookup, whole)
	}
}

// time measures lookups alone and whole answers.
func (l *list) time(lines []string) (lookup, whole time.Duration) {
	rand.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	targets := make([]target, 0, len(lines))
	for _, line := range lines {
		if t, err := parseTarget(parseQuestion(line).url); err == nil {
			targets = append(targets, t)
		}
	}
	began := processorTime()
	for i := range targets {
		l.categoriesOf(&targets[i])
	}
	lookup = (processorTime() - began) / time.Duration(max(1, len(targets)))
	var b []byte
	began = processorTime()
	for _, line := range lines {
		b = l.answer(b[:0], line, time.Now)
	}
	return lookup, (processorTime() - began) / time.Duration(len(lines))
}

// processorTime is what this process has used: it does not grow while others have the machine.
func processorTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// sample takes names evenly out of the lists.
func (l *list) sample() (names []string) {
	every := l.entries/samples + 1
	n := 0
	for _, path := range l.files[1:] {
		if filepath.Base(path) != domains {
			continue
		}
		f, err := os.Open(path)
		if err != nil { // a category need not have each file
			continue
		}
		lines := bufio.NewScanner(f)
		for lines.Scan() {
			if n++; n%every != 0 {
				continue
			}
			if name, ok := domainIn(nil, lines.Bytes()); ok {
				names = append(names, string(name))
			}
		}
		f.Close()
	}
	return names
}

// fromStatus is a line of what Linux says of this process.
func fromStatus(name string) string {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, name); ok {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}
