package helper

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestRealChildren(t *testing.T) {
	for _, pty := range []bool{false, true} {
		for _, concurrency := range []int{0, 7} {
			for _, mode := range []string{"echo", "dribbling"} {
				t.Run(fmt.Sprintf("%s pty=%v concurrency=%d", mode, pty, concurrency), func(t *testing.T) {
					s := run(t, mode, Config{Children: 2, Concurrency: concurrency, PTY: ptyOf(pty)})
					var all []*Question
					for i := range 200 {
						all = append(all, s.pool.Ask([]byte(fmt.Sprint("line ", i)), nil))
					}
					for i, q := range all {
						s.until("all are answered", func() bool { return done(q) })
						if got, _, err := q.Answer(); err != nil || string(got) != fmt.Sprintf("line %d answered", i) {
							t.Errorf("question %d: got %q, error %v", i, got, err)
						}
						q.Cancel()
					}
					s.answers("a\x00b\x03\x04\x11\x13\x1a\x7f\t", "a\x00b\x03\x04\x11\x13\x1a\x7f\t answered")
					long := strings.Repeat("long", 5000)
					s.answers(long, long+" answered")
				})
			}
		}
	}
}

func TestDescriptorsOfAChild(t *testing.T) {
	leak, err := unix.FcntlInt(0, unix.F_DUPFD, 100) // without close-on-exec, as our own starter may leave it to us
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(leak)
	for _, pty := range []bool{false, true} {
		s := perform(t, Config{Children: 3, Startup: 3, PTY: ptyOf(pty),
			Argv: []string{"/bin/sh", "-c", "while read line; do ls -m /proc/$$/fd; done"}})
		s.until("the others are there too", s.up(3))
		s.answers("what is open", "0, 1, 2")
	}
}

func TestAttributesOfAChild(t *testing.T) {
	for _, pty := range []bool{false, true} {
		dir := t.TempDir()
		s := run(t, "portrait", Config{Children: 1, PTY: ptyOf(pty), Dir: dir, Env: []string{"GREETING=hello"}})
		s.answers("", fmt.Sprintf("leads=true dir=%s greeting=hello "+
			"0:terminal=false,blocks=true 1:terminal=%v,blocks=true 2:terminal=false,blocks=true", dir, pty))
	}
}

func TestChildrenHaveBatchScheduling(t *testing.T) {
	s := run(t, "echo", Config{Children: 1})
	s.answers("x", "x answered")
	pid := s.pool.Stats().Each[0].PID
	attr, err := unix.SchedGetAttr(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours, err := unix.SchedGetAttr(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	if attr.Policy != unix.SCHED_BATCH || attr.Nice != ours.Nice {
		t.Errorf("a child has scheduling policy %d and is nice by %d; want %d and %d", attr.Policy, attr.Nice, unix.SCHED_BATCH, ours.Nice)
	}
}

func TestCredential(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can start children as somebody else")
	}
	const script = "#!/bin/sh\nwhile read line; do echo `id -u` `id -g`; done\n"
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	s := perform(t, Config{Children: 1, Dir: "/", Argv: []string{writeFile(t, dir, "who", script, 0o755)},
		Credential: &syscall.Credential{Uid: 65534, Gid: 65533}})
	s.answers("who are you", "65534 65533")
}

func TestScriptWithoutInterpreter(t *testing.T) {
	path := writeFile(t, t.TempDir(), "plain", `while read line; do echo "$line $1"; done`, 0o755)
	s := perform(t, Config{Children: 1, Argv: []string{path, "two words"}})
	s.answers("one", "one two words")
}

func TestBuffering(t *testing.T) {
	s := run(t, "buffering", Config{Children: 1, PTY: PTYOn})
	s.answers("x", "x answered")

	s = run(t, "buffering", Config{Children: 1, SilenceWarning: 50 * time.Millisecond})
	q := s.pool.Ask([]byte("x"), nil)
	s.until("the silence is noticed", func() bool { return strings.Contains(s.log.String(), "does it flush its output?") })
	if done(q) {
		t.Error("a child that buffers its output has answered, which makes this test worthless")
	}
}

func TestBufferingStdio(t *testing.T) {
	const sed = "/bin/sed"
	if Check([]string{sed}) != nil {
		t.Skip("there is no sed")
	}
	s := perform(t, Config{Children: 1, PTY: PTYOn, Argv: []string{sed, "s/$/ answered/"}})
	s.answers("x", "x answered")
	s.answers("y", "y answered")
}

func TestCrashAtStart(t *testing.T) {
	s := run(t, "crash at start", Config{Children: 2, Retries: 2})
	q := s.pool.Ask([]byte("x"), nil)
	s.until("the question is given up", func() bool { return done(q) || s.pool.health.failing })
	s.until("it is said loudly", func() bool { return strings.Contains(s.log.String(), "no redirector process stays alive") })
	if !strings.Contains(s.log.String(), "exit status 3") {
		t.Errorf("the log does not say how it ended:\n%s", s.log.String())
	}
}

func TestMissingProgram(t *testing.T) {
	s := perform(t, Config{Children: 1, Argv: []string{"/no/such/helper"}})
	q := s.pool.Ask([]byte("x"), nil)
	s.until("it is logged", func() bool { return strings.Contains(s.log.String(), "/no/such/helper: there is no such file") })
	if done(q) {
		t.Error("a question was settled though no child could be asked")
	}
}

func TestMissingDirectory(t *testing.T) {
	s := run(t, "echo", Config{Children: 1, Startup: 1, Dir: "/no/such/directory"})
	s.until("it is logged", func() bool { return strings.Contains(s.log.String(), "/no/such/directory: no such file") })
}

func TestCrashWithAQuestion(t *testing.T) {
	s := run(t, "crash on poison", Config{Children: 1, Retries: 1})
	poison := s.pool.Ask([]byte("poison"), nil)
	s.until("the poison is given up", func() bool { return done(poison) })
	if _, _, err := poison.Answer(); err != ErrLost {
		t.Errorf("poison: %v, want ErrLost", err)
	}
	s.answers("good", "good answered")
}

func TestKillLoop(t *testing.T) {
	s := run(t, "echo", Config{Children: 3, Startup: 3, Concurrency: 20, Retries: 1000})
	asked := 0
	for range 12 {
		var all []*Question
		for range 500 {
			all = append(all, s.pool.Ask([]byte(fmt.Sprint("q", asked)), nil))
			asked++
		}
		victim := 0
		s.until("a child is there to be killed", func() bool {
			for _, c := range s.pool.Stats().Each {
				if victim = c.PID; victim > 0 {
					return true
				}
			}
			return false
		})
		unix.Kill(victim, unix.SIGKILL)
		for i, q := range all {
			s.until("all are answered", func() bool { return done(q) })
			want := fmt.Sprintf("q%d answered", asked-500+i)
			if got, _, err := q.Answer(); err != nil || string(got) != want {
				t.Fatalf("got %q, error %v; want %q", got, err, want)
			}
			q.Cancel()
		}
	}
}

func TestStopped(t *testing.T) {
	const n = 5000
	s := run(t, "echo", Config{Children: 1, Startup: 1, Concurrency: n})
	s.until("the child is there", s.up(1))
	pid := s.pool.Stats().Each[0].PID
	s.answers("first", "first answered")
	unix.Kill(pid, unix.SIGSTOP)
	var all []*Question
	for i := range n {
		all = append(all, s.pool.Ask([]byte(fmt.Sprintf("%d %s", i, strings.Repeat("x", 200))), nil))
	}
	s.until("its pipe is full", func() bool { return s.pool.Stats().Each[0].Writing })
	unix.Kill(pid, unix.SIGCONT)
	for i, q := range all {
		s.until("all are answered", func() bool { return done(q) })
		if got, _, err := q.Answer(); err != nil || !strings.HasPrefix(string(got), fmt.Sprint(i, " x")) {
			t.Fatalf("question %d: got %q, error %v", i, got, err)
		}
		q.Cancel()
	}
}

func TestStderrFlood(t *testing.T) {
	s := run(t, "flood", Config{Children: 2, Startup: 2})
	s.answers("x", "x answered") // only after the flood
	s.pool.Close(true)
	s.until("both have ended", s.pool.Closed)
	got := s.stderr.String()
	if len(got) < 2*10<<20 {
		t.Errorf("%d bytes of standard error arrived, want 20 MB", len(got))
	}
	for _, line := range strings.Split(strings.TrimSuffix(got, "\n"), "\n") {
		if len(line) != 99 {
			t.Fatalf("lines of the two children were mixed: one has %d bytes", len(line))
		}
	}
}

func TestOrphanHoldsThePipes(t *testing.T) {
	s := run(t, "orphan", Config{Children: 1, Startup: 1})
	s.until("the end of the process is noticed, though another holds its pipes", func() bool {
		return strings.Contains(s.log.String(), "exit status 7")
	})
}

func TestChildThatIgnoresSIGTERM(t *testing.T) {
	c := Config{Argv: []string{"/proc/self/exe"}, Env: []string{modeVariable + "=ignoresTERM"}}.withDefaults()
	started, err := processSpawner{}.Spawn(&c, 1)
	if err != nil {
		t.Fatal(err)
	}
	p := started.(*process)
	const grace = 50 * time.Millisecond
	unix.SetNonblock(p.answers, false)
	if n, err := unix.Read(p.answers, make([]byte, 10)); n == 0 || err != nil {
		t.Fatal("the child does not say that it is ready")
	}
	unix.Close(p.questions)
	p.Kill(grace)
	p.Kill(grace)
	if got := p.Wait(func() {}); got.How != "signal: killed" || got.Failed {
		t.Errorf("the child that ignores everything ended with %+v, want a kill of ours", got)
	}
	p.Kill(grace) // harmless
	unix.Close(p.answers)
}

func TestLateRealChild(t *testing.T) {
	s := run(t, "silent", Config{Children: 1, Startup: 1, Timeout: 50 * time.Millisecond})
	s.until("the child is there", s.up(1))
	pid := s.pool.Stats().Each[0].PID
	q := s.pool.Ask([]byte("x"), nil)
	s.until("the question is late", func() bool { return done(q) })
	s.until("its process has ended", func() bool { return unix.Kill(pid, 0) == unix.ESRCH })
	s.until("another is there", s.up(1))
}

func TestCloseBeforeTheChildIsThere(t *testing.T) {
	s := run(t, "echo", Config{Children: 5, Startup: 5})
	s.pool.Close(false)
	s.until("all have ended", s.pool.Closed)
}

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	tests := []struct {
		name string
		argv []string
		want string // "": nothing is wrong
	}{
		{"good", []string{writeFile(t, dir, "good", "#!/bin/sh\n", 0o755)}, ""},
		{"not a script", []string{"/proc/self/exe"}, ""},
		{"none", nil, "none is named"},
		{"empty", []string{"", "x"}, "none is named"},
		{"missing", []string{dir + "/missing"}, "missing: there is no such file (give its full path"},
		{"directory", []string{dir}, "it is a directory"},
		{"device", []string{"/dev/null"}, "it is not a regular file"},
		{"not executable", []string{writeFile(t, dir, "plain", "", 0o644)}, "it is not executable (chmod +x"},
		{"no interpreter", []string{writeFile(t, dir, "none", "#! \n", 0o755)}, "names no interpreter"},
		{"missing interpreter", []string{writeFile(t, dir, "gone", "#!/no/perl -w\n", 0o755)}, "its interpreter: stat /no/perl"},
		{"Windows line ends", []string{writeFile(t, dir, "crlf", "#!/bin/sh\r\necho\r\n", 0o755)}, "its lines end in CR LF, so that its interpreter is \"/bin/sh\\r\" (convert its line ends: sed -i 's/\\r$//' "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := Check(test.argv)
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// writeFile writes a file and returns its path.
func writeFile(t *testing.T, dir, name, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return path
}
