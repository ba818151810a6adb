package errpage

import (
	"fmt"
	"path/filepath"
	"strings"

	"exaproxy/compat/conf"
	"exaproxy/engine"
)

// Pages are the templates that clients are shown. They are made once and then shared.
type Pages struct {
	own       map[string]template // of the administrator's files, by name
	standIn   *language           // for who says of no language that there is that he wants it; error_default_language
	negotiate bool                // clients choose the language; not with an error_directory
}

// Default returns the pages in our own words, English for who wants no other language.
func Default() *Pages {
	return &Pages{standIn: languages()[english], negotiate: true, own: make(map[string]template)}
}

// squidTemplates is where Squid's packages put its templates, and where it looks for the pages of deny_info where there is
// no error_directory, or where they are not in it.
const squidTemplates = "/usr/share/squid/errors/templates"

// Load reads the administrator's files: of an error_directory one for each of Squid's names, and those
// that deny_info names besides (custom), which may be absolute paths. What is missing or cannot be read is
// warned about, and our own page stands in for it; so warnings do not keep the proxy from
// starting. Files are read by readFile.
func (p *Pages) Load(dir string, custom []string, readFile func(path string) ([]byte, error)) (warnings []error) {
	p.negotiate = dir == ""
	r := reader{read: readFile}
	if dir != "" {
		for _, name := range pageNames() {
			r.take(p.own, name, filepath.Join(dir, name))
		}
	}
	for _, name := range custom {
		_, name = cutStatus(name)
		if _, there := p.own[name]; there || p.standIn.has(name) {
			continue // Squid's name, which has been looked for
		}
		r.take(p.own, name, places(dir, name)...)
	}
	return r.warnings
}

// places are where the page of a name that is not Squid's may be.
func places(dir, name string) []string {
	if filepath.IsAbs(name) {
		return []string{name}
	}
	file := filepath.Base(name) // a page's name does not lead out of its folder
	if dir == "" {
		return []string{filepath.Join(squidTemplates, file)}
	}
	return []string{filepath.Join(dir, file), filepath.Join(squidTemplates, file)}
}

// A reader reads templates.
type reader struct {
	read     func(path string) ([]byte, error)
	warnings []error
}

// take reads the template of a name from the first of the places where there is one.
func (r *reader) take(pages map[string]template, name string, places ...string) {
	var missing []error
	for _, path := range places {
		page, err := r.read(path)
		if err != nil {
			missing = append(missing, fmt.Errorf("loading file '%s': %s", path, conf.SystemText(err)))
			continue
		}
		t, complaints := compile(path, string(page))
		pages[name], r.warnings = t, append(r.warnings, complaints...)
		return
	}
	r.warnings = append(r.warnings, missing...)
}

// A Page is one that was chosen for a request.
type Page struct {
	Language string // for the field Content-Language; "" if the client did not choose it, or only the administrator knows it

	called string    // with the status that deny_info puts in front
	name   string    // without
	own    template  // the administrator's, or
	in     *language // ours
}

// Choose chooses a page by its name, as Name returns it, in a language that the request's client wants. Of a page that
// nobody has written, a neutral one stands in. Languages that there are not are told missing.
func (p *Pages) Choose(name string, r *engine.Request, missing func(tag []byte)) Page {
	page := Page{called: name, in: p.standIn}
	_, page.name = cutStatus(name)
	if t, ok := p.own[page.name]; ok {
		page.own = t
		return page
	}
	if p.negotiate {
		page.in = choose(&wanted(r).Header, p.standIn, missing)
		page.Language = page.in.code
	}
	return page
}

// Append appends the page, filled in with v.
func (p *Page) Append(dst []byte, v *Values) []byte {
	if p.own != nil {
		v.page = p.called
		return p.own.append(dst, v)
	}
	v.page = p.name
	return p.in.append(dst, p.name, v)
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
