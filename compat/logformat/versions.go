package logformat

import "strings"

// Newer is the code in the text of a format that only the latest versions of Squid have, and the first of these; 0: all have all
// of them.
func Newer(spec string) (name string, since int) {
	eachCode(spec, func(c *code) {
		if c.since > since {
			name, since = c.name, c.since
		}
	})
	return name, since
}

// Gone is a code in the text of a format that a version of Squid has no more; "": there is none.
func Gone(spec string, version int) (name string) {
	eachCode(spec, func(c *code) {
		if c.until > 0 && version > c.until {
			name = c.name
		}
	})
	return name
}

// eachCode tells of the codes in the text of a format, whether it compiles or not.
func eachCode(spec string, found func(*code)) {
	for {
		_, rest, more := strings.Cut(spec, "%")
		if !more {
			return
		}
		var p part
		spec, _ = p.argument(p.modifiers(rest, none))
		if p.code, rest = findCode(spec); p.code != nil {
			found(p.code)
			spec = rest
		}
	}
}
