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
		{name: "dies at once", program: "-exit 3", fault: "ended before it read a line", says: []string{"exit status 3", "look at what it wrote to standard error"}},
		{name: "buffers", program: "-while (<STDIN>) { print \"ERR\\n\" }", timeout: quick, fault: "buffered output", says: []string{"the option pty"}},
		{name: "a URL for a number", program: `echo "${line%% *} ERR"`, fault: "channel numbers that nobody gave", says: []string{"set concurrency="}},
		{name: "a URL for a number, and a redirect", program: `echo "${line%% *} OK status=302 url=http://b.test/"`, fault: "channel numbers that nobody gave"},
		{name: "a number", program: "echo 0 OK", fault: "channel numbers that nobody gave"},
		{name: "the URL of old", program: `echo "${line%% GET*} GET"`},
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
		{"ntlm", "", []string{"--kind", "ntlm", "--", answering}, 1, []string{"--kind ntlm: it cannot be tried here", "which only a client can make"}},
		{"negotiate", "", []string{"--kind", "negotiate", "--", answering}, 1, []string{"--kind negotiate: it cannot be tried here"}},
		{"another kind", "", []string{"--kind", "x", "--", answering}, 1, []string{"none of the kinds url_rewrite, reqmod, auth, digest, external_acl"}},
		{"what a log cannot try", log, []string{"-f", conf, "--from-log"}, 0, []string{"auth_param basic program: it is not tried: an access log has no passwords"}},
		{"nothing", "", nil, 1, []string{"usage: exaproxy helper-test"}},
		{"help", "", []string{"--help"}, 0, []string{"usage: exaproxy helper-test"}},
		{"not there", "", []string{"--", "/nonexistent/program"}, 1, []string{"exaproxy helper-test: check helper program /nonexistent/program: there is no such file"}},
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

// TestHelperTestCannotTell has BH be an answer.
func TestHelperTestCannotTell(t *testing.T) {
	program := script(t, "while read -r line; do echo BH message=x; done")
	for _, row := range []struct{ kind, line, says string }{
		{"auth", "joe secret", "cannot tell (BH): 407: asks for other credentials, message=x"},
		{"digest", `"joe":"here"`, "cannot tell (BH): 407"},
		{"external_acl", "joe", "cannot tell (BH): nobody knows whether the acl matches: what depends on it is refused"},
	} {
		status, out, said := tries(row.line+"\n", "--kind", row.kind, "--", program)
		if status != 0 || !strings.Contains(out, row.says) || strings.Contains(out, "FAULT") {
			t.Errorf("%s: the status is %d:\n%s%s", row.kind, status, out, said)
		}
	}
}

// TestHelperTestDigest has helpers of digest judged as the proxy does.
func TestHelperTestDigest(t *testing.T) {
	program := script(t, `while read -r line; do case $line in *joe*) echo OK ha1='"0123456789abcdef0123456789abcdef"';; *old*) echo 0123456789abcdef0123456789abcdef;; *bob*) echo OK;; *) echo ERR;; esac; done`)
	for _, row := range []struct {
		line   string
		status int
		says   string
	}{
		{`"joe":"a realm"`, 0, "knows user joe\n"},
		{`"old":"a realm"`, 0, "knows user old (its answer is of the form from before Squid 3.4)"},
		{`"eve":"a realm"`, 0, "407: asks for other credentials"},
		{`"bob":"a realm"`, 1, `what to do: answer OK ha1="`},
		{"joe secret", 0, "is not asked"},
	} {
		status, out, said := tries(row.line+"\n", "--kind", "digest", "--", program)
		if status != row.status || !strings.Contains(out, row.says) {
			t.Errorf("%s: the status is %d:\n%s%s", row.line, status, out, said)
		}
	}
	status, out, _ := tries("\"joe\":\"a realm\"\n", "--kind", "auth", "--", program)
	if status != 0 || !strings.Contains(out, "is not asked") {
		t.Errorf("basic asks about a line of digest: %d\n%s", status, out)
	}
}

// TestHelperTestReqmod has helpers of the other kind given blocks, and their answers judged as the proxy does.
func TestHelperTestReqmod(t *testing.T) {
	program := script(t, `cr=$(printf '\r'); end() { while read -r line; do case $line in GET*|CONNECT*) url=${line#* };; Cookie*) cookie=1;; esac; [ "$line" = "$cr" ] && return 0; done; return 1; }
while end; do
  case $url in
  *ads*) head='HTTP/1.1 403 No'; printf 'ICAP/1.0 200 OK\nEncapsulated: res-hdr=0, null-body=%d\n\n%s\r\n\r\n' $((${#head}+4)) "$head";;
  *bad*) printf 'ICAP/1.0 500 No\n\n';;
  *rubbish*) echo ERR;;
  *) printf 'ICAP/1.0 204 OK\n\n';;
  esac
done`)
	for _, row := range []struct {
		line   string
		status int
		says   []string
	}{
		{"http://a.test/\nc.test:443\nhttp://b.test/ 192.0.2.1/- joe GET", 0, []string{"GET http://a.test/ ", "CONNECT c.test:443 ", "passes\n", "a long field", "no fault was found"}},
		{"http://ads.test/", 0, []string{"403, a page of the helper's"}},
		{"http://bad.test/", 1, []string{"503 ERR_GATEWAY_FAILURE", "FAULT  an answer that cannot be used", "answer 204, or 200"}},
		{"http://rubbish.test/", 1, []string{"FAULT  wrote what is no answer", "begins with ICAP/1.0"}},
	} {
		status, out, said := tries(row.line+"\n", "--kind", "reqmod", "--children", "1", "--", program)
		for _, want := range row.says {
			if !strings.Contains(out, want) {
				t.Errorf("%s: it does not say %q", row.line, want)
			}
		}
		if status != row.status {
			t.Errorf("%s: the status is %d", row.line, status)
		}
		if t.Failed() {
			t.Fatalf("it says:\n%s%s", out, said)
		}
	}
}

// TestHelperTestOfAFile leaves none of a file's helpers out without a word.
func TestHelperTestOfAFile(t *testing.T) {
	p := newPlace(t, "")
	p.configure(strings.ReplaceAll("reqmod_program {h}\nauth_param ntlm program {h}\nauth_param digest program {h}\nauth_param basic program {h}", "{h}", p.path("helper")))
	program := "#!/bin/sh\nend=$(printf '\\r')\nwhile read -r line; do case $line in $end) printf 'ICAP/1.0 204 OK\\n\\n';; '\"'*) echo ERR;; esac; done\n"
	if err := os.WriteFile(p.path("helper"), []byte(program), 0o755); err != nil {
		t.Fatal(err)
	}
	status, out, said := triesAsUser("http://a.test/\n\"joe\":\"here\"\n", "-f", p.conf)
	for _, want := range []string{"GET http://a.test/ ", "reqmod_program: 10 of 10", "auth_param digest program: 1 of 1", "auth_param basic program: 0 of 0", "auth_param ntlm program: it cannot be tried here"} {
		if !strings.Contains(out+said, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	if status != 1 || t.Failed() {
		t.Errorf("the status is %d:\n%s%s", status, out, said)
	}
}

// TestHelperTestBuffered has output that is not flushed found in a helper of any kind, by one line.
func TestHelperTestBuffered(t *testing.T) {
	program := script(t, "while (<STDIN>) { print \"ERR\\n\" }")
	for kind, line := range map[string]string{"url_rewrite": "http://first.test/", "auth": "first secret", "digest": `"first":"here"`, "external_acl": "first"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			status, out, said := tries(line+"\n", "--kind", kind, "--timeout", "1", "--", program)
			if status != 1 || strings.Count(out, "FAULT") != 1 || !strings.Contains(out, "FAULT  buffered output (1)\n       the first: with a terminal for its output it answers to "+line) {
				t.Errorf("the status is %d:\n%s%s", status, out, said)
			}
		})
	}
}

// TestHelperTestOnlyTheError has no word of faults about a program that cannot be started.
func TestHelperTestOnlyTheError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte("#!/nonexistent\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, more := range []string{"--json", "--bench=5"} {
		status, out, said := tries("http://a.test/\n", more, "--", path)
		if status != 1 || strings.Contains(out, "no fault") || !strings.Contains(said, "its interpreter") {
			t.Errorf("the status is %d:\n%s%s", status, out, said)
		}
	}
	p := newPlace(t, "url_rewrite_program "+path)
	os.Chmod(filepath.Dir(path), 0o755)
	os.Chmod(filepath.Dir(filepath.Dir(path)), 0o755)
	status, out, said := triesAsUser("http://a.test/\n", "-f", p.conf)
	if status != 1 || strings.Contains(out, "no fault") || strings.Contains(out, "0 of 0") || !strings.Contains(said, "its interpreter") {
		t.Errorf("the status is %d:\n%s%s", status, out, said)
	}
}

// TestHelperTestWidth cuts what the proxy does about long lines.
func TestHelperTestWidth(t *testing.T) {
	program := script(t, `while read -r line; do echo "OK rewrite-url=${line%% *}y"; done`)
	_, out, _ := tries("http://a.test/\n", "--", program)
	if !strings.Contains(out, "xxx…") {
		t.Errorf("nothing is cut:\n%s", out)
	}
	for line := range strings.Lines(out) {
		if len(line) > 300 {
			t.Errorf("a line has %d bytes", len(line))
		}
	}
}

// TestHelperTestBenchAhead gives a program lines ahead of its answers, as many as it is configured to have.
func TestHelperTestBenchAhead(t *testing.T) {
	program := script(t, "while read -r line; do echo ERR; done")
	status, out, said := tries("http://a.test/\n", "--bench", "20", "--children", "1 pipeline=4", "--", program)
	for _, want := range []string{"\n        1 ", "\n        2 ", "\n        4 ", "no fault was found"} {
		if status != 0 || !strings.Contains(out, want) {
			t.Errorf("the bench, which ends with %d, does not say %q:\n%s%s", status, want, out, said)
		}
	}
}
