package compat

import (
	"fmt"
	"slices"
	"strings"

	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
	"exaproxy/compat/logformat"
)

// checkVersion judges a line of squid_version, which has been followed by then.
func checkVersion(c *directive.Context, l *conf.Line) error {
	word, err := c.Args(l).String()
	if err != nil {
		return err
	}
	if _, ok := conf.ParseVersion(word); !ok {
		return conf.Invalid{fmt.Sprintf("ERROR: squid_version is 5.7, 6 or 7, not '%s'", word)}
	}
	return nil
}

// withFormats are the directives that have codes of logformat in their values.
var withFormats = []string{"logformat", "url_rewrite_extras", "store_id_extras", "auth_param", "external_acl_type", "acl",
	"request_header_add", "reply_header_add"}

// formats is the text of a line that may have codes of logformat.
func formats(l *conf.Line) string {
	if !slices.Contains(withFormats, l.Directive.Name) {
		return ""
	}
	return l.Rest
}

// numberOf is the number of a version as package logformat has it.
func numberOf(v conf.Version) int { return int(v) + 5 }

// checkGone refuses a line that has what the version of Squid has no more.
func (l *loader) checkGone(line *conf.Line) error {
	if code := logformat.Gone(formats(line), numberOf(l.context.Version)); code != "" {
		return conf.Invalid{fmt.Sprintf("configuration error: Unsupported %%code: '%%%s': Squid %s has it no more (squid_version): write - in its place", code, l.context.Version)}
	}
	return nil
}

// linkLocal is an acl that Squid predefines since 6.
const linkLocal = "to_linklocal"

// A newness is what a configuration has that only later versions of Squid know than the one that it chooses.
type newness struct {
	since  conf.Version
	places []string // what, and where
	gone   []string // what Squid 7 has no more, and where
	own    bool     // linkLocal is an acl of the configuration's own
}

// look looks for such things in a line.
func (n *newness) look(line *conf.Line, chosen conf.Version) {
	d := line.Directive
	if line.Type != conf.Setting || d == nil || line.Own {
		return
	}
	if code := logformat.Gone(formats(line), numberOf(conf.Squid7)); code != "" {
		n.gone = append(n.gone, fmt.Sprintf("%%%s at %s", code, line.Pos))
	}
	note := func(what string, since conf.Version) {
		if since > chosen {
			n.since = max(n.since, since)
			n.places = append(n.places, fmt.Sprintf("%s at %s", what, line.Pos))
		}
	}
	note(d.Name, d.Since)
	if code, since := logformat.Newer(formats(line)); code != "" {
		note("%"+code, conf.Version(since-numberOf(conf.Squid5)))
	}
	named := func(t conf.Token) bool { return strings.TrimPrefix(t.Text, "!") == linkLocal }
	switch {
	case d.Name == "acl" && len(line.Tokens) > 0 && named(line.Tokens[0]):
		n.own = true
	case !n.own && slices.ContainsFunc(line.Tokens, named):
		note(linkLocal, conf.Squid6)
	}
}

// say says that the configuration looks newer than the version that it chooses, and which would fit.
func (n *newness) say(l *loader, path string) {
	const most = 10
	if len(n.places) == 0 {
		return
	}
	text := fmt.Sprintf("NOTICE: %s looks like one of Squid %s, and is followed as one of %s: it has %s. To have what differs be as there, write: #exaproxy squid_version %[2]s",
		path, n.since, l.context.Version, first(n.places, most))
	if n.since == conf.Squid7 && len(n.gone) > 0 {
		text += ", and - in the place of what Squid 7 has no more: " + first(n.gone, most)
	}
	l.o.Say(1, text)
}

// first are the first n of all, and how many more there are.
func first(all []string, n int) string {
	shown := strings.Join(all[:min(len(all), n)], ", ")
	if more := len(all) - n; more > 0 {
		shown += fmt.Sprintf(" and %d more", more)
	}
	return shown
}
