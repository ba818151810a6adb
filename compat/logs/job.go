package logs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// A job is what a file's writer does beside writing, after the lines that were appended before, if
// the disk takes them.
type job struct {
	run  func() error
	done chan struct{}
	err  error // once done
}

// do has the writer do something soon.
func (f *File) do(run func() error) *job {
	f.mu.Lock()
	j := f.addJob(run)
	f.mu.Unlock()
	signal(f.asked)
	return j
}

// addJob has the lock held.
func (f *File) addJob(run func() error) *job {
	j := &job{run: run, done: make(chan struct{})}
	f.jobs = append(f.jobs, j)
	return j
}

// runJobs does what was asked for. It belongs to the writer.
func (f *File) runJobs() {
	f.mu.Lock()
	jobs := f.jobs
	f.jobs, f.rotation = nil, nil
	f.mu.Unlock()
	if len(jobs) > 0 {
		f.flush() // what was appended since the last time
	}
	for _, j := range jobs {
		j.err = j.run()
		close(j.done)
	}
}

// wait waits for a job of f, for as long as ctx allows. A file that is closed does no more jobs.
func (f *File) wait(ctx context.Context, j *job) error {
	select {
	case <-j.done:
		return j.err
	case <-f.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s is stuck: the system does not return from writing to it", f.named())
	}
}

// Flush returns when the lines appended so far are written, or could not be.
func (f *File) Flush() { f.wait(context.Background(), f.do(func() error { return nil })) }

// rotate has the writer rename the file to path.0, that one to path.1 and so on, keeping old files,
// and open a new one. With keep 0 it only opens the path again, for those who rename it
// themselves. Two rotations of which neither has begun are one.
func (f *File) rotate(keep int) *job {
	f.mu.Lock()
	if f.rotation == nil {
		f.rotation = f.addJob(func() error { return f.turnOver(keep) })
	}
	j := f.rotation
	f.mu.Unlock()
	signal(f.asked)
	return j
}

// turnOver is a rotation. It belongs to the writer.
func (f *File) turnOver(keep int) error {
	if f.outlet != nil {
		f.outlet.rotate()
		return nil
	}
	if standardStream(f.path) != nil {
		return nil
	}
	if facts, err := os.Stat(f.path); err == nil && !facts.Mode().IsRegular() {
		keep = 0 // a device or a pipe has no past
		if f.isOpen(facts) {
			return nil
		}
	}
	if err := f.owner.Shift(f.path, keep); err != nil {
		return err
	}
	file, err := openLog(f.path, f.owner)
	if err != nil && !errors.Is(err, unix.ENXIO) {
		return err // the old file, wherever it is now, goes on being written
	}
	f.closeFile()
	f.use(file)
	return nil
}

// isOpen says whether the file of which these are the facts is the one that is written to.
func (f *File) isOpen(facts fs.FileInfo) bool {
	if f.file == nil {
		return false
	}
	ours, err := f.file.Stat()
	return err == nil && os.SameFile(facts, ours)
}
