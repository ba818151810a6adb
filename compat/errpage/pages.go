package errpage

import (
	_ "embed"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"exaproxy/compat/conf"
	"exaproxy/compat/verify"
	"exaproxy/engine"
)

// Pages are the templates that clients are shown. They are made once and then shared.
type Pages struct {
	// Language is that of the pages, for the field Content-Language; "" for those
	// of an error_directory, whose language only the administrator knows.
	Language string

	templates map[string]template
	secure    map[verify.Kind]template // of secureFail, by what is wrong with a certificate; nil if that is not ours
}

var (
	//go:embed page.html
	layout string
	//go:embed style.css
	style string
)

// Default returns the pages in our own words.
func Default() *Pages {
	p := &Pages{Language: "en", templates: make(map[string]template, len(texts))}
	for _, text := range texts {
		p.templates[text.name], _ = compile(text.name, text.page())
		if text.name == secureFail {
			p.secure = text.byAdvice(secureAdvice)
		}
	}
	return p
}

// byAdvice are the pages of a text with other advice.
func (t pageText) byAdvice(advice map[verify.Kind]string) map[verify.Kind]template {
	pages := make(map[verify.Kind]template, len(advice))
	for kind, words := range advice {
		t.advice = words
		pages[kind], _ = compile(t.name, t.page())
	}
	return pages
}

// page puts the text into the layout that all pages have.
func (t *pageText) page() string {
	detail := ""
	if t.detail != "" {
		detail = "<dt>Reason</dt><dd>" + t.detail + "</dd>\n"
	}
	return strings.NewReplacer("{headline}", t.headline, "{what}", t.what, "{detail}", detail, "{advice}", t.advice).Replace(layout)
}

// Load returns the pages of an error_directory: a file for each of Squid's names, and for those
// that deny_info names besides (custom). What is missing there or cannot be read is
// warned about, and our own page stands in for it; so warnings do not keep the proxy from
// starting. Files are read by readFile.
func Load(dir string, custom []string, readFile func(path string) ([]byte, error)) (pages *Pages, warnings []error) {
	pages = Default()
	pages.Language = ""
	names := make([]string, 0, len(texts)+len(custom))
	for _, text := range texts[1:] { // the first has no name
		names = append(names, text.name)
	}
	for _, name := range append(names, custom...) {
		_, name = cutStatus(name)
		t, more := read(dir, name, readFile)
		warnings = append(warnings, more...)
		if t == nil {
			continue
		}
		if pages.templates[name] = t; name == secureFail {
			pages.secure = nil
		}
	}
	return pages, warnings
}

// read reads one template.
func read(dir, name string, readFile func(path string) ([]byte, error)) (t template, warnings []error) {
	path := filepath.Join(dir, filepath.Base(name))
	page, err := readFile(path)
	if err != nil {
		return nil, []error{fmt.Errorf("loading file '%s': %s", path, conf.SystemText(err))}
	}
	return compile(path, string(page))
}

// Append appends the page of that name, as Name returns it, filled in with v. Of a page that
// nobody has written, a neutral one stands in.
func (p *Pages) Append(dst []byte, name string, v *Values) []byte {
	_, name = cutStatus(name)
	filled := *v
	filled.page = name
	return p.find(name, v.Failure).append(dst, &filled)
}

// find is the template of a name, in the words for what has failed.
func (p *Pages) find(name string, f *engine.Failure) template {
	var fault *verify.Fault
	if name == secureFail && f != nil && errors.As(f.Err, &fault) {
		if t, ok := p.secure[fault.Kind]; ok {
			return t
		}
	}
	if t, ok := p.templates[name]; ok {
		return t
	}
	return p.templates[""]
}

// AppendRedirectPage appends a page that leads to location, for a client that believes to be in
// a tunnel and may show what it gets there.
func AppendRedirectPage(dst, location []byte) []byte {
	dst = append(dst, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Redirected</title></head>\n<body>\n"...)
	start := len(dst)
	dst = append(dst, location...)
	dst = forHTML.escape(dst, start)
	shown := string(dst[start:])
	dst = dst[:start]
	if isWeb(location) {
		dst = append(append(append(dst, `<p>Please go on to <a href="`...), shown...), `">`...)
		return append(append(dst, shown...), "</a>.</p>\n</body></html>\n"...)
	}
	return append(append(append(dst, "<p>Please go on to "...), shown...), ".</p>\n</body></html>\n"...)
}

// isWeb reports whether a link to the URL can only lead to another page, and runs no script here.
func isWeb(url []byte) bool {
	s := strings.ToLower(string(url[:min(len(url), len("https://"))]))
	return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "/")
}
