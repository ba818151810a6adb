package acceptance

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// A realm is a Kerberos of a test's own, on loopback: its KDC, with the users bob and eve, a service for a proxy that
// is called localhost, and one that no proxy has.
type realm struct {
	dir, conf string // $KRB5_CONFIG
	keys      string // of the proxy
}

const krb5Conf = `[libdefaults]
 default_realm = LAB.TEST
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 rdns = false
[realms]
 LAB.TEST = {
  kdc = 127.0.0.1:{port}
 }
[domain_realm]
 localhost = LAB.TEST
`

const kdcConf = `[kdcdefaults]
 kdc_listen = 127.0.0.1:{port}
 kdc_tcp_listen = 127.0.0.1:{port}
[realms]
 LAB.TEST = {
  database_name = {dir}/principal
  key_stash_file = {dir}/stash
  acl_file = {dir}/acl
  max_life = 1h
 }
`

// newRealm starts one, which ends with the test. Helpers and clients find it by the environment.
func newRealm(t *testing.T) *realm {
	t.Helper()
	kdc := peer(t, "krb5kdc", "krb5-kdc")
	admin := peer(t, "kadmin.local", "krb5-admin-server")
	util := peer(t, "kdb5_util", "krb5-kdc")
	dir := world(t)
	port := freePort(t)
	places := strings.NewReplacer("{dir}", dir, "{port}", port)
	r := &realm{dir: dir, conf: writeFile(t, dir, "krb5.conf", places.Replace(krb5Conf)), keys: filepath.Join(dir, "keytab")}
	t.Setenv("KRB5_CONFIG", r.conf)
	t.Setenv("KRB5_KDC_PROFILE", writeFile(t, dir, "kdc.conf", places.Replace(kdcConf)))
	t.Setenv("KRB5RCACHENAME", "none:")
	r.run(t, "", util, "create", "-s", "-r", "LAB.TEST", "-P", "master")
	for _, order := range []string{"addprinc -pw secret bob", "addprinc -pw secret eve", "addprinc -randkey HTTP/localhost",
		"ktadd -k " + r.keys + " HTTP/localhost"} {
		r.run(t, "", admin, "-r", "LAB.TEST", "-q", order)
	}
	if err := os.Chmod(r.keys, 0o644); err != nil { // helpers are another user
		t.Fatal(err)
	}
	cmd := exec.Command(kdc, "-n", "-r", "LAB.TEST")
	cmd.Dir = dir
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			conn.Close()
			return r
		}
		if time.Now().After(end) {
			t.Fatal("the KDC does not listen: ", err)
		}
	}
}

func (r *realm) run(t *testing.T, input, program string, args ...string) {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Stdin = r.dir, strings.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v\n%s", program, args, err, out)
	}
}

// login gets a ticket for a user, and returns where it is.
func (r *realm) login(t *testing.T, user string) (cache string) {
	t.Helper()
	cache = filepath.Join(r.dir, "tickets-"+user)
	r.run(t, "secret\n", peer(t, "kinit", "krb5-user"), "-c", cache, user)
	return cache
}

// krbCurl is curl with a user's tickets.
func (x *proxy) krbCurl(t *testing.T, cache string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, peer(t, "curl", "curl"), append([]string{"-sS", "--max-time", "90", "--noproxy", "", "-x", "http://localhost:" + x.port(),
		"--proxy-negotiate", "--proxy-user", ":", "-o", "/dev/null", "-w", "%{http_code} %{http_connect}"}, args...)...)
	cmd.Env = append(os.Environ(), "KRB5CCNAME=FILE:"+cache, "HOME="+x.dir)
	var out bytes.Buffer
	cmd.Stdout = &out
	cmd.Run() // what became of it is printed
	return out.String()
}

func (x *proxy) port() string { return fmt.Sprint(x.addrs[0].Port()) }

const kerberosRules = `auth_param negotiate program {program}
auth_param negotiate children 2 startup=1
acl bob proxy_auth bob@LAB.TEST
http_access allow bob
http_access deny !bob all
logformat seen %>Hs %un %rm %ru
access_log stdio:{dir}/seen.log seen
`

// TestCurlSpeaksKerberos has real tickets, Debian's helpers and a real client agree, under Squid and under us.
func TestCurlSpeaksKerberos(t *testing.T) {
	theirs := squid(t)
	r := newRealm(t)
	kerberos := "/usr/lib/squid/negotiate_kerberos_auth -k " + r.keys + " -s HTTP/localhost@LAB.TEST"
	wrapped := "/usr/lib/squid/negotiate_wrapper_auth --ntlm /usr/lib/squid/ntlm_fake_auth --kerberos " + kerberos
	bob, eve := r.login(t, "bob"), r.login(t, "eve")
	o := newOrigin(t, "127.0.0.1", pages())
	for name, helper := range map[string]string{"negotiate_kerberos_auth": kerberos, "negotiate_wrapper_auth": wrapped} {
		t.Run(name, func(t *testing.T) {
			var told [2][]string
			for i, p := range []program{theirs, exaproxy()} {
				dir := world(t)
				x := start(t, p, dir, strings.ReplaceAll(kerberosRules, "{program}", helper)+base+"http_port 127.0.0.1:"+freePort(t)+"\n")
				for _, tickets := range []string{bob, eve, "/nonexistent"} {
					for _, tunnel := range []string{"--no-proxytunnel", "-p"} {
						told[i] = append(told[i], fmt.Sprintf("%s %s: %s", filepath.Base(tickets), tunnel, x.krbCurl(t, tickets, tunnel, o.URL+"/page")))
					}
				}
				for _, token := range []string{"bm8gdG9rZW4=", "YIIabc=", "TlRMTVNTUAABAAAAB4IIAAAAAAAAAAAAAAAAAAAAAAA="} {
					told[i] = append(told[i], withoutToken(x.converse(t, o, []said{"Negotiate " + token})))
				}
				x.eventually("has logged all", 10*time.Second, func() bool { return strings.Count(x.file("seen.log"), "\n") >= 9 })
				lines := strings.Split(x.file("seen.log"), "\n")
				slices.Sort(lines) // a tunnel's line comes with its end
				told[i] = append(told[i], strings.Join(lines, "\n"))
			}
			for i, want := range told[0] {
				if got := told[1][i]; got != want {
					t.Errorf("with us\n%s\nwith Squid\n%s", got, want)
				}
			}
			for n, want := range []string{": 200 000", ": 200 200", ": 403 000", ": 000 403", ": 407 000", ": 000 407"} {
				if !strings.Contains(told[1][n], want) {
					t.Errorf("%q, want %q in it", told[1][n], want)
				}
			}
		})
	}
}

// withoutToken is what was told without the token of a challenge, which is another each time.
func withoutToken(told string) string {
	before, after, ok := strings.Cut(told, `["Negotiate TlRMTVNTUAAC`)
	if !ok {
		return told
	}
	_, after, _ = strings.Cut(after, `"]`)
	return before + `["Negotiate TlRMTVNTUAAC…"]` + after
}

// TestChromiumSpeaksKerberos is for the browser that people use: it sends a ticket, and shows the page.
func TestChromiumSpeaksKerberos(t *testing.T) {
	r := newRealm(t)
	helper := "/usr/lib/squid/negotiate_kerberos_auth"
	if _, err := os.Stat(helper); err != nil {
		t.Skip("squid-openssl is not installed")
	}
	t.Setenv("KRB5CCNAME", "FILE:"+r.login(t, "bob"))
	o := newOrigin(t, "127.0.0.1", pages())
	dir := world(t)
	x := start(t, exaproxy(), dir, strings.ReplaceAll(kerberosRules, "{program}", helper+" -k "+r.keys+" -s HTTP/localhost@LAB.TEST")+base+openPort)
	proxy := "--proxy-server=http://localhost:" + x.port()
	if page := chromiumAt(t, x, t.TempDir(), o.URL+"/page", proxy, "--auth-server-allowlist=localhost"); !strings.Contains(page, "page") {
		t.Errorf("with a ticket it shows %q", page)
	}
	if log := x.file("seen.log"); !strings.Contains(log, "200 bob@LAB.TEST GET "+o.URL+"/page") {
		t.Errorf("the log is\n%s", log)
	}
	t.Setenv("KRB5CCNAME", "FILE:/nonexistent")
	chromiumAt(t, x, t.TempDir(), o.URL+"/other", proxy, "--auth-server-allowlist=localhost")
	if log := x.file("seen.log"); !strings.Contains(log, "407 - GET "+o.URL+"/other") || strings.Contains(log, "200 bob@LAB.TEST GET "+o.URL+"/other") {
		t.Errorf("without a ticket the log is\n%s", log)
	}
}
