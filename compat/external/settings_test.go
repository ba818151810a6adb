package external

import (
	"strings"
	"testing"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/compattest"
	"exaproxy/engine"
	"exaproxy/helper"
)

func TestSettings(t *testing.T) {
	s := Settings{}
	acls := acl.NewSet()
	acls.External = s.Find
	r := compattest.MustRead(t, acls, s.Directives(), `external_acl_type a ttl=10 negative_ttl=5 children-max=7 children-startup=2 children-idle=9 concurrency=3 queue-size=4 pty=on cache=99 grace=50 ipv4 protocol=2.5 %SRC %>{X-Y} %ACL %un /bin/cat -n
external_acl_type b pipeline=5 %DST /bin/cat
external_acl_type c children=3 %METHOD /bin/cat
acl x external b y z
`)
	a, b, c := s.find("a"), s.find("b"), s.find("c")
	if a.TTL != 10*time.Second || a.NegativeTTL != 5*time.Second || a.Cache != 99 || a.Grace != 50 || a.User || strings.Join(a.Argv, " ") != "/bin/cat -n" || len(a.line) != 4 || !a.Shell || b.Shell || b.Grace != 1 {
		t.Errorf("a is %+v", a)
	}
	if n := a.Children; n.Max != 7 || n.Startup != 2 || n.Idle != 7 || n.Concurrency != 3 || n.QueueSize != 4 || n.PTY != helper.PTYOn {
		t.Errorf("a has children %+v", n)
	}
	if b.TTL != time.Hour || b.NegativeTTL != time.Hour || b.Children.Max != 5 || b.Children.QueueSize != 10 || b.Children.Pipeline != 5 || b.Children.PTY != helper.PTYAuto {
		t.Errorf("b is %+v", b)
	}
	if c.Children.Max != 3 || c.Children.Startup != 3 {
		t.Errorf("c has children %+v", c.Children)
	}
	for _, want := range []string{"children=N has been deprecated", "format %>{...} is deprecated. Use %>ha{X-Y}"} {
		if said := strings.Join(r.Messages, "\n"); !strings.Contains(said, want) {
			t.Errorf("it says %q, want %q in it", said, want)
		}
	}
}

// TestATypeTwice: as in Squid the first counts. Its acls may stand behind the second.
func TestATypeTwice(t *testing.T) {
	s := Settings{}
	acls := acl.NewSet()
	acls.External = s.Find
	r := compattest.MustRead(t, acls, s.Directives(), "external_acl_type a ttl=1 %SRC /bin/cat\nexternal_acl_type a ttl=2 %SRC /bin/echo\nacl x external a\n")
	if len(s.types) != 1 || s.types[0].TTL != time.Second || !strings.Contains(strings.Join(r.Messages, "\n"), "'a' already") {
		t.Errorf("there are %d types, the first with %v; it says %q", len(s.types), s.types[0].TTL, r.Messages)
	}
}

// TestCodes are all that Squid has for external_acl_type alone, with modifiers, and some of logformat's.
func TestCodes(t *testing.T) {
	s := Settings{}
	acls := acl.NewSet()
	acls.External, acls.Schemes = s.Find, func() bool { return true }
	compattest.MustRead(t, acls, s.Directives(), `external_acl_type a %SRC %SRCPORT %DST %PROTO %PORT %METHOD %PATH %URI %MYADDR %MYPORT %IDENT %EXT_USER %EXT_LOG %EXT_TAG %TAG %SRCEUI48 %SRCEUI64 %ACL %>{X-A} %<{X-A} %>h{X-A} %{X-A}>h %>{X-L:b} %USER_CERT %USER_CERTCHAIN %USER_CERT_CN %USER_CERT_DN %USER_CA_CERT_O %CA_CERT_CN %% %rv %'>ru %"METHOD %note{x} /bin/cat
external_acl_type l %'LOGIN /bin/cat
external_acl_type n %un /bin/cat
acl x external a b "c d"
`)
	r := compattest.NewRequest(t, "GET http://site.test:81/p?q HTTP/1.1\nX-A: one two\nX-L: a=1, b=2")
	got := string(s.find("a").append(nil, &acl.ExternalACL{Type: "a", Name: "x", Data: []string{"b"}}, &engine.Record{Request: r}))
	want := "192.0.2.1 40000 site.test http 81 GET /p?q http://site.test:81/p?q 192.0.2.9 3128 - - - - - - - x one%20two - one%20two one%20two 2 - - - - - - % 1.1 http://site.test:81/p?q GET - b"
	if got != want {
		t.Errorf("the helper is told\n%s, want\n%s", got, want)
	}
	if !s.find("l").User || s.find("n").User {
		t.Error("%LOGIN has clients prove who they are, %un has not")
	}
}

// TestWords: with protocol=2.5 the values of acls are words of a shell.
func TestWords(t *testing.T) {
	a := &acl.ExternalACL{Name: "x", Data: []string{"a", "b c", `d"e\f`, "100%"}}
	for shell, want := range map[bool]string{false: "a b%20c d%22e%5Cf 100%25", true: `a "b c" d\"e\\f 100%`} {
		if got := string((&Type{Shell: shell}).appendData(nil, a)); got != want {
			t.Errorf("the helper is told %s, want %s", got, want)
		}
	}
}

func TestMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"external_acl_type":                                          "",
		"external_acl_type a":                                        "",
		"external_acl_type a /bin/cat":                               "'/bin/cat' is no option",
		"external_acl_type a %SRC":                                   "",
		"external_acl_type a foo=bar %SRC /bin/cat":                  "'foo=bar' is no option",
		"external_acl_type a ttl=x %SRC /bin/cat":                    "",
		"external_acl_type a %BOGUS /bin/cat":                        "%BOGUS",
		"external_acl_type a protocol=1.0 %SRC /bin/cat":             "'protocol=1.0' is no option",
		"external_acl_type a %USER_CERT_BOGUS /bin/cat":              "BOGUS",
		"external_acl_type a %SRC /bin/cat\nacl x external":          "names an external_acl_type",
		"acl x external a\nexternal_acl_type a %SRC /bin/cat":        "there is no external_acl_type 'a' before it",
		"external_acl_type a %LOGIN /bin/cat\nacl x external a":      "no authentication schemes are fully configured",
		"external_acl_type a concurrency=2 pipeline=3 %SRC /bin/cat": "pipeline=3 is for helpers without channel numbers",
		"external_acl_type a pty=maybe %SRC /bin/cat":                "pty=maybe: expected pty, pty=on, pty=off or pty=auto",
	} {
		s := Settings{}
		acls := acl.NewSet()
		acls.External = s.Find
		if _, err := compattest.Read(acls, s.Directives(), text+"\n"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q in it", text, err, want)
		}
	}
}
