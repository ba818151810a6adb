package helper

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// modeVariable makes the test binary a helper of the kind that it names.
const modeVariable = "EXAPROXY_TEST_HELPER"

func TestMain(m *testing.M) {
	if mode, ok := os.LookupEnv(modeVariable); ok {
		play(mode)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// play is the main function of a helper.
func play(mode string) {
	switch mode {
	case "crash at start":
		os.Exit(3)
	case "flood":
		flood(10 << 20)
	case "ignoresTERM":
		signal.Ignore(syscall.SIGTERM)
		answer(os.Stdout, "ready")
	case "orphan":
		leaveOrphan()
	}
	out := io.Writer(os.Stdout)
	if mode == "buffering" && !terminal(1) {
		full := bufio.NewWriterSize(os.Stdout, 1<<20) // as stdio does, and it is never flushed
		out = full
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		react(mode, out, lines.Text())
	}
	if mode == "ignoresTERM" {
		for {
			unix.Poll(nil, -1)
		}
	}
}

// react answers a line, or does what the helper is there to do.
func react(mode string, out io.Writer, line string) {
	switch mode {
	case "silent", "ignoresTERM":
	case "dribbling":
		for _, b := range []byte(line + " answered\n") {
			out.Write([]byte{b})
		}
	case "crash on poison":
		if strings.Contains(line, "poison") {
			fmt.Fprint(out, "half an ans")
			os.Exit(1)
		}
		answer(out, line+" answered")
	case "portrait":
		answer(out, portrait())
	default:
		answer(out, line+" answered")
	}
}

func answer(out io.Writer, line string) { io.WriteString(out, line+"\n") }

// flood writes so many bytes of lines to standard error.
func flood(n int) {
	line := []byte(strings.Repeat("x", 99) + "\n")
	chunk := bytes.Repeat(line, 1000)
	for ; n > 0; n -= len(chunk) {
		os.Stderr.Write(chunk)
	}
}

// leaveOrphan ends the helper, but not a process that it has started and that holds all of
// its descriptors until its input ends.
func leaveOrphan() {
	orphan := exec.Command("/proc/self/exe")
	orphan.Env = []string{modeVariable + "=silent"}
	orphan.Stdin, orphan.Stdout, orphan.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := orphan.Start(); err != nil {
		panic(err)
	}
	os.Exit(7)
}

// portrait describes the process.
func portrait() string {
	pid := os.Getpid()
	sid, _ := unix.Getsid(0)
	dir, _ := os.Getwd()
	s := fmt.Sprintf("leads=%v dir=%s greeting=%s", sid == pid && unix.Getpgrp() == pid, dir, os.Getenv("GREETING"))
	for fd := range 3 {
		flags, _ := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
		s += fmt.Sprintf(" %d:terminal=%v,blocks=%v", fd, terminal(fd), flags&unix.O_NONBLOCK == 0)
	}
	return s
}

func terminal(fd int) bool {
	_, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	return err == nil
}
