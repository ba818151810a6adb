package manager

import (
	"slices"
	"strings"

	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
)

// Settings are what a configuration says of the cache manager.
type Settings struct {
	aliases   []string // hostname_aliases
	passwords []password
	lines     []string // of the configuration, as the page config shows it
}

// A password is a line of cachemgr_passwd.
type password struct {
	word  string   // or one of the words below
	pages []string // that it is for
}

// What cachemgr_passwd may say in the place of a password.
const (
	noPassword = "none"    // the page is everybody's
	disabled   = "disable" // it is nobody's
	allPages   = "all"     // stands for every page
)

// Directives are the setters.
func (s *Settings) Directives() directive.Set {
	return directive.Set{"cachemgr_passwd": s.setPassword, "hostname_aliases": s.setAliases}
}

// setPassword takes a password and the pages that it is for. As in Squid the first line for a page counts, and one
// without pages is for none.
func (s *Settings) setPassword(c *directive.Context, l *conf.Line) error {
	words, err := c.Strings(l)
	if err == nil && len(words) == 0 {
		err = conf.Invalid(nil)
	}
	if err != nil {
		return err
	}
	for _, page := range words[1:] {
		if _, taken := s.named(page); taken {
			c.Say(0, "ERROR: action '%s' (line %d) already has a password", page, l.Pos.Line)
		} else if words[0] != disabled && page != allPages && find(page) == nil {
			c.Say(1, "WARNING: cachemgr_passwd: the cache manager has no page '%s'", page)
		}
	}
	s.passwords = append(s.passwords, password{words[0], words[1:]})
	return nil
}

func (s *Settings) setAliases(c *directive.Context, l *conf.Line) error {
	words, err := c.Strings(l)
	s.aliases = append(s.aliases, words...)
	return err
}

// named is the password of the first line that names a page itself.
func (s *Settings) named(page string) (word string, ok bool) {
	for _, p := range s.passwords {
		if slices.Contains(p.pages, page) {
			return p.word, true
		}
	}
	return "", false
}

// password is what a page is protected by; ok is false if there is nothing.
func (s *Settings) password(page string) (word string, ok bool) {
	for _, p := range s.passwords {
		if slices.Contains(p.pages, page) || slices.Contains(p.pages, allPages) {
			return p.word, true
		}
	}
	return "", false
}

// Show keeps a line that sets something for the page config, but for the passwords of this package.
func (s *Settings) Show(l *conf.Line) {
	if l.Type != conf.Setting {
		return
	}
	text := l.Text
	if l.Directive != nil && l.Directive.Name == "cachemgr_passwd" && len(l.Tokens) > 0 {
		words := make([]string, 0, len(l.Tokens))
		for _, t := range l.Tokens[1:] {
			words = append(words, t.Text)
		}
		text = l.Name + " XXXXXXXXXX " + strings.Join(words, " ")
	}
	s.lines = append(s.lines, text)
}
