package redirectors

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// programs are the examples, and what runs them.
var programs = []struct{ path, interpreter string }{
	{"go", ""},
	{"perl/redirector.pl", "perl"},
	{"php/redirector.php", "php"},
	{"python/redirector.py", "python3"},
	{"ruby/redirector.rb", "ruby"},
	{"shell/redirector.sh", "sh"},
}

// verdict is what is said of a listed host.
func verdict(host string) string { return `OK status=302 url="http://why.example/?` + host + `"` }

// dialogue is what every example is asked, and how it answers.
var dialogue = []struct{ ask, want string }{
	{"http://www.example.com/ 127.0.0.1/- - GET", "ERR"},
	{"", "ERR"},
	{"x.ads.example.com:443 127.0.0.1/- - CONNECT", verdict("x.ads.example.com")},
	{"http://user@doubleclick.net/x?y 127.0.0.1/- - GET", verdict("doubleclick.net")},
	{"http://www.example.com@doubleclick.net/ 127.0.0.1/- - GET", verdict("doubleclick.net")},
	{"http://doubleclick.net@www.example.com/ 127.0.0.1/- - GET", "ERR"},
	{"http://blocked.example?q", verdict("blocked.example")},
	{"http://blocked.example#@www.example.com/", verdict("blocked.example")},
	{"http://BLOCKED.Example..:80/\r", verdict("blocked.example")},
	{"http://a.example/http://blocked.example/", "ERR"},
	{"[::1]:443 127.0.0.1/- - CONNECT", "ERR"},
	{"http://[::1]/", "ERR"},
	{"http://notblocked.example/", "ERR"},
	{"http://blocked.example.com:81/", "ERR"},
	{"http:///", "ERR"},
	{"blocked.example", verdict("blocked.example")},
	{"\t%s \" ' $(exit) `exit` \\", "ERR"},

	// Bytes that are no UTF-8, and those of which some languages make blanks, ends of lines or of texts.
	{"http://www.example.com/\xff\xfe\x80\xc3 127.0.0.1/- \xe9ve GET", "ERR"},
	{"http://blocked.example/\xff\xfe\x80\xc3 127.0.0.1/- \xe9ve GET", verdict("blocked.example")},
	{"http://bl\xf6cked.example/", "ERR"},
	{"http://blocked.example/\x00\x00x 127.0.0.1/- - GET", verdict("blocked.example")},
	{"http://www.example.com/\x00\x1a\x04\x0b\x0c\x85\xa0\u2028\u2029", "ERR"},
	{"http://blocked.example/a\rb\u0085c", verdict("blocked.example")},

	// More than fits a buffer.
	{"http://blocked.example/" + strings.Repeat("x", 9<<10) + " 127.0.0.1/- - GET", verdict("blocked.example")},
	{"http://www.example.com/" + strings.Repeat("\xff", 70<<10) + " 127.0.0.1/- - GET", "ERR"},
	{"http://" + strings.Repeat("a.", 5<<10) + "blocked.example.com/", "ERR"},
	{"http://www.example.com/", "ERR"},
}

// TestExamplesAnswerAlike puts the same lines to every example, one after the other: each must
// be answered before the next is written, or the example does not flush.
func TestExamplesAnswerAlike(t *testing.T) {
	for _, p := range programs {
		t.Run(strings.Split(p.path, "/")[0], func(t *testing.T) {
			path := program(t, p.path, p.interpreter)
			for name, channel := range map[string]string{"alone": "", "with channels": "18446744073709551615 "} {
				t.Run(name, func(t *testing.T) {
					e := start(t, path, "blocklist.txt", "http://why.example/?%s")
					for _, d := range dialogue {
						if channel != "" && d.ask == "" {
							continue
						}
						e.say(channel + d.ask + "\n")
						if got := e.hear(); got != channel+d.want {
							t.Errorf("asked %.100q it answered %.200q, want %q", channel+d.ask, got, channel+d.want)
						}
					}
					// several at once
					e.say("0 http://a.example/\n12 http://blocked.example/\n7 b.example:443\n")
					for _, want := range []string{"0 ERR", "12 " + verdict("blocked.example"), "7 ERR"} {
						if got := e.hear(); got != want {
							t.Errorf("of several it answered %q, want %q", got, want)
						}
					}
					// the end, in the middle of a line
					e.say("http://blocked.example/")
					if rest := e.end(); rest != "" {
						t.Errorf("at the end it says %q", rest)
					}
				})
			}
			t.Run("without a list", func(t *testing.T) {
				missing := filepath.Join(t.TempDir(), "missing")
				var said bytes.Buffer
				cmd := exec.Command(path, missing)
				cmd.Stderr = &said
				out, err := cmd.Output()
				if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() <= 0 || len(out) > 0 || !strings.Contains(said.String(), missing) {
					t.Errorf("it ends with %v, having said %q; on standard error %q", err, out, &said)
				}
			})
		})
	}
}

// program finds an example, or builds it.
func program(t *testing.T, path, interpreter string) string {
	t.Helper()
	if interpreter == "" {
		built := filepath.Join(t.TempDir(), "redirector")
		if out, err := exec.Command("go", "build", "-o", built, "./"+path).CombinedOutput(); err != nil {
			t.Fatalf("build the Go example: %v\n%s", err, out)
		}
		return built
	}
	if _, err := exec.LookPath(interpreter); err != nil {
		t.Skipf("%v: \"make peers\" installs it", err)
	}
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// An example is one that runs.
type example struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
	out io.Reader
}

// start starts an example, in surroundings where text is UTF-8.
func start(t *testing.T, path string, args ...string) *example {
	t.Helper()
	e := &example{t: t, cmd: exec.Command(path, args...)}
	e.cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "PYTHONIOENCODING=utf-8:strict", "PERL_UNICODE=SDA", "RUBYOPT=-Eutf-8")
	var err error
	if e.in, err = e.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if e.out, err = e.cmd.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	e.cmd.Stderr = os.Stderr
	if err := e.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	stuck := time.AfterFunc(2*time.Minute, func() { e.cmd.Process.Kill() })
	t.Cleanup(func() {
		stuck.Stop()
		e.in.Close()
	})
	return e
}

// say writes lines.
func (e *example) say(text string) {
	e.t.Helper()
	if _, err := io.WriteString(e.in, text); err != nil {
		e.t.Fatal(err)
	}
}

// hear reads one line, and not a byte more.
func (e *example) hear() string {
	e.t.Helper()
	var line []byte
	for b := make([]byte, 1); ; {
		if _, err := io.ReadFull(e.out, b); err != nil {
			e.t.Fatalf("it ended: %v, after %q", err, line)
		}
		if b[0] == '\n' {
			return string(line)
		}
		line = append(line, b[0])
	}
}

// end ends the input, as the end of the proxy does, and returns what is said after that.
func (e *example) end() string {
	e.t.Helper()
	e.in.Close()
	rest, err := io.ReadAll(e.out)
	if err != nil {
		e.t.Error(err)
	}
	if err := e.cmd.Wait(); err != nil {
		e.t.Errorf("at the end of its input: %v", err)
	}
	return string(rest)
}
