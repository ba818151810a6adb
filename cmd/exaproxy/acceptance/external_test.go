package acceptance

import (
	"os"
	"strings"
	"testing"
	"time"
)

// externalHelper writes down what it is asked, and answers by the last word of its question.
const externalHelper = `#!/usr/bin/python3
import sys
asked = open(sys.argv[1], "a", buffering=1)
answers = {"yes": "OK user=joe tag=T log=L message=fine", "no": 'ERR message="not you"', "quoted": 'ERR message="a \"b\" c"',
           "broken": "BH", "empty": "", "nonsense": "what", "die": None}
for line in sys.stdin:
    asked.write(line)
    answer = answers.get(line.split()[-1] if line.split() else "", "OK")
    if answer is None: sys.exit(1)
    print(answer, flush=True)
`

// externalRules has a path for each kind of line, and of answer.
const externalRules = `external_acl_type plain ttl=0 children-max=1 %SRC %METHOD %DST %PORT %PROTO %PATH %URI %un %>{X-Y} {program}
external_acl_type named ttl=0 children-max=1 %ACL %DATA %METHOD {program}
external_acl_type new ttl=0 children-max=1 %>ru %{X-Y}>h {program}
external_acl_type shell ttl=0 children-max=1 protocol=2.5 %METHOD {program}
external_acl_type named ttl=0 children-max=1 %DST %DST %DST {program}
external_acl_type said ttl=0 children-max=1 %SRC {program}
acl e1 external plain
acl e2 external plain a b%20c "{dir}/values"
acl e3 external named q r
acl e4 external named
acl e5 external new
acl e6 external shell a d"e\f 100% "{dir}/values"
acl yes external said yes
acl no external said no
acl quoted external said quoted
acl broken external said broken
acl empty external said empty
acl garbage external said nonsense
deny_info http://deny.test/x?o=%o&u=%a no
deny_info http://deny.test/y?o=%o quoted
acl lines urlpath_regex ^/lines
acl p1 urlpath_regex ^/yes
acl p2 urlpath_regex ^/no
acl p3 urlpath_regex ^/quoted
acl p4 urlpath_regex ^/broken
acl p5 urlpath_regex ^/empty
acl p6 urlpath_regex ^/garbage
acl p7 urlpath_regex ^/user
acl joe ext_user joe
acl jo ext_user_regex ^jo
acl tagged tag T
http_access deny lines !e1
http_access deny lines !e2
http_access deny lines !e3
http_access deny lines !e4
http_access deny lines !e5
http_access deny lines !e6
acl w1 urlpath_regex ^/way1
acl w2 urlpath_regex ^/way2
acl w3 urlpath_regex ^/way3
acl group any-of broken
acl w4 urlpath_regex ^/way4
http_access deny w1 broken
http_access allow w2 !garbage
http_access allow w3 empty
http_access allow w4 !group
http_access deny p1 !yes
http_access deny p2 !no
http_access deny p3 !quoted
http_access deny p4 !broken
http_access deny p5 !empty
http_access deny p6 !garbage
http_access deny p7 !yes
http_access deny p7 !joe
http_access deny p7 !jo
http_access deny p7 !tagged
logformat seen %>Hs %rm %ru %un %ue %et %ea
access_log stdio:{dir}/seen.log seen
`

// TestExternalACLsAreSquids has the same helper decide for Squid and for us.
func TestExternalACLsAreSquids(t *testing.T) {
	peer(t, "python3", "python3")
	theirs := squid(t)
	o := newOrigin(t, "127.0.0.1", pages())
	var told, lines, logs [2]string
	for i, p := range []program{theirs, exaproxy()} {
		dir := world(t)
		writeFile(t, dir, "values", "one two\n# no value\nthree\n")
		helper := writeFile(t, dir, "helper.py", externalHelper)
		if err := os.Chmod(helper, 0o755); err != nil {
			t.Fatal(err)
		}
		conf := strings.ReplaceAll(externalRules, "{program}", helper+" {dir}/asked")
		x := start(t, p, dir, conf+base+"http_port 127.0.0.1:"+freePort(t)+"\n")
		for _, path := range []string{"lines?q=%20", "yes", "no", "quoted", "broken", "empty", "garbage", "user", "way1", "way2", "way3", "way4"} {
			told[i] += x.authenticate(t, "GET", o.URL+"/"+path, "") + "\n"
		}
		x.eventually("has logged all", 10*time.Second, func() bool { return strings.Count(x.file("seen.log"), "\n") >= 12 })
		lines[i], logs[i] = x.file("asked"), x.file("seen.log")
	}
	for what, both := range map[string][2]string{"answers": told, "lines to the helper": lines, "log": logs} {
		if both[0] != both[1] {
			t.Errorf("%s: ours\n%s\nSquid's\n%s", what, both[1], both[0])
		}
	}
}
