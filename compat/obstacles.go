package compat

import (
	"fmt"
	"slices"
	"strings"

	"exaproxy/compat/conf"
)

// obstacles are the lines that stand in the way of a configuration. What a line was to define that could not be taken is
// missing in later ones, which are not blamed for that.
type obstacles struct {
	lines   []conf.Pos
	bungled bool // one of them has an error in its value
	lost    []lostName
}

// A lostName is what a line was to define.
type lostName struct {
	name string
	by   conf.Pos
}

// add notes a line that stands in the way.
func (o *obstacles) add(line *conf.Line) {
	o.lines = append(o.lines, line.Pos)
	o.lose(line, line.Pos)
}

// lose notes what a line was to define.
func (o *obstacles) lose(line *conf.Line, by conf.Pos) {
	for _, name := range defined(line) {
		o.lost = append(o.lost, lostName{name, by})
	}
}

// defined are the names that other lines may call what a line defines.
func defined(line *conf.Line) []string {
	if line.Type != conf.Setting || len(line.Tokens) == 0 {
		return nil
	}
	switch first := line.Tokens[0].Text; line.Name {
	case "acl", "external_acl_type", "logformat":
		return []string{first}
	case "auth_param":
		return []string{"proxy_auth", "proxy_auth_regex", "max_user_ip"} // types of acls that need one
	case "cache_peer":
		for _, t := range line.Tokens {
			if name, ok := strings.CutPrefix(t.Text, "name="); ok {
				return []string{name}
			}
		}
		return []string{first}
	}
	return nil
}

// causeOf is the line because of which another cannot be taken: it was to define what that names.
func (o *obstacles) causeOf(line *conf.Line) (by conf.Pos, ok bool) {
	for _, l := range o.lost {
		if slices.ContainsFunc(line.Tokens, func(t conf.Token) bool { return strings.TrimPrefix(t.Text, "!") == l.name }) {
			return l.by, true
		}
	}
	return conf.Pos{}, false
}

// verdict says which lines stand in the way.
func (o *obstacles) verdict(path string) string {
	const most = 100
	var names []string
	for _, pos := range o.lines[:min(len(o.lines), most)] {
		names = append(names, pos.String())
	}
	text := fmt.Sprintf("%s cannot be used: %d lines stand in the way: %s", path, len(o.lines), strings.Join(names, ", "))
	if len(o.lines) == 1 {
		text = fmt.Sprintf("%s cannot be used: one line stands in the way: %s", path, names[0])
	}
	if more := len(o.lines) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// goOn logs what is wrong with a line of a file that is read to its end all the same.
func (l *loader) goOn(line *conf.Line, err error) LineFate {
	if by, ok := l.found.causeOf(line); ok {
		l.o.Say(0, fmt.Sprintf("%s: cannot be judged before %s is mended: %s", line.Pos, by, line.Text))
		l.found.lose(line, by)
		return NotJudged
	}
	l.found.add(line)
	l.found.bungled = true
	l.reject(err)
	return InTheWay
}
