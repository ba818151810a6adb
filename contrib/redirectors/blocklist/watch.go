package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"syscall"
	"time"
)

// watch loads the lists again when a file of theirs has changed, and at a SIGHUP. The new list is
// made beside the one that answers, which it replaces when it is whole; one that is broken is
// reported, and the old one stays. Changes are taken up when they have stood still from one look to
// the next, so that a list is not read while somebody writes it.
func (s *server) watch(path string, l *list, hangup <-chan os.Signal, tick <-chan time.Time, say func(...any)) {
	files, loaded := l.files, l.state
	seen := loaded
	for {
		forced := false
		select {
		case <-hangup:
			forced = true
		case <-tick:
		}
		now := signature(files)
		still := now == seen
		seen = now
		if !forced && (now == loaded || !still) {
			continue
		}
		next, err := load(path)
		files, loaded = next.files, next.state
		seen = loaded
		if err != nil {
			say(fmt.Sprintf("%v; the old list stays", err))
			continue
		}
		s.current.Store(next)
		for _, w := range next.warnings {
			say(w)
		}
		say(fmt.Sprintf("loaded again: %d entries", next.entries))
		debug.FreeOSMemory()
	}
}

// signature tells whether files are those that they were.
func signature(files []string) string {
	var b []byte
	for _, path := range files {
		b = fmt.Appendf(b, "%s ", path)
		var f syscall.Stat_t
		if err := syscall.Stat(path, &f); err != nil {
			b = fmt.Appendf(b, "%v\n", err)
			continue
		}
		b = fmt.Appendf(b, "%d %d %d %d\n", f.Ino, f.Size, f.Mtim, f.Ctim)
	}
	return string(b)
}
