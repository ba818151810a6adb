package errpage

import (
	"embed"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"exaproxy/compat/verify"
	"exaproxy/engine"
)

// A language is the pages of our own in it. All workers share it.
type language struct {
	code   string          // RFC 5646, in small letters
	layout []template      // what stands before, between and behind the parts of a page
	pages  map[string]text // by Squid's names; that of "" stands in for those without a text
	secure map[verify.Kind]text

	words *strings.Replacer // what {names} stand for, while the file is read
}

// A text is what is particular to one page: the parts that go into the layout, in their order there.
type text [4]template

// The parts of a text. The reason is a code or two, the same in all languages; the others are lines of the file.
const (
	headline = iota
	what     // happened
	reason   // underneath
	advice   // what can be done
)

//go:embed texts/*.txt
var files embed.FS

//go:embed page.html
var layout string

//go:embed style.css
var style string

// parts are where the parts of a text go in the layout.
var parts = [len(text{})]string{headline: "{headline}", what: "{what}", reason: "{detail}", advice: "{advice}"}

// english is the language for those who want one that is not there.
const english = "en"

// languages are those that the program has, by code. They are made when the first configuration is read, and stay.
var languages = sync.OnceValue(func() map[string]*language {
	all := make(map[string]*language)
	names, err := files.ReadDir("texts")
	if err != nil {
		panic("BUG: there are no texts of error pages: " + err.Error())
	}
	for _, name := range names {
		source, err := files.ReadFile("texts/" + name.Name())
		if err != nil {
			panic("BUG: " + err.Error())
		}
		code := strings.TrimSuffix(path.Base(name.Name()), ".txt")
		if all[code], err = parseLanguage(code, string(source)); err != nil {
			panic("BUG: texts of error pages: " + err.Error())
		}
	}
	return all
})

// languageCodes are the languages that the program has pages in, as a list of words.
func languageCodes() string { return strings.Join(slices.Sorted(maps.Keys(languages())), " ") }

// parseLanguage reads the file of a language: lines `name = words`, then of each page its name in brackets and its three
// lines. In these {name} stands for the words.
func parseLanguage(code, source string) (*language, error) {
	blocks := strings.Split("\n"+strings.TrimSpace(source)+"\n", "\n[")
	l := &language{code: code, pages: make(map[string]text), words: readWords(code, blocks[0])}
	if err := l.setLayout(); err != nil {
		return nil, err
	}
	for _, block := range blocks[1:] {
		if err := l.addPage(block); err != nil {
			return nil, err
		}
	}
	l.secure = make(map[verify.Kind]text)
	for kind, name := range secureAdvice {
		t := l.pages[secureFail]
		t[advice] = l.compile("{" + name + "}")
		l.secure[kind] = t
	}
	l.words = nil
	return l, nil
}

// readWords reads the lines of a file before its first page: what the layout says, and sentences that pages share.
func readWords(code, source string) *strings.Replacer {
	pairs := []string{"{lang}", code}
	for line := range strings.Lines(source) {
		name, words, ok := strings.Cut(strings.TrimSpace(line), " = ")
		if ok && !strings.HasPrefix(line, "#") {
			pairs = append(pairs, "{"+name+"}", strings.Replace(words, "{contact}", `<a href="mailto:%w%W">%w</a>`, 1))
		}
	}
	return strings.NewReplacer(pairs...)
}

// setLayout cuts the layout into what stands around the parts of a page.
func (l *language) setLayout() error {
	rest := layout
	for _, part := range parts {
		before, after, ok := strings.Cut(rest, part)
		if !ok {
			return fmt.Errorf("the layout has no place for %s", part)
		}
		l.layout = append(l.layout, l.compile(before))
		rest = after
	}
	l.layout = append(l.layout, l.compile(rest))
	return nil
}

// addPage takes the lines of one page, behind the bracket.
func (l *language) addPage(block string) error {
	lines := strings.Split(strings.TrimSpace(block), "\n")
	name, ok := strings.CutSuffix(lines[0], "]")
	if !ok || len(lines) != 4 {
		return fmt.Errorf("%s.txt: a page is [NAME] and three lines, this is none: [%s", l.code, block)
	}
	if _, twice := l.pages[name]; twice {
		return fmt.Errorf("%s.txt: the page %s is there twice", l.code, name)
	}
	t := text{headline: l.compile(lines[1]), what: l.compile(lines[2]), advice: l.compile(lines[3])}
	if codes := reasons[name]; codes != "" {
		t[reason] = l.compile("<dt>{reason}</dt><dd>" + codes + "</dd>\n")
	}
	l.pages[name] = t
	return nil
}

// compile puts in what {names} stand for. The texts are our own, and tested: they have no codes that there are not.
func (l *language) compile(s string) template {
	t, _ := compile(l.code, l.words.Replace(s))
	return t
}

// has says whether there is a page of a name, which is one of Squid's.
func (l *language) has(name string) bool {
	_, ok := l.pages[name]
	return ok
}

// pageNames are Squid's names of all pages.
func pageNames() []string {
	return slices.Sorted(maps.Keys(languages()[english].pages))[1:] // the first has no name
}

// find is the text of a page, in the words for what has failed.
func (l *language) find(name string, f *engine.Failure) text {
	if kind, ok := fault(name, f); ok {
		if t, ok := l.secure[kind]; ok {
			return t
		}
	}
	if t, ok := l.pages[name]; ok {
		return t
	}
	return l.pages[""]
}

// append appends a page.
func (l *language) append(dst []byte, name string, v *Values) []byte {
	t := l.find(name, v.Failure)
	for i, part := range t {
		dst = l.layout[i].append(dst, v)
		dst = part.append(dst, v)
	}
	return l.layout[len(t)].append(dst, v)
}
