package acceptance

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// stubborn ignores the end of its input and SIGTERM, and has started another in its group that does too. Those
// that are not told to leave answer first.
const stubborn = `#!/bin/sh
trap '' TERM
(while :; do sleep 1000; done) &
while read line; do echo ERR; done
[ "$1" = leaves ] && exit
while :; do sleep 1000; done
`

// stubbornKinds have such a helper for each thing that helpers do.
const stubbornKinds = `url_rewrite_program {program}
url_rewrite_children 2 startup=2
auth_param basic program {program}
auth_param basic children 2 startup=2
external_acl_type names children-max=2 children-startup=2 %SRC {program}
acl users proxy_auth REQUIRED
acl named external names
acl never urlpath_regex ^/never
http_access deny never !users
http_access deny never !named
`

// sessions are the processes in the sessions that some processes lead, those that have ended aside.
func sessions(leaders []int) (found []int) {
	leads := map[string]bool{}
	for _, pid := range leaders {
		leads[strconv.Itoa(pid)] = true
	}
	all, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range all {
		text := readAll(path)
		fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
		if len(fields) > 3 && leads[fields[3]] && fields[0] != "Z" {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			found = append(found, pid)
		}
	}
	return found
}

// withStubbornHelpers starts a proxy with six helpers that do not end, and their children.
func withStubbornHelpers(t *testing.T, args, conf string) (x *proxy, leaders []int) {
	t.Helper()
	dir := world(t)
	program := writeFile(t, dir, "stubborn", stubborn)
	if err := os.Chmod(program, 0o755); err != nil {
		t.Fatal(err)
	}
	x = start(t, exaproxy(), dir, strings.ReplaceAll(stubbornKinds, "{program}", program+args)+conf+base+openPort)
	x.eventually("has its helpers, and they have started others", 20*time.Second, func() bool {
		leaders = children(x.pid())
		return len(leaders) == 6 && len(sessions(leaders)) >= 18
	})
	return x, leaders
}

// TestNoHelperOutlivesTheProxy ends the proxy in every way there is.
func TestNoHelperOutlivesTheProxy(t *testing.T) {
	for _, row := range []struct {
		name, args, conf string
		end              func(x *proxy)
		most             time.Duration
	}{
		{"TERM", "", "shutdown_lifetime 3 seconds\n", func(x *proxy) { x.signal(syscall.SIGTERM) }, 10 * time.Second},
		{"TERM, and helpers that end and leave others behind", " leaves", "shutdown_lifetime 3 seconds\n", func(x *proxy) { x.signal(syscall.SIGTERM) }, 10 * time.Second},
		{"TERM, and again", "", "shutdown_lifetime 30 seconds\n", func(x *proxy) {
			x.signal(syscall.SIGTERM)
			x.logs("Waiting up to 30 seconds", 5*time.Second)
			x.signal(syscall.SIGTERM)
		}, 7 * time.Second},
		{"INT", "", "", func(x *proxy) { x.signal(syscall.SIGINT) }, 8 * time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			x, leaders := withStubbornHelpers(t, row.args, row.conf)
			began := time.Now()
			row.end(x)
			if status := x.wait(row.most); status != 0 {
				t.Errorf("the exit status is %d, want 0", status)
			}
			t.Logf("it took %s", time.Since(began).Round(time.Millisecond))
			if left := sessions(leaders); len(left) > 0 {
				t.Errorf("%d processes are left of the helpers: %v", len(left), left)
			}
		})
	}
}

// TestHelpersOfAKilledProxyEnd kills the proxy, so that the kernel alone can end the helpers.
func TestHelpersOfAKilledProxyEnd(t *testing.T) {
	x, leaders := withStubbornHelpers(t, "", "")
	x.signal(syscall.SIGKILL)
	x.wait(5 * time.Second)
	alive := func() (all []int) {
		for _, pid := range sessions(leaders) {
			if slices.Contains(leaders, pid) {
				all = append(all, pid)
			}
		}
		return all
	}
	if !poll(5*time.Second, func() bool { return len(alive()) == 0 }) {
		t.Errorf("helpers are left: %v", alive())
	}
	for _, pid := range sessions(leaders) {
		syscall.Kill(pid, syscall.SIGKILL) // of what helpers have started the kernel knows nothing
	}
}
