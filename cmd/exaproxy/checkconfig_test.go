package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"exaproxy/compat"
)

// checked runs check-config on a configuration, as JSON too.
func checked(t *testing.T, conf string, args ...string) (status int, text string, report configReport) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "squid.conf")
	if err := os.WriteFile(path, []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	args = append([]string{checkConfigWord, "-f", path}, args...)
	status, text = commanded(t, args...)
	again, object := commanded(t, append(args, "--json")...)
	if again != status {
		t.Errorf("status %d, and %d with --json", status, again)
	}
	if err := json.Unmarshal([]byte(object), &report); err != nil {
		t.Fatal(err)
	}
	return status, strings.ReplaceAll(text, path, "squid.conf"), report
}

// commanded runs the program in a process of its own, for it becomes another user.
func commanded(t *testing.T, args ...string) (status int, printed string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), mainVariable+"=1")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	var ended *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	if stderr.Len() > 0 {
		t.Errorf("standard error has %q", stderr.String())
	}
	return cmd.ProcessState.ExitCode(), stdout.String()
}

func TestCheckConfigTellsWhatBecomesOfEachLine(t *testing.T) {
	status, text, report := checked(t, `http_port 127.0.0.1:0
acl a src 1.2.3.4/40
http_access allow a
cache_mem 8 MB
icap_enable on
quick_abort_min 0 KB
`)
	const want = `squid.conf: 6 lines: 1 followed, 2 without effect, 2 in the way, 1 not judged

Without effect:
  there is no cache
      squid.conf(4) cache_mem, squid.conf(6) quick_abort_min

In the way:
  squid.conf(2): acl a src 1.2.3.4/40
      aclParseIpData: unknown netmask '40' in '1.2.3.4/40'
      FATAL: Bungled squid.conf line 2: acl a src 1.2.3.4/40
  squid.conf(5): icap_enable on
      squid.conf(5): refused: 'icap_enable': messages cannot be sent to ICAP services yet

Not judged yet:
  squid.conf(3): http_access allow a
      squid.conf(3): cannot be judged before squid.conf(2) is mended: http_access allow a

Of the whole:
  NOTICE: 2 lines that steer a cache are ignored: there is no cache

squid.conf cannot be used: 2 lines stand in the way: squid.conf(2), squid.conf(5)
`
	if status != 1 || text != want {
		t.Errorf("status %d, it prints\n%swant\n%s", status, text, want)
	}
	if report.Usable || len(report.Lines) != 6 || report.Lines[2].Fate != compat.NotJudged {
		t.Errorf("as JSON: %+v", report)
	}
}

func TestCheckConfigTriesHelpersAndPorts(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := t.TempDir()
	helper := filepath.Join(dir, "helper")
	if err := os.WriteFile(helper, []byte("#!/bin/sh\nwhile read url rest; do echo OK; done\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(folder, 0o755); err != nil { // for the user that the proxy runs as
			t.Fatal(err)
		}
	}
	conf := "cache_log none\naccess_log none\npid_filename none\nhttp_port 127.0.0.1:0\nhttp_port " + taken.Addr().String() + "\nhttp_access deny all\nurl_rewrite_program " + helper + "\n"
	if os.Geteuid() == 0 {
		conf += "cache_effective_user root\n"
	}
	broken := filepath.Join(dir, "broken")
	if err := os.WriteFile(broken, []byte("#!/bin/sh\necho no database >&2\nexit 3\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	status, text, report := checked(t, conf, "--timeout", "60")
	if status != 0 || !report.Usable || len(report.Helpers) != 1 || report.Helpers[0].State != "answers" {
		t.Errorf("status %d, %+v\n%s", status, report, text)
	}
	if len(report.Ports) != 2 || report.Ports[0].State != "free" || !strings.HasPrefix(report.Ports[1].State, "in use") {
		t.Errorf("ports %+v", report.Ports)
	}
	status, text, report = checked(t, conf+"pid_filename "+dir+"/none/pid\naccess_log "+dir+"\n", "--no-probes")
	if status != 1 || !report.Usable || !strings.Contains(text, dir+": it is a folder\n") || !strings.Contains(text, "/none/pid: there is no folder "+dir+"/none\n") {
		t.Errorf("status %d, %+v\n%s", status, report, text)
	}
	status, text, report = checked(t, conf+"auth_param basic program "+broken+"\nacl u proxy_auth REQUIRED\n", "--timeout", "60")
	if status != 1 || !report.Usable || len(report.Helpers) != 2 || report.Helpers[1].State != "at fault" || !strings.Contains(text, "standard error: no database") || !strings.Contains(text, "but for what is at fault") {
		t.Errorf("status %d, %+v\n%s", status, report, text)
	}
}

func TestStrayArgumentsAreErrors(t *testing.T) {
	for _, args := range [][]string{{"exaproxy", checkConfigWord, "squid.conf"}, {"exaproxy", "-k", "parse", "squid.conf"}, {"exaproxy", "check"}} {
		var stdout, stderr bytes.Buffer
		if status := run(args, &stdout, &stderr); status != 1 || !strings.Contains(stderr.String(), "'"+args[len(args)-1]+"' is not expected") {
			t.Errorf("%q: status %d, %s", args, status, stderr.String())
		}
	}
}
