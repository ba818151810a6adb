package acceptance

import (
	"bufio"
	"flag"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

var mutations = flag.Int("mutations", 1000, "how many mutated forms of what is blocked each redirector is given")

const fewChildren = "url_rewrite_children 4 startup=4 idle=1\n"

// A redirector is a program that blocks what a trap has, started by Squid's directives.
type redirector struct {
	conf   string
	in     func(program) program // the world that it needs, if any
	blocks kind                  // and those before
}

var redirectors = []struct {
	name  string
	setUp func(*testing.T, *trap) redirector
}{
	{"squidGuard", guardFor},
	{"jesred", jesredFor},
	{"Go", example("go", "")},
	{"Perl", example("perl/redirector.pl", "")},
	{"Python", example("python/redirector.py", python)},
	{"Python with channels", withChannels(example("python/redirector.py", python))},
	{"shell", example("shell/redirector.sh", "/bin/sh ")},
	{"block list", blockListFor},
}

// python is the one that proxies may start.
const python = "/usr/bin/python3 "

// TestNoFormOfWhatIsBlockedPassesThatSquidWouldStop gives the same bytes to ExaProxy and to Squid, with the same redirector.
// Each redirector gets other forms, the same ones each time.
func TestNoFormOfWhatIsBlockedPassesThatSquidWouldStop(t *testing.T) {
	for i, row := range redirectors {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel() // most of the time goes by in waiting for Squid, which does not answer what is too long
			squid := squid(t)
			trap := newTrap(t)
			r := row.setUp(t, trap)
			forms := mutated(uint64(i), *mutations, r.blocks+1, trap.address)
			ours := attempt(t, exaproxy(), r, trap, forms, 5*time.Second)
			theirs := attempt(t, squid, r, trap, forms, 3*time.Second)
			compareReached(t, r, squid, trap, forms, ours, theirs)
		})
	}
	t.Run("none", func(t *testing.T) {
		t.Parallel()
		trap := newTrap(t)
		forms := mutated(uint64(len(redirectors)), *mutations, kinds, trap.address)
		if ours := attempt(t, exaproxy(), redirector{}, trap, forms, 5*time.Second); len(ours) < len(forms)/5 {
			t.Errorf("without a redirector %d of %d forms reach the server: too few to show anything", len(ours), len(forms))
		}
	})
}

// attempt asks for all forms, and returns which of them reached the trap.
func attempt(t *testing.T, p program, r redirector, trap *trap, forms []form, patience time.Duration) (reached map[string]bool) {
	t.Helper()
	if r.in != nil {
		p = r.in(p)
	}
	dir := world(t)
	x := start(t, p, dir, trap.directive+r.conf+base+"http_port 127.0.0.1:"+freePort(t)+"\n")
	defer x.end()
	defer func() { x.quiet = !x.hasEnded() }()
	next := make(chan form)
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			for f := range next {
				x.try(f, patience)
			}
		})
	}
	for _, f := range forms {
		next <- f
	}
	close(next)
	all.Wait()
	if x.hasEnded() {
		t.Fatalf("%s has ended: %v", p.path, x.err)
	}
	return trap.take()
}

// try sends a form, and waits until what is to become of it has been decided.
func (x *proxy) try(f form, patience time.Duration) {
	conn, err := net.Dial("tcp", x.addr())
	if err != nil {
		x.t.Errorf("%s cannot be asked for %v: %v", x.cmd.Path, f.names, err)
		return
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	io.WriteString(conn, f.bytes()) // it may be refused before all of it was sent
	r := bufio.NewReader(conn)
	line, err := r.ReadString('\n')
	if err != nil {
		return
	}
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	if !f.connects() || !strings.Contains(line, " 200 ") {
		io.Copy(io.Discard, r)
		return
	}
	for line != "\r\n" && err == nil {
		line, err = r.ReadString('\n')
	}
	io.WriteString(conn, "GET /"+f.mark+" HTTP/1.1\r\nHost: "+blockedName+"\r\n\r\n")
	io.Copy(io.Discard, r)
}

// compareReached complains about what was reached by ExaProxy's fault alone. What is suspicious is asked of Squid again: a machine
// that was too busy for it proves nothing.
func compareReached(t *testing.T, r redirector, squid program, trap *trap, forms []form, ours, theirs map[string]bool) {
	t.Helper()
	var more, less []form
	for _, f := range forms {
		switch {
		case ours[f.mark] && !theirs[f.mark]:
			more = append(more, f)
		case theirs[f.mark] && !ours[f.mark]:
			less = append(less, f)
		}
	}
	if len(more) > 0 {
		theirs = attempt(t, squid, r, trap, more, 20*time.Second)
	}
	for _, f := range more {
		if !theirs[f.mark] {
			t.Errorf("the blocked server is reached, and under Squid it is not, by %v: %.300q", f.names, f.bytes())
		}
	}
	for _, f := range less {
		t.Logf("only Squid lets pass %v: %.120q", f.names, f.bytes())
	}
	for m := range ours {
		if !mark.MatchString(m) {
			t.Errorf("the blocked server got %s", m)
		}
	}
	t.Logf("of %d forms %d reached the blocked server, under Squid %d more and %d fewer", len(forms), len(ours), len(less), len(more))
}

// example is one of the redirectors in contrib. A name without a dot is that of a Go package.
func example(path, interpreter string) func(*testing.T, *trap) redirector {
	return func(t *testing.T, trap *trap) redirector {
		t.Helper()
		dir := world(t)
		program := buildExample(t, dir, path)
		list := writeFile(t, dir, "list", blockedName+"\n"+trap.address.String()+"\n")
		return redirector{conf: "url_rewrite_program " + interpreter + program + " " + list + " http://" + otherName + "/?%s\n" + fewChildren, blocks: blockedTunnel}
	}
}

// buildExample puts the program into a folder.
func buildExample(t *testing.T, dir, path string) (program string) {
	t.Helper()
	program = filepath.Join(dir, filepath.Base(path))
	source := filepath.Join("..", "..", "..", "contrib", "redirectors", path)
	if filepath.Ext(path) == "" {
		if out, err := exec.Command("go", "build", "-o", program, "./"+source).CombinedOutput(); err != nil {
			t.Fatalf("build the Go example: %v\n%s", err, out)
		}
	} else if err := copyFile(program, source); err != nil {
		t.Fatal(err)
	}
	return program
}

func withChannels(of func(*testing.T, *trap) redirector) func(*testing.T, *trap) redirector {
	return func(t *testing.T, trap *trap) redirector {
		t.Helper()
		r := of(t, trap)
		r.conf += "url_rewrite_concurrency 10\n"
		return r
	}
}

// guardFor is squidGuard, which rewrites to a page that is told the whole URL.
func guardFor(t *testing.T, trap *trap) redirector {
	t.Helper()
	dir := world(t)
	for _, d := range []string{"db", "db/bad", "guardlog"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o777); err != nil {
			t.Fatal(err)
		}
		os.Chmod(filepath.Join(dir, d), 0o777)
	}
	writeFile(t, dir, "db/bad/domains", blockedName+"\n"+trap.address.String()+"\n")
	writeFile(t, dir, "db/bad/urls", partlyBlockedName+"/"+strings.Trim(blockedDir, "/")+"\n")
	conf := writeFile(t, dir, "squidGuard.conf", fill(dir, `dbhome {dir}/db
logdir {dir}/guardlog
dest bad {
	domainlist bad/domains
	urllist bad/urls
}
acl {
	default {
		pass !bad all
		redirect http://`+otherName+`/cgi?a=%a&u=%u
	}
}
`))
	return redirector{conf: "url_rewrite_program " + peer(t, "squidGuard", "squidguard") + " -c " + conf + "\n" + fewChildren, blocks: blockedPath}
}

func jesredFor(t *testing.T, trap *trap) redirector {
	t.Helper()
	jesred := jesred(t)
	dir := world(t)
	etc := filepath.Join(dir, "etc")
	if out, err := exec.Command("cp", "-a", "/etc", etc).CombinedOutput(); err != nil {
		t.Skipf("jesred looks for its rules in /etc only, and no copy of that can be made: %v\n%s", err, out)
	}
	writeFile(t, etc, "jesred.acl", "0.0.0.0/0\n::/0\n")
	server := "([a-z0-9.-]*\\.)?(blocked\\.test|" + strings.ReplaceAll(trap.address.String(), ".", "\\.") + ")\\.?"
	writeFile(t, etc, "jesred.rules", "regexi ^[a-z]*://([^/]*@)?"+server+"([:/?#].*)?$ 302:"+blockPage+"\nregexi ^"+server+":[0-9]+ 302:"+blockPage+
		"\nregexi ^[a-z]*://[^/]*partly\\.test[^/]*/"+blockedDir+" 302:"+blockPage+"\n")
	writeFile(t, etc, "jesred.conf", fill(dir, "allow = /etc/jesred.acl\nrules = /etc/jesred.rules\nredirect_log = {dir}/jesred.log\n"))
	copied := filepath.Join(dir, "jesred")
	if err := copyFile(copied, jesred); err != nil {
		t.Fatal(err)
	}
	return redirector{conf: "url_rewrite_program " + copied + "\n" + fewChildren, in: func(p program) program { return withEtc(t, etc, p) }, blocks: blockedPath}
}
