package acceptance

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// guardedByName has squidGuard know clients by nothing but their names.
const guardedByName = `dbhome {dir}/db
logdir {dir}/guardlog
src pupils {
	domain school.test
}
src staff {
	domain staff.test
}
dest bad {
	domainlist bad/domains
}
acl {
	pupils {
		pass !bad all
		redirect 302:http://127.0.0.1:9/pupils?%n
	}
	staff {
		pass all
	}
	default {
		pass none
		redirect 302:http://127.0.0.1:9/nobody?%n
	}
}
`

// namedClients are clients, where their names come from, and what becomes of what pupils may see and may not.
var namedClients = []struct {
	address, hosts, ptr string // the last two as a line and a record have the name
	allowed, blocked    string // status and where to, with the name that squidGuard was told
}{
	{address: "127.0.0.11", hosts: "pc-1.school.test pc-1", allowed: "200 ", blocked: "302 http://127.0.0.1:9/pupils?pc-1.school.test"},
	{address: "127.0.0.12", hosts: "school.test", allowed: "200 ", blocked: "302 http://127.0.0.1:9/pupils?school.test"},
	{address: "127.0.0.13", hosts: "desk.office.staff.test", allowed: "200 ", blocked: "200 "},
	// squidGuard compares the ends of texts only
	{address: "127.0.0.14", hosts: "pc-4.notschool.test", allowed: "200 ", blocked: "302 http://127.0.0.1:9/pupils?pc-4.notschool.test"},
	{address: "127.0.0.15", hosts: "pc-5.staff.test", ptr: "pc-5.school.test.", allowed: "200 ", blocked: "200 "},
	{address: "127.0.0.21", ptr: "laptop.school.test.", allowed: "200 ", blocked: "302 http://127.0.0.1:9/pupils?laptop.school.test"},
	{address: "127.0.0.22", ptr: "desk-2.staff.test.", allowed: "200 ", blocked: "200 "},
	{address: "127.0.0.23", ptr: "school.test.example.", allowed: "302 http://127.0.0.1:9/nobody?school.test.example", blocked: "302 http://127.0.0.1:9/nobody?school.test.example"},
	{address: "127.0.0.24", allowed: "302 http://127.0.0.1:9/nobody?127.0.0.24", blocked: "302 http://127.0.0.1:9/nobody?127.0.0.24"},
}

// TestSquidGuardKnowsClientsByTheirNames holds its verdicts on clients of whom its configuration has only domains against
// those under Squid: names of the hosts file count from the first request on, those of name servers once they are known.
func TestSquidGuardKnowsClientsByTheirNames(t *testing.T) {
	guard := peer(t, "squidGuard", "squidguard")
	theirs := squid(t)
	o := newOrigin(t, "127.0.0.1", pages())
	var told [2]string
	for i, p := range []program{theirs, exaproxy()} {
		release := make(chan struct{})
		x := guardingByName(t, p, guard, o, release)
		ask := func(from, host string) string {
			e := x.exchange(asked{raw: fmt.Sprintf("GET http://%s:%s/page HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", host, o.port()), from: from})
			reply, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(e.reply)), nil)
			if err != nil {
				t.Fatalf("%s from %s: %s (%v)", host, from, e.status, err)
			}
			return fmt.Sprintf("%d %s", reply.StatusCode, reply.Header.Get("Location"))
		}
		for _, c := range namedClients {
			first := ask(c.address, "fine.test")
			told[i] += fmt.Sprintf("%s, first: %s\n", c.address, first)
			if want := "302 http://127.0.0.1:9/nobody?" + c.address; c.hosts == "" && first != want {
				t.Errorf("%s: %s, whose name nobody has said, is told %q, want %q", p.path, c.address, first, want)
			}
		}
		close(release)
		for _, c := range namedClients {
			x.eventually("knows the name of "+c.address, 20*time.Second, func() bool { return ask(c.address, "fine.test") == c.allowed })
			got := ask(c.address, "blocked.test")
			told[i] += fmt.Sprintf("%s, blocked: %s\n", c.address, got)
			if got != c.blocked {
				t.Errorf("%s: %s is told %q, want %q", p.path, c.address, got, c.blocked)
			}
		}
	}
	if told[0] != told[1] {
		t.Errorf("squidGuard decides\n%s, under Squid\n%s", told[1], told[0])
	}
}

// guardingByName starts a proxy with squidGuard, and a name server that answers once it is released.
func guardingByName(t *testing.T, p program, guard string, o *origin, release <-chan struct{}) *proxy {
	t.Helper()
	dir, hosts, names := world(t), "127.0.0.1 fine.test\n127.0.0.1 blocked.test\n", map[string]string{}
	for _, c := range namedClients {
		if c.hosts != "" {
			hosts += c.address + " " + c.hosts + "\n"
		}
		if c.ptr != "" {
			var last int
			fmt.Sscanf(c.address, "127.0.0.%d", &last)
			names[fmt.Sprintf("%d.0.0.127", last)] = c.ptr
		}
	}
	writeFile(t, dir, "hosts", hosts)
	for _, d := range []string{"db", "db/bad", "guardlog"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o777); err != nil {
			t.Fatal(err)
		}
		os.Chmod(filepath.Join(dir, d), 0o777)
	}
	writeFile(t, dir, "db/bad/domains", "blocked.test\n")
	conf := writeFile(t, dir, "squidGuard.conf", fill(dir, guardedByName))
	return start(t, p, dir, "url_rewrite_program "+guard+" -c "+conf+"\nurl_rewrite_children 2 startup=1\n"+
		"dns_nameservers "+slowNames(t, release, names)+"\n"+base+"http_port 127.0.0.1:"+freePort(t)+"\n")
}
