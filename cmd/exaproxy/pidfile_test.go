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

	other := os.Getppid()
	if err := os.WriteFile(path, []byte(strconv.Itoa(other)), 0o644); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("Squid is already running: Found fresh instance PID file (%s) with PID %d", path, other)
	if _, err := writePIDFile(path, nil); err == nil || err.Error() != want {
		t.Errorf("with another proxy running it says %v", err)
	}

	none, err := writePIDFile("", nil)
	if none != nil || err != nil || none.remove(nil) != nil {
		t.Errorf("without a pid file there is %v, %v", none, err)
	}
}
