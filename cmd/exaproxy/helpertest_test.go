package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// script writes a program for a shell, or for perl.
func script(t *testing.T, text string) string {
	t.Helper()
	interpreter := "/bin/sh"
	if strings.HasPrefix(text, "while (") {
		interpreter = "/usr/bin/perl"
	}
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte("#!"+interpreter+"\n"+text+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// tries calls the command with some lines as its input.
func tries(lines string, args ...string) (status int, stdout, stderr string) {
	var out, errors strings.Builder
	status = tryHelpers(args, strings.NewReader(lines), &out, &errors)
	return status, out.String(), errors.String()
}

// triesAsUser is tries in a process that may become another user.
func triesAsUser(lines string, args ...string) (status int, stdout, stderr string) {
	var out, errors strings.Builder
	cmd := exec.Command(os.Args[0], append([]string{helperTestWord}, args...)...)
	cmd.Env = append(os.Environ(), mainVariable+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(lines), &out, &errors
	cmd.Run()
	return cmd.ProcessState.ExitCode(), out.String(), errors.String()
}

// TestHelperTest has each way in which a program may misbehave found, and said what to do about it.
func TestHelperTest(t *testing.T) {
	const loop, quick = "while read -r line; do %; done", "2"
	for _, row := range []struct {
		name, program, children string
		timeout                 string
		fault                   string // "": none is found
		says                    []string
	}{
		{name: "all is well", program: "echo ERR", says: []string{"http://a.test/ 127.0.0.1/127.0.0.1 - GET", "passes", "no fault was found"}},
		{name: "redirects", program: `echo 'OK status=302 url="http://b.test/"'`, says: []string{"302 http://b.test/"}},
		{name: "channels", program: `echo "${line%% *} ERR"`, children: "2 concurrency=4", says: []string{"passes"}},
		{name: "cannot tell", program: "echo BH", says: []string{"unfiltered (url_rewrite_failure)"}},
		{name: "no channel", program: "echo ERR", children: "2 concurrency=4", timeout: quick, fault: "no channel", says: []string{"in a row have no answer"}},
		{name: "wrong channel", program: "echo 99 ERR", children: "2 concurrency=4", timeout: quick, fault: "wrong channel"},
		{name: "two lines", program: "echo ERR; echo ERR", fault: "surplus"},
		{name: "banner", program: "", fault: "banner"},
		{name: "half a line", program: "printf ERR", timeout: quick, fault: "half a line"},
		{name: "hangs", program: "exec sleep 1000", timeout: quick, fault: "no answer", says: []string{"the trial ends"}},
		{name: "target", program: `echo 'OK status=200 url="http://b.test/"'`, fault: "an answer that cannot be used", says: []string{"503 ERR_GATEWAY_FAILURE"}},
		{name: "dies of bytes", program: `case $line in *[!\ -~]*) exit 7;; esac; echo ERR`, fault: "died of a line", says: []string{"bytes that are not UTF-8"}},
		{name: "dies of length", program: `[ ${#line} -gt 4096 ] && exit 7; echo ERR`, fault: "died of a line", says: []string{"the longest line that is sent"}},
		{name: "dies at once", program: "-exit 3", fault: "ended", says: []string{"exit status 3"}},
		{name: "buffers", program: "-while (<STDIN>) { print \"ERR\\n\" }", timeout: quick, fault: "buffered output", says: []string{"the option pty"}},
		{name: "stays", program: "-trap '' TERM; while read -r line; do echo ERR; done; while :; do sleep 1; done", fault: "not exiting"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			program, own := strings.CutPrefix(row.program, "-")
			switch {
			case row.fault == "banner":
				program = "echo welcome\n" + strings.Replace(loop, "%", "echo ERR", 1)
			case !own:
				program = "export LC_ALL=C\n" + strings.Replace(loop, "%", program, 1)
			}
			timeout := row.timeout
			if timeout == "" {
				timeout = "60"
			}
			status, out, said := tries("http://a.test/\nhttp://b.test/\nc.test:443\n", "--timeout", timeout, "--children", max(row.children, "1"), "--", script(t, program))
			for _, want := range row.says {
				if !strings.Contains(out+said, want) {
					t.Errorf("it does not say %q", want)
				}
			}
			found := strings.Count(out, "FAULT")
			if row.fault == "" && (status != 0 || found > 0) || row.fault != "" && (status != 1 || found != 1 || !strings.Contains(out, "FAULT  "+row.fault+" (")) {
				t.Errorf("the status is %d, with %d faults", status, found)
			}
			if t.Failed() {
				t.Logf("it says:\n%s%s", out, said)
			}
		})
	}
}

// TestHelperTestKinds has helpers of every kind tried, of a file and by themselves.
func TestHelperTestKinds(t *testing.T) {
	written := script(t, "while read -r a b c; do case $a$b in *joe*) echo OK user=joe;; *what*) echo hm;; *) echo ERR;; esac; done")
	p := newPlace(t, "")
	program := p.path("program")
	text := "http_port 3128\nurl_rewrite_program " + written + "\nurl_rewrite_extras %un\nauth_param basic program " + written +
		"\nexternal_acl_type names %un " + written + "\nacl joes external names joe\nhttp_access allow joes\n"
	text = strings.ReplaceAll(text, written, program)
	for _, err := range []error{os.Rename(written, program), os.WriteFile(p.conf, []byte(text), 0o644)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	answering, conf := program, p.conf
	log := "1700000000.123 12 192.0.2.5 TCP_MISS/200 512 GET http://a.test/x joe HIER_DIRECT/192.0.2.9 text/html\n" +
		"192.0.2.6 - bob [10/Oct/2000:13:55:36 -0700] \"CONNECT a.test:443 HTTP/1.1\" 200 23 \"-\" \"Mozilla/5.0\" TCP_TUNNEL:HIER_DIRECT\nrubbish\n"
	for _, row := range []struct {
		name   string
		lines  string
		args   []string
		status int
		says   []string
	}{
		{"a user", "joe secret\nbob secret\n", []string{"--kind", "auth", "--", answering}, 0, []string{"knows user joe, user=joe", "407"}},
		{"no user", "joe\n", []string{"--kind", "auth", "--", answering}, 0, []string{"a user, a blank, and a password", "is not asked"}},
		{"a wrong answer", "what secret\n", []string{"--kind", "auth", "--", answering}, 1, []string{"FAULT  an answer that cannot be used", `it answered "hm"`}},
		{"an acl", "joe\nbob\n", []string{"--kind", "external_acl", "--", answering}, 0, []string{"the acl matches, user=joe", "does not match"}},
		{"an acl with channels", "joe\n", []string{"--kind", "external_acl", "--children", "2 concurrency=3", "--timeout", "1", "--", answering}, 1, []string{"no channel"}},
		{"all of a file", log, []string{"-f", conf, "--from-log"}, 0, []string{"http://a.test/x joe", "a.test:443 bob", "acl joes matches, user=joe",
			"1 lines of the input are no questions", "external_acl_type names: 2 of 2"}},
		{"one of a file", "joe\n", []string{"-f", conf, "--external", "names"}, 0, []string{"external_acl_type names: 1 of 1"}},
		{"none of a file", "", []string{"-f", conf, "--external", "other"}, 1, []string{"has no such helper"}},
		{"reqmod", "", []string{"--kind", "reqmod", "--", answering}, 1, []string{"reqmod_program is not served yet"}},
		{"another kind", "", []string{"--kind", "x", "--", answering}, 1, []string{"none of the kinds url_rewrite, auth, external_acl"}},
		{"nothing", "", nil, 1, []string{"usage: exaproxy helper-test"}},
		{"help", "", []string{"--help"}, 0, []string{"usage: exaproxy helper-test"}},
		{"not there", "", []string{"--", "/nonexistent/program"}, 1, []string{"No such file or directory"}},
		{"logs have no passwords", log, []string{"--kind", "auth", "--from-log", "--", answering}, 1, []string{"no passwords"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			try := tries
			if slices.Contains(row.args, conf) {
				try = triesAsUser
			}
			status, out, said := try(row.lines, row.args...)
			if status != row.status {
				t.Errorf("the status is %d", status)
			}
			for _, want := range row.says {
				if !strings.Contains(out+said, want) {
					t.Errorf("it does not say %q", want)
				}
			}
			if t.Failed() {
				t.Logf("it says:\n%s%s", out, said)
			}
		})
	}
}

// TestHelperTestForPrograms has rows and the whole as JSON, and a bench.
func TestHelperTestForPrograms(t *testing.T) {
	program := script(t, "while read -r line; do echo ERR; done")
	status, out, _ := tries("http://a.test/\xff\n", "--json", "--no-probes", "--", program)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if status != 0 || len(lines) != 2 {
		t.Fatalf("the status is %d, of %q", status, out)
	}
	var row struct{ Line, Answer, Proxy string }
	if err := json.Unmarshal([]byte(lines[0]), &row); err != nil || !strings.HasPrefix(row.Line, `http://a.test/\xff 127.0.0.1`) || row.Answer != "ERR" || row.Proxy != "passes" {
		t.Errorf("the row is %+v: %v", row, err)
	}
	var whole struct {
		Asked, Answered int
		Faults          []struct{}
	}
	if err := json.Unmarshal([]byte(lines[1]), &whole); err != nil || whole.Asked != 1 || whole.Answered != 1 || whole.Faults == nil {
		t.Errorf("the whole is %+v: %v", whole, err)
	}
	status, out, said := tries("http://a.test/\n", "--bench", "20", "--children", "3", "--", program)
	for _, want := range []string{"at a time", "\n        1 ", "\n        2 ", "\n        3 ", "no fault was found"} {
		if status != 0 || !strings.Contains(out, want) {
			t.Errorf("the bench, which ends with %d, does not say %q:\n%s%s", status, want, out, said)
		}
	}
}
