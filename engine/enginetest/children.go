package enginetest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"exaproxy/engine/loop/looptest"
	"exaproxy/helper"
)

// children are the helper processes of the world, played by the script. They are a
// helper.Spawner, whose Spawn is called on the goroutine of a child.
type children struct {
	world *World
	mu    sync.Mutex
	all   []*child
}

// A child is one helper process.
type child struct {
	world   *World
	pool    string // the name of its pool
	number  int    // in it
	serial  int    // in the world
	sys     int
	end     *looptest.End
	ended   chan string
	mu      sync.Mutex
	dead    bool
	buffers bool     // it has read what it was asked, and its stdio keeps the answers back
	pending []string // lines read and not spoken of yet
	half    string
}

func (s *children) Spawn(of *helper.Config, _ int) (helper.Process, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &child{world: s.world, pool: of.Name, number: 1, serial: len(s.all) + 1, ended: make(chan string, 1)}
	for _, other := range s.all {
		if other.pool == c.pool {
			c.number++
		}
	}
	c.sys, c.end = s.world.kernel.Pair()
	s.all = append(s.all, c)
	return c, nil
}

// firstPID is before those of the helpers, which are numbered from 1 in the order of their start.
const firstPID = 1000

func (c *child) Questions() int { return c.sys }
func (c *child) Answers() int   { return c.sys }
func (c *child) PID() int       { return firstPID + c.serial }

// Kill implements helper.Process.
func (c *child) Kill(time.Duration) { c.die("signal: terminated") }

// Sweep implements helper.Process: a helper of a script has started nobody.
func (c *child) Sweep() {}

// Look implements helper.Process: a helper that buffers waits for its next line.
func (c *child) Look(seen func(reading bool)) {
	c.mu.Lock()
	buffers := c.buffers
	c.mu.Unlock()
	seen(buffers)
}

// Wait implements helper.Process; the helper reads its input at once.
func (c *child) Wait(ready func()) helper.Ending {
	ready()
	how := <-c.ended
	return helper.Ending{How: how, Failed: how == killed}
}

// killed is how a helper ends that the script lets die.
const killed = "signal: killed"

// die ends the process.
func (c *child) die(how string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead {
		return
	}
	c.dead = true
	c.end.Close()
	c.ended <- how
}

func (c *child) isDead() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dead
}

// moving says whether the goroutine of a child is about to post something: it is starting, or
// its process has ended.
func (s *children) moving() bool {
	for _, pool := range s.world.engine.Helpers() {
		for _, stats := range pool.Each {
			c := s.started(stats.PID - firstPID)
			switch {
			case c == nil, c.isDead(), stats.Starting:
				return true
			case c.end.Closed() && stats.Closing:
				c.die("exit status 0") // its input has ended
				return true
			}
		}
	}
	return false
}

// started gives the n-th child of the world, or nil.
func (s *children) started(n int) *child {
	return s.find(func(c *child) bool { return c.serial == n })
}

// named gives the child that a script calls N, the n-th of the redirectors, or POOL/N.
func (s *children) named(name string) *child {
	pool, number, found := strings.Cut(name, "/")
	if !found {
		pool, number = "redirector", name
	}
	return s.find(func(c *child) bool { return c.pool == pool && strconv.Itoa(c.number) == number })
}

func (s *children) find(is func(*child) bool) *child {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.IndexFunc(s.all, is); i >= 0 {
		return s.all[i]
	}
	return nil
}

// end ends all processes.
func (s *children) end() {
	for n := 1; s.started(n) != nil; n++ {
		s.started(n).die("exit status 0")
	}
}

// read has the helper read what it was asked.
func (c *child) read() {
	text := c.half + string(c.end.Read())
	c.world.CheckSecrets("helper "+c.pool, text)
	lines := strings.SplitAfter(text, "\n")
	c.half = lines[len(lines)-1]
	for _, line := range lines[:len(lines)-1] {
		c.pending = append(c.pending, strings.TrimSuffix(line, "\n"))
	}
}

// gets checks all that the helper has been asked since the last time, line by line. The empty line that ends a head goes
// without saying.
func (c *child) gets(patterns []string) error {
	c.read()
	lines := c.pending
	c.pending = nil
	for i := range lines {
		lines[i] = strings.TrimSuffix(lines[i], "\r")
	}
	if n := len(lines); n > 0 && lines[n-1] == "" {
		lines = lines[:n-1]
	}
	if unmatched, ok := matchLines(patterns, lines); !ok {
		return fmt.Errorf("%q does not fit: it was asked %q", unmatched, lines)
	}
	return nil
}

// next gives the next line that the child has been asked, and false if there is none.
func (c *child) next() (string, bool) {
	c.read()
	if len(c.pending) == 0 {
		return "", false
	}
	line := c.pending[0]
	c.pending = c.pending[1:]
	return line, true
}

// keepBack has the helper wait for its next line whenever it is looked at.
func (c *child) keepBack() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.buffers = true
}
