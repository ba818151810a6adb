package acl

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// patternList makes a list of patterns and fails the test over a bad one.
func patternList(tb testing.TB, fold bool, list ...string) *patterns {
	tb.Helper()
	var x patterns
	for _, pattern := range list {
		if err := x.add(pattern, fold); err != nil {
			tb.Fatalf("pattern %q: %v", pattern, err)
		}
	}
	x.finish()
	return &x
}

func TestNeedles(t *testing.T) {
	tests := map[string][]string{
		"banner":                           {"banner"},
		"^BANNER$":                         {"banner"},
		"ads?banner[0-9]+":                 {"banner"},
		"(ads|banner)":                     {"ads", "banner"},
		"x?(ads|.*)":                       nil,
		"(foobar){2,}x":                    {"foobar"},
		"(foobar)*":                        nil,
		"^http://www[0-9]*.tracker":        {"tracker"},
		"[aA][bB][cC]":                     {"abc"},
		`\.exe$`:                           {".exe"},
		"(a|b|c|(d|e))xyz":                 {"xyz"},
		"^$":                               nil,
		"a.b.c":                            {"a"},
		strings.Repeat("(a|b)|", 20) + "c": nil,
	}
	for pattern, want := range tests {
		e, err := parsePOSIX(pattern, false)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.literals(); selectivity(want) != selectivity(got) || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("pattern %q: got literals %q, want %q", pattern, got, want)
		}
	}
}

func TestPlainPatterns(t *testing.T) {
	type row struct {
		pattern string
		fold    bool
		want    plain
		ok      bool
	}
	for _, tt := range []row{
		{"ads", false, plain{text: "ads"}, true},
		{"Ads", false, plain{text: "Ads"}, true},
		{"Ads1", true, plain{text: "ads1", fold: true}, true},
		{`\.1/`, true, plain{text: ".1/"}, true},
		{"^ads$", false, plain{text: "ads", start: true, end: true}, true},
		{"^$", false, plain{start: true, end: true}, true},
		{"a", false, plain{text: "a"}, true},
		{"[xX]", false, plain{text: "x", fold: true}, true},
		{"[xX]y", false, plain{}, false},
		{"a|b", false, plain{}, false},
		{"a.", false, plain{}, false},
		{"a$b", false, plain{}, false},
	} {
		e, err := parsePOSIX(tt.pattern, tt.fold)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := e.plain(); ok != tt.ok || ok && got != tt.want {
			t.Errorf("pattern %q: got %+v, %v, want %+v, %v", tt.pattern, got, ok, tt.want, tt.ok)
		}
	}
}

// TestTheIndexMissesNothing compares a list of patterns with the same patterns one by one,
// without an index.
func TestTheIndexMissesNothing(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pieces := []string{"a", "b", "ab", "ads", "banner", ".", "[ab]", "[^a]", "(ads|ban)", "(a|b)*", "x?", "(ner)+", "^", "$", "A", "Ads", "/", "\xe9"}
	texts := []string{"a", "b", "ads", "ADS", "banner", "x", "/", "BANNER", "é", "\xe9", "ner"}
	pick := func(from []string, most int) string {
		var b strings.Builder
		for range random.IntN(most) {
			b.WriteString(from[random.IntN(len(from))])
		}
		return b.String()
	}
	found := 0
	for range 600 {
		fold := random.IntN(2) == 0
		var list []string
		for range 1 + random.IntN(6) {
			list = append(list, pick(pieces, 5))
		}
		x := patternList(t, fold, list...)
		for range 5 {
			text, want := pick(texts, 6), false
			for _, pattern := range list {
				e, _ := parsePOSIX(pattern, fold)
				re, err := goRegexp(e)
				if err != nil {
					t.Fatal(err)
				}
				want = want || re.Match(latin1ToUTF8(nil, []byte(text)))
			}
			if want {
				found++
			}
			if got := x.match([]byte(text), new(Place)); got != want {
				t.Fatalf("patterns %q, -i %v, on %q: got %v, want %v", list, fold, text, got, want)
			}
		}
	}
	if found < 200 || found > 2800 {
		t.Errorf("%d of 3000 texts matched: this is no test", found)
	}
}

// TestAPatternRunsOncePerText would take minutes if a literal that a text has a thousand times had
// its pattern run as often.
func TestAPatternRunsOncePerText(t *testing.T) {
	x := patternList(t, false, "literal[0-9]*!")
	text := []byte(strings.Repeat("needle0", 10_000))
	var p Place
	if x.match(text, &p) {
		t.Error("there is no ! in the text")
	}
	matcher := matcher{patterns: x, text: text, place: &p}
	if !matcher.firstTry(0) || matcher.firstTry(0) {
		t.Error("a pattern is to be run once: the first time, and not the second")
	}
}

func FuzzPatterns(f *testing.F) {
	f.Add("(ads|banner)[0-9]+$", "http://h/Banner7", true)
	f.Add(`^a{2,3}\.[^b-d]*\>`, "aa.x", false)
	f.Add("[[:alpha:]]é", "aé", false)
	f.Fuzz(func(t *testing.T, pattern, text string, fold bool) {
		if len(pattern) > 50 {
			t.Skip("repetitions in repetitions take long to compile")
		}
		e, err := parsePOSIX(pattern, fold)
		if err != nil {
			return
		}
		re, err := goRegexp(e)
		if err != nil {
			return
		}
		want := re.Match(latin1ToUTF8(nil, []byte(text)))
		if got := patternList(t, fold, pattern).match([]byte(text), new(Place)); got != want {
			t.Errorf("pattern %q, -i %v, on %q: got %v, want %v", pattern, fold, text, got, want)
		}
	})
}
