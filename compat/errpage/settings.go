package errpage

import (
	"exaproxy/compat/directive"
)

// Settings are what a configuration says of error pages.
type Settings struct {
	Directory  string // error_directory; "" for the built-in pages
	Stylesheet string // what is in err_page_stylesheet; "" for the built-in one
	Text       string // err_html_text, HTML
	MailData   bool   // email_err_data
	Contact    string // cache_mgr
	Pages      *Pages // those of Directory, or the built-in ones

	stylesheet string // err_page_stylesheet
}

// Defaults are Squid's.
func Defaults() Settings { return Settings{MailData: true, Contact: "webmaster"} }

// Directives are the setters.
func (s *Settings) Directives() directive.Set {
	return directive.Set{
		"error_directory":     directive.Text(&s.Directory),
		"err_page_stylesheet": directive.Text(&s.stylesheet),
		"err_html_text":       directive.Rest(&s.Text),
		"email_err_data":      directive.OnOff(&s.MailData),
		"cache_mgr":           directive.Text(&s.Contact),
	}
}

// Finish reads the administrator's pages, if there are any: those of Squid's names, and custom
// ones, which deny_info names. What cannot be read is warned about, and a page of ours stands in
// for it.
func (s *Settings) Finish(c *directive.Context, custom []string) {
	s.Pages = Default()
	if s.stylesheet != "" {
		style, err := c.ReadFile(s.stylesheet)
		if err != nil {
			c.Say(1, "WARNING: cannot read err_page_stylesheet: %s", err)
		}
		s.Stylesheet = string(style)
	}
	if s.Directory == "" {
		return
	}
	var warnings []error
	s.Pages, warnings = Load(s.Directory, custom, c.ReadFile)
	for _, warning := range warnings {
		c.Say(1, "ERROR: %s", warning)
	}
}
