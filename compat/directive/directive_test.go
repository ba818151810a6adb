package directive

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/conf"
)

// values are what the setters of the tests set.
type values struct {
	text, rest, word string
	on, off          bool
	number, size     int
	long             int64
	duration, wait   time.Duration
	list             *acl.List
}

func (v *values) set() Set {
	return Set{
		"pid_filename":            Text(&v.text),
		"err_html_text":           Rest(&v.rest),
		"via":                     OnOff(&v.on),
		"url_rewrite_host_header": Unless(&v.off),
		"umask":                   Number(&v.number),
		"request_header_max_size": Size(&v.size),
		"request_body_max_size":   Size(&v.long),
		"dns_timeout":             Duration(time.Millisecond, &v.duration),
		"connect_timeout":         Wait(&v.wait),
		"forwarded_for":           OneOf(&v.word, map[string]string{"on": "ON"}, "ERROR: '%s' is none"),
		"http_access":             Rules(v.list),
		"workers":                 Nothing,
	}
}

// take runs the setter of the only line of text, and gives what was logged.
func take(t *testing.T, v *values, text string) (messages string, err error) {
	t.Helper()
	acls := acl.NewSet()
	v.list = acls.NewList("http_access", acl.Deny)
	var b strings.Builder
	c := NewContext(acls, nil, func(_ int, text string) { b.WriteString(text + "\n") })
	lines := parse(t, text)
	err = v.set().Run(c, &lines[0])
	return b.String(), err
}

func TestSetters(t *testing.T) {
	var v values
	for _, row := range []struct {
		line string
		ok   bool
		set  func() bool // says whether the value is there
	}{
		{"pid_filename /run/a.pid", true, func() bool { return v.text == "/run/a.pid" }},
		{"err_html_text <b>a # b</b>", true, func() bool { return v.rest == "<b>a # b</b>" }},
		{"via on", true, func() bool { return v.on }},
		{"via maybe", false, func() bool { return v.on }},
		{"url_rewrite_host_header off", true, func() bool { return v.off }},
		{"umask 027", true, func() bool { return v.number == 0o27 }},
		{"umask -1", false, func() bool { return v.number == 0o27 }},
		{"request_header_max_size 16 KB", true, func() bool { return v.size == 16<<10 }},
		{"request_body_max_size 3 MB", true, func() bool { return v.long == 3<<20 }},
		{"dns_timeout 500 milliseconds", true, func() bool { return v.duration == 500*time.Millisecond }},
		{"connect_timeout 10 seconds", true, func() bool { return v.wait == 10*time.Second }},
		{"connect_timeout 0 seconds", true, func() bool { return v.wait == time.Nanosecond }},
		{"forwarded_for on", true, func() bool { return v.word == "ON" }},
		{"forwarded_for off", false, func() bool { return v.word == "ON" }},
		{"http_access allow all", true, func() bool { return !v.list.Empty() }},
		{"http_access allow nobody", false, func() bool { return v.list.Empty() }},
		{"workers 3", true, func() bool { return true }},
	} {
		if _, err := take(t, &v, row.line); (err == nil) != row.ok || !row.set() {
			t.Errorf("%s: %v, and there is %+v", row.line, err, v)
		}
	}
}

// TestComplaints has what Squid says of a value logged: what it took all the same, and what not.
func TestComplaints(t *testing.T) {
	var v values
	if messages, err := take(t, &v, "http_access maybe all"); err != nil || !strings.Contains(messages, "expecting 'allow' or 'deny', got 'maybe'.") {
		t.Errorf("%v, and the messages are:\n%s", err, messages)
	}
	_, err := take(t, &v, "forwarded_for off")
	var invalid conf.Invalid
	if !errors.As(err, &invalid) || invalid[0] != "ERROR: 'off' is none" {
		t.Errorf("the complaint is %v", err)
	}
}

// TestOneFeatureForADirective has two features claim the same directive.
func TestOneFeatureForADirective(t *testing.T) {
	defer func() {
		if got := recover(); got != "BUG: two setters for directive via" {
			t.Errorf("it ends with %v", got)
		}
	}()
	all := Set{"umask": Nothing, "via": Nothing}
	all.Add(Set{"via": Nothing})
}

// TestNoSetter has the table call a directive done that no feature sets.
func TestNoSetter(t *testing.T) {
	defer func() {
		if got := recover(); got != "BUG: no setter for directive via" {
			t.Errorf("it ends with %v", got)
		}
	}()
	Set{}.Run(NewContext(acl.NewSet(), nil, nil), &parse(t, "via on")[0])
}

// parse reads lines of a configuration.
func parse(t *testing.T, text string) (lines []conf.Line) {
	t.Helper()
	all, err := conf.Parse("squid.conf", conf.Options{Open: func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range all {
		if l.Type == conf.Setting {
			lines = append(lines, l)
		}
	}
	return lines
}

func TestStringsAndConditions(t *testing.T) {
	acls := acl.NewSet()
	c := NewContext(acls, nil, func(int, string) {})
	for _, row := range []struct {
		line string
		want []string
	}{
		{`url_rewrite_program /bin/cat "an argument" -u`, []string{"/bin/cat", "an argument", "-u"}},
		{"url_rewrite_program", nil},
	} {
		got, err := c.Strings(&parse(t, row.line)[0])
		if (err == nil) != (row.want != nil) || strings.Join(got, "|") != strings.Join(row.want, "|") {
			t.Errorf("%s: the words are %q, %v", row.line, got, err)
		}
	}
	if list, err := c.Conditions(&parse(t, "access_log none localhost")[0], 1); err != nil || list.Empty() {
		t.Errorf("the conditions are %v, %v", list, err)
	}
	if _, err := c.Conditions(&parse(t, "access_log none nobody")[0], 1); err == nil {
		t.Error("an acl that is not there is taken")
	}
}

// TestWordsLeft has a word behind the value of a directive of ours be an error; Squid leaves those of its own out.
func TestWordsLeft(t *testing.T) {
	var on bool
	set := Set{"guard": OnOff(&on), "keep_helpers": OnOff(&on), "via": OnOff(&on)}
	for _, row := range []struct {
		line string
		ok   bool
	}{
		{"guard off on", false},
		{"#exaproxy guard off on", false},
		{"keep_helpers on 2", false},
		{"guard off # on", true},
		{"#exaproxy guard off", true},
		{"via off on", true},
	} {
		c := NewContext(acl.NewSet(), nil, func(int, string) {})
		if err := set.Run(c, &parse(t, row.line)[0]); (err == nil) != row.ok {
			t.Errorf("%s: %v", row.line, err)
		}
	}
}

// A private key that everybody may read is told of, whatever file it stands in.
func TestKeysThatEverybodyMayRead(t *testing.T) {
	for mode, want := range map[os.FileMode]bool{0o600: false, 0o640: false, 0o644: true, 0o604: true} {
		for text, isKey := range map[string]bool{"-----BEGIN EC PRIVATE KEY-----\n": true, "-----BEGIN CERTIFICATE-----\n": false} {
			path := filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
			said := ""
			c := NewContext(acl.NewSet(), nil, func(_ int, text string) { said += text })
			if _, err := c.ReadFile(path); err != nil {
				t.Fatal(err)
			}
			if got := strings.Contains(said, "every user of this machine can read the private key in "+path); got != (want && isKey) {
				t.Errorf("a file of mode %o with %q: it says %q", mode, text, said)
			}
		}
	}
}
