package compat

import (
	"maps"
	"os"
	"slices"

	"exaproxy/compat/conf"
	"exaproxy/compat/errpage"
)

func setErrorText(r *reading, l *conf.Line) error {
	token, _ := r.args(l).Word()
	r.settings.Errors.Text = token.Text
	return nil
}

// finishPages reads the administrator's pages, if there are any. What cannot be read is complained
// of, and a page of ours stands in for it.
func (r *reading) finishPages() error {
	s := r.settings
	s.Pages = errpage.Default()
	if path := s.Errors.stylesheet; path != "" {
		style, err := os.ReadFile(path)
		if err != nil {
			r.say(1, "WARNING: cannot read err_page_stylesheet: %s", err)
		}
		s.Errors.Stylesheet = string(style)
	}
	if s.Errors.Directory == "" {
		return nil
	}
	var complaints []error
	s.Pages, complaints = errpage.Load(s.Errors.Directory, r.deniedPages())
	for _, c := range complaints {
		r.say(1, "ERROR: %s", c)
	}
	var err error
	if s.LocalPages, err = readLocal(s.Errors.Directory); err != nil {
		r.say(1, "ERROR: cannot read error_directory: %s", err)
	}
	return nil
}

// deniedPages are the names of pages that deny_info gives.
func (r *reading) deniedPages() []string {
	names := make(map[string]bool)
	for _, d := range r.settings.DenyInfo {
		if d.Page != "" {
			names[d.Page] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}
