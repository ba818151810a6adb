package acl

import (
	"strings"
	"testing"

	"exaproxy/compat/conf"
)

// reporting makes an access list of lines, of which those that end in some acls only report.
func reporting(t *testing.T, lines, acls string) (list *List, marked int, err error) {
	t.Helper()
	set := NewSet()
	set.External = func(string) (user, ok bool) { return false, true }
	list = set.NewList("http_access", Deny)
	for i, text := range strings.Split(lines, "\n") {
		line := predefinedLine(strings.TrimPrefix(text, "acl "))
		line.Pos, line.Text = conf.Pos{File: "squid.conf", Line: i + 1}, text
		if strings.HasPrefix(text, "acl ") {
			_, err = set.Add(line)
		} else {
			line.Tokens = line.Tokens[1:]
			_, err = list.Add(line, 0)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range strings.Fields(acls) {
		n, err := list.ReportOnly(name)
		if err != nil {
			return list, 0, err
		}
		marked += n
	}
	set.Finish()
	return list, marked, nil
}

const reportACLs = `acl lan src 192.0.2.0/24
acl strangers src 203.0.113.0/24
acl bad dstdomain .bad.test
acl words url_regex secret
acl unsafe port 25
acl gets method GET
acl asked external x
acl good dstdomain .good.test
acl nets dst 10.0.0.0/8
acl some any-of bad words
acl mixed any-of bad unsafe
acl helped all-of bad asked
acl unlessasked all-of bad !asked
`

// TestReportOnly has a line that only reports count as none, and lets nobody in whom no line allows.
func TestReportOnly(t *testing.T) {
	for _, row := range []struct {
		rules, acls, url string
		answer           Answer
		reported         string
	}{
		{"http_access deny bad\nhttp_access allow lan", "bad", "http://bad.test/", Allow, "bad"},
		{"http_access deny bad\nhttp_access allow lan", "BAD", "http://bad.test/", Allow, "bad"},
		{"http_access deny bad\nhttp_access allow lan", "bad", "http://a.test/", Allow, ""},
		{"http_access deny bad\nhttp_access allow lan", "words", "http://bad.test/", Deny, ""},
		{"http_access deny bad\nhttp_access allow strangers", "bad", "http://bad.test/", Deny, "bad"},
		{"http_access deny bad\nhttp_access deny words\nhttp_access allow lan", "bad", "http://bad.test/secret", Deny, "bad"},
		{"http_access deny bad\nhttp_access deny words\nhttp_access allow lan", "bad words", "http://bad.test/secret", Allow, "bad words"},
		{"http_access deny lan bad\nhttp_access allow lan", "bad", "http://bad.test/", Allow, "bad"},
		{"http_access deny bad lan\nhttp_access allow lan", "bad", "http://bad.test/", Deny, ""}, // it ends in another
		{"http_access allow bad\nhttp_access deny lan", "bad", "http://bad.test/", Allow, ""},    // it allows
		{"http_access deny some\nhttp_access allow lan", "some", "http://bad.test/", Allow, "some"},
		{"http_access deny !good\nhttp_access allow lan", "good", "http://bad.test/", Allow, "good"},
		{"http_access deny bad", "bad", "http://bad.test/", Deny, "bad"}, // no line allows it
		{"http_access deny bad", "bad", "http://a.test/", Allow, ""},     // as without report_only
		{"http_access deny nets\nhttp_access allow lan", "nets", "http://10.1.2.3/", Allow, "nets"},
	} {
		list, _, err := reporting(t, reportACLs+row.rules, row.acls)
		if err != nil {
			t.Errorf("%q of %q: %v", row.acls, row.rules, err)
			continue
		}
		var p Place
		r := asked(t, "GET "+row.url)
		answer := list.Match(r, &r.Target, &p)
		if got := strings.Join(p.Reported(), " "); answer != row.answer || got != row.reported {
			t.Errorf("%q of %q: %s is %v, reported by %q; want %v, by %q", row.acls, row.rules, row.url, answer, got, row.answer, row.reported)
		}
		if p.MatchedAddress() {
			t.Errorf("%q of %q: a line that reports is why an address may be connected to", row.acls, row.rules)
		}
	}
}

// TestReportOnlyKeepsStrangersOut refuses lines that say who may use the proxy, and how.
func TestReportOnlyKeepsStrangersOut(t *testing.T) {
	for rule, acls := range map[string]string{
		"deny !lan":             "lan",
		"deny strangers":        "strangers",
		"deny all":              "all",
		"deny !unsafe":          "unsafe",
		"deny gets":             "gets",
		"deny to_localhost":     "to_localhost",
		"deny manager":          "manager",
		"deny !lan bad":         "bad",
		"deny !asked":           "asked",
		"deny !asked bad":       "bad",
		"deny !helped bad":      "bad",
		"deny mixed":            "mixed",
		"deny unlessasked":      "unlessasked",
		"deny unlessasked some": "some",
		"deny !mixed some":      "some",
	} {
		if _, n, err := reporting(t, reportACLs+"http_access "+rule+"\nhttp_access allow all", acls); err == nil {
			t.Errorf("%q may only report (%d lines)", rule, n)
		}
	}
	if _, n, err := reporting(t, reportACLs+"http_access allow lan", "bad"); err != nil || n != 0 {
		t.Errorf("of no line that denies %d report: %v", n, err)
	}
	if _, n, err := reporting(t, reportACLs+"http_access deny bad\nhttp_access deny gets asked\nhttp_access deny helped\nhttp_access deny lan bad", "bad asked helped"); err != nil || n != 4 {
		t.Errorf("%d report: %v", n, err)
	}
}
