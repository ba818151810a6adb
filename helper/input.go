package helper

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"exaproxy/engine/loop"
)

// A sighting is what was seen of a process that is to begin to read its input.
type sighting uint8

const (
	busy    sighting = iota // it, or one that it has started, does something else
	waiting                 // somebody waits for a line
	asleep                  // one that holds the pipe sleeps: it may be one of those that look for a line now and then
	unknown                 // the kernel does not tell, or nobody that it has started holds the pipe
)

// An inputWatch looks whether a process, or one that it has started, waits for its input: whether one of
// their threads is in a system call that waits for that pipe (proc_pid_syscall(5)). The pipe is known
// by its number and not as descriptor 0, since PHP and others read a duplicate. Whoever reads it may only
// pass lines on, as tee(1) before a program in a pipeline: if it cannot write the answers, then one that can
// has to wait for what it passes on.
type inputWatch struct {
	pid          int
	pipe, output string // as they stand in /proc/PID/fd
}

// newInputWatch makes one of a process whose input is the other end of questions, and whose output is written
// to a descriptor of ours that is open to the same.
func newInputWatch(pid, questions, output int) inputWatch {
	return inputWatch{pid: pid, pipe: linkOf("self", questions), output: linkOf("self", output)}
}

// linkOf returns what a descriptor of a process is open to.
func linkOf(pid string, fd int) string {
	to, _ := os.Readlink(fmt.Sprintf("/proc/%s/fd/%d", pid, fd))
	return to
}

// look looks once.
func (w *inputWatch) look() sighting {
	var all []*lookedAt
	holds, sleeps, blind, writers, starved := false, false, false, false, false
	for todo := []string{strconv.Itoa(w.pid)}; len(todo) > 0; {
		p := &lookedAt{inputWatch: w, dir: "/proc/" + todo[0]}
		p.look()
		all = append(all, p)
		held := slices.Contains(p.held, w.pipe)
		holds = holds || held
		sleeps = sleeps || held && p.sleeps
		blind = blind || p.blind
		starved = starved || p.starved
		writers = writers || slices.Contains(p.held, w.output)
		todo = append(todo[1:], p.children...)
	}
	reads, answers := w.follow(all)
	switch {
	case reads && answers:
		return waiting
	case starved:
		return busy // it may be: it is looked at again
	case reads && !writers:
		return waiting
	case blind || !holds:
		return unknown
	case !sleeps && !reads, slices.ContainsFunc(all, (*lookedAt).works):
		return busy
	}
	return asleep // or the one that answers waits for something else, as it may always do
}

// follow follows the input from process to process, and returns whether one waits for it, and whether one
// does that can write the answers.
func (w *inputWatch) follow(all []*lookedAt) (reads, answers bool) {
	input := []string{w.pipe}
	for range all {
		for _, p := range all {
			if slices.ContainsFunc(p.awaited, func(pipe string) bool { return slices.Contains(input, pipe) }) {
				reads = true
				answers = answers || slices.Contains(p.held, w.output)
				input = append(input, p.held...)
				p.held = nil
			}
		}
	}
	return reads, answers
}

// lookedAt is one process of them, for one look.
type lookedAt struct {
	*inputWatch
	dir      string   // in /proc
	children []string // numbers of the processes that it has started
	held     []string // pipes and sockets that it has open
	awaited  []string // of them, those that a thread waits for
	blind    bool     // something could not be seen
	starved  bool     // for want of a descriptor
	sleeps   bool     // a thread does nothing for some time
}

// look looks at each thread of the process. One that has ended meanwhile does not matter.
func (p *lookedAt) look() {
	p.blind = p.is32()
	tasks, err := os.ReadDir(p.dir + "/task")
	p.starved = p.starved || loop.OutOfDescriptors(err)
	for _, task := range tasks {
		dir := p.dir + "/task/" + task.Name()
		if text, ok := p.read(dir, "/syscall"); ok && !p.blind {
			c := parseCall(text)
			p.await(c)
			p.sleeps = p.sleeps || c.sleeps()
		}
		if text, ok := p.read(dir, "/children"); ok {
			p.children = append(p.children, strings.Fields(text)...)
		}
	}
	p.hold()
}

// works reports whether a thread of the process runs, waits for a processor or for a disk (proc_pid_stat(5)).
func (p *lookedAt) works() bool {
	tasks, _ := os.ReadDir(p.dir + "/task")
	return slices.ContainsFunc(tasks, func(task os.DirEntry) bool {
		stat, _ := os.ReadFile(p.dir + "/task/" + task.Name() + "/stat")
		state := stat[bytes.LastIndexByte(stat, ')')+1:]
		return bytes.HasPrefix(state, []byte(" R")) || bytes.HasPrefix(state, []byte(" D"))
	})
}

// read reads a file in the directory of a thread.
func (p *lookedAt) read(dir, name string) (text string, ok bool) {
	b, err := os.ReadFile(dir + name)
	if err == nil {
		return string(b), true
	}
	p.starved = p.starved || loop.OutOfDescriptors(err)
	if _, gone := os.Stat(dir); gone == nil && !errors.Is(err, unix.ESRCH) {
		p.blind = true // not permitted, or a kernel without it
	}
	return "", false
}

// is32 reports whether a 64-bit kernel runs a 32-bit program: its system calls have other numbers.
func (p *lookedAt) is32() bool {
	f, err := os.Open(p.dir + "/exe")
	p.starved = p.starved || loop.OutOfDescriptors(err)
	if err != nil {
		return errors.Is(err, fs.ErrPermission)
	}
	defer f.Close()
	var head [5]byte // elf(5): EI_CLASS is 1
	n, _ := f.Read(head[:])
	return n == len(head) && head[4] == 1 && strconv.IntSize == 64
}

// hold sees what the process has open, a terminal that is its output included.
func (p *lookedAt) hold() {
	names, err := os.ReadDir(p.dir + "/fd")
	p.blind = p.blind || errors.Is(err, fs.ErrPermission)
	p.starved = p.starved || loop.OutOfDescriptors(err)
	for _, name := range names {
		if to, err := os.Readlink(p.dir + "/fd/" + name.Name()); err == nil && (isStream(to) || to == p.output) {
			p.held = append(p.held, to)
		}
	}
}

// isStream reports whether it is a pipe or a socket, as the input from another process is.
func isStream(to string) bool {
	return strings.HasPrefix(to, "pipe:") || strings.HasPrefix(to, "socket:")
}

// awaits records that the process waits for a descriptor.
func (p *lookedAt) awaits(fd int) {
	if to, err := os.Readlink(fmt.Sprintf("%s/fd/%d", p.dir, fd)); err == nil && isStream(to) {
		p.awaited = append(p.awaited, to)
	}
}

// A call is the system call that a thread is in: its number and arguments.
type call struct {
	number int // -1: none
	args   [6]uint64
}

// parseCall reads what stands in /proc/PID/syscall: "running", or numbers.
func parseCall(text string) call {
	c := call{number: -1}
	words := strings.Fields(text)
	if len(words) < 1+len(c.args) {
		return c
	}
	n, err := strconv.Atoi(words[0])
	if err != nil {
		return c
	}
	c.number = n
	for i := range c.args {
		c.args[i], _ = strconv.ParseUint(words[1+i], 0, 64)
	}
	return c
}

// sleeps reports whether the call waits for nothing but time.
func (c call) sleeps() bool {
	switch c.number {
	case unix.SYS_NANOSLEEP, unix.SYS_CLOCK_NANOSLEEP:
		return true
	case unix.SYS_PSELECT6, callSelect: // of no descriptors
		return c.args[0] == 0
	case unix.SYS_PPOLL, callPoll:
		return c.args[1] == 0
	}
	return false
}

// await records what the call waits for.
func (p *lookedAt) await(c call) {
	switch c.number {
	case unix.SYS_READ, unix.SYS_READV, unix.SYS_SPLICE, unix.SYS_COPY_FILE_RANGE:
		p.awaits(int(c.args[0]))
	case unix.SYS_PPOLL, callPoll:
		p.polls(c.args[0], c.args[1])
	case unix.SYS_PSELECT6, callSelect:
		p.selects(c.args[0], c.args[1])
	case unix.SYS_EPOLL_PWAIT, unix.SYS_EPOLL_PWAIT2, callEpollWait:
		p.epolls(c.args[0])
	case unix.SYS_IO_URING_ENTER:
		p.awaited = append(p.awaited, p.pipe) // what for cannot be seen
	}
}

const mostPolled = 64 // descriptors of a poll(2) that are looked at

// polls looks at the array of a poll(2).
func (p *lookedAt) polls(array, n uint64) {
	const size = 8 // of a struct pollfd, which begins with the descriptor
	entries := p.memory(array, size*int(min(n, mostPolled)))
	for i := 0; i+size <= len(entries); i += size {
		p.awaits(int(int32(binary.NativeEndian.Uint32(entries[i:]))))
	}
}

// selects looks at the descriptors that a select(2) waits to read from.
func (p *lookedAt) selects(n, set uint64) {
	if set == 0 {
		return // it sleeps
	}
	words := p.memory(set, 8*int((min(n, 1024)+63)/64))
	for fd := range min(int(n), 8*len(words)) {
		if binary.NativeEndian.Uint64(words[fd/64*8:])>>(fd%64)&1 == 1 {
			p.awaits(fd)
		}
	}
}

// epolls looks at the list of an epoll(7) descriptor.
func (p *lookedAt) epolls(epoll uint64) {
	about, err := os.ReadFile(fmt.Sprintf("%s/fdinfo/%d", p.dir, epoll))
	p.starved = p.starved || loop.OutOfDescriptors(err)
	for line := range bytes.Lines(about) {
		if words := strings.Fields(string(line)); len(words) > 1 && words[0] == "tfd:" {
			if fd, err := strconv.Atoi(words[1]); err == nil {
				p.awaits(fd)
			}
		}
	}
}

// memory reads the memory of the process; nothing if that cannot be done.
func (p *lookedAt) memory(at uint64, n int) []byte {
	f, err := os.Open(p.dir + "/mem")
	p.starved = p.starved || loop.OutOfDescriptors(err)
	if err != nil {
		p.blind = true
		return nil
	}
	defer f.Close()
	b := make([]byte, n)
	got, _ := f.ReadAt(b, int64(at))
	return b[:got]
}
