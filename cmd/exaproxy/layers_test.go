package main

import (
	"encoding/json"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// A wall is what one package may import beside the standard library, and which parts of that
// it may not. Names of our packages are without "exaproxy/".
type wall struct {
	may    []string
	mayNot []string // of the standard library, with what is below
	reason string
}

const (
	system = "golang.org/x/sys/unix"
	pty    = "github.com/creack/pty"
	dns    = "github.com/miekg/dns"
	flag   = "github.com/spf13/pflag"
)

// walls has a row for every package. Imports point one way: an import across a wall is a line in
// this table, and a matter to talk about.
var walls = map[string]wall{
	"engine/canary": {
		mayNot: []string{"net", "net/http", "io", "time", "os", "syscall"},
		reason: "everybody may use it",
	},
	"engine/canary/canarytest": {
		mayNot: []string{"net", "net/http", "os"},
		reason: "what tests look with",
	},
	"engine/loop": {
		may: []string{"engine/canary", system}, mayNot: []string{"net", "net/http"},
		reason: "the ground floor: it knows nothing of ours, and addresses by net/netip only",
	},
	"engine/loop/looptest": {
		may: []string{"engine/canary/canarytest", "engine/loop"}, mayNot: []string{"net", "net/http", "os"},
		reason: "a kernel in memory touches no real one",
	},
	"engine/h1": {
		may: []string{"engine/canary"}, mayNot: []string{"net", "net/http", "io", "time", "os", "syscall"},
		reason: "pure functions of bytes",
	},
	"helper": {
		may: []string{"engine/canary", "engine/loop", pty, system}, mayNot: []string{"net", "net/http", "net/netip"},
		reason: "it carries lines, and has never heard of HTTP",
	},
	"dnsasync": {
		may: []string{"engine/canary", "engine/loop", dns}, mayNot: []string{"net", "net/http", "os"},
		reason: "it has never heard of proxies, and asks by the loop's sockets only",
	},
	"engine/proxyheader": {
		mayNot: []string{"net", "net/http", "io", "time", "os", "syscall"},
		reason: "pure functions of bytes",
	},
	"engine/tlsend": {
		may: []string{"engine/loop"}, mayNot: []string{"net/http", "os/exec"},
		reason: "TLS over a descriptor (crypto/tls wants a net.Conn)",
	},
	"engine": {
		may: []string{"engine/canary", "engine/loop", "engine/h1", "engine/tlsend", "engine/tlshello", "engine/proxyheader", "helper", "dnsasync"}, mayNot: []string{"net", "net/http", "os", "os/exec"},
		reason: "it knows neither squid.conf nor files",
	},
	"engine/enginetest": {
		may: []string{"engine", "engine/enginetest/tlspeer", "engine/loop", "engine/loop/looptest", "helper"}, mayNot: []string{"net", "net/http"},
		reason: "a world without a network",
	},
	"engine/enginetest/tlspeer": {
		mayNot: []string{"net/http", "os/exec"},
		reason: "those who speak TLS in such a world (crypto/tls wants a net.Conn)",
	},
	"compat/spelling": {
		mayNot: []string{"net", "net/http", "io", "time", "os", "syscall"},
		reason: "a function of two words",
	},
	"compat/conf": {
		may: []string{"compat/spelling"}, mayNot: []string{"net", "net/http", "os/exec"},
		reason: "it reads text, and knows what no directive does",
	},
	"compat/verify": {
		may: []string{"compat/openssl"}, mayNot: []string{"net", "net/http", "os", "os/exec"},
		reason: "it says what is wrong with certificates, and knows no connections; files are lent to it",
	},
	"compat/acl": {
		may: []string{"engine/canary", "compat/conf", "compat/logformat", "compat/openssl", "compat/verify", "engine", "engine/h1", "engine/loop", "engine/tlshello", "dnsasync"}, mayNot: []string{"net", "net/http", "os/exec"},
		reason: "it tests requests; names are resolved by the worker's resolver (the loop's Waker is a type it holds)",
	},
	"compat/logformat": {
		may: []string{"compat/openssl", "compat/spelling", "compat/verify", "engine", "engine/h1", "engine/proxyheader", "engine/tlshello"}, mayNot: []string{"net", "net/http", "os"},
		reason: "it appends to a slice of bytes",
	},
	"compat/lru": {
		mayNot: []string{"net", "net/http", "io", "time", "os", "syscall"},
		reason: "it is memory",
	},
	"compat/answer": {
		mayNot: []string{"net", "net/http", "os"},
		reason: "functions of a line",
	},
	"compat/children": {
		may: []string{"compat/acl", "compat/answer", "compat/conf", "compat/directive", "engine", "engine/loop", "helper"}, mayNot: []string{"net", "net/http", "os/exec"},
		reason: "what the features that ask helpers share",
	},
	"compat/auth": {
		may:    []string{"compat/acl", "compat/answer", "compat/children", "compat/conf", "compat/directive", "compat/logformat", "engine", "engine/h1", "engine/loop", "helper"},
		mayNot: []string{"net", "net/http", "os", "os/exec"},
		reason: "a feature: it judges credentials, and access lists ask it",
	},
	"compat/external": {
		may:    []string{"compat/acl", "compat/answer", "compat/children", "compat/conf", "compat/directive", "compat/logformat", "compat/lru", "compat/openssl", "engine", "engine/loop", "helper"},
		mayNot: []string{"net", "net/http", "os", "os/exec"},
		reason: "a feature: access lists ask it, and it asks helpers",
	},
	"compat/rewrite": {
		may: []string{"compat/answer", "engine", "engine/h1", "compat/logformat"}, mayNot: []string{"net", "net/http", "os"},
		reason: "lines out, lines in",
	},
	"compat/reqmod": {
		may: []string{"compat/logformat", "compat/rewrite", "engine", "engine/h1"}, mayNot: []string{"net", "net/http", "os"},
		reason: "blocks out, blocks in",
	},
	"compat/directive": {
		may: []string{"compat/conf", "compat/acl"}, mayNot: []string{"net", "net/http", "os/exec"},
		reason: "what setters share: it knows no directive by name",
	},
	"compat/decision": {
		may: []string{"engine/canary", "engine"}, mayNot: []string{"net", "net/http", "os"},
		reason: "what a decision points to",
	},
	"compat/errpage": {
		may: []string{"compat/conf", "compat/directive", "compat/decision", "compat/logformat", "compat/verify", "engine", "engine/h1"}, mayNot: []string{"net", "net/http", "os/exec"},
		reason: "it fills templates",
	},
	"compat/access": {
		may:    []string{"compat/conf", "compat/directive", "compat/decision", "compat/acl", "compat/errpage", "engine", "dnsasync"},
		mayNot: []string{"net/http", "os", "os/exec"},
		reason: "a feature: it sees no other but the error pages (package net: host names in acls are looked up when they are read)",
	},
	"compat/redirector": {
		may: []string{"engine/canary", "compat/children", "compat/conf", "compat/directive", "compat/decision", "compat/acl", "compat/logformat", "compat/reqmod", "compat/rewrite", "compat/errpage",
			"engine", "engine/h1", "engine/loop", "helper"},
		mayNot: []string{"net", "net/http", "os/exec"},
		reason: "a feature: it sees no other but the error pages",
	},
	"compat/accel": {
		may: []string{"engine", "engine/h1", "engine/loop"}, mayNot: []string{"net", "net/http", "os", "os/exec"},
		reason: "a feature: it makes URLs",
	},
	"compat/guard": {
		may: []string{"compat/directive", "compat/errpage", "engine", "engine/loop"}, mayNot: []string{"net", "net/http", "os", "os/exec"},
		reason: "a feature: it sees no other but the error pages; the kernel of the loop knows the machine's addresses",
	},
	"compat/intercept": {
		may: []string{"compat/acl", "compat/decision", "compat/directive", "compat/logformat", "engine", "engine/h1", "engine/loop", "dnsasync"}, mayNot: []string{"net", "net/http", "os", "os/exec"},
		reason: "a feature: it compares what a client asks for with whom it wanted to reach; names are looked up by the worker's resolver",
	},
	"compat/headers": {
		may: []string{"engine/canary", "compat/acl", "compat/conf", "compat/directive", "compat/decision", "compat/errpage", "compat/logformat", "engine", "engine/h1"}, mayNot: []string{"net", "net/http", "os/exec"},
		reason: "a feature: it sees no other but the error pages",
	},
	"compat/manager": {
		may: []string{"compat/conf", "compat/decision", "compat/directive", "compat/errpage", "compat/logformat", "dnsasync", "engine", "engine/h1", "engine/loop", "helper"}, mayNot: []string{"net", "net/http", "os"},
		reason: "a feature: it sees no other but the error pages; what there is to tell of others it is given",
	},
	"compat/account": {
		may: []string{system}, mayNot: []string{"net", "net/http", "os/exec"},
		reason: "users and files: it knows neither squid.conf nor what the files are for",
	},
	"compat/logs": {
		may:    []string{"engine/canary", "compat/account", "compat/conf", "compat/directive", "compat/acl", "compat/logformat", "engine", "engine/loop", system},
		mayNot: []string{"net/http", "os/exec"},
		reason: "a feature: it writes files, and sends lines to sockets and programs, and the loop is woken when they can take more",
	},
	"compat/names": {
		may: []string{"compat/conf", "compat/directive", "compat/lru", "engine", "engine/loop", "dnsasync"}, mayNot: []string{"net", "net/http", "os"},
		reason: "a feature: it configures the resolver, and asks it for the names of clients",
	},
	"compat/indirect": {
		may: []string{"engine/canary", "compat/acl", "compat/directive", "engine", "engine/loop"}, mayNot: []string{"net", "net/http", "os", "os/exec"},
		reason: "a feature: it finds out who asks",
	},
	"compat/packets": {
		may: []string{"compat/acl", "compat/conf", "compat/directive", "engine", "engine/proxyheader"}, mayNot: []string{"net/http", "os", "os/exec"},
		reason: "a feature: it says what the packets of connections bear (package net: a host name in the configuration is looked up when it is read)",
	},
	"compat/upgrade": {
		may: []string{"compat/acl", "compat/conf", "compat/directive", "engine", "engine/h1"}, mayNot: []string{"net", "net/http", "os", "os/exec"},
		reason: "a feature: to which protocols connections may switch",
	},
	"compat/notes": {
		may: []string{"compat/acl", "compat/conf", "compat/directive", "engine"}, mayNot: []string{"net", "net/http", "os", "os/exec"},
		reason: "a feature: what the log is to say besides",
	},
	"compat/authority": {
		may: []string{"compat/lru", "compat/verify"}, mayNot: []string{"net", "net/http", "os", "os/exec"},
		reason: "it signs, and knows neither files nor connections",
	},
	"compat/verdict": {
		may: []string{"compat/acl", "compat/conf", "compat/directive", "compat/ports", "engine"}, mayNot: []string{"net", "net/http", "os", "os/exec"},
		reason: "a feature: it says how, and the engine does it",
	},
	"compat/outgoing": {
		may: []string{"compat/authority", "compat/conf", "compat/directive", "compat/openssl", "compat/verify", "engine"}, mayNot: []string{"net", "net/http", "os", "os/exec"},
		reason: "a feature: values for the engine; files are lent to it",
	},
	"compat/peers": {
		may: []string{"compat/acl", "compat/conf", "compat/directive", "compat/outgoing", "compat/verify", "engine", "engine/h1", "engine/loop"}, mayNot: []string{"net", "net/http", "os", "os/exec"},
		reason: "a feature: it says which way requests go; how TLS is spoken to peers is as to servers, but for its options",
	},
	"compat/certs": {
		may: []string{"compat/acl", "compat/authority", "compat/conf", "compat/directive", "compat/verify", "engine"}, mayNot: []string{"net", "net/http", "os", "os/exec"},
		reason: "a feature: it decides by what others have found, and has others sign",
	},
	"compat/bump": {
		may: []string{"compat/acl", "compat/conf", "compat/directive", "compat/ports", "engine", "engine/tlshello"}, mayNot: []string{"net", "net/http", "os", "os/exec"},
		reason: "a feature: it says what becomes of tunnels, and the engine does it",
	},
	"compat/tunnel": {
		may: []string{"compat/acl", "compat/conf", "compat/directive", "engine", "engine/loop", "engine/tlshello"}, mayNot: []string{"net", "net/http", "os", "os/exec"},
		reason: "a feature: it judges what the engine has read",
	},
	"engine/tlshello": {
		mayNot: []string{"net", "net/http", "io", "time", "os", "syscall"},
		reason: "pure functions of bytes",
	},
	"compat/openssl": {
		mayNot: []string{"net", "net/http", "os", "os/exec"},
		reason: "what OpenSSL calls things: functions of texts and bytes",
	},
	"compat/ports": {
		may: []string{"compat/authority", "compat/openssl", "compat/verify", "compat/conf", "compat/directive", "engine", "engine/h1"}, mayNot: []string{"net/http", "os"},
		reason: "a feature: it opens no port (package net: the host name of an http_port is looked up when it is read)",
	},
	"compat/connection": {
		may: []string{"compat/conf", "compat/directive", "engine", "engine/h1"}, mayNot: []string{"net", "net/http", "os"},
		reason: "a feature: values for the engine",
	},
	"compat/program": {
		may: []string{"compat/account", "compat/directive"}, mayNot: []string{"net", "net/http", "os/exec"},
		reason: "a feature: values for the program, and what its user may run",
	},
	"compat/helpertest": {
		may: []string{"compat/acl", "compat/answer", "compat/auth", "compat/decision", "compat/errpage", "compat/external", "compat/redirector",
			"engine", "engine/h1", "engine/loop", "helper"},
		mayNot: []string{"net", "net/http", "os", "os/exec"},
		reason: "it asks a program what the proxy would, by what the features say; files and rights are the command's",
	},
	"compat/reportonly": {
		may: []string{"compat/acl", "compat/conf", "compat/directive", "engine", "engine/loop"}, mayNot: []string{"net", "net/http", "os", "os/exec"},
		reason: "a feature: it notes what others would have done",
	},
	"compat/explain": {
		may: []string{"compat/acl", "compat/errpage", "engine", "engine/h1", "engine/loop"}, mayNot: []string{"net", "net/http", "os", "os/exec"},
		reason: "it stands between the engine and the policy, and knows no feature (package syscall: the client is a socketpair)",
	},
	"compat/compattest": {
		may:    []string{"compat/conf", "compat/directive", "compat/acl", "engine", "engine/h1", "engine/loop", "engine/loop/looptest", "helper"},
		mayNot: []string{"net", "net/http", "os"},
		reason: "what the tests of features share",
	},
	"compat": {
		may: []string{"compat/conf", "compat/directive", "compat/decision", "compat/acl", "compat/errpage", "compat/explain", "compat/accel", "compat/access", "compat/auth", "compat/children", "compat/external", "compat/guard", "compat/intercept", "compat/helpertest", "compat/indirect", "compat/redirector", "compat/reportonly",
			"compat/headers", "compat/manager", "compat/logformat", "compat/logs", "compat/names", "compat/notes", "compat/packets", "compat/ports", "compat/connection", "compat/outgoing", "compat/peers", "compat/program", "compat/bump", "compat/certs", "compat/tunnel", "compat/upgrade", "compat/verdict",
			"engine", "engine/h1", "engine/loop", "engine/tlshello", "helper"},
		mayNot: []string{"net", "net/http", "os", "os/exec"},
		reason: "it puts the features together, and in order",
	},
	"cmd/exaproxy/acceptance": {
		reason: "tests of the built program from outside: they see what a user sees",
	},
	"cmd/exaproxy/privsep": {
		may: []string{"compat/account", "compat/conf", "engine/loop", system}, mayNot: []string{"net/http", "os/exec"},
		reason: "it passes files and ports; of the configuration it knows the words only",
	},
	"cmd/exaproxy": {
		may: []string{"cmd/exaproxy/privsep", "compat", "compat/account", "compat/authority", "compat/explain", "compat/helpertest", "compat/logs", "compat/conf", "compat/program", "engine", flag, system}, mayNot: []string{"net/http"},
		reason: "flags, signals, the pid file; all else is compat's and the engine's (it owns the logs and the rights, and says versions and errors as Squid does)",
	},
}

// example is the wall of what is in contrib.
var example = wall{reason: "an example to copy: it stands alone"}

// TestLayers holds every package against its wall.
func TestLayers(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range listPackages(t) {
		name := strings.TrimPrefix(p.ImportPath, "exaproxy/")
		seen[name] = true
		w, ok := walls[name]
		if strings.HasPrefix(name, "contrib/") {
			w, ok = example, true
		}
		if !ok {
			t.Errorf("package %s has no row in the table: say what it may import, and why", name)
			continue
		}
		for _, path := range p.Imports {
			if crossing := w.crossing(path); crossing != "" {
				t.Errorf("%s imports %s, %s: %s", name, path, crossing, w.reason)
			}
		}
		for _, path := range w.may {
			if !slices.Contains(p.Imports, path) && !slices.Contains(p.Imports, "exaproxy/"+path) {
				t.Errorf("%s may import %s, and does not: the wall can be higher", name, path)
			}
		}
	}
	for name := range walls {
		if !seen[name] {
			t.Errorf("the table has a row for %s, which is no package", name)
		}
	}
}

// crossing says how an import crosses the wall; "" if it does not.
func (w wall) crossing(path string) string {
	if ours, ok := strings.CutPrefix(path, "exaproxy/"); ok {
		path = ours
	} else if !strings.Contains(strings.Split(path, "/")[0], ".") {
		if slices.Contains(w.mayNot, path) {
			return "a part of the standard library that it may not"
		}
		return ""
	}
	if !slices.Contains(w.may, path) {
		return "which it may not"
	}
	return ""
}

type listed struct {
	ImportPath string
	Imports    []string
}

// listPackages asks the go command for our packages.
func listPackages(t *testing.T) []listed {
	t.Helper()
	list := exec.Command("go", "list", "-pgo=off", "-e", "-json=ImportPath,Imports", "./...")
	list.Dir = "../.."
	out, err := list.Output()
	if err != nil {
		t.Fatalf("the go command cannot list the packages: %v", err)
	}
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}
