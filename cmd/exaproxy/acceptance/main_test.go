package acceptance

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// built are the programs under test, in a folder that any user may enter: as root the proxies
// change to another user and start helpers as that one.
var built struct {
	dir    string
	proxy  string // exaproxy
	helper string // a copy of this test binary
}

func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "helper":
			runHelper(os.Args[2:])
			return
		case "wayward":
			runWayward(os.Args[2:])
			return
		}
	}
	status, err := buildAndRun(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

func buildAndRun(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "exaproxy-acceptance-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		return 0, err
	}
	built.dir = dir
	built.proxy = filepath.Join(dir, "exaproxy")
	built.helper = filepath.Join(dir, "helper")
	build := exec.Command("go", append(append([]string{"build"}, buildFlags()...), "-o", built.proxy, "exaproxy/cmd/exaproxy")...)
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as "make build" has it
	if out, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("build exaproxy: %w\n%s", err, out)
	}
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	if err := copyFile(built.helper, self); err != nil {
		return 0, err
	}
	return m.Run(), nil
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}
