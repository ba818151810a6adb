package conf

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// args makes the Args of a line whose values are text.
func args(text string) *Args {
	l := Line{Pos: Pos{File: "c.conf", Line: 3}, Input: "x " + text, Name: "x", Rest: text}
	l.lex(false)
	return l.Args()
}

func TestValues(t *testing.T) {
	for _, row := range []struct {
		name string
		text string
		read func(*Args) (any, error)
		want any
		err  string // the lines of the complaint, joined by |
		warn string
	}{
		{name: "a port", text: "3128", read: port, want: uint16(3128)},
		{name: "a port too large", text: "65536", read: port, want: uint16(0), err: "ERROR: The value '65536' is larger than the type 'short'."},
		{name: "a port below zero", text: "-1", read: port, want: uint16(0), err: "ERROR: The value '-1' cannot be less than 0."},
		{name: "a port that is a word", text: "http", read: port, want: uint16(0), err: "ERROR: No digits were found in the input value 'http'."},
		{name: "an octal number is decimal where a port is meant", text: "010", read: port, want: uint16(10)},
		{name: "a choice", text: "deny", read: choice, want: "deny"},
		{name: "no such choice", text: "drop", read: choice, want: "", err: "ERROR: Invalid option 'drop'."},
		{name: "no choice", text: "", read: choice, want: "", err: ""},
		{name: "seconds understood before more words", text: "5 on_timeout=fail", read: timeOrSeconds, want: 5 * time.Second, warn: "c.conf(3) x: WARNING: missing time unit, using deprecated default 'second'"},
		{name: "a unit before more words", text: "2 minutes on_timeout=fail", read: timeOrSeconds, want: 2 * time.Minute},
		{name: "seconds alone are not understood", text: "5", read: timeOrSeconds, want: time.Duration(0), err: "configuration error: missing time unit"},
		{name: "no time and more words", text: "0 on_timeout=fail", read: timeOrSeconds, want: time.Duration(0)},
		{name: "a time that is not a number", text: "nan seconds", read: timeOrSeconds, want: time.Duration(0), err: "ERROR: No digits were found in the input value 'nan'."},
		{name: "a time is cut to whole units", text: "1.9 seconds", read: timeOrSeconds, want: time.Second},
		{name: "a size below zero", text: "-5 KB", read: size, want: int64(0), err: "ERROR: The input value '-5' cannot be less than 0."},
		{name: "a size in other letters", text: "2 kbytes", read: size, want: int64(2 << 10)},
		{name: "a size in full words", text: "2 kilobytes", read: size, want: int64(0), err: "WARNING: Unknown bytes unit 'kilobytes'"},
		{name: "a size in GB", text: "2 gb", read: size, want: int64(2 << 30)},
		{name: "a size where KB is meant", text: "16", read: size, want: int64(16 << 10), warn: "WARNING: No units on 'x 16', assuming 16.00 KB"},
		{name: "a word", text: "a b", read: word, want: "a"},
		{name: "no word", text: "", read: word, want: "", err: ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := args(row.text)
			got, err := row.read(a)
			if got != row.want {
				t.Errorf("%q is read as %v, want %v", row.text, got, row.want)
			}
			failed := row.err != "" || strings.HasPrefix(row.name, "no ") && row.text == ""
			if (err != nil) != failed || err != nil && row.err != "" && complaint(err) != row.err {
				t.Errorf("%q meets %v, want %q", row.text, err, row.err)
			}
			if warned := strings.Join(a.Warnings, "|"); warned != row.warn {
				t.Errorf("%q is warned of with %q, want %q", row.text, warned, row.warn)
			}
		})
	}
}

func port(a *Args) (any, error) {
	word, err := a.String()
	if err != nil {
		return nil, err
	}
	return ParsePort(word)
}

func timeOrSeconds(a *Args) (any, error) { return a.TimeOrSeconds() }
func size(a *Args) (any, error)          { return a.Size("KB") }
func word(a *Args) (any, error)          { return a.String() }

func choice(a *Args) (any, error) {
	return a.Choice("ERROR: Invalid option '%s'.", "allow", "deny")
}

// complaint is what Squid would print before its verdict.
func complaint(err error) string {
	l := Line{}
	lines := l.Bungle(err).Lines()
	return strings.Join(lines[:len(lines)-1], "|")
}

func TestParseUint(t *testing.T) {
	for _, row := range []struct {
		word string
		want int
		err  string
	}{
		{"10", 10, ""},
		{"-1", 0, "ERROR: The input value '-1' cannot be less than 0."},
		{"4294967296", 0, "ERROR: The value '4294967296' is larger than the type 'unsigned int'."},
		{"1x", 0, "ERROR: Invalid value: '1x' is supposed to be a number."},
	} {
		got, err := ParseUint(row.word)
		if got != row.want || (err != nil) != (row.err != "") || err != nil && complaint(err) != row.err {
			t.Errorf("ParseUint(%q) gives %d, %v; want %d, %q", row.word, got, err, row.want, row.err)
		}
	}
}

func TestKeyValue(t *testing.T) {
	for _, row := range []struct {
		name, text string
		want       []string
		err        string
	}{
		{name: "plain", text: "on_timeout=bypass # c", want: []string{"on_timeout", "bypass"}},
		{name: "a string", text: `on_timeout=retry response="OK url=\"x y\""`, want: []string{"on_timeout", "retry", "response", `OK url="x y"`}},
		{name: "nothing", text: "  ", want: nil},
		{name: "no value", text: "a=b on_timeout=", want: []string{"a", "b"}, err: "Error while parsing key=value token. Value missing after: on_timeout"},
		{name: "no equals sign", text: "on_timeout", err: "Error while parsing key=value token. Value missing after: on_timeout"},
		{name: "a broken string", text: `response="OK`, err: "FATAL: missing quote char at the end of quoted string: K"},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := args(row.text)
			var got []string
			key, value, ok, err := a.KeyValue()
			for ; ok; key, value, ok, err = a.KeyValue() {
				got = append(got, key, value)
			}
			if !slices.Equal(got, row.want) {
				t.Errorf("%q has the pairs %q, want %q", row.text, got, row.want)
			}
			if (err != nil) != (row.err != "") || err != nil && complaint(err) != row.err {
				t.Errorf("%q meets %v, want %q", row.text, err, row.err)
			}
		})
	}
}

func TestAnErrorOfAnotherPackageIsBungled(t *testing.T) {
	l := Line{Pos: Pos{File: "inner.conf", Line: 7, From: &Pos{File: "squid.conf", Line: 2}}, Input: "x y"}
	report := l.Bungle(fmt.Errorf("open helper: %w", fmt.Errorf("no such file")))
	want := []string{"ERROR: open helper: no such file", "FATAL: Bungled inner.conf line 7: x y"}
	if !slices.Equal(report.Lines(), want) {
		t.Errorf("the report has the lines %q, want %q", report.Lines(), want)
	}
	if want := "inner.conf(7), included from squid.conf(2): x y: ERROR: open helper: no such file"; report.Error() != want {
		t.Errorf("the error is %q, want %q", report, want)
	}
	if again := l.Bungle(fmt.Errorf("load: %w", report)); again != report {
		t.Errorf("a report is bungled again to %q", again)
	}
}
