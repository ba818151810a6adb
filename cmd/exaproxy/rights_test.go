package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"exaproxy/compat/account"
)

// unprivileged makes the place's folder that of nobody, whom the proxy becomes.
func unprivileged(t *testing.T, p *place) *account.User {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root has rights to give up")
	}
	who, err := account.Lookup("nobody", "")
	if err != nil {
		t.Fatal(err)
	}
	p.write("squid.conf", p.read("squid.conf")+"cache_effective_user nobody\n")
	for _, err := range []error{os.Chown(p.dir, int(who.UID), int(who.GID)), os.Chmod(p.dir, 0o755)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return who
}

// plant puts a link to a file that only root can write in the place's folder, and returns a check that
// the file is as it was.
func plant(t *testing.T, p *place, name string) (check func()) {
	t.Helper()
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	os.Remove(p.path(name))
	if err := os.Symlink(secret, p.path(name)); err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		text, err := os.ReadFile(secret)
		facts, _ := os.Stat(secret)
		if owner := facts.Sys().(*syscall.Stat_t).Uid; err != nil || string(text) != "secret\n" || owner != 0 || facts.Mode().Perm() != 0o600 {
			t.Errorf("root's file has %q, belongs to %d and has mode %v: %v", text, owner, facts.Mode(), err)
		}
	}
}

// TestPlantedLinksAtTheStart has root follow no link that the effective user has put in his folder.
func TestPlantedLinksAtTheStart(t *testing.T) {
	t.Run("access.log", func(t *testing.T) {
		p := newPlace(t, "")
		unprivileged(t, p)
		check := plant(t, p, "access.log")
		status, said := p.call("-N")
		want := ": cannot open '" + p.path("access.log") + "' for writing. The file is there, and must be writeable by the user 'nobody'"
		if status != 1 || !strings.Contains(said, want) {
			t.Errorf("the status is %d, and it says:\n%s", status, said)
		}
		check()
	})
	// cache.log goes to standard error if it cannot be opened, and a pid file takes the link's place
	for _, name := range []string{"cache.log", "squid.pid"} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t, "")
			unprivileged(t, p)
			check := plant(t, p, name)
			x := p.start()
			check()
			x.signal(syscall.SIGTERM)
			x.wait()
			check()
		})
	}
}

// TestPlantedLinksLater is the same for a reload and a rotation.
func TestPlantedLinksLater(t *testing.T) {
	p := newPlace(t, "logfile_rotate 0")
	unprivileged(t, p)
	x := p.start()
	check := plant(t, p, "access.log")
	x.signal(syscall.SIGUSR1)
	x.expect("open log file " + p.path("access.log"))
	check()
	check = plant(t, p, "other.log")
	p.write("squid.conf", p.read("squid.conf")+"access_log stdio:"+p.path("other.log")+"\n")
	x.signal(syscall.SIGHUP)
	x.expect("ERROR: the configuration was not changed: " + p.path("squid.conf") + "(10): cannot open '" + p.path("other.log") + "'")
	check()
	if owner := ownerOf(t, p.path("squid.pid")); owner == 0 {
		t.Error("the pid file in the user's folder belongs to root")
	}
	x.signal(syscall.SIGTERM)
	if status := x.wait(); status != 0 {
		t.Errorf("the exit status is %d", status)
	}
}

func ownerOf(t *testing.T, path string) uint32 {
	t.Helper()
	facts, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return facts.Sys().(*syscall.Stat_t).Uid
}

// TestRootsFolder has the pid file of a folder of root's be root's, and a log there the user's.
func TestRootsFolder(t *testing.T) {
	p := newPlace(t, "")
	who := unprivileged(t, p)
	dir, err := os.MkdirTemp("/run", "exaproxy")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	p.write("squid.conf", strings.ReplaceAll(strings.ReplaceAll(p.read("squid.conf"), p.path("squid.pid"), dir+"/squid.pid"), p.path("access.log"), dir+"/access.log"))
	p.ofRoot(dir)
	x := p.start()
	if owner := ownerOf(t, dir+"/squid.pid"); owner != 0 {
		t.Errorf("the pid file belongs to %d", owner)
	}
	if owner := ownerOf(t, dir+"/access.log"); owner != who.UID {
		t.Errorf("the access log belongs to %d", owner)
	}
	x.get("http://127.0.0.1:1/logged")
	x.signal(syscall.SIGTERM)
	x.wait()
	if text, _ := os.ReadFile(dir + "/access.log"); !strings.Contains(string(text), "/logged") {
		t.Errorf("the access log has %q", text)
	}
}

// TestRedirectorOutOfReach has a redirector that root sees and the effective user does not be named as
// that, before anything is started.
func TestRedirectorOutOfReach(t *testing.T) {
	p := newPlace(t, "")
	unprivileged(t, p)
	dir := t.TempDir()
	program := filepath.Join(dir, "redirector")
	for _, err := range []error{os.Chmod(filepath.Dir(dir), 0o755), os.WriteFile(program, []byte("#!/bin/sh\n"), 0o755), os.Chmod(dir, 0o700)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	p.write("squid.conf", p.read("squid.conf")+"redirect_program "+program+"\n")
	want := fmt.Sprintf("squid.conf line %d: redirect_program ", strings.Count(p.read("squid.conf"), "\n")) + program + ": user 'nobody' (cache_effective_user) cannot enter the folder " + dir + " (drwx------)"
	for _, args := range [][]string{{"-k", "parse"}, {"-N"}} {
		if status, said := p.call(args...); status != 1 || !strings.Contains(said, want) {
			t.Errorf("%v gives %d, and says:\n%s", args, status, said)
		}
	}
}
