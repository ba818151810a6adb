package acceptance

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// onFullDisk starts a proxy whose folder full is a disk of 64 KB, or whose log there is /dev/full if nothing may
// be mounted.
func onFullDisk(t *testing.T) (p program, log string) {
	unshare, err := exec.LookPath("unshare")
	if err != nil || exec.Command(unshare, "-m", "mount", "-t", "tmpfs", "none", "/mnt").Run() != nil {
		t.Log("no disk may be mounted: the log is /dev/full")
		return exaproxy(), "/dev/full"
	}
	const mount = `mount -t tmpfs -o size=64k,mode=777 none full && exec "$0" "$@"`
	return program{path: unshare, args: []string{"-m", "sh", "-c", mount, built.proxy}}, "full/log"
}

// makeFullDisk makes the place to mount it at.
func makeFullDisk(s *storm) {
	if err := os.Mkdir(filepath.Join(s.dir, "full"), 0o777); err != nil {
		s.t.Fatal(err)
	}
}

// enlargeDisk makes room for the lines that were kept for it, if it is one.
func enlargeDisk(s *storm) {
	enlarge := exec.Command("nsenter", "-t", strconv.Itoa(s.x.pid()), "-m", "mount", "-o", "remount,size=64m", filepath.Join(s.dir, "full"))
	if out, err := enlarge.CombinedOutput(); err != nil {
		s.t.Logf("the disk stays full: %v %s", err, out)
	}
}

// fewDescriptors starts a proxy that may have 256 descriptors.
func fewDescriptors() program {
	return program{path: "/bin/sh", args: []string{"-c", `ulimit -n 256 && exec "$0" "$@"`, built.proxy}}
}

const pipeName = "pipe.log"

// makePipe makes a log of a pipe that somebody has open and does not read.
func makePipe(s *storm) {
	path := filepath.Join(s.dir, pipeName)
	if err := syscall.Mkfifo(path, 0o666); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Chmod(path, 0o666); err != nil {
		s.t.Fatal(err)
	}
	pipe, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { pipe.Close() })
	s.pipe = pipe
}

// readPipe reads the pipe at last: the lines that were kept for it go.
func readPipe(s *storm) {
	go io.Copy(io.Discard, s.pipe) // until it is closed
}
