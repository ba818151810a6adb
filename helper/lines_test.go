package helper

import (
	"bytes"
	"strings"
	"testing"
)

func TestCutNumber(t *testing.T) {
	tests := []struct {
		line   string
		number int
		rest   string
		ok     bool
	}{
		{"0 OK", 0, "OK", true},
		{"12\tOK", 12, "OK", true},
		{"12  \t OK  x ", 12, "OK  x ", true},
		{" \t7 OK", 7, "OK", true},
		{"+7 OK", 7, "OK", true},
		{"-7 OK", -7, "OK", true},
		{"007 OK", 7, "OK", true},
		{"7", 7, "", true},
		{"7 ", 7, "", true},
		{"7 8 OK", 7, "8 OK", true},
		{"99999999999999999999999999 OK", 1 << 40, "OK", true},
		{"OK", 0, "OK", false},
		{"", 0, "", false},
		{" ", 0, " ", false},
		{"-", 0, "-", false},
		{"+ 7", 0, "+ 7", false},
		{"302:x", 0, "302:x", false},
		{"7OK", 0, "7OK", false},
		{"0x10 OK", 0, "0x10 OK", false},
	}
	for _, test := range tests {
		t.Run(test.line, func(t *testing.T) {
			number, rest, ok := cutNumber([]byte(test.line))
			if number != test.number || string(rest) != test.rest || ok != test.ok {
				t.Errorf("got %d, %q, %v; want %d, %q, %v", number, rest, ok, test.number, test.rest, test.ok)
			}
		})
	}
}

func TestLinesHoweverTheyAreCut(t *testing.T) {
	text := "one\ntwo\r\n\n\r\n\rthree\r\r\nfo\x00ur\nhalf"
	want := []string{"one", "two", "", "", "\rthree\r", "fo\x00ur"}
	for size := 1; size <= len(text); size++ {
		var l lines
		var got []string
		for rest := []byte(text); len(rest) > 0; {
			n := min(size, len(rest))
			for p := rest[:n]; ; {
				line, after, ok := l.next(p)
				if !ok {
					break
				}
				got, p = append(got, string(line)), after
			}
			rest = rest[n:]
		}
		if strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("in pieces of %d: got %q, want %q", size, got, want)
		}
		if half := string(l.partial()); half != "half" {
			t.Errorf("in pieces of %d: half a line is %q", size, half)
		}
	}
}

// FuzzLines has lines come however they are cut, and be the lines of the whole.
func FuzzLines(f *testing.F) {
	for _, text := range []string{"OK\nERR\n", "a\r\nb\r\r\n\n\r\nhalf", "\n\n\n", "no end", "0 OK\n1 BH\n", "\r\n", "a\rb\n\x00\n"} {
		f.Add([]byte(text), uint8(1), uint8(3))
		f.Add([]byte(text), uint8(2), uint8(2))
	}
	f.Fuzz(func(t *testing.T, text []byte, one, two uint8) {
		want := strings.Split(string(text), "\n")
		half := want[len(want)-1]
		want = want[:len(want)-1]
		var l lines
		n := 0
		for rest := text; len(rest) > 0; one, two = two, one {
			size := min(len(rest), int(one)+1)
			piece := bytes.Clone(rest[:size])
			for rest = rest[size:]; ; n++ {
				line, after, ok := l.next(piece)
				if !ok {
					break
				}
				if n >= len(want) || string(line) != strings.TrimSuffix(want[n], "\r") {
					t.Fatalf("line %d of %q is %q", n, text, line)
				}
				piece = after
			}
		}
		if n != len(want) || string(l.partial()) != half {
			t.Fatalf("%q has %d lines and %q, want %d and %q", text, n, l.partial(), len(want), half)
		}
	})
}

func FuzzCutNumber(f *testing.F) {
	f.Add([]byte("7 OK"))
	f.Add([]byte(" -0\v"))
	f.Fuzz(func(t *testing.T, line []byte) {
		_, rest, ok := cutNumber(line)
		if !bytes.HasSuffix(line, rest) {
			t.Errorf("the rest of %q is %q", line, rest)
		}
		if !ok && len(rest) != len(line) {
			t.Errorf("%q has no number, but lost something: %q", line, rest)
		}
	})
}

func TestLineWriter(t *testing.T) {
	var got bytes.Buffer
	writes := 0
	w := lineWriter{to: writerFunc(func(p []byte) (int, error) {
		writes++
		if !bytes.HasSuffix(p, []byte{'\n'}) {
			t.Errorf("%q is not a whole line", p)
		}
		return got.Write(p)
	})}
	for _, p := range []string{"on", "e\ntwo\nthr", "e", "e\n", strings.Repeat("x", maxStderrLine+1), "end"} {
		w.write([]byte(p))
	}
	w.flush()
	w.flush()
	if want := "one\ntwo\nthree\n" + strings.Repeat("x", maxStderrLine+1) + "\nend\n"; got.String() != want {
		t.Errorf("got %.60q…, want %.60q…", got.String(), want)
	}
	if writes != 4 {
		t.Errorf("%d writes, want 4: whole lines go together", writes)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
