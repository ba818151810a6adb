package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"exaproxy/compat/explain"
)

// explains calls the command in a process of its own, which may become another user.
func explains(args ...string) (status int, stdout, stderr string) {
	var out, errors strings.Builder
	cmd := exec.Command(os.Args[0], append([]string{explainWord, "--timeout", "300"}, args...)...)
	cmd.Env = append(os.Environ(), mainVariable+"=1")
	cmd.Stdout, cmd.Stderr = &out, &errors
	cmd.Run()
	return cmd.ProcessState.ExitCode(), out.String(), errors.String()
}

// newExplained is a place whose redirector blocks ads.test, whose acls know users, and where a helper decides about c.test.
func newExplained(t *testing.T) *place {
	t.Helper()
	p := newPlace(t, "")
	p.configure(strings.ReplaceAll(`url_rewrite_program {dir}/redirector
auth_param basic program {dir}/redirector
external_acl_type names %DST {dir}/redirector
acl sent dstdomain sent.test
deny_info http://why.test/?u=%u sent
acl many max_user_ip 3
acl balancer src 192.0.2.66
follow_x_forwarded_for allow balancer
http_port 127.0.0.1:3129 intercept
acl old browser ^Lynx
acl secret dst 198.51.100.9
acl pupils src 192.0.2.0/24
acl bad dstdomain .worse.test .bad.test
acl joes proxy_auth joe
acl helped external names
acl lan src 203.0.113.0/24
`, "{dir}", p.dir))
	text, err := os.ReadFile(p.conf)
	if err != nil {
		t.Fatal(err)
	}
	rules := "http_access deny pupils bad\nhttp_access deny sent\nhttp_access deny old\nhttp_access deny secret\nhttp_access deny lan joes many\nhttp_access deny lan !joes\nhttp_access deny helped\nhttp_access allow pupils\nhttp_access allow lan\nhttp_access deny all\n"
	conf := strings.Replace(string(text), "http_access allow all\n", "", 1) + rules
	p.write("squid.conf", conf)
	program := `#!/bin/sh
while read -r line; do
  case $line in
  http://ads.test/*) echo 'OK status=302 url="http://why.test/"';;
  http://lost.test/*) exit 1;;
  bh.test*) echo BH;;
  end.test*) exit 1;;
  c.test*) echo 'OK message="by the helper"';;
  *) echo ERR;;
  esac
done
`
	if err := os.WriteFile(p.path("redirector"), []byte(program), 0o755); err != nil {
		t.Fatal(err)
	}
	return p
}

// TestExplain has every decision told, with who made it.
func TestExplain(t *testing.T) {
	p := newExplained(t)
	for _, row := range []struct {
		name   string
		args   []string
		status int
		says   []string
	}{
		{"passes", []string{"--client", "192.0.2.7", "http://198.51.100.1/x"}, 0, []string{"http_access: allow", "* " + p.conf + "(", "pupils (src) matches: saw 192.0.2.7, by its value 192.0.2.0/24 at",
			"is asked  http://198.51.100.1/x 192.0.2.7/192.0.2.7 - GET", `answers   "ERR"`, "198.51.100.1:80", "=> passes to 198.51.100.1"}},
		{"denied", []string{"--client", "192.0.2.7", "http://www.bad.test/"}, 1, []string{"bad (dstdomain) matches: saw www.bad.test, by its value .bad.test at", "403 ERR_ACCESS_DENIED", "=> http_access answers"}},
		{"a stranger", []string{"http://a.test/"}, 1, []string{"all (src) matches", "403"}},
		{"no user", []string{"--client", "203.0.113.5", "http://a.test/"}, 1, []string{"joes (proxy_auth) needs to know the user", "407 ERR_CACHE_ACCESS_DENIED"}},
		{"a user", []string{"--client", "203.0.113.5", "--user", "joe", "http://198.51.100.1/"}, 0, []string{"by its value joe at", "=> passes"}},
		{"an external acl", []string{"--client", "192.0.2.7", "http://c.test/"}, 1, []string{"helped (external) matches: saw c.test", "note message=by the helper"}},
		{"redirected", []string{"--client", "192.0.2.7", "http://ads.test/"}, 1, []string{"and that  302 http://why.test/", "=> the helper answers"}},
		{"the helper dies", []string{"--client", "192.0.2.7", "http://lost.test/"}, 1, []string{"503 ERR_GATEWAY_FAILURE", "every child that was asked ended"}},
		{"the guard", []string{"--client", "192.0.2.7", "http://169.254.169.254/"}, 1, []string{"is not connected to", "403 ERR_ACCESS_DENIED"}},
		{"a CONNECT", []string{"--client", "192.0.2.7", "https://www.bad.test/x"}, 1, []string{"CONNECT www.bad.test:443", "as the answer to the CONNECT"}},
		{"a host of a CONNECT", []string{"--client", "192.0.2.7", "--method", "CONNECT", "198.51.100.1:443"}, 0, []string{"198.51.100.1:443 192.0.2.7/192.0.2.7 - CONNECT", "port 443"}},
		{"the acl's helper cannot tell", []string{"--client", "192.0.2.7", "http://bh.test/"}, 1, []string{"http_access: deny", "helped (external) may match or not: its helper does not tell: saw bh.test",
			"* nobody can tell whether that line matches: then the answer is deny", "403 ERR_ACCESS_DENIED"}},
		{"the acl's helper ends", []string{"--client", "192.0.2.7", "http://end.test/"}, 1, []string{"helped (external) may match or not", "403 ERR_ACCESS_DENIED"}},
		{"deny_info", []string{"--client", "192.0.2.7", "http://sent.test/x"}, 1, []string{"answer\n  302\n  to http://why.test/?u=http%3A%2F%2Fsent.test%2Fx\n",
			"=> http_access answers: 302 http://why.test/?u=http%3A%2F%2Fsent.test%2Fx\n"}},
		{"no history", []string{"--client", "203.0.113.5", "--user", "joe", "http://198.51.100.1/"}, 0, []string{"many (max_user_ip) does not match: saw one address: explain does not know where"}},
		{"a balancer's client", []string{"--client", "192.0.2.66", "--header", "X-Forwarded-For: 203.0.113.9, 192.0.2.8", "http://198.51.100.1/"}, 0, []string{"from client 192.0.2.66, taken for 192.0.2.8\n",
			"follow_x_forwarded_for: allow", "pupils (src) matches: saw 192.0.2.8", "=> passes"}},
		{"who is no balancer", []string{"--client", "192.0.2.7", "--header", "x-forwarded-for:203.0.113.9", "http://198.51.100.1/"}, 0, []string{"from client 192.0.2.7\n", "saw 192.0.2.7"}},
		{"a browser", []string{"--client", "192.0.2.7", "--header", "Accept: */*", "--header", "User-Agent: Lynx/2.8", "http://198.51.100.1/"}, 1, []string{"old (browser) matches: saw Lynx/2.8, by its value ^Lynx"}},
		{"diverted", []string{"--client", "192.0.2.7", "--original", "198.51.100.1:80", "http://198.51.100.1/x"}, 0, []string{"from client 192.0.2.7, who wanted 198.51.100.1:80", "(ORIGINAL_DST)", "is asked  http://198.51.100.1/x", "=> passes"}},
		{"a forged Host", []string{"--client", "192.0.2.7", "--original", "198.51.100.9:80", "http://198.51.100.1/x"}, 1, []string{"secret (dst) matches: saw 198.51.100.9", "403 ERR_ACCESS_DENIED"}},
		{"a forged Host that passes", []string{"--client", "192.0.2.7", "--original", "198.51.100.2:80", "http://198.51.100.1/x"}, 0, []string{"is asked  http://198.51.100.2/x", "SECURITY ALERT"}},
		{"diverted TLS without a port", []string{"--client", "192.0.2.7", "--original", "198.51.100.2:443", "https://198.51.100.1/x"}, 2, []string{"has no https_port of intercept or tproxy"}},
		{"no original", []string{"--original", "198.51.100.2", "http://a.test/"}, 2, []string{"is no address with a port"}},
		{"no field", []string{"--header", "User Agent: x", "http://a.test/"}, 2, []string{`"User Agent: x" is no field: expected Name: value`}},
		{"two fields in one", []string{"--header", "A: x\r\nB: y", "http://a.test/"}, 2, []string{"is no field"}},
		{"another Host", []string{"--header", "host: b.test", "http://a.test/"}, 2, []string{"the field host is not to be given"}},
		{"no URL", nil, 2, []string{"usage: exaproxy explain"}},
		{"no request", []string{"http://a b/"}, 2, []string{"is no request"}},
		{"no address", []string{"--client", "x", "http://a/"}, 2, []string{"is no address"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			status, out, said := explains(append([]string{"-f", p.conf}, row.args...)...)
			for _, want := range row.says {
				if !strings.Contains(out+said, want) {
					t.Errorf("it does not say %q", want)
				}
			}
			if status != row.status {
				t.Errorf("the status is %d, want %d", status, row.status)
			}
			if t.Failed() {
				t.Logf("it says:\n%s%s", out, said)
			}
		})
	}
	for _, name := range []string{"access.log", "cache.log", "squid.pid"} {
		if _, err := os.Stat(p.path(name)); err == nil {
			t.Errorf("it has written %s", name)
		}
	}
}

// TestExplainForPrograms has it as JSON.
func TestExplainForPrograms(t *testing.T) {
	p := newExplained(t)
	status, out, said := explains("-f", p.conf, "--json", "--client", "192.0.2.7", "http://www.bad.test/")
	var told explain.Explanation
	if err := json.Unmarshal([]byte(out), &told); err != nil || status != 1 {
		t.Fatalf("the status is %d: %v\n%s%s", status, err, out, said)
	}
	if len(told.Lists) != 1 || told.Lists[0].Directive != "http_access" || !told.Lists[0].Lines[0].Decides || told.Page == nil || told.Page.Status != 403 || told.Helper != nil {
		t.Errorf("it says %+v", told)
	}
}

// TestExplainReqmod has a question of the other kind of helper told by the name of its directive.
func TestExplainReqmod(t *testing.T) {
	p := newPlace(t, "")
	p.configure("reqmod_program " + p.path("helper"))
	program := "#!/bin/sh\nend=$(printf '\\r')\nwhile read -r line; do case $line in $end) printf 'ICAP/1.0 204 OK\\n\\n';; esac; done\n"
	if err := os.WriteFile(p.path("helper"), []byte(program), 0o755); err != nil {
		t.Fatal(err)
	}
	_, out, said := explains("-f", p.conf, "http://198.51.100.1/x")
	for _, want := range []string{"\nreqmod_program\n  is asked  \"REQMOD icap://", `GET http://198.51.100.1/x HTTP/1.1\r\n`, "answers   \"ICAP/1.0 204", "=> passes"} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	if t.Failed() {
		t.Logf("it says:\n%s%s", out, said)
	}
}

// TestExplainNoFile has it said once what cannot be read.
func TestExplainNoFile(t *testing.T) {
	status, out, said := explains("-f", "/nonexistent", "http://a.test/")
	if status != 2 || out != "" || strings.Count(said, "Unable to open") != 1 {
		t.Errorf("the status is %d: %s%s", status, out, said)
	}
}

// TestExplainOfWhatTheHelperHasMade blames the list that refuses what the helper has let pass, behind it.
func TestExplainOfWhatTheHelperHasMade(t *testing.T) {
	p := newExplained(t)
	p.write("squid.conf", p.read("squid.conf")+"acl adult urlpath_regex adult\ndeny_info http://block.test/ adult\nadapted_http_access deny adult\n")
	_, told, _ := explains("-f", p.path("squid.conf"), "--client", "192.0.2.7", "http://good.test/adult")
	helper, list, outcome := strings.Index(told, "\nurl_rewrite_program\n"), strings.Index(told, "\nadapted_http_access: deny\n"), strings.Index(told, "\n=> adapted_http_access answers: 302 http://block.test/\n")
	if helper < 0 || list < helper || outcome < list || !strings.Contains(told, "and that  is for adapted_http_access to judge") {
		t.Errorf("it tells\n%s", told)
	}
}
