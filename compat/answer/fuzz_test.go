package answer

import (
	"bytes"
	"strings"
	"testing"
)

// quoted writes a value so that it is read as it is.
func quoted(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`).Replace(value) + `"`
}

// FuzzParse has any line be taken apart into pieces that follow one another in it, and a pair that is written in front be read as
// it was meant, whatever follows.
func FuzzParse(f *testing.F) {
	for _, line := range []string{"OK", "ERR", "BH message=\"x y\"", "OK user=joe password=\"a \\\" b\" tag=1 rest of it", "OK user=%20joe",
		"OK a=\"unended", "OK a=\\", "OK =b c=", " OK a=b", "OK  a=b", "TT token", "user=joe OK", "OK\ta=b", "OK a=\"x\"y b=z", "OK a==b", "OK a=\"\\r\\n\""} {
		f.Add([]byte(line), "joe \"the\" \\ user")
	}
	f.Fuzz(func(t *testing.T, line []byte, value string) {
		a := Parse(line)
		if !bytes.HasSuffix(line, a.Text) {
			t.Fatalf("%q has the text %q", line, a.Text)
		}
		var keys []string
		a.Each(func(key, value []byte) {
			if !bytes.Contains(line, key) || len(value) > len(line) {
				t.Fatalf("%q has a pair %q=%q", line, key, value)
			}
			keys = append(keys, string(key))
		})
		if a.Result == Unknown {
			if len(keys) > 0 || !bytes.Equal(a.Text, line) {
				t.Fatalf("%q has no known word, but %q and %q", line, keys, a.Text)
			}
			return
		}
		_, rest, _ := bytes.Cut(line, []byte(" "))
		with := Parse([]byte("OK fuzz=" + quoted(value) + " " + string(rest)))
		n := 0
		with.Each(func(key, got []byte) {
			if n++; n == 1 && (string(key) != "fuzz" || string(got) != value) {
				t.Fatalf("%q is read as %q", quoted(value), got)
			}
		})
		if n != len(keys)+1 || !bytes.Equal(with.Text, a.Text) {
			t.Fatalf("with a pair more %q has %d pairs and the text %q, want %d and %q", line, n, with.Text, len(keys)+1, a.Text)
		}
	})
}
