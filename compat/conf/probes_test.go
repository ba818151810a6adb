package conf

import (
	"os"
	"strings"
	"testing"
)

// verdict is what the reading of a line comes to.
type verdict string

const (
	fine         verdict = "accepted"
	unrecognized verdict = "unrecognized"
	obsolete     verdict = "obsolete"
	refused      verdict = "refused"
	bungled      verdict = "bungled"
)

// A probe is one line of configuration and what Squid 5.7 made of it.
type probe struct {
	line  string
	squid verdict
	said  string
}

func probes(t *testing.T) (found []probe) {
	t.Helper()
	content, err := os.ReadFile("../../testdata/squid/probes.txt")
	if err != nil {
		t.Fatal(err)
	}
	for text := range strings.Lines(string(content)) {
		at := max(strings.LastIndex(text, " rc=0 "), strings.LastIndex(text, " rc=1 "))
		if at < 0 {
			t.Fatalf("a probe without a status: %q", text)
		}
		p := probe{line: strings.TrimRight(text[:at], " "), said: strings.TrimSpace(text[at+6:])}
		switch failed := text[at+4] == '1'; {
		case strings.Contains(p.said, "unrecognized:"):
			p.squid = unrecognized
		case failed:
			p.squid = bungled
		case strings.Contains(p.said, "is obsolete."):
			p.squid = obsolete
		default:
			p.squid = fine
		}
		found = append(found, p)
	}
	return found
}

// judge is our verdict on a configuration of one line.
func judge(line string) verdict {
	files := memory{"c.conf": []byte(line + "\n")}
	lines, err := Parse("c.conf", files.options())
	said := fine
	check := Checker{}
	for i := range lines {
		var set bool
		if err == nil {
			set, err = check.Line(&lines[i], func(m Message) {
				if strings.Contains(m.Text, "is obsolete. (") {
					said = obsolete
				}
			})
		}
		if set && err == nil {
			err = tryValue(&lines[i], func(Message) {}, files)
		}
	}
	switch {
	case err != nil:
		return bungled
	case check.Unrecognized > 0:
		return unrecognized
	case check.Refused > 0:
		return refused
	}
	return said
}

// others says, for each probe that we judge differently from Squid, why. Directives that are
// refused need no entry: their rows have the reason.
var others = map[string]string{
	"httpd_accel_host virtual":        "known to Squid up to 2.5",
	"httpd_accel_port 80":             "known to Squid up to 2.5",
	"httpd_accel_with_proxy on":       "known to Squid up to 2.5, and always so now",
	"httpd_accel_uses_host_header on": "known to Squid up to 2.5",
	"httpd_accel_single_host off":     "known to Squid up to 2.5, and always so now",
	"storeurl_access allow all":       "known to Squid 2.7 to 3.3",
	"authenticate_program /x":         "known to Squid up to 2.4",
	"authenticate_children 5":         "known to Squid up to 2.4",
	"proxy_auth_realm x":              "known to Squid up to 2.4",
	"anonymize_headers deny x":        "known to Squid up to 2.4",
	"fake_user_agent x":               "known to Squid up to 2.4",
	"http_anonymizer off":             "known to Squid up to 2.2, and always so now",
	"dns_children 5":                  "known to Squid up to 3.4",
	"cache_dns_program /x":            "known to Squid up to 3.4",
	"snmp_community x":                "known to Squid up to 2.2",
	"reply_body_max_size 0 allow all": "refused before its value is looked at",
	"acl u urlgroup x":                "acl types are judged by who compiles acls",
	"acl ext external nosuch":         "acl types are judged by who compiles acls",
	"http_port 21501 vport=80":        "options of ports are judged by who opens them",
	"http_port 21501 protocol=https":  "options of ports are judged by who opens them",
	"http_port 21501 bogus":           "options of ports are judged by who opens them",
	"access_log stdio:LAB/pt/a nofmt": "formats are judged by who writes logs",
	"append_domain x.y":               "its value is judged by who asks name servers",
	"url_rewrite_timeout 5 seconds on_timeout=use_configured_response": "its value is judged by who starts helpers",
	"url_rewrite_timeout 5 seconds on_timeout=bypass response=\"x\"":   "its value is judged by who starts helpers",
	"url_rewrite_timeout 5 seconds on_timeout=foo":                     "its value is judged by who starts helpers",
}

func TestProbesAreJudgedAsSquidDoes(t *testing.T) {
	used := map[string]bool{}
	found := probes(t)
	if len(found) != 383 {
		t.Fatalf("probes.txt has %d probes; 383 were recorded", len(found))
	}
	for _, p := range found {
		got := judge(p.line)
		if got == p.squid {
			continue
		}
		row := lookup(strings.Fields(p.line)[0])
		if reason := others[p.line]; reason != "" {
			used[p.line] = true
			continue
		}
		if got == refused && p.squid == fine && row.Harmful {
			continue
		}
		t.Errorf("%q is %s here and %s in Squid, which says %q", p.line, got, p.squid, p.said)
	}
	for line := range others {
		if !used[line] {
			t.Errorf("others excuses %q, which needs no excuse", line)
		}
	}
}

// FuzzParse holds that no configuration makes the reading panic, and that the words of a line are
// in the line.
func FuzzParse(f *testing.F) {
	f.Add([]byte("acl x dstdomain \"list\" # c\nif true\nvia \\\non\nendif\n"), false)
	f.Add([]byte("acl x url_regex a\\ b\\\nurl_rewrite_program '/bin/x' parameters(\"y\")\n"), true)
	f.Add([]byte("#line 4 \"x\"\n#exaproxy connect_verdict page\ninclude squid.con?\n"), false)
	f.Fuzz(func(t *testing.T, content []byte, quoted bool) {
		files := memory{"squid.conf": content, "list": content}
		if quoted {
			files["squid.conf"] = append([]byte("configuration_includes_quoted_values on\n"), content...)
		}
		lines, _ := Parse("squid.conf", files.options())
		for i := range lines {
			holdsItsWords(t, &lines[i])
			if len(content) < 1<<10 {
				lines[i].Items(0, files.open)
			}
		}
		check(lines, func(Message) {})
	})
}

func holdsItsWords(t *testing.T, l *Line) {
	for _, token := range l.Tokens {
		if !token.Quoted && !token.File && !strings.Contains(l.Rest, token.Text) {
			t.Errorf("the word %q is not in %q", token.Text, l.Rest)
		}
	}
}

// check judges all lines, without setters. It stops where Squid does.
func check(lines []Line, out func(Message)) (c Checker, err error) {
	for i := range lines {
		if _, err := c.Line(&lines[i], out); err != nil {
			return c, err
		}
	}
	c.End(out)
	return c, nil
}
