package acceptance

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A realParent is a proxy that others have written, as a parent of ours.
type realParent struct {
	name  string
	login bool // it can ask for a user and a password
	start func(t *testing.T, port string, login bool) *exec.Cmd
}

var realParents = []realParent{
	{"squid", true, startSquidParent}, {"tinyproxy", true, startTinyproxy}, {"trafficserver", false, startTrafficServer},
}

// runParent starts a program and ends it with the test.
func runParent(t *testing.T, path, dir string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return cmd
}

// startSquidParent starts Squid; with login it wants to know who asks, and all are good.
func startSquidParent(t *testing.T, port string, login bool) *exec.Cmd {
	conf := strings.Replace(base, "proxy.test", "parent.test", 1)
	if login {
		conf = strings.Replace(conf, "http_access allow all", `auth_param basic program {helper} -record {dir}/users -answer OK\n
auth_param basic children 1
acl users proxy_auth REQUIRED
http_access deny !users
http_access allow all`, 1)
	}
	return start(t, squid(t), world(t), "http_port 127.0.0.1:"+port+"\n"+conf).cmd
}

// startTinyproxy starts tinyproxy; with login for the user "joe" with the password "secret".
func startTinyproxy(t *testing.T, port string, login bool) *exec.Cmd {
	path := peer(t, "tinyproxy", "tinyproxy")
	dir := t.TempDir()
	conf := fmt.Sprintf("Listen 127.0.0.1\nPort %s\nTimeout 60\nMaxClients 200\nLogLevel Critical\nLogFile \"%s/log\"\n", port, dir)
	if login {
		conf += "BasicAuth joe secret\n"
	}
	return runParent(t, path, dir, "-d", "-c", writeFile(t, dir, "tinyproxy.conf", conf))
}

// startTrafficServer starts it with a tree of directories of its own: see "runroot" in its manual.
func startTrafficServer(t *testing.T, port string, _ bool) *exec.Cmd {
	path := peer(t, "traffic_server", "trafficserver")
	dir := world(t)
	for _, name := range []string{"etc", "log", "run", "cache", "share"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o777); err != nil {
			t.Fatal(err)
		}
		os.Chmod(filepath.Join(dir, name), 0o777)
	}
	root := writeFile(t, dir, "runroot.yaml", strings.NewReplacer("{dir}", dir, "{bin}", filepath.Dir(path)).Replace(`prefix: {dir}
exec_prefix: {dir}
bindir: {bin}
sbindir: {bin}
sysconfdir: {dir}/etc
datadir: {dir}/share
includedir: {dir}/share
libdir: /usr/lib/trafficserver
libexecdir: /usr/lib/trafficserver/modules
localstatedir: {dir}/run
runtimedir: {dir}/run
logdir: {dir}/log
mandir: {dir}/share
infodir: {dir}/share
cachedir: {dir}/cache
`))
	for name, text := range map[string]string{
		"ip_allow.yaml":  "ip_allow:\n  - apply: in\n    ip_addrs: 0/0\n    action: allow\n    methods: ALL\n",
		"storage.config": "", "remap.config": "", "plugin.config": "",
		"records.config": fmt.Sprintf(`CONFIG proxy.config.http.server_ports STRING %s:ip-in=127.0.0.1
CONFIG proxy.config.exec_thread.autoconfig INT 0
CONFIG proxy.config.exec_thread.limit INT 1
CONFIG proxy.config.accept_threads INT 0
CONFIG proxy.config.task_threads INT 1
CONFIG proxy.config.admin.user_id STRING #-1
CONFIG proxy.config.reverse_proxy.enabled INT 0
CONFIG proxy.config.url_remap.remap_required INT 0
CONFIG proxy.config.http.connect_ports STRING *
CONFIG proxy.config.http.cache.http INT 0
CONFIG proxy.config.http.wait_for_cache INT 0
CONFIG proxy.config.log.logging_enabled INT 0
CONFIG proxy.config.crash_log_helper STRING NULL
`, port),
	} {
		writeFile(t, filepath.Join(dir, "etc"), name, text)
	}
	return runParent(t, path, dir, "--run-root="+root)
}

// through is a client of a proxy that trusts everybody.
func through(x *proxy) *http.Client {
	at, _ := url.Parse(x.url())
	return &http.Client{
		Timeout:   time.Minute,
		Transport: &http.Transport{Proxy: http.ProxyURL(at), TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
	}
}

// isUp waits until somebody listens at a port.
func isUp(t *testing.T, port string) {
	t.Helper()
	if !poll(time.Minute, func() bool {
		conn, err := dialPort(port)
		if err == nil {
			conn.Close()
		}
		return err == nil
	}) {
		t.Fatal("the parent does not listen")
	}
}

func TestRealParents(t *testing.T) {
	origin := newOrigin(t, "127.0.0.1", pages())
	secure := httptest.NewTLSServer(pages())
	t.Cleanup(secure.Close)
	for _, kind := range realParents {
		for _, login := range []bool{false, true} {
			if login && !kind.login {
				continue
			}
			t.Run(fmt.Sprintf("%s, login %v", kind.name, login), func(t *testing.T) {
				port, options := lastingPort(t), "no-query name="+kind.name
				kind.start(t, port, login)
				isUp(t, port)
				if login {
					options += " login=joe:secret"
				}
				x := start(t, exaproxy(), world(t), openPort+"cache_peer 127.0.0.1 parent "+port+" 0 "+options+"\nnever_direct allow all\n"+base)
				client := through(x)
				for _, ask := range []struct{ method, url, body, want string }{
					{"GET", origin.URL + "/plain", "", "/plain"},
					{"GET", origin.URL + "/bytes/300000", "", ""},
					{"POST", origin.URL + "/sum", strings.Repeat("x", 100000), " 100000 POST"},
					{"GET", secure.URL + "/secret", "", "/secret"},
				} {
					request, _ := http.NewRequest(ask.method, ask.url, strings.NewReader(ask.body))
					reply, err := client.Do(request)
					if err != nil {
						t.Errorf("%s %s: %v", ask.method, ask.url, err)
						continue
					}
					body, err := io.ReadAll(reply.Body)
					reply.Body.Close()
					if err != nil || reply.StatusCode != 200 || !strings.Contains(string(body), ask.want) {
						t.Errorf("%s %s: %s, %v, %.200q", ask.method, ask.url, reply.Status, err, body)
					}
				}
				x.eventually("logs", 5*time.Second, func() bool {
					return strings.Count(strings.Join(x.accessLog(), "\n"), "FIRSTUP_PARENT/127.0.0.1") >= 3
				})
			})
		}
	}
}

// TestRealParentsDieUnderLoad has parents killed while many ask. Nothing that could be sent to another is lost.
func TestRealParentsDieUnderLoad(t *testing.T) {
	origin := newOrigin(t, "127.0.0.1", pages())
	dying, staying := lastingPort(t), lastingPort(t)
	startSquidParent(t, staying, false)
	killed := startTinyproxy(t, dying, false)
	isUp(t, dying)
	x := start(t, exaproxy(), world(t), openPort+fmt.Sprintf(`cache_peer 127.0.0.1 parent %s 0 no-query name=dying
cache_peer 127.0.0.1 parent %s 0 no-query name=staying
never_direct allow all
`, dying, staying)+base)
	client := through(x)
	const clients = 6
	results, stop := make(chan error, clients), make(chan struct{})
	for n := range clients {
		go func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					results <- nil
					return
				default:
				}
				reply, err := client.Get(fmt.Sprintf("%s/%d-%d", origin.URL, n, i))
				if err == nil {
					_, err = io.Copy(io.Discard, reply.Body)
					reply.Body.Close()
					if err == io.ErrUnexpectedEOF && strings.Contains(reply.Header.Get("Via"), "tinyproxy") {
						err = nil // it was killed between head and body: what the client has begun to read cannot come from another
					}
					if reply.StatusCode != 200 {
						err = fmt.Errorf("%s", reply.Status)
					}
				}
				if err != nil {
					results <- err
					return
				}
			}
		}()
	}
	asked := func(more int) {
		before, _ := origin.counts()
		x.eventually("goes on", time.Minute, func() bool { n, _ := origin.counts(); return n >= before+more })
	}
	for range 2 {
		asked(100)
		killed.Process.Kill()
		killed.Wait()
		x.eventually("notices", time.Minute, func() bool { return strings.Contains(x.said(), "Detected DEAD Parent: dying") })
		asked(100)
		killed = startTinyproxy(t, dying, false)
		x.eventually("notices", time.Minute, func() bool {
			return strings.Count(x.said(), "Detected REVIVED Parent: dying") == strings.Count(x.said(), "Detected DEAD Parent: dying")
		})
	}
	close(stop)
	for range clients {
		if err := <-results; err != nil {
			t.Errorf("a request is lost: %v", err)
		}
	}
}

func dialPort(port string) (net.Conn, error) {
	return net.DialTimeout("tcp", "127.0.0.1:"+port, time.Second)
}
