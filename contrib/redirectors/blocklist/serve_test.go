package main

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func timeOfDay(hours, minutes int) time.Duration {
	return time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
}

// TestServe: each line is answered before the next is written, however long it is and whatever is
// in it; several at once are answered in order; an end without a line feed is not answered.
func TestServe(t *testing.T) {
	s := &server{}
	s.current.Store(school(t))
	in, say := io.Pipe()
	hear, out := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- s.serve(in, out)
		out.Close()
	}()
	lines := bufio.NewReader(hear)
	ask := func(text string, answers ...string) {
		t.Helper()
		if _, err := io.WriteString(say, text); err != nil {
			t.Fatal(err)
		}
		for _, want := range answers {
			got, err := lines.ReadString('\n')
			if got = strings.TrimSuffix(got, "\n"); err != nil || !strings.HasPrefix(got, want) {
				t.Errorf("%.80q is answered %.200q (%v), want %q", text, got, err, want)
			}
		}
	}
	ask("http://a.example/\n", "ERR")
	ask("1 http://a.example/\n2 http://porn.example/\n3 a.example:443\n", "1 ERR", `2 OK status=302 url="http://why.example/?c=porn`, "3 ERR")
	ask("4 http://a.example/\xff\x00\xe4"+pupil+"\r\n", "4 ERR")
	ask("5 http://porn.example/"+strings.Repeat("\xff", 20<<10)+"\n", `5 OK status=302 url="http://why.example/?c=porn`)
	for _, length := range []int{maxQuestion - 1, maxQuestion, maxQuestion + 1, 10 * maxQuestion} {
		want := "6 ERR"
		if length > maxQuestion {
			want = `6 OK status=302 url="http://why.example/?c=unreadable`
		}
		line := "6 http://a.example/"
		ask(line+strings.Repeat("x", length-len(line)-1)+"\n", want)
	}
	ask("http://a.example/\n", "ERR")
	ask("http://porn.example/")
	say.Close()
	if rest, err := io.ReadAll(lines); err != nil || len(rest) > 0 {
		t.Errorf("at the end it says %q (%v)", rest, err)
	}
	if err := <-ended; err != nil {
		t.Errorf("at the end of its input: %v", err)
	}
}

// TestReload: a change is taken up when it has stood still for a tick, a broken one leaves the old
// list and says so once, and a SIGHUP waits for nothing.
func TestReload(t *testing.T) {
	dir := folder(t, lists)
	path := filepath.Join(dir, "blocklist.conf")
	l, err := load(path)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{}
	s.current.Store(l)
	hangup, tick, said := make(chan os.Signal), make(chan time.Time), make(chan string, 9)
	go s.watch(path, l, hangup, tick, func(v ...any) { said <- v[0].(string) })
	look := func(times int) {
		for range times {
			tick <- time.Time{}
		}
	}
	blocked := func(url string) bool {
		return strings.HasPrefix(string(s.current.Load().answer(nil, url, at(monday))), "OK")
	}
	expect := func(want string) {
		t.Helper()
		if got := <-said; !strings.Contains(got, want) {
			t.Errorf("it says %q, want %q", got, want)
		}
	}
	quiet := func(when string) {
		t.Helper()
		look(3) // who takes a third has done with the second
		select {
		case got := <-said:
			t.Errorf("%s it says %q", when, got)
		default:
		}
	}
	quiet("of nothing")
	write(t, filepath.Join(dir, "good/domains"), "fine.example\n")
	write(t, filepath.Join(dir, "porn/domains"), "new.example\n")
	look(3)
	expect("loaded again: 11 entries")
	if !blocked("http://new.example/") || blocked("http://porn.example/") {
		t.Error("the new list is not in use")
	}
	quiet("after that")

	write(t, filepath.Join(dir, "porn/domains"), "<html>\n")
	look(3)
	expect("/porn/domains:1: this is no list: 1 of its 1 lines cannot be read, this one the first; the old list stays")
	quiet("after that")
	write(t, path, conf+"block later\n")
	look(3)
	expect("category later: none of the files")
	quiet("after that")
	write(t, filepath.Join(dir, "later/domains"), "late.example\n")
	look(3)
	expect("/porn/domains:1: this is no list")
	if !blocked("http://new.example/") || blocked("http://late.example/") {
		t.Error("a broken list is in use")
	}
	write(t, filepath.Join(dir, "porn/domains"), "newer.example\n")
	hangup <- os.Interrupt
	expect("loaded again: 12 entries")
	if !blocked("http://newer.example/") || !blocked("http://late.example/") {
		t.Error("the mended list is not in use")
	}
	quiet("after that")
}
