package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// process is a program that runs beside us, with whatever it starts. It is ended by its pid, and ends with us.
type process struct {
	cmd    *exec.Cmd
	ended  chan struct{} // closed when it has ended
	output string        // the file with its standard output and error
}

// startProcess runs argv in a directory. Its output goes to the file "output" there.
func startProcess(dir string, argv, environment []string) (*process, error) {
	output := filepath.Join(dir, "output")
	file, err := os.Create(output)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, file, file
	cmd.Env = append(os.Environ(), environment...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, ended: make(chan struct{}), output: output}
	go func() {
		cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// stop ends the process and what it has started: politely at first, and not after two seconds.
func (p *process) stop() {
	tree := descendants(p.cmd.Process.Pid)
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(2 * time.Second):
		p.cmd.Process.Kill()
		<-p.ended
	}
	for _, one := range tree {
		// A pid may be that of another process by now; with the same start time it is still the same.
		if now, err := readStat(one.pid); err == nil && now.started == one.started {
			syscall.Kill(one.pid, syscall.SIGKILL)
		}
	}
}

// hasExited reports whether the process has ended by itself.
func (p *process) hasExited() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// lastOutput is the end of what the process has written.
func (p *process) lastOutput() string {
	text, _ := os.ReadFile(p.output)
	return strings.TrimSpace(string(text[max(0, len(text)-2000):]))
}

// cpuTime is in microseconds.
type cpuTime struct {
	proxy, helpers float64
}

// cpu is what the process and its descendants have used since they began. A descendant for which helper is true
// is counted apart; what has ended is counted with who waited for it.
func (p *process) cpu() (cpuTime, error) {
	root, err := readStat(p.cmd.Process.Pid)
	if err != nil {
		return cpuTime{}, fmt.Errorf("the proxy has ended: %s", p.lastOutput())
	}
	var s cpuTime
	for _, one := range append(descendants(root.pid), root) {
		running, err := cpuClock(one.pid)
		if err != nil {
			continue // it ended between, and shows in its parent
		}
		if helper(one) {
			s.helpers += running + one.waitedFor
		} else {
			s.proxy += running + one.waitedFor
		}
	}
	return s, nil
}

// resident is how much memory the process and its descendants without helpers have in use, in bytes.
func (p *process) resident() (float64, error) {
	root, err := readStat(p.cmd.Process.Pid)
	if err != nil {
		return 0, fmt.Errorf("the proxy has ended: %s", p.lastOutput())
	}
	var sum float64
	for _, one := range append(descendants(root.pid), root) {
		if !helper(one) {
			sum += residentOf(one.pid)
		}
	}
	return sum, nil
}

// residentOf is the Rss of smaps_rollup, which is exact where VmRSS of status may lag: see proc(5).
func residentOf(pid int) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "Rss:"); ok {
			kilobytes, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kilobytes * 1024
		}
	}
	return 0
}

// helper tells the url_rewrite_program from the proxy that started it.
func helper(s stat) bool {
	return strings.HasPrefix(s.name, "python")
}

// stat is what /proc/PID/stat says, see proc(5).
type stat struct {
	pid, parent int
	name        string
	waitedFor   float64 // microseconds of children that have ended
	started     string  // when, in ticks since the machine started
}

const microsecondsPerTick = 10_000 // sysconf(_SC_CLK_TCK) is 100 on every Linux that Go runs on

func readStat(pid int) (stat, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return stat{}, err
	}
	return parseStat(string(text))
}

// parseStat reads a line of /proc/PID/stat. The name is in parentheses and may have some of its own.
func parseStat(line string) (stat, error) {
	left, right := strings.IndexByte(line, '('), strings.LastIndexByte(line, ')')
	if left < 0 || right < left {
		return stat{}, fmt.Errorf("read a stat line %q: no name", line)
	}
	fields := strings.Fields(line[right+1:]) // the first is the third of the manual
	if len(fields) < 20 {
		return stat{}, fmt.Errorf("read a stat line %q: too short", line)
	}
	pid, err1 := strconv.Atoi(strings.TrimSpace(line[:left]))
	parent, err2 := strconv.Atoi(fields[4-3])
	user, err3 := strconv.ParseFloat(fields[16-3], 64)
	system, err4 := strconv.ParseFloat(fields[17-3], 64)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return stat{}, fmt.Errorf("read a stat line %q: %w", line, err)
	}
	return stat{pid: pid, parent: parent, name: line[left+1 : right], waitedFor: (user + system) * microsecondsPerTick, started: fields[22-3]}, nil
}

// descendants are the processes that a process has started, and those that they have.
func descendants(pid int) []stat {
	paths, _ := filepath.Glob("/proc/[0-9]*/stat")
	children := map[int][]stat{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it ended between
		}
		if s, err := parseStat(string(text)); err == nil {
			children[s.parent] = append(children[s.parent], s)
		}
	}
	found := children[pid]
	for i := 0; i < len(found); i++ {
		found = append(found, children[found[i].pid]...)
	}
	return found
}

// cpuClock is the CPU time in microseconds of a running process with all its threads, those that ended too. The
// process's clock counts nanoseconds where /proc/PID/stat counts hundredths of a second; its number is made from
// the pid as clock_getcpuclockid(3) does.
func cpuClock(pid int) (float64, error) {
	const schedulerClock = 2
	var t syscall.Timespec
	_, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, uintptr(^pid<<3|schedulerClock), uintptr(unsafe.Pointer(&t)), 0)
	if errno != 0 {
		return 0, fmt.Errorf("clock_gettime of process %d: %w", pid, errno)
	}
	return float64(t.Nano()) / 1000, nil
}
