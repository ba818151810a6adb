package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func TestFindCommand(t *testing.T) {
	for _, row := range []struct {
		text, want string
	}{
		{"reconfigure", "reconfigure"}, {"re", "reconfigure"}, {"r", "reconfigure"}, {"rest", "restart"}, {"ro", "rotate"},
		{"sh", "shutdown"}, {"i", "interrupt"}, {"k", "kill"}, {"d", "debug"}, {"ch", "check"}, {"p", "parse"},
		{"", ""}, {"bogus", ""}, {"reconfigured", ""}, {"Check", ""},
	} {
		c, ok := findCommand(row.text)
		if c.name != row.want || ok != (row.want != "") {
			t.Errorf("-k %q is %q, want %q", row.text, c.name, row.want)
		}
	}
}

// ended is the number of a process that has ended.
func ended(t *testing.T) int {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	return cmd.Process.Pid
}

func TestSendCommand(t *testing.T) {
	path := filepath.Join(t.TempDir(), "squid.pid")
	check, _ := findCommand("check")
	for _, row := range []struct {
		name, content, want string
	}{
		{"running", strconv.Itoa(os.Getpid()) + "\n", ""},
		{"ended", strconv.Itoa(ended(t)), "failed to send signal 0 to Squid instance with PID N: (3) No such process"},
		{"empty", "", "no Squid is running: instance PID file (PATH) is empty"},
		{"nonsense", "squid\n", "bad contents of instance PID file (PATH): 'squid'"},
		{"not a process", "0\n", "bad contents of instance PID file (PATH): '0'"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if err := os.WriteFile(path, []byte(row.content), 0o644); err != nil {
				t.Fatal(err)
			}
			got := ""
			if err := check.send(path); err != nil {
				got = strings.Replace(err.Error(), path, "PATH", 1)
				got = strings.Replace(got, "PID "+strings.TrimSpace(row.content)+":", "PID N:", 1)
			}
			if got != row.want {
				t.Errorf("it says %q, want %q", got, row.want)
			}
		})
	}
	if err := check.send("/nonexistent.pid"); err == nil || err.Error() != "failed to open /nonexistent.pid: (2) No such file or directory" {
		t.Errorf("without a pid file it says %v", err)
	}
}

func TestPIDFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "squid.pid")
	defer syscall.Umask(syscall.Umask(0o077))
	if err := os.WriteFile(path, []byte(strconv.Itoa(ended(t))+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := writePIDFile(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if pid, err := readPIDFile(path); err != nil || pid != os.Getpid() {
		t.Errorf("the file has %d, %v", pid, err)
	}
	if facts, err := os.Stat(path); err != nil || facts.Mode().Perm() != 0o644 {
		t.Errorf("its mode is %v, %v", facts.Mode(), err)
	}
	if err := p.remove(nil); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("it is still there")
	}

	if err := os.WriteFile(path, []byte(strconv.Itoa(os.Getpid())), 0o644); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("Squid is already running: Found fresh instance PID file (%s) with PID %d", path, os.Getpid())
	if err := checkPIDFile(path, os.Getppid()); err == nil || err.Error() != want {
		t.Errorf("with another proxy running it says %v", err)
	}

	none, err := writePIDFile("", nil)
	if none != nil || err != nil || none.remove(nil) != nil {
		t.Errorf("without a pid file there is %v, %v", none, err)
	}
}

// TestNumbersOfOthers has a number that a proxy left, and that is another program's by now, be nobody's: a
// start goes on, and no order is sent.
func TestNumbersOfOthers(t *testing.T) {
	other := exec.Command("cat")
	if _, err := other.StdinPipe(); err != nil { // it waits
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { other.Process.Kill(); other.Wait() }()
	path := filepath.Join(t.TempDir(), "squid.pid")
	if err := os.WriteFile(path, []byte(strconv.Itoa(other.Process.Pid)), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := checkPIDFile(path, os.Getpid()); err != nil {
		t.Errorf("a start says %v", err)
	}
	rotate, _ := findCommand("rotate")
	if err := rotate.send(path); err == nil || !strings.Contains(err.Error(), "is no proxy: the file is a leftover") {
		t.Errorf("an order says %v", err)
	}
	if err := other.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("the other program has ended: %v", err)
	}
}
