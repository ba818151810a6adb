package acceptance

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestRedirectorsVerdictsOnCONNECT has each redirector refuse a CONNECT, and each way to tell the client. Nobody may
// get to the server that is blocked.
func TestRedirectorsVerdictsOnCONNECT(t *testing.T) {
	for _, row := range redirectors {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			trap := newTrap(t)
			r := row.setUp(t, trap)
			for _, mode := range []string{"auto", "bump", "page", "redirect", "close"} {
				t.Run(mode, func(t *testing.T) { refuseInMode(t, r, trap, mode) })
			}
		})
	}
}

// refuseInMode asks for what is blocked as a program that speaks TLS in its tunnel, and as one that does not.
func refuseInMode(t *testing.T, r redirector, trap *trap, mode string) {
	t.Helper()
	dir := world(t)
	if out, err := exec.Command(built.proxy, "make-ca", filepath.Join(dir, "ca")).CombinedOutput(); err != nil {
		t.Fatalf("make-ca: %v\n%s", err, out)
	}
	p := exaproxy()
	if r.in != nil {
		p = r.in(p)
	}
	x := start(t, p, dir, trap.directive+r.conf+base+"connect_verdict "+mode+"\nhttp_port 127.0.0.1:0 tls-cert={dir}/ca/ca.crt tls-key={dir}/ca/ca.key\n")
	secure := x.curl("--cacert", filepath.Join(dir, "ca", "ca.crt"), "-i", "https://"+blockedName+"/form-1-")
	plain := x.curl("-p", "-i", "http://"+blockedName+":443/form-2-")
	shown := func(c curled) bool { return c.status == 0 && strings.HasPrefix(afterConnect(c.out), "HTTP/1.1 302") }
	told := func(c curled) bool { return strings.Contains(c.err, "response 302") }
	ended := func(c curled) bool { return c.status != 0 && c.out == "" && !told(c) }
	want := map[string][2]func(curled) bool{
		"auto": {shown, shown}, "bump": {shown, shown}, "page": {func(c curled) bool { return !shown(c) }, shown},
		"redirect": {told, told}, "close": {ended, ended},
	}[mode]
	if !want[0](secure) {
		t.Errorf("who speaks TLS in the tunnel sees %q (%s)", secure.out, secure.err)
	}
	if !want[1](plain) {
		t.Errorf("who speaks HTTP in the tunnel sees %q (%s)", plain.out, plain.err)
	}
	if reached := trap.take(); len(reached) > 0 {
		t.Errorf("the server is reached: %v", reached)
	}
}

// afterConnect is what curl -i shows behind the answer to its CONNECT.
func afterConnect(out string) string {
	_, after, found := strings.Cut(out, "\r\n\r\n")
	if !found {
		return out
	}
	return after
}
