package acceptance

import (
	"os"
	"strings"
	"testing"
	"time"
)

// unflushed are helpers that write whole blocks to a pipe: one for each kind.
var unflushed = map[string]string{
	"rewriter.pl": "#!/usr/bin/perl\nwhile (<STDIN>) { my ($url) = split; print \"OK rewrite-url=$url/seen\\n\"; }\n",
	"login.py":    "#!/usr/bin/python3\nimport sys\nfor line in sys.stdin: print('OK' if line.split()[1] == 'secret' else 'ERR')\n",
	"names.sh":    "#!/bin/sh\nsed 's/.*never.*/ERR/;t;s/.*/OK/'\n",
}

// TestHelpersThatDoNotFlushAnswer has one of each kind, none of which would ever answer over a pipe.
func TestHelpersThatDoNotFlushAnswer(t *testing.T) {
	peer(t, "perl", "perl")
	peer(t, "python3", "python3")
	t.Setenv("PYTHONUNBUFFERED", "")
	dir := world(t)
	o := newOrigin(t, "127.0.0.1", pages())
	for name, text := range unflushed {
		if err := os.Chmod(writeFile(t, dir, name, text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	x := start(t, exaproxy(), dir, "workers 1\nurl_rewrite_program {dir}/rewriter.pl\nurl_rewrite_children 3 startup=2\n"+
		"auth_param basic program {dir}/login.py\nauth_param basic children 3 startup=2\n"+
		"external_acl_type names ttl=0 children-max=3 children-startup=2 %URI {dir}/names.sh\n"+
		"acl users proxy_auth REQUIRED\nacl named external names\nhttp_access deny !users\nhttp_access deny !named\n"+base+openPort)
	for _, name := range []string{"first", "second", "third"} {
		if status := x.asUser(o, name, busyMachine); !strings.Contains(status, " 200 ") {
			t.Errorf("%s is answered %q", name, status)
		}
		if !o.reached("/" + name + "/seen") {
			t.Errorf("%s was not rewritten", name)
		}
	}
	if status := x.asUser(o, "never", busyMachine); !strings.Contains(status, " 403 ") {
		t.Errorf("what the external acl refuses is answered %q", status)
	}
	for _, kind := range []string{"redirector", "basicauthenticator", "external:names"} {
		x.logs("from now on all "+kind+" processes get one", 10*time.Second)
	}
	if n := strings.Count(x.cacheLog(), "it does not flush its output"); n != 3 {
		t.Errorf("that a helper does not flush is said %d times, want once for each kind", n)
	}
}
