package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// machine is where the run takes place and what disturbs it.
type machine struct {
	Processor  string
	Processors int
	Kernel     string
	System     string
	Go         string
	Versions   []string
	When       time.Time
	LoadBefore string // the averages of 1, 5 and 15 minutes
	LoadAfter  string
	stolen     float64 // seconds of CPU that the hypervisor had given to others, when we began
	Stolen     float64 // seconds of them during the run
	Took       time.Duration
}

func lookAtMachine() machine {
	m := machine{
		Processor: field("/proc/cpuinfo", "model name", ":"), Processors: runtime.NumCPU(), Kernel: kernel(),
		System: strings.Trim(field("/etc/os-release", "PRETTY_NAME", "="), `"`), Go: runtime.Version(),
		When: time.Now(), LoadBefore: loadAverages(), stolen: stolen(),
	}
	for _, p := range peers[1:] {
		m.Versions = append(m.Versions, p.name+" "+p.installedVersion())
	}
	wrk := peer{name: "wrk", program: "wrk", version: []string{"-v"}}
	m.Versions = append(m.Versions, "wrk "+wrk.installedVersion())
	return m
}

// after completes what is known of the machine only when the run is over.
func (m *machine) after() {
	m.LoadAfter, m.Stolen, m.Took = loadAverages(), stolen()-m.stolen, time.Since(m.When)
}

// String is one line about the machine and one about the programs.
func (m machine) String() string {
	return fmt.Sprintf("%s, %d processors, Linux %s, %s, %s\n%s", m.Processor, m.Processors, m.Kernel, m.System, m.Go,
		strings.Join(m.Versions, ", "))
}

// disturbance says how quiet it was.
func (m machine) disturbance() string {
	return fmt.Sprintf("Load averages were %s at the start and %s at the end, after %s; the hypervisor gave %.0f s of CPU time to others meanwhile.",
		m.LoadBefore, m.LoadAfter, m.Took.Round(time.Second), m.Stolen)
}

// field is the first value of a key in a file of lines.
func field(path, key, separator string) string {
	text, _ := os.ReadFile(path)
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, separator); ok && strings.TrimSpace(name) == key {
			return strings.TrimSpace(value)
		}
	}
	return "unknown " + key
}

func kernel() string {
	var name syscall.Utsname
	if syscall.Uname(&name) != nil {
		return "unknown"
	}
	var release strings.Builder
	for _, c := range name.Release {
		if c == 0 {
			break
		}
		release.WriteByte(byte(c))
	}
	return release.String()
}

func loadAverages() string {
	text, _ := os.ReadFile("/proc/loadavg")
	fields := strings.Fields(string(text))
	return strings.Join(fields[:min(3, len(fields))], " ")
}

// stolen is the eighth number of the first line of /proc/stat, see proc(5), in seconds.
func stolen() float64 {
	text, _ := os.ReadFile("/proc/stat")
	first, _, _ := strings.Cut(string(text), "\n")
	fields := strings.Fields(first)
	if len(fields) < 9 {
		return 0
	}
	ticks, _ := strconv.ParseFloat(fields[8], 64)
	return ticks * microsecondsPerTick / 1e6
}
