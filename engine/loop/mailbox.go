package loop

import (
	"sync"
	"sync/atomic"
)

// A mailbox carries functions from other goroutines to the loop's. It is the one place
// of a worker that has a lock.
type mailbox struct {
	wakeupSent atomic.Bool // and the loop has not looked since
	mu         sync.Mutex
	posted     []func()
	spare      []func() // the slice that was run last, to be filled next
	closed     bool     // the kernel is released and must not be woken
}

// Post runs f on the loop's goroutine, soon; functions posted by one goroutine run in
// their order. Any goroutine may call it. After Close f is dropped.
func (l *Loop) Post(f func()) {
	m := &l.mailbox
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.closed {
		m.posted = append(m.posted, f)
		m.wakeUp(l.kernel)
	}
}

// Stop ends Run at the end of the present turn, for good. Any goroutine may call it.
func (l *Loop) Stop() {
	m := &l.mailbox
	m.mu.Lock()
	defer m.mu.Unlock()
	l.stopped.Store(true)
	if !m.closed {
		m.wakeUp(l.kernel)
	}
}

// wakeUp ends the loop's Wait, once until it looks.
func (m *mailbox) wakeUp(k Kernel) {
	if !m.wakeupSent.Swap(true) {
		k.Wakeup()
	}
}

// runPosted runs what was posted and returns whether there was anything. What is posted
// meanwhile runs next time.
func (m *mailbox) runPosted() bool {
	if !m.wakeupSent.Load() {
		return false
	}
	posted := m.swap()
	for i, f := range posted {
		posted[i] = nil
		f()
	}
	m.spare = posted[:0]
	return len(posted) > 0
}

// swap returns what was posted and leaves the spare slice in its place.
func (m *mailbox) swap() []func() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.wakeupSent.Store(false)
	posted := m.posted
	m.posted, m.spare = m.spare, nil
	return posted
}

// close drops what was posted and all that will be.
func (m *mailbox) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed, m.posted = true, nil
}
