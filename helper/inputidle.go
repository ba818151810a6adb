package helper

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// onlyReads reports whether a process, and all that it has started, does nothing but wait for its next line: each
// thread is in read(2) of a pipe, one of them of the questions', or waits for a process that it has started. A
// program that works on a line, sleeps, asks another machine, or looks at its input and something else by poll(2) and
// the like does not. Where that cannot be seen it is not so.
func (w *inputWatch) onlyReads() bool {
	reads := false
	for todo := []string{strconv.Itoa(w.pid)}; len(todo) > 0; {
		p := &lookedAt{inputWatch: w, dir: "/proc/" + todo[0]}
		if !p.idles() {
			return false
		}
		for _, pipe := range p.awaited {
			reads = reads || pipe == w.pipe
		}
		todo = append(todo[1:], p.children...)
	}
	return reads
}

// idles reports whether each thread of the process is in read(2) of a pipe, or waits for a process.
func (p *lookedAt) idles() bool {
	tasks, err := os.ReadDir(p.dir + "/task")
	if err != nil || p.is32() {
		return false
	}
	for _, task := range tasks {
		dir := p.dir + "/task/" + task.Name()
		text, ok := p.read(dir, "/syscall")
		if !ok || !p.idlesIn(parseCall(text)) {
			return false
		}
		if text, ok = p.read(dir, "/children"); !ok {
			return false
		}
		p.children = append(p.children, strings.Fields(text)...)
	}
	return true
}

// idlesIn reports whether a thread that is in a system call waits for a line or a process.
func (p *lookedAt) idlesIn(c call) bool {
	switch c.number {
	case unix.SYS_WAIT4, unix.SYS_WAITID:
		return true
	case unix.SYS_READ, unix.SYS_READV:
		before := len(p.awaited)
		p.awaits(int(c.args[0]))
		return len(p.awaited) > before && strings.HasPrefix(p.awaited[before], "pipe:")
	}
	return false
}
