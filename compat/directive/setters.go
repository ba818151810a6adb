package directive

import (
	"fmt"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/conf"
)

// Text sets a word. Where "none" means nothing, the feature's Finish has to see to it.
func Text(field *string) Setter { return value(field, (*conf.Args).String) }

// Rest sets all that follows the directive's name on the line, which is one word by the
// directive's row (conf.ToEnd); nothing if there is nothing.
func Rest(field *string) Setter {
	return value(field, func(a *conf.Args) (string, error) {
		token, _ := a.Word()
		return token.Text, nil
	})
}

// OnOff sets on or off.
func OnOff(field *bool) Setter { return value(field, (*conf.Args).Bool) }

// Unless sets a field whose meaning is the opposite of the directive's.
func Unless(field *bool) Setter {
	return value(field, func(a *conf.Args) (bool, error) {
		on, err := a.Bool()
		return !on, err
	})
}

// Duration sets a time. unit is that of a number without one.
func Duration(unit time.Duration, field *time.Duration) Setter {
	return value(field, func(a *conf.Args) (time.Duration, error) { return a.Time(unit) })
}

// Wait sets a time, given in seconds if it has no unit, where zero asks for a default in the end:
// no time at all becomes the shortest there is.
func Wait(field *time.Duration) Setter {
	return value(field, func(a *conf.Args) (time.Duration, error) {
		d, err := a.Time(time.Second)
		return max(d, time.Nanosecond), err
	})
}

// Size sets a number of bytes. Less than none is none.
func Size[N int | int64](field *N) Setter {
	return value(field, func(a *conf.Args) (N, error) {
		n, err := a.Size("bytes")
		return N(max(n, 0)), err
	})
}

// value makes a setter of a reader of conf.Args.
func value[V any](field *V, read func(*conf.Args) (V, error)) Setter {
	return func(c *Context, l *conf.Line) error {
		v, err := read(c.Args(l))
		if err == nil {
			*field = v
		}
		return err
	}
}

// Number sets a number that is not below 0.
func Number(field *int) Setter {
	return func(c *Context, l *conf.Line) error {
		n, err := c.Args(l).Int()
		if err == nil && n < 0 {
			err = conf.Invalid{fmt.Sprintf("ERROR: the value of %s cannot be less than 0", l.Name)}
		}
		if err == nil {
			*field = n
		}
		return err
	}
}

// OneOf sets what one of several words stands for. complaint is what is said about any other
// word, which stands in it as %s.
func OneOf[V any](field *V, words map[string]V, complaint string) Setter {
	return func(c *Context, l *conf.Line) error {
		word, err := c.Args(l).String()
		if err != nil {
			return err
		}
		v, ok := words[word]
		if !ok {
			return conf.Invalid{fmt.Sprintf(complaint, word)}
		}
		*field = v
		return nil
	}
}

// Rules adds a line of "allow" or "deny" and acls to a list.
func Rules(list *acl.List) Setter {
	return func(c *Context, l *conf.Line) error {
		said := list.NeedsReply()
		err := ReplyRules(list)(c, l)
		if err == nil && !said {
			c.SayNoReply(l, list)
		}
		return err
	}
}

// ReplyRules is Rules for a list that is asked when there is a reply.
func ReplyRules(list *acl.List) Setter {
	return func(c *Context, l *conf.Line) error {
		warnings, err := list.Add(l, 0)
		c.Warn(warnings)
		return err
	}
}

// KnownRules is Rules for a list that nobody waits for.
func KnownRules(list *acl.List) Setter {
	return func(c *Context, l *conf.Line) error {
		err := Rules(list)(c, l)
		if err == nil {
			c.SayKnown(l, list)
		}
		return err
	}
}

// Nothing is the setter of a directive that is followed elsewhere.
func Nothing(*Context, *conf.Line) error { return nil }
