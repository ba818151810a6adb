package errpage

import (
	"path/filepath"

	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
)

// Settings are what a configuration says of error pages.
type Settings struct {
	Directory  string // error_directory; "" for the built-in pages
	Default    string // error_default_language
	LogMissing bool   // error_log_languages
	Stylesheet string // what is in err_page_stylesheet; "" for the built-in one
	Text       string // err_html_text, HTML
	MailData   bool   // email_err_data
	Contact    string // cache_mgr
	Fitted     bool   // fitted_pages
	Pages      *Pages // the built-in ones, and those of files

	stylesheet string // err_page_stylesheet
}

// Defaults are those of Squid 5.7 as Debian has it today: its security updates took email_err_data out.
func Defaults() Settings { return Settings{LogMissing: true, Contact: "webmaster"} }

// Directives are the setters.
func (s *Settings) Directives() directive.Set {
	return directive.Set{
		"error_directory":        directive.Text(&s.Directory),
		"error_default_language": s.setDefault,
		"error_log_languages":    directive.OnOff(&s.LogMissing),
		"err_page_stylesheet":    directive.Text(&s.stylesheet),
		"err_html_text":          directive.Rest(&s.Text),
		"email_err_data":         directive.OnOff(&s.MailData),
		"cache_mgr":              directive.Text(&s.Contact),
		"fitted_pages":           directive.OnOff(&s.Fitted),
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
	s.Pages.standIn = s.standIn()
	for _, warning := range s.Pages.Load(s.Directory, custom, c.ReadFile) {
		c.Say(1, "ERROR: %s", warning)
	}
}

// setDefault takes the language of those who want none that there is.
func (s *Settings) setDefault(c *directive.Context, l *conf.Line) error {
	code, err := c.Args(l).String()
	if err != nil {
		return err
	}
	if s.Default = code; lookUp([]byte(code), nil) == nil {
		c.Say(1, "WARNING: there are no error pages in '%s': choose one of %s, or show those of a folder by error_directory", code, languageCodes())
	}
	return nil
}

// standIn is that language. An error_directory whose folder has the name of a
// language, as the folders of Squid's translations have, says it too, for the pages that it has not.
func (s *Settings) standIn() *language {
	for _, code := range []string{s.Default, filepath.Base(s.Directory)} {
		if l := lookUp([]byte(code), nil); l != nil {
			return l
		}
	}
	return languages()[english]
}

// NamesClients says whether a page of the administrator's has the name of its client.
func (s *Settings) NamesClients() bool {
	for _, t := range s.Pages.own {
		if t.namesClients() {
			return true
		}
	}
	return false
}
