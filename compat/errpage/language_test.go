package errpage

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"exaproxy/compat/verify"
	"exaproxy/engine"
)

// wantedLanguages are those that the program promises to have.
var wantedLanguages = strings.Fields("de en es fr it ja nl pl pt ru zh")

func TestLanguages(t *testing.T) {
	if got := slices.Sorted(maps.Keys(languages())); !slices.Equal(got, wantedLanguages) {
		t.Errorf("the languages are %v, want %v", got, wantedLanguages)
	}
}

var codeOrWord = regexp.MustCompile(`%.|\{[a-z]*\}`)

// TestLanguagesHaveTheSame compares the files of all languages with the English one: the same pages, with the same
// %codes, and the same words. Only which shared words a page has may be different.
func TestLanguagesHaveTheSame(t *testing.T) {
	codes := func(page text) (all []string) {
		for _, part := range page {
			for _, p := range part {
				if p.code != 0 {
					all = append(all, "%"+string(p.code))
				}
			}
		}
		slices.Sort(all)
		return all
	}
	english := languages()[english]
	for code, l := range languages() {
		if got, want := slices.Sorted(maps.Keys(l.pages)), slices.Sorted(maps.Keys(english.pages)); !slices.Equal(got, want) {
			t.Errorf("%s.txt should have the pages\n%v, it has\n%v", code, want, got)
		}
		for name := range english.pages {
			if got, want := codes(l.pages[name]), codes(english.pages[name]); !slices.Equal(got, want) {
				t.Errorf("%s.txt: the page %s should have the codes %v, it has %v", code, name, want, got)
			}
		}
		source, err := files.ReadFile("texts/" + code + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		if !utf8.Valid(source) {
			t.Errorf("%s.txt is no UTF-8", code)
		}
		if code != "en" && strings.Count(string(source), "\n") != lines("en") {
			t.Errorf("%s.txt has %d lines, en.txt has %d: each line of one should stand at the place of the other's", code, strings.Count(string(source), "\n"), lines("en"))
		}
	}
}

func lines(code string) int {
	source, _ := files.ReadFile("texts/" + code + ".txt")
	return strings.Count(string(source), "\n")
}

// TestWordsOfLanguages has each file define the words that en.txt defines, all of them, and all that it uses.
func TestWordsOfLanguages(t *testing.T) {
	define := regexp.MustCompile(`(?m)^([a-z]+) = (.+)$`)
	words := func(code string) (names []string) {
		source, _ := files.ReadFile("texts/" + code + ".txt")
		for _, m := range define.FindAllStringSubmatch(string(source), -1) {
			names = append(names, m[1])
			if got, want := codeOrWord.FindAllString(m[2], -1), map[string][]string{"questions": {"{contact}"}, "made": {"%T", "%h", "%s"}}[m[1]]; !sameSet(got, want) {
				t.Errorf("%s.txt: %s should have %v in it, it has %v", code, m[1], want, got)
			}
		}
		return names
	}
	for code := range languages() {
		if got := words(code); !slices.Equal(got, words("en")) {
			t.Errorf("%s.txt should define the words %v, it defines %v", code, words("en"), got)
		}
	}
}

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// TestPagesOfAllLanguages has every page of every language say in which language it is, keep the marks by which people and
// programs distinguish pages, and leave no gap.
func TestPagesOfAllLanguages(t *testing.T) {
	for code := range languages() {
		pages := Default()
		v := values()
		v.Request.Header.Add("Accept-Language", []byte(code))
		for _, name := range pageNames() {
			page := show(pages, name, v)
			for _, mark := range []string{`<html lang="` + code + `">`, "<body id=" + name + ">", "<!-- " + name + " -->", `<meta name="viewport"`,
				"Sun, 22 Nov 2026 12:36:11 GMT", "proxy.test", "squid/5.7", `<a href="mailto:webmaster">webmaster</a>`} {
				if !strings.Contains(page, mark) {
					t.Errorf("%s: the page %s should have %s", code, name, mark)
				}
			}
			body := page[strings.Index(page, "</style>"):]
			if i := strings.IndexAny(body, "{}"); i >= 0 {
				t.Errorf("%s: the page %s has a gap where a word should be: %.40s", code, name, body[i:])
			}
		}
	}
	if page := show(Default(), "ERR_DNS_FAIL", values()); !strings.Contains(page, "<title>ERROR: The requested URL could not be retrieved</title>") ||
		!strings.Contains(page, "<p>Generated Sun, 22 Nov 2026 12:36:11 GMT by proxy.test (squid/5.7)</p>") {
		t.Errorf("the English page has lost marks that programs look for:\n%s", page)
	}
}

// TestSecureAdviceIsTranslated has the advice about certificates be that of the language.
func TestSecureAdviceIsTranslated(t *testing.T) {
	v := values()
	v.Failure = &engine.Failure{Kind: engine.CannotSecure, Side: engine.UpstreamSide, Err: &verify.Fault{Kind: verify.CRLExpired}}
	v.Request.Header.Add("Accept-Language", []byte("de"))
	if page := show(Default(), secureFail, v); !strings.Contains(page, "Sperrliste") || !strings.Contains(page, `lang="de"`) {
		t.Errorf("the German page about an old list of revoked certificates is\n%s", page)
	}
}

// TestTextsThatAreWrong has files refused that are not as they should be.
func TestTextsThatAreWrong(t *testing.T) {
	for _, row := range []struct{ name, source string }{
		{"a page with two lines", "a = b\n[ERR_X]\nhead\nwhat\n"},
		{"a page twice", "[ERR_X]\n1\n2\n3\n\n[ERR_X]\n1\n2\n3\n"},
		{"no end of a name", "[ERR_X\n1\n2\n3\n"},
	} {
		if _, err := parseLanguage("xx", row.source); err == nil || !strings.Contains(err.Error(), "xx.txt") {
			t.Errorf("%s: got the error %v", row.name, err)
		}
	}
}

func BenchmarkReadLanguages(b *testing.B) {
	source, _ := files.ReadFile("texts/en.txt")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parseLanguage("en", string(source)); err != nil {
			b.Fatal(err)
		}
	}
}
