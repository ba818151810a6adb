package acceptance

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A level is what a proxy holds at one time.
type level struct {
	memory      int64 // resident, in bytes
	descriptors int
	children    int
}

func levelOf(pid int) level {
	open, _ := os.ReadDir(filepath.Join("/proc", strconv.Itoa(pid), "fd"))
	return level{resident(pid), len(open), len(children(pid))}
}

// levels are what it held before the storm, and at most.
type levels struct {
	pid        int
	before     level
	stop, done chan struct{}

	mu   sync.Mutex
	now  level
	most level
}

// watchLevels measures, and goes on until end.
func watchLevels(pid int) *levels {
	w := &levels{pid: pid, before: levelOf(pid), stop: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(w.done)
		every := time.NewTicker(500 * time.Millisecond)
		defer every.Stop()
		for {
			select {
			case <-w.stop:
				return
			case <-every.C:
				w.measure()
			}
		}
	}()
	return w
}

func (w *levels) measure() {
	now := levelOf(w.pid)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = now
	w.most.memory = max(w.most.memory, now.memory)
	w.most.descriptors = max(w.most.descriptors, now.descriptors)
	w.most.children = max(w.most.children, now.children)
}

func (w *levels) end() {
	close(w.stop)
	<-w.done
	w.measure()
}

func (w *levels) read() (now, most level) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now, w.most
}

// tcpConnections is how many TCP connections a process has.
func tcpConnections(pid int) int {
	_, others := tcpPorts(pid)
	return len(others)
}

// report is how the storm goes.
func (s *storm) report(since time.Duration) string {
	n, half, most99, most := s.good.waits()
	lost, _ := s.good.complaints()
	reached, _ := s.people.forbidden.counts()
	now, _ := s.level.read()
	return fmt.Sprintf("%4.0f s: %d requests, %d lost, %d past the filter, half within %v, 99%% %v, all %v; %.1f MB, %d descriptors, %d children; %s",
		since.Seconds(), n, lost, reached, round(half), round(most99), round(most),
		float64(now.memory)/1e6, now.descriptors, now.children, s.deedsDone())
}

func round(d time.Duration) time.Duration { return d.Round(time.Millisecond) }

func (s *storm) deedsDone() string {
	var all []string
	for i, p := range s.peers {
		all = append(all, fmt.Sprintf("%s %d", p.name, s.deeds[i].Load()))
	}
	return strings.Join(all, ", ")
}

// judge holds the storm's end against what is demanded.
func (s *storm) judge() {
	n, _, most99, _ := s.good.waits()
	if lost, why := s.good.complaints(); lost > 0 {
		s.t.Errorf("%d of %d requests of good clients were lost or answered wrongly:\n%s\n%s", lost, n, why, s.helpersSaid())
	}
	if reached, connected := s.people.forbidden.counts(); reached+connected > 0 {
		s.t.Errorf("%d requests on %d connections got past the filter: %q", reached, connected, s.people.forbidden.requests)
	}
	s.judgeWords()
	s.people.hangUp()
	s.judgeReturn()
	if *stormTime == 0 {
		return
	}
	if most99 > mostWait {
		s.t.Errorf("one in a hundred requests takes longer than %v, want %v", most99, mostWait)
	}
	_, most := s.level.read()
	if before := s.level.before.children; most.children > mostGenerations*before {
		s.t.Errorf("there were up to %d children, of %d that are configured", most.children, before)
	}
	before := s.level.before.memory
	if !poll(backWithin, func() bool { return resident(s.x.pid()) <= before+nearMemory }) {
		s.t.Errorf("%d kB are resident a minute after the storm, %d kB were before", resident(s.x.pid())>>10, before>>10)
	}
}

// helpersSaid is what the helpers answered for the requests that went wrong, and what the proxy says of them.
func (s *storm) helpersSaid() string {
	var found strings.Builder
	for _, text := range []string{readAll(filepath.Join(s.dir, answersName)), s.x.said()} {
		for line := range strings.Lines(text) {
			if slices.ContainsFunc(s.good.wrong, func(path string) bool { return strings.Contains(line, path) }) {
				found.WriteString(line)
			}
		}
	}
	return found.String()
}

// judgeWords looks at what the proxy has said: on standard error, since cache.log is rotated.
func (s *storm) judgeWords() {
	s.x.eventually("says: "+s.says, backWithin, func() bool { return strings.Contains(s.x.said(), s.says) })
	for line := range strings.Lines(s.x.said()) {
		for _, never := range []string{"a fault of ours", "BUG", "too many open files", "DATA RACE"} {
			if strings.Contains(line, never) {
				s.t.Errorf("the proxy says: %s", line)
			}
		}
	}
}

// judgeReturn waits until the proxy holds no more descriptors and children than before the storm.
func (s *storm) judgeReturn() {
	before := s.level.before
	if !poll(backWithin, func() bool {
		now := levelOf(s.x.pid())
		return now.descriptors <= before.descriptors && now.children <= before.children
	}) {
		now := levelOf(s.x.pid())
		s.t.Errorf("%d descriptors and %d children are left a minute after the storm; before there were %d and %d:\n%s",
			now.descriptors, now.children, before.descriptors, before.children, openFiles(s.x.pid()))
	}
}

// openFiles are the names of what a process has open.
func openFiles(pid int) string {
	names, _ := filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "fd", "*"))
	var targets []string
	for _, name := range names {
		target, _ := os.Readlink(name)
		targets = append(targets, target)
	}
	slices.Sort(targets)
	return strings.Join(targets, " ")
}

const tableHead = "scene            requests lost past  half    99%     all     MB before most  after  descriptors      children"

// row is the scene's line in the last table. What it holds is measured now.
func (s *storm) row() string {
	n, half, most99, most := s.good.waits()
	lost, _ := s.good.complaints()
	reached, _ := s.people.forbidden.counts()
	before, after := s.level.before, levelOf(s.x.pid())
	_, top := s.level.read()
	mb := func(bytes int64) float64 { return float64(bytes) / 1e6 }
	return fmt.Sprintf("%-16s %8d %4d %4d %7v %7v %7v %9.1f %5.1f %5.1f  %4d %4d %4d  %4d %4d %4d\n   %s", s.name, n, lost, reached,
		round(half), round(most99), round(most), mb(before.memory), mb(top.memory), mb(after.memory),
		before.descriptors, top.descriptors, after.descriptors, before.children, top.children, after.children, s.deedsDone())
}
