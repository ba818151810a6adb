package directive

import "exaproxy/compat/conf"

// A Setter takes the line of one directive into the settings that it was made for. Its error is
// worded for the line (conf.Invalid, usually from conf.Args). What else there is to say about the
// line it says through the Context.
type Setter func(c *Context, l *conf.Line) error

// A Set is the setters of some directives, by name: the one of the directive's row in conf.Table,
// not one of its aliases.
type Set map[string]Setter

// Add takes over the setters of another set. It panics if both have one for the same directive: a
// directive belongs to one feature.
func (s Set) Add(other Set) {
	for name, set := range other {
		if s[name] != nil {
			panic("BUG: two setters for directive " + name)
		}
		s[name] = set
	}
}

// Run has the setter of a line's directive take the line. It panics if there is none: conf.Table
// calls a directive done that no feature sets.
func (s Set) Run(c *Context, l *conf.Line) error {
	name := l.Directive.Name
	set := s[name]
	if set == nil {
		panic("BUG: no setter for directive " + name)
	}
	return c.run(set, l)
}
