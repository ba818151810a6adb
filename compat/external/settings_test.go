package external

import (
	"strings"
	"testing"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/compattest"
)

func TestSettings(t *testing.T) {
	s := Settings{}
	acls := acl.NewSet()
	acls.External = s.Find
	r := compattest.MustRead(t, acls, s.Directives(), `external_acl_type a ttl=10 negative_ttl=5 children-max=7 children-startup=2 children-idle=9 concurrency=3 queue-size=4 cache=99 grace=50 ipv4 protocol=2.5 %SRC %>{X-Y} %ACL %un /bin/cat -n
external_acl_type b %DST /bin/cat
external_acl_type c children=3 %METHOD /bin/cat
acl x external b y z
`)
	a, b, c := s.find("a"), s.find("b"), s.find("c")
	if a.TTL != 10*time.Second || a.NegativeTTL != 5*time.Second || a.Cache != 99 || a.Grace != 50 || a.User || strings.Join(a.Argv, " ") != "/bin/cat -n" || len(a.line) != 4 {
		t.Errorf("a is %+v", a)
	}
	if n := a.Children; n.Max != 7 || n.Startup != 2 || n.Idle != 7 || n.Concurrency != 3 || n.QueueSize != 4 {
		t.Errorf("a has children %+v", n)
	}
	if b.TTL != time.Hour || b.NegativeTTL != time.Hour || b.Children.Max != 5 || b.Children.QueueSize != 10 {
		t.Errorf("b is %+v", b)
	}
	if c.Children.Max != 3 || c.Children.Startup != 3 {
		t.Errorf("c has children %+v", c.Children)
	}
	for _, want := range []string{"children=N has been deprecated", "format %>{...} is deprecated. Use %>h{X-Y}", "option protocol=2.5 is ignored"} {
		if said := strings.Join(r.Messages, "\n"); !strings.Contains(said, want) {
			t.Errorf("it says %q, want %q in it", said, want)
		}
	}
}

func TestMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"external_acl_type":                                                    "",
		"external_acl_type a":                                                  "",
		"external_acl_type a /bin/cat":                                         "'/bin/cat' is no option",
		"external_acl_type a %SRC":                                             "",
		"external_acl_type a foo=bar %SRC /bin/cat":                            "'foo=bar' is no option",
		"external_acl_type a ttl=x %SRC /bin/cat":                              "",
		"external_acl_type a %BOGUS /bin/cat":                                  "%BOGUS",
		"external_acl_type a %SRC /bin/cat\nexternal_acl_type a %SRC /bin/cat": "'a' already",
		"external_acl_type a %SRC /bin/cat\nacl x external":                    "names an external_acl_type",
		"acl x external a\nexternal_acl_type a %SRC /bin/cat":                  "there is no external_acl_type 'a' before it",
		"external_acl_type a %LOGIN /bin/cat\nacl x external a":                "no authentication schemes are fully configured",
	} {
		s := Settings{}
		acls := acl.NewSet()
		acls.External = s.Find
		if _, err := compattest.Read(acls, s.Directives(), text+"\n"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q in it", text, err, want)
		}
	}
}
