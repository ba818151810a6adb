package helper

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"
)

// What we ended ourselves is told as that, and not as how the process then ended.
func TestAlarmOfWhatWeReplaced(t *testing.T) {
	for _, row := range []struct {
		name string
		c    Config
		play func(w *world, n int)
		want string
	}{
		{"late", Config{Children: 1, Startup: 1, Retries: 2, Timeout: time.Second}, func(w *world, n int) {
			w.ask("x")
			w.child(n).read()
			w.pass(time.Second + aTick)
		}, "was replaced: has not answered for 1s"},
		{"half a line", Config{Children: 1, Startup: 1, Retries: 9, Timeout: time.Second}, func(w *world, n int) {
			w.ask("x")
			w.writes(n, "OK")
			w.pass(time.Second + aTick)
		}, `was replaced: has not answered for 1s, but for half a line: \"OK\"`},
		{"its input is closed", Config{Children: 1, Startup: 1, Retries: 9, Concurrency: 9}, func(w *world, n int) {
			w.child(n).in.Close()
			w.ask(fmt.Sprint("x", n))
			w.pass(exitTimeout + aTick)
		}, "closed its standard input without ending"},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t, row.c)
			for range 2 * alarmThreshold {
				row.play(w, w.pool.started)
				w.pass(maxProvokedDelay + aTick)
			}
			w.logs("it is told", "no redirector process answers as it should; the last one, redirector #", 1)
			w.logs("with what it did", row.want, 1)
			for _, untrue := range []string{"signal: terminated", "stays alive", "Questions wait"} {
				w.logs("that was our doing", untrue, 0)
			}
		})
	}
}

// New processes that cannot start leave the old ones in force: nobody waits, and that is told.
func TestAlarmWhileTheOldAnswer(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Startup: 1, Retries: 2})
	w.proves(1)
	old := w.pool
	w.startsWith(errors.New("start redirector: no such file"))
	w.open(Config{Children: 1, Startup: 1, Retries: 2})
	w.pool.Succeed(old)
	for range 8 {
		w.pass(maxRestartDelay)
	}
	w.logs("it is told", "no new redirector process stays alive; the last one could not be started: start redirector: no such file. "+
		"The processes from before the reload go on answering, with what they have loaded", 1)
	w.logs("nobody waits", "Questions wait", 0)
	q := w.ask("x")
	w.writes(1, "y\n")
	q.wants("the old answer", "y")
	w.dies(1)
	w.pass(maxRestartDelay)
	w.logs("the old have ended too, and cannot be replaced", "Questions wait", 1)
	w.startsWith(nil)
	w.pass(maxRestartDelay)
	next := w.ask("z")
	for _, a := range w.actors[1:] {
		a.read()
		a.out.WriteString("fine\n")
	}
	w.settle()
	next.wants("when it can be started", "fine")
	w.logs("that is told", "redirector processes answer again", 1)
}

// A program that does not work is told every ten minutes, with how often it was tried, and whom it runs as.
func TestAlarmIsRepeatedSeldom(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Startup: 1})
	w.startsWith(errors.New("start redirector: no such file"))
	w.dies(1)
	for range 40 {
		w.pass(maxRestartDelay)
	}
	w.logs("in 20 minutes", "level=ERROR", 2)
	w.logs("the second with how often it was", "more of this kind since the last message)", 1)
	w.logs("when it is tried", "a new process is tried within 30s", 2)
	w.logs("by whom", fmt.Sprintf("run it by hand, as the user that the proxy runs as (uid %d): /bin/answer -v", os.Geteuid()), 2)
	other := newWorld(t, Config{Children: 1, Startup: 1, Credential: &syscall.Credential{Uid: 4711}})
	other.startsWith(w.spawnErr)
	other.dies(1)
	for range 4 {
		other.pass(maxRestartDelay)
	}
	other.logs("by whom", "run it by hand, as uid 4711: ", 1)
}

// A program that answers now and then between its ends cannot fill the log with alarms.
func TestAlarmsAreLimited(t *testing.T) {
	w := newWorld(t, Config{Children: 1, Startup: 1, Retries: 99})
	for range 10 {
		for range alarmThreshold {
			w.child(w.pool.started).exit("exit status 0")
			w.settle()
			w.pass(time.Second)
		}
		w.proves(w.pool.started)
		w.pass(time.Second)
	}
	w.logs("in half a minute", "level=ERROR", 1)
	w.logs("and the end of it", "answer again", 1)
}

// What children do wrong is limited for all of them, however many are started.
func TestWarningsAreLimitedForAllChildren(t *testing.T) {
	for _, row := range []struct {
		name, text string
		c          Config
		play       func(w *world, n int)
	}{
		{"two lines at once", "wrote a line that nobody asked for", Config{Children: 20, Startup: 20},
			func(w *world, n int) { w.writes(n, "y\nz\n") }},
		{"without a number", "answered without a channel number", Config{Children: 20, Startup: 20, Concurrency: 1},
			func(w *world, n int) { w.writes(n, "y\n") }},
		{"silent", "does it flush its output? If not, a terminal may have it do so: the option pty=on of its children", Config{Children: 20, Startup: 20},
			func(w *world, n int) { w.pass(11 * time.Second / 20) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t, row.c)
			w.putAll(20)
			w.settle()
			for n := 1; n <= 20; n++ {
				row.play(w, n)
			}
			w.logs("once", row.text, 1)
		})
	}
	w := newWorld(t, Config{Children: 1, Startup: 1, PTY: PTYOn})
	w.ask("x")
	w.pass(11 * time.Second)
	w.logs("it has one", "pty", 0)
}

// A child that does not end is told with what it did, which is not always to ignore the end of its input.
func TestNotEnding(t *testing.T) {
	for _, row := range []struct {
		name string
		play func(w *world)
		want string
	}{
		{"it has closed its input", func(w *world) { w.child(1).in.Close(); w.ask("x") }, "has closed its standard input and not ended for 5s: it is terminated"},
		{"it has closed its output", func(w *world) { w.child(1).out.Close(); w.settle() }, "has closed its standard output and not ended for 5s: it is terminated"},
		{"we have closed its input", func(w *world) { w.pool.Close(true); w.settle() }, "has not ended 5s after the end of its input: it is terminated"},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t, Config{Children: 1, Startup: 1, Concurrency: 2, Retries: 2})
			w.proves(1)
			row.play(w)
			w.pass(exitTimeout + aTick)
			w.logs("", row.want, 1)
			w.logs("that is all", ": it is terminated", 1)
		})
	}
}
