package redirectors

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestExamplesAnswerAlike puts the same lines to every example, one after the other: each must
// be answered before the next is written, or the example does not flush.
func TestExamplesAnswerAlike(t *testing.T) {
	goExample := filepath.Join(t.TempDir(), "redirector")
	if out, err := exec.Command("go", "build", "-o", goExample, "./go").CombinedOutput(); err != nil {
		t.Fatalf("build the Go example: %v\n%s", err, out)
	}
	dialogue := []struct{ ask, want string }{
		{"http://www.example.com/ 127.0.0.1/- - GET", "ERR"},
		{"", ""},
		{"x.ads.example.com:443 127.0.0.1/- - CONNECT", `OK status=302 url="http://why.example/?x.ads.example.com"`},
		{"7 x.ads.example.com:443 127.0.0.1/- - CONNECT", `7 OK status=302 url="http://why.example/?x.ads.example.com"`},
		{"http://user@doubleclick.net/x?y 127.0.0.1/- - GET", `OK status=302 url="http://why.example/?doubleclick.net"`},
		{"0 http://blocked.example?q", `0 OK status=302 url="http://why.example/?blocked.example"`},
		{"[::1]:443 127.0.0.1/- - CONNECT", "ERR"},
		{"http://notblocked.example/", "ERR"},
		{"12 http://blocked.example.com:81/", "12 ERR"},
	}
	for _, program := range []string{goExample, "python/redirector.py", "perl/redirector.pl", "shell/redirector.sh"} {
		t.Run(filepath.Base(program), func(t *testing.T) {
			say, hear := start(t, program, "blocklist.txt", "http://why.example/?%s")
			for _, d := range dialogue {
				say(d.ask)
				if got := hear(); got != d.want {
					t.Errorf("asked %q it answered %q, want %q", d.ask, got, d.want)
				}
			}
		})
	}
}

// start starts an example and gives a way to write a line to it and to read one.
func start(t *testing.T, program string, args ...string) (say func(string), hear func() string) {
	t.Helper()
	path, err := filepath.Abs(program)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", program, err)
	}
	t.Cleanup(func() {
		in.Close() // the end of the proxy is the end of its helpers
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s at the end of its input: %v", program, err)
		}
	})
	say = func(line string) {
		if _, err := in.Write([]byte(line + "\n")); err != nil {
			t.Fatal(err)
		}
	}
	hear = func() string {
		var line strings.Builder
		for b := make([]byte, 1); ; {
			if _, err := out.Read(b); err != nil {
				t.Fatalf("%s ended: %v", program, err)
			}
			if b[0] == '\n' {
				return line.String()
			}
			line.WriteByte(b[0])
		}
	}
	return say, hear
}
