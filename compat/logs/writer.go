package logs

import (
	"errors"
	"fmt"
	"os"
	"time"

	"exaproxy/engine/canary"
)

const (
	// gathering is how long the writer lets lines collect before it writes them in one call.
	gathering = 100 * time.Millisecond
	// bufferedGathering is the same under buffered_logs on.
	bufferedGathering = time.Second
	// fullBuffer is how many bytes of lines end the gathering early.
	fullBuffer = 256 << 10
	// retryAfter is how long the writer waits after a failed write.
	retryAfter = time.Second
	// pipeTimeout is how long the writer waits for the reader of a pipe before it looks whether there
	// is something else to do.
	pipeTimeout = 500 * time.Millisecond
)

// end has the writer finish after a last attempt to write; done says when it has.
func (f *File) end() { close(f.quit) }

// closed says whether a channel that nobody sends on is closed.
func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// write is the writer's goroutine.
func (f *File) write() {
	defer close(f.done)
	for f.rest() {
		f.flush()
		f.runJobs()
	}
	f.flush()
	f.runJobs()
	f.close()
}

// rest waits until there is something to do. It returns false when it is time to end.
func (f *File) rest() bool {
	select {
	case <-f.quit:
	case <-f.asked:
	case <-f.wake:
		f.collect()
	case <-f.retry():
	}
	return !closed(f.quit)
}

// collect waits a moment for more lines, until there are many or something else is to do.
func (f *File) collect() {
	f.mu.Lock()
	full := len(f.lines.pending) >= fullBuffer || len(f.jobs) > 0
	f.mu.Unlock()
	if full {
		return
	}
	gathered := time.NewTimer(time.Duration(f.gather.Load()))
	defer gathered.Stop()
	select {
	case <-gathered.C:
	case <-f.wake:
	case <-f.quit:
	case <-f.asked:
	}
}

// retry fires when it is time to write again what was not taken: to a failing disk after a while, to a
// pipe at once.
func (f *File) retry() <-chan time.Time {
	switch {
	case f.failing && f.remote:
		return time.After(reconnectAfter)
	case f.failing:
		return time.After(retryAfter)
	case len(f.writing) > 0:
		return time.After(0)
	}
	return nil
}

// flush writes what there is now. What the disk does not take stays for the next time.
func (f *File) flush() {
	for range 2 { // what stayed, and what has come since
		if !f.take() {
			return
		}
		n, err := f.put(f.writing)
		if err != nil {
			f.writing = f.writing[:copy(f.writing, f.writing[n:])]
			f.notTaken(n, err)
			return
		}
		f.written()
	}
}

// take makes sure that writing holds lines, if there are any.
func (f *File) take() bool {
	if len(f.writing) > 0 {
		return true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wakes = 0
	f.wakeWaiting()
	if len(f.lines.pending) == 0 {
		return false
	}
	f.writing = f.lines.take()
	return true
}

// wakeWaiting wakes those who wait for room. The lock is held.
func (f *File) wakeWaiting() {
	for _, w := range f.waiting {
		w.loop.Post(w.task.Wake)
	}
	f.waiting = nil
}

// put writes lines, for as long as pipeTimeout if it is to a pipe.
func (f *File) put(lines []byte) (int, error) {
	if f.outlet != nil {
		return f.outlet.put(lines)
	}
	if f.file == nil {
		file, err := openLog(f.path, f.owner)
		if err != nil {
			return 0, err
		}
		f.use(file)
	}
	if f.file.SetWriteDeadline(time.Now().Add(pipeTimeout)) == nil { // disks know no deadlines
		defer f.file.SetWriteDeadline(time.Time{}) // others may write to a standard stream
	}
	return f.file.Write(lines)
}

// use makes file the one that is written to; nil is a pipe that nobody reads yet.
func (f *File) use(file *os.File) {
	f.file = file
	if file != nil && f.opened != nil {
		f.opened(file)
	}
}

// notTaken notes that only n bytes of what was to be written were.
func (f *File) notTaken(n int, err error) {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		f.failed(err)
		return
	}
	if n == 0 && !f.delayed {
		f.delayed = true
		if f.remote {
			f.log.Warn(fmt.Sprintf("%s logger: nobody reads there: lines are kept in memory, and when %d kB are full, they are lost", f.path, f.bound()>>10))
			return
		}
		f.log.Warn(fmt.Sprintf("nobody reads from log file %s: lines are kept in memory, and when %d MB are full, requests wait",
			f.path, maxBacklog>>20))
	}
}

func (f *File) failed(err error) {
	if f.failing {
		return
	}
	f.failing = true
	f.mu.Lock()
	f.stuck = true
	f.wakeWaiting()
	f.mu.Unlock()
	if f.remote {
		f.log.Error(fmt.Sprintf("%s logger %s; up to %d kB of lines are kept in memory", f.path, err, f.bound()>>10))
		return
	}
	f.log.Error(fmt.Sprintf("cannot write log file: %s; lines are kept in memory and it is tried again", err))
}

// written gives the memory of lines back that are on the disk. If it has not taken others before, that is over,
// and logged with what it cost.
func (f *File) written() {
	f.mu.Lock()
	f.lines.putBack(canary.Again(f.writing, canary.LogLines, 0))
	lost := f.dropped
	f.dropped, f.stuck = 0, false
	f.mu.Unlock()
	f.writing = nil
	if f.outlet != nil {
		lost += f.unsendable()
	}
	if !f.failing && !f.delayed && lost == 0 {
		return
	}
	f.failing, f.delayed = false, false
	if f.remote {
		f.log.Warn(fmt.Sprintf("%s logger: lines are taken again; %d were lost", f.path, lost))
		return
	}
	f.log.Warn(fmt.Sprintf("log file %s is written again; %d lines were lost", f.path, lost))
}

// unsendable is how many lines the outlet has given up.
func (f *File) unsendable() int64 {
	n := f.outlet.lost()
	f.mu.Lock()
	defer f.mu.Unlock()
	if n > 0 && f.fatal != nil {
		f.fatal(f.losing())
	}
	return int64(n)
}

// close closes the file and logs what never got there.
func (f *File) close() {
	f.mu.Lock()
	lost := len(f.writing) + len(f.lines.pending)
	f.mu.Unlock()
	if lost > 0 {
		f.log.Error(fmt.Sprintf("%s: %d bytes could not be written and are lost", f.named(), lost))
	}
	f.closeFile()
}

// named is what messages call it.
func (f *File) named() string {
	if f.remote {
		return f.path + " logger"
	}
	return "log file " + f.path
}

func (f *File) closeFile() {
	if f.outlet != nil {
		f.outlet.close()
		return
	}
	if f.file != nil && f.file != os.Stdout && f.file != os.Stderr {
		f.file.Close()
	}
}
