package acl

import (
	"fmt"
	"slices"
	"strings"

	"exaproxy/compat/conf"
)

// values is what an acl line brings to its acl.
type values struct {
	set      *Set
	line     *conf.Line
	acl      string          // the name
	flags    map[string]bool // options of the whole acl: -n
	items    []conf.Item     // values, and flags that are for some of them: -i, +i
	warnings []string

	delimiters string // of -m=
	from       int    // of the line's tokens the first behind the flags
}

func (v *values) warn(lines ...string) { v.warnings = append(v.warnings, lines...) }

const longestACLName = 63 // ACL_NAME_SZ without its end

// head reads name and type. Types that were renamed have their present name; typeName is empty if
// the line says nothing of its own.
func (v *values) head() (name, typeName string, err error) {
	switch len(v.line.Tokens) {
	case 0:
		return "", "", conf.Invalid{"aclParseAclLine: missing ACL name."}
	case 1:
		return "", "", conf.Invalid{"aclParseAclLine: missing ACL type."}
	}
	name, typeName = v.line.Tokens[0].Text, v.line.Tokens[1].Text
	if len(name) > longestACLName {
		return "", "", fmt.Errorf("aclParseAclLine: aclParseAclLine: ACL name '%s' too long, max %d characters supported", name, longestACLName)
	}
	switch {
	case typeName == "myip":
		v.warn("UPGRADE: ACL 'myip' type is has been renamed to 'localip' and matches the IP the client connected to.")
		typeName = "localip"
	case typeName == "myport":
		v.warn("UPGRADE: ACL 'myport' type is has been renamed to 'localport' and matches the port the client connected to.")
		typeName = "localport"
	case typeName == "proto" && name == "manager":
		v.warn("UPGRADE: ACL 'manager' is now a built-in ACL. Remove it from your config file.")
		typeName = ""
	case typeName == "clientside_mark":
		v.warn("UPGRADE: ACL 'clientside_mark' type has been renamed to 'client_connection_mark'.")
		typeName = "client_connection_mark"
	}
	return name, typeName, nil
}

// into reads flags and values and gives them to test.
func (v *values) into(test tester, t aclType) error {
	from, err := v.options(t)
	if err != nil {
		return err
	}
	if v.from = from; t.pairs {
		return test.add(v)
	}
	items, warnings, err := v.line.Items(from, v.set.Open)
	v.warn(warnings...)
	if err != nil {
		return err
	}
	v.items = append(v.items, items...)
	return test.add(v)
}

// options reads the flags before the values, up to -- or something else, and returns the place
// of the first token that is none.
func (v *values) options(t aclType) (from int, err error) {
	v.flags = make(map[string]bool)
	tokens := v.line.Tokens
	for from = 2; from < len(tokens); from++ {
		text := tokens[from].Text
		if text == "" || text[0] != '-' && text[0] != '+' {
			break
		}
		if text == "--" {
			return from + 1, nil
		}
		if len(text) == 1 {
			return from, fmt.Errorf("configuration error: truncated(?) ACL flag: %s", text)
		}
		if err := v.option(text, t); err != nil {
			return from, err
		}
	}
	return from, nil
}

// option reads one word of flags: -n, -ni, --name, -sha1.
func (v *values) option(text string, t aclType) error {
	names, known := []string{text}, strings.Fields(t.flags)
	if flag, delimiters, given := strings.Cut(text, "="); given && flag == "-m" && slices.Contains(known, flag) {
		v.delimiters, names[0] = delimiters, flag
	} else if !strings.HasPrefix(text, "--") && !slices.Contains(known, text) {
		names = names[:0]
		for _, letter := range text[1:] {
			names = append(names, text[:1]+string(letter))
		}
	}
	for _, name := range names {
		switch {
		case slices.Contains(known, name) && (name == "-i" || name == "+i"):
			v.items = append(v.items, conf.Item{Text: name, Pos: v.line.Pos})
		case slices.Contains(known, name):
			v.flags[name] = true
		default:
			return fmt.Errorf("configuration error: unsupported ACL option: %s", name)
		}
	}
	return nil
}
