package compat

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

func TestFindOrder(t *testing.T) {
	for _, row := range []struct {
		text, want string
	}{
		{"reconfigure", "reconfigure"}, {"re", "reconfigure"}, {"r", "reconfigure"}, {"rest", "restart"}, {"ro", "rotate"},
		{"sh", "shutdown"}, {"i", "interrupt"}, {"k", "kill"}, {"d", "debug"}, {"ch", "check"}, {"p", "parse"},
		{"", ""}, {"bogus", ""}, {"reconfigured", ""}, {"Check", ""},
	} {
		o, ok := FindOrder(row.text)
		if o.Name != row.want || ok != (row.want != "") {
			t.Errorf("-k %q is %q, want %q", row.text, o.Name, row.want)
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

func TestSendOrder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "squid.pid")
	check, _ := FindOrder("check")
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
			if err := check.Send(path); err != nil {
				got = strings.Replace(err.Error(), path, "PATH", 1)
				got = strings.Replace(got, "PID "+strings.TrimSpace(row.content)+":", "PID N:", 1)
			}
			if got != row.want {
				t.Errorf("it says %q, want %q", got, row.want)
			}
		})
	}
	if err := check.Send("/nonexistent.pid"); err == nil || err.Error() != "failed to open /nonexistent.pid: (2) No such file or directory" {
		t.Errorf("without a pid file it says %v", err)
	}
}

func TestPIDFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "squid.pid")
	defer syscall.Umask(syscall.Umask(0o077))
	if err := os.WriteFile(path, []byte(strconv.Itoa(ended(t))+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := WritePIDFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if pid, err := ReadPIDFile(path); err != nil || pid != os.Getpid() {
		t.Errorf("the file has %d, %v", pid, err)
	}
	if facts, err := os.Stat(path); err != nil || facts.Mode().Perm() != 0o644 {
		t.Errorf("its mode is %v, %v", facts.Mode(), err)
	}
	if err := p.Remove(); err != nil {
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
	if _, err := WritePIDFile(path); err == nil || err.Error() != want {
		t.Errorf("with another proxy running it says %v", err)
	}

	none, err := WritePIDFile("")
	if none != nil || err != nil || none.Remove() != nil {
		t.Errorf("without a pid file there is %v, %v", none, err)
	}
}

func TestParseDenial(t *testing.T) {
	for _, row := range []struct {
		word string
		want Denial
		ok   bool
	}{
		{"ERR_X", Denial{Page: "ERR_X"}, true},
		{"404:ERR_X", Denial{Page: "ERR_X", Status: 404}, true},
		{"http://block.test/", Denial{URL: "http://block.test/"}, true},
		{"307:http://block.test/", Denial{URL: "http://block.test/", Status: 307}, true},
		{"TCP_RESET", Denial{Reset: true}, true},
		{"403:http://block.test/", Denial{}, false},
		{"199:ERR_X", Denial{}, false},
		{"600:ERR_X", Denial{}, false},
	} {
		d, err := parseDenial(row.word)
		if (err == nil) != row.ok || err == nil && *d != row.want {
			t.Errorf("deny_info %s is %+v, %v", row.word, d, err)
		}
	}
}

func TestDenialURL(t *testing.T) {
	p := newTestPolicy(t, "http_port 3128\naccess_log none\nvisible_hostname proxy.test\n")
	r := newRequest(t, "GET http://user@a.test:81/p?q=1&r=%20\" HTTP/1.1")
	for _, row := range []struct{ url, want string }{
		{"http://b/?u=%u", "http://b/?u=http%3A%2F%2Fa.test%3A81%2Fp%3Fq%3D1%26r%3D%2520%22"},
		{"http://b/%H/%p/%M/%i/%a/%h", "http://b/a.test/81/GET/192.0.2.1/-/proxy.test"},
		{"http://b/100%%", "http://b/100%"},
		{"http://b/?x=%20y%", "http://b/?x=%20y%"},
		{"http://b/?o=%o.", "http://b/?o=."},
	} {
		d := Denial{URL: row.url}
		if got := string(d.appendURL(nil, p, r)); got != row.want {
			t.Errorf("%s becomes %s, want %s", row.url, got, row.want)
		}
	}
}

func TestLocalPages(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "secret")
	for path, text := range map[string]string{
		filepath.Join(dir, "page.html"):    "<html>%(url)s is 100% no</html>",
		filepath.Join(dir, "sub/page.txt"): "for %(client_ip)s",
		outside:                            "secret",
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	p := newTestPolicy(t, "http_port 3128\naccess_log none\nurl_rewrite_program /bin/cat\n")
	pages, err := readLocal(dir)
	if err != nil {
		t.Fatal(err)
	}
	p.s.LocalPages = pages
	for _, row := range []struct{ answer, media, want string }{
		{"file://page.html", "text/html;charset=utf-8", "<html>http://a.test/?&lt;x&gt; is 100% no</html>"},
		{"file:///sub/page.txt", "text/plain;charset=utf-8", "for 192.0.2.1"},
		{"file://link", "", ""},
		{"file://../secret", "", ""},
		{"file://" + outside, "", ""},
	} {
		r := newRequest(t, "GET http://a.test/?<x> HTTP/1.1")
		d := p.Interpret(r, []byte(row.answer), nil)
		if row.want == "" {
			if d.Reply != nil {
				t.Errorf("%s is answered with %q", row.answer, d.Reply.Body)
			}
			continue
		}
		if d.Reply == nil || d.Reply.Status != 200 || string(d.Reply.Body) != row.want ||
			!strings.Contains(string(d.Reply.Fields), "\r\nContent-Type: "+row.media+"\r\n") ||
			!strings.Contains(string(d.Reply.Fields), fmt.Sprintf("\r\nContent-Length: %d\r\n", len(row.want))) {
			t.Errorf("%s is answered with %+v", row.answer, d.Reply)
		}
	}
}
