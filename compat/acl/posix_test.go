package acl

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// matchPOSIX shows text to a pattern alone.
func matchPOSIX(t testing.TB, pattern, text string, fold bool) (bool, error) {
	t.Helper()
	var x patterns
	if err := x.add(pattern, fold); err != nil {
		return false, err
	}
	x.finish()
	return x.match([]byte(text), new(Place)), nil
}

func TestPatternsMeanWhatPOSIXSays(t *testing.T) {
	tests := []struct {
		name, pattern string
		fold          bool
		yes, no       []string
	}{
		{name: "a text is found anywhere", pattern: "ads", yes: []string{"ads", "x/ads/y"}, no: []string{"ADS", "ad", ""}},
		{name: "with -i in any case", pattern: "aDs", fold: true, yes: []string{"AdS", "xadsx"}, no: []string{"ad"}},
		{name: "^ is the start and $ the end of the text only", pattern: "^a.b$", yes: []string{"axb", "a\nb"}, no: []string{"x\naxb", "axb\n"}},
		{name: "an anchor in the middle never matches", pattern: "a^b|a$b", no: []string{"a^b", "a$b", "ab"}},
		{name: "both ends of an empty text", pattern: "^$", yes: []string{""}, no: []string{"a"}},
		{name: "repetitions are repeated", pattern: "^a**b+?c{2}{2}$", yes: []string{"cccc", "aabbcccc"}, no: []string{"cc"}},
		{name: "braces count", pattern: "^a{2,3}b{,1}c{1,}d{0}$", yes: []string{"aac", "aaabcc"}, no: []string{"ac", "aaaac", "aabbc", "aacd"}},
		{name: "a single ) } ] stand for themselves", pattern: "^a)}]$", yes: []string{"a)}]"}},
		{name: "groups and branches", pattern: "^(a|bc|)+(|x)$", yes: []string{"", "abca", "x"}, no: []string{"b"}},
		{name: "] first in brackets, backslash in brackets", pattern: `^[]\d]+$`, yes: []string{`]\d`}, no: []string{"7"}},
		{name: "brackets with a hyphen at the end", pattern: "^[a-c-]+$", yes: []string{"a-b-c"}, no: []string{"d"}},
		{name: "inverted brackets take a line feed", pattern: "^[^a]$", yes: []string{"\n", "\xff"}, no: []string{"a", ""}},
		{name: "inverted brackets with -i", pattern: "^[^a-c]$", fold: true, yes: []string{"d", "D"}, no: []string{"a", "B"}},
		{name: "classes", pattern: "^[[:alpha:]_][[:digit:][:space:]]$", yes: []string{"a1", "_\t"}, no: []string{"1a", "aa"}},
		{name: "upper means any letter with -i", pattern: "^[[:upper:]]$", fold: true, yes: []string{"a", "A"}, no: []string{"1"}},
		{name: "collating elements of one byte", pattern: "^[[.a.]-c[=x=]]$", yes: []string{"b", "x"}, no: []string{"d", "="}},
		{name: "\\w and its like", pattern: `^\w\W\s\S$`, yes: []string{"_- x", "a!\t!"}, no: []string{"aa x"}},
		{name: "\\d is the letter d", pattern: `\d`, yes: []string{"d"}, no: []string{"1"}},
		{name: "an escaped small letter never matches with -i", pattern: `\d`, fold: true, no: []string{"d", "D"}},
		{name: "word boundaries", pattern: `\bads\B`, yes: []string{"x adsx"}, no: []string{"ads", "xads"}},
		{name: "\\< and \\> beside words", pattern: `\<(ads|banners?)\>`, yes: []string{"/ads/", "banner", "x-banners"}, no: []string{"loads", "adsx", "bannerss"}},
		{name: "\\` and \\'", pattern: "\\`ads\\'", yes: []string{"ads"}, no: []string{"xads", "adsx"}},
		{name: "a dot is one byte, not one character", pattern: "^..$", yes: []string{"é", "ab"}, no: []string{"a", "éa"}},
		{name: "bytes beyond ASCII have no case", pattern: "^é$", fold: true, yes: []string{"é"}, no: []string{"É", "\xe9"}},
		{name: "a byte that is no character", pattern: "^x[\xe0-\xef]y$", yes: []string{"x\xe9y"}, no: []string{"xéy"}},
		{name: "a long repetition", pattern: "^(ab){600}$", yes: []string{strings.Repeat("ab", 600)}, no: []string{strings.Repeat("ab", 599)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, want := range []bool{true, false} {
				texts := map[bool][]string{true: tt.yes, false: tt.no}[want]
				for _, text := range texts {
					got, err := matchPOSIX(t, tt.pattern, text, tt.fold)
					if err != nil || got != want {
						t.Errorf("pattern %q on %q: got %v, %v, want %v", tt.pattern, text, got, err, want)
					}
				}
			}
		})
	}
}

func TestBadPatternsAreNamedAsRegcompDoes(t *testing.T) {
	tests := map[string]error{
		"*a": badRepeat, "a|+": badRepeat, "(?:a)": badRepeat, "{1}": badRepeat, "^*": badRepeat, `\b*`: badRepeat,
		"a{x}": badInterval, "a{2,1}": badInterval, "a{}": badInterval, "a{1,2,3}": badInterval,
		"a{": openBrace, "a{1,": openBrace, "a{32768}": tooBig,
		"(a": openParen, "((a)": openParen, "[a": openBracket, "[]": openBracket, "[[:alpha:": openBracket, "[[.": openBracket, "[": badPattern, "a[^": badPattern,
		"[z-a]": badRange, "[a-c-e]": badRange, "[a-[:alpha:]]": badRange, "[[:alpha:]-z]": badRange,
		"[[:foo:]]": badClass, "[[.hyphen.]]": badCollate, "[[=ab=]]": badCollate,
		`\1`: badBackRef, `(a)\2`: badBackRef, `a\`: badEscape,
	}
	for pattern, want := range tests {
		if _, err := parsePOSIX(pattern, false); !errors.Is(err, want) {
			t.Errorf("pattern %q: got error %v, want %v", pattern, err, want)
		}
	}
}

func TestPatternsThatGoCannotFollowAreErrors(t *testing.T) {
	for _, pattern := range []string{`(a)\1`, `\<.`, `x?\>`, "a{1001}", "(a{500}){500}", strings.Repeat("(", 300) + strings.Repeat(")", 300)} {
		var unsupported errUnsupported
		if _, err := matchPOSIX(t, pattern, "", false); !errors.As(err, &unsupported) {
			t.Errorf("pattern %.40q: got error %v, want that it is not supported", pattern, err)
		}
	}
}

// TestAgainstSystemRegcomp shows the same to regcomp(3), by way of bash's =~.
func TestAgainstSystemRegcomp(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash to ask")
	}
	atoms := []string{"a", "b", ".", "[ab]", "[^a]", "(a|b)", "(|a)", "()", "(ab)", `\w`, `\W`, `\.`, "^", "$", `\b`, `\B`, "[[:alpha:]-]", "[]a]", "{", ")", "[b-a]", "[a-]"}
	dups := []string{"", "*", "+", "?", "{2}", "{,1}", "{1,}", "**", "{2,1}", "{"}
	texts := []string{"", "a", "b", "ab", "ba", "aa", "-", "a-b", ".", "aab", ")"}
	var list []string
	for _, first := range atoms {
		for _, dup := range dups {
			for _, second := range []string{"", "a", "^b", "|b", "$", `\b`, ".*-", "("} {
				list = append(list, first+dup+second)
			}
		}
	}
	var script strings.Builder
	for _, pattern := range list {
		fmt.Fprintf(&script, "p='%s'\n", pattern)
		for _, text := range texts {
			fmt.Fprintf(&script, "[[ '%s' =~ $p ]]; printf %%s $?\n", text)
		}
		script.WriteString("echo\n")
	}
	cmd := exec.Command(bash, "--norc", "-s")
	cmd.Env = []string{"LC_ALL=C"}
	cmd.Stdin = strings.NewReader(script.String())
	out, err := cmd.Output()
	answers := strings.Split(strings.TrimSpace(string(out)), "\n")
	if err != nil || len(answers) != len(list) {
		t.Fatalf("bash answered %d of %d patterns: %v", len(answers), len(list), err)
	}
	for i, pattern := range list {
		for j, text := range texts {
			got := "1"
			ok, err := matchPOSIX(t, pattern, text, false)
			var wrong posixError
			if errors.As(err, &wrong) {
				got = "2"
			} else if ok {
				got = "0"
			}
			if want := answers[i][j : j+1]; got != want {
				t.Errorf("pattern %q on %q: got %s (%v), regcomp says %s (0 match, 1 none, 2 bad pattern)", pattern, text, got, err, want)
			}
		}
	}
}
