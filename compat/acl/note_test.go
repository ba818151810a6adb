package acl

import (
	"slices"
	"strings"
	"testing"

	"exaproxy/engine"
)

// noted are the notes as key=value.
func noted(notes []engine.Note) (all []string) {
	for _, n := range notes {
		all = append(all, string(n.Key)+"="+string(n.Value))
	}
	return all
}

func TestNote(t *testing.T) {
	for _, row := range []struct {
		acl, notes string
		want       Answer
	}{
		{"note foo", "", Deny},
		{"note foo", "foo=x", Allow},
		{"note foo", "foo=", Deny},
		{"note foo", "Foo=x", Deny},
		{"note foo bar x", "foo=x", Allow},
		{"note foo bar", "foo=BAR", Deny},
		{"note foo bar", "foo=x foo=bar", Allow},
		{"note foo bar", "foo=x,bar", Allow},
		{"note foo bar", "foo=bar,", Allow},
		{"note foo bar", "foo=x;bar", Deny},
		{"note -m foo bar", "foo=,,bar", Allow},
		{"note -m=;/ foo bar", "foo=x/bar;y", Allow},
		{"note -m=;/ foo bar", "foo=x,bar", Deny},
	} {
		c := load(t, "acl a "+row.acl+"\nhttp_access allow a\n", nil)
		if c.err != nil {
			t.Fatalf("%s: %v", row.acl, c.err)
		}
		r := asked(t, get)
		for _, n := range strings.Fields(row.notes) {
			key, value, _ := strings.Cut(n, "=")
			r.AddNote([]byte(key), []byte(value))
		}
		if got := c.access.Match(r, &r.Target, &Place{}); got != row.want {
			t.Errorf("%s of %s: %v, want %v", row.acl, row.notes, got, row.want)
		}
	}
}

func TestAnnotations(t *testing.T) {
	c := load(t, `acl a annotate_transaction t=a,b u="%>a %rm" v=%>a
acl a annotate_transaction t+=c
acl m annotate_transaction -m=; w=x;y;;z,1
acl k annotate_client w=1 k+=2
http_access deny !a
http_access deny m !k
http_access allow all
`, nil)
	if c.err != nil {
		t.Fatal(c.err)
	}
	r := asked(t, get)
	r.Connection = &engine.Connection{}
	r.AddNote([]byte("t"), []byte("before"))
	if got := c.access.Match(r, &r.Target, &Place{}); got != Allow {
		t.Errorf("it is %v", got)
	}
	want := []string{"t=a", "t=b", "u=192.0.2.1 GET", "v=%>a", "t=c", "w=1", "k=2"}
	if got := noted(r.Notes); !slices.Equal(got, want) {
		t.Errorf("the notes are %q, want %q", got, want)
	}
	c.access.Match(r, &r.Target, &Place{})
	if got := noted(r.Connection.Notes); !slices.Equal(got, []string{"k=2", "w=1", "k=2"}) {
		t.Errorf("those of the client are %q", got)
	}
	for range 1000 {
		c.access.Match(r, &r.Target, &Place{})
	}
	if got := noted(r.Connection.Notes); len(got) != 1+64 || !slices.Contains(got, "w=1") {
		t.Errorf("a client has %d notes, and must have w=1 still", len(got)) // what is noted often pushes out nothing else
	}
}

// TestAnnotatedOnce: who has to wait does not note again what he has noted.
func TestAnnotatedOnce(t *testing.T) {
	c := load(t, "acl a annotate_transaction n+=1\nhttp_access deny !a\n", nil)
	if c.err != nil {
		t.Fatal(c.err)
	}
	o := &oracle{}
	list := oracleRules(o)
	list.rules = append(slices.Clone(c.access.rules), list.rules...)
	r, p := asked(t, get), &Place{}
	for range 2 {
		if got := list.Match(r, &r.Target, p); got != Pending {
			t.Fatalf("it is %v", got)
		}
	}
	o.put[0].answered = true
	list.Match(r, &r.Target, p)
	if got := noted(r.Notes); !slices.Equal(got, []string{"n=1"}) {
		t.Errorf("the notes are %q", got)
	}
	list.Match(r, &r.Target, p)
	if got := noted(r.Notes); !slices.Equal(got, []string{"n=1", "n=1"}) {
		t.Errorf("checked anew, they are %q", got)
	}
}

func TestMistakesOfNotes(t *testing.T) {
	for line, want := range map[string]string{
		"acl a note":                              "names a note",
		"acl a note x y\nacl a note z":            "is about the note 'x'",
		"acl a note -n x":                         "unsupported ACL option: -n",
		"acl a annotate_transaction":              "Missing annotation kv pair",
		"acl a annotate_transaction x":            "Value missing after: x",
		"acl a annotate_client user=joe":          "reserved annotation_data name: user",
		"acl a annotate_transaction x=\"%bogus\"": "%bogus",
	} {
		if c := load(t, line+"\n", nil); c.err == nil || !strings.Contains(c.err.Error(), want) {
			t.Errorf("%s: %v, want %q in it", line, c.err, want)
		}
	}
}
