package acl

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"exaproxy/compat/conf"
	"exaproxy/compat/logformat"
	"exaproxy/engine"
)

// noteTest is an acl of the type note: what was noted of the request, by helpers or annotate_… acls, under a name.
type noteTest struct {
	simple
	name       string
	values     map[string]bool // none: any but an empty one
	delimiters string
}

func newNote() tester { return &noteTest{values: make(map[string]bool), delimiters: listDelimiter} }

// listDelimiter stands between the values of a list, if -m= says nothing else: as in Squid 5.7 it need not be asked for.
const listDelimiter = ","

func (t *noteTest) add(v *values) error {
	if len(v.items) == 0 {
		return errors.New("ERROR: an acl of the type note names a note")
	}
	name := v.items[0].Text
	if t.name != "" && t.name != name {
		return fmt.Errorf("ERROR: acl '%s' is about the note '%s', and cannot be about '%s' too", v.acl, t.name, name)
	}
	t.name = name
	for _, item := range v.items[1:] {
		t.values[item.Text] = true
	}
	t.delimiters = v.delimitersOr(t.delimiters)
	return nil
}

func (v *values) delimitersOr(before string) string {
	if v.delimiters == "" {
		return before
	}
	return v.delimiters
}

func (t *noteTest) empty() bool { return t.name == "" }

func (t *noteTest) match(p *Place) outcome {
	for _, n := range p.request.Notes {
		if string(n.Key) != t.name {
			continue
		}
		for value := range tokens(n.Value, t.delimiters) {
			if len(t.values) == 0 || t.values[string(value)] {
				return match
			}
		}
	}
	return mismatch
}

// tokens are what stands between delimiters, but for what is empty.
func tokens(list []byte, delimiters string) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(list) > 0 {
			end := bytes.IndexAny(list, delimiters)
			if end < 0 {
				end = len(list)
			}
			if end > 0 && !yield(list[:end]) {
				return
			}
			list = list[min(end+1, len(list)):]
		}
	}
}

// annotationTest is an acl of the type annotate_transaction or annotate_client: it matches always, and notes something of
// the request, and of its client too.
type annotationTest struct {
	simple
	pairs      []annotation
	delimiters string
	ofClient   bool
}

// An annotation is one key=value, which takes the place of what was noted before, or key+=value.
type annotation struct {
	key    []byte
	more   bool
	value  []byte
	format *logformat.Format // of a value that was quoted; nil: it is as it is
}

func newAnnotation() tester { return &annotationTest{delimiters: listDelimiter} }

func newClientAnnotation() tester { return &annotationTest{delimiters: listDelimiter, ofClient: true} }

func (t *annotationTest) add(v *values) error {
	args := v.line.Args()
	for range v.from {
		args.Word()
	}
	t.delimiters = v.delimitersOr(t.delimiters)
	for {
		key, value, ok, err := args.Pair()
		switch {
		case err != nil:
			return err
		case ok:
			if err = t.addPair(key, value); err != nil {
				return err
			}
		case len(t.pairs) == 0:
			return errors.New("FATAL: Missing annotation kv pair")
		default:
			return nil
		}
	}
}

// ReservedNote says whether a name means something else of helpers, so that the configuration may note nothing under it.
func ReservedNote(name string) bool {
	switch name {
	case "group", "ha1", "log", "message", "password", "rewrite-url", "status", "tag", "ttl", "url", "user":
		return true
	}
	return false
}

func (t *annotationTest) addPair(key string, value conf.Token) (err error) {
	name, more := strings.CutSuffix(key, "+")
	if ReservedNote(name) {
		return fmt.Errorf("FATAL: cannot use a reserved annotation_data name: %s", name)
	}
	a := annotation{key: []byte(name), more: more, value: []byte(value.Text)}
	if value.Quoted {
		if a.format, err = logformat.Compile(value.Text); err != nil {
			return err
		}
	}
	t.pairs = append(t.pairs, a)
	return nil
}

func (t *annotationTest) empty() bool { return len(t.pairs) == 0 }

// match notes.
func (t *annotationTest) match(p *Place) outcome {
	c := p.request.Connection
	if t.ofClient && c == nil {
		return mismatch
	}
	for i := range t.pairs {
		a := &t.pairs[i]
		value := a.value
		if a.format != nil {
			p.text = a.format.Append(p.text[:0], &engine.Record{Request: p.request})
			value = p.text
		}
		if !a.more {
			p.request.DropNotes(a.key)
		}
		if !a.more && t.ofClient {
			c.DropNotes(a.key)
		}
		for one := range tokens(value, t.delimiters) {
			p.request.AddNote(a.key, one)
			if t.ofClient {
				c.AddNote(a.key, one)
			}
		}
	}
	return match
}
