package loop

import (
	"sync"
	"sync/atomic"
)

// A mailbox carries functions from other goroutines to the loop's. It is the one place
// of a worker that has a lock.
type mailbox struct {
	rung   atomic.Bool // the kernel was rung and nobody has looked since
	mu     sync.Mutex
	posted []func()
	spare  []func() // the slice delivered last, to be filled next
	closed bool     // the kernel is released: it may not be rung
}

// Post runs f on the loop's goroutine, soon; functions posted by one goroutine run in
// their order. Any goroutine may call it. After Close f is dropped.
func (l *Loop) Post(f func()) {
	m := &l.mailbox
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.closed {
		m.posted = append(m.posted, f)
		m.ring(l.kernel)
	}
}

// Stop ends Run at the end of the present turn, for good. Any goroutine may call it.
func (l *Loop) Stop() {
	m := &l.mailbox
	m.mu.Lock()
	defer m.mu.Unlock()
	l.stopped.Store(true)
	if !m.closed {
		m.ring(l.kernel)
	}
}

// ring ends the loop's waiting, once until it looks.
func (m *mailbox) ring(k Kernel) {
	if !m.rung.Swap(true) {
		k.Ring()
	}
}

// deliver runs what was posted and says whether there was anything. What is posted
// meanwhile is delivered next time.
func (m *mailbox) deliver() bool {
	if !m.rung.Load() {
		return false
	}
	letters := m.take()
	for i, f := range letters {
		letters[i] = nil
		f()
	}
	m.spare = letters[:0]
	return len(letters) > 0
}

func (m *mailbox) take() []func() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rung.Store(false)
	letters := m.posted
	m.posted, m.spare = m.spare, nil
	return letters
}

func (m *mailbox) empty() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.posted) == 0
}

// close drops what was posted and all that will be.
func (m *mailbox) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed, m.posted = true, nil
}
