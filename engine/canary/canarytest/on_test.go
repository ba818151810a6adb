//go:build canary

package canarytest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"exaproxy/engine/canary"
)

// leaked is n bytes of what one has kept of memory that was given back.
func leaked(n int) string {
	b := make([]byte, n+5)
	canary.Spoil(b, canary.Buffer, canary.Owner(40001, 9))
	return string(b[5:])
}

func escaped(format, s string) string {
	var out strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&out, format, s[i])
	}
	return out.String()
}

func TestMarksAreSeen(t *testing.T) {
	const whose = "a buffer of the client at port 40001, in request 9 of its connection"
	for _, row := range []struct{ name, text, want string }{
		{"whole", "X: " + leaked(40) + "\r\n", whose},
		{"at the end", "X: " + leaked(16), whose},
		{"short", "X: " + leaked(4) + "\r\n", "too short a piece"},
		{"too short", "X: " + leaked(3) + "\r\n", ""},
		{"in a URL", "GET /" + escaped("%%%02X", leaked(20)) + " x", whose},
		{"in a log", `"` + escaped(`\x%02x`, leaked(20)) + `"`, whose},
		{"half escaped", leaked(2) + "%FB%f9 ", "too short a piece"},
		{"text", "GET /caf%C3%A9 na\xc3\xafve \\xff \\ff %ff \xff\xfe", ""},
		{"nothing", "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			check := func(got string) {
				t.Helper()
				if !strings.Contains(got, row.want) || (got == "") != (row.want == "") {
					t.Errorf("%q is of %q, want %q", row.text, got, row.want)
				}
			}
			check(new(Watch).See([]byte(row.text)))
			var pieces Watch
			var got []string
			for i := range len(row.text) {
				if whose := pieces.See([]byte(row.text[i : i+1])); whose != "" {
					got = append(got, whose)
				}
			}
			if (len(got) == 1) != (row.want != "") {
				t.Errorf("byte by byte it is told %d times", len(got))
			}
		})
	}
}

func TestRandomBytesAreNoMark(t *testing.T) {
	random := rand.NewChaCha8([32]byte{1})
	b := make([]byte, 1<<20)
	w := Watch{Least: InRandom}
	for range 8 {
		random.Read(b)
		if whose := w.See(b); whose != "" {
			t.Fatalf("random bytes are taken for %s", whose)
		}
	}
	if w.See([]byte(leaked(16))) == "" {
		t.Error("a mark is not seen behind random bytes")
	}
}
