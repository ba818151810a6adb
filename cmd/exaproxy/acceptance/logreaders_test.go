package acceptance

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// readerRequests are what readers of logs tell apart.
var readerRequests = []asked{
	{name: "a page", raw: get("http://{o}/plain")},
	{name: "a page with a query", raw: get("http://{o}/plain?q=a%20b")},
	{name: "a page that is not there", raw: get("http://{o}/notfound")},
	{name: "a POST", raw: "POST http://{o}/sum HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nabcd"},
	{name: "another client", raw: get("http://{o}/plain"), from: "127.0.0.9"},
	{name: "a denied host", raw: get("http://denied.test/")},
	{name: "a tunnel", raw: request("CONNECT", "{o}"), then: "GET /plain HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"},
	{name: "a denied tunnel", raw: request("CONNECT", "denied.test:443")},
	{name: "nonsense", raw: "nonsense\r\n\r\n"},
}

// A logReader makes a report of an access.log in a folder, without what differs each time.
type logReader struct {
	name, path, packageName string

	report func(t *testing.T, r logReader, dir string) string
}

var logReaders = []logReader{
	{"calamaris", "calamaris", "calamaris", func(t *testing.T, r logReader, dir string) string {
		return without(r.run(t, dir, "-a"), "Generated at:", "parse time:", "parse speed:")
	}},
	{"goaccess", "goaccess", "goaccess", func(t *testing.T, r logReader, dir string) string {
		r.run(t, dir, "access.log", "--no-global-config", "--log-format=%x.%^ %~%L %h %^/%s %b %m %U", "--datetime-format=%s", "-o", "report.csv")
		report := files(t, filepath.Join(dir, "report.csv"))
		if !strings.Contains(report, `"1","failed_requests"`) { // the method nonsense
			t.Errorf("goaccess cannot read all lines:\n%s", report)
		}
		return without(report, `"date_time"`, `"generation_time"`)
	}},
	{"sarg", "sarg", "sarg", func(t *testing.T, r logReader, dir string) string {
		r.run(t, dir, "-f", os.DevNull, "-n", "-l", filepath.Join(dir, "access.log"), "-o", filepath.Join(dir, "report"))
		return files(t, filepath.Join(dir, "report/*/sarg-general"), filepath.Join(dir, "report/*/sarg-sites"), filepath.Join(dir, "report/*/*/tt.html"))
	}},
	{"lightsquid", "/usr/share/lightsquid/lightparser.pl", "lightsquid", func(t *testing.T, r logReader, dir string) string {
		settings, err := os.ReadFile("/etc/lightsquid/lightsquid.cfg")
		if err != nil {
			t.Fatal(err)
		}
		places := regexp.MustCompile(`(?m)^\$(reportpath|logpath)( *)=.*$`)
		writeFile(t, dir, "lightsquid.cfg", places.ReplaceAllString(string(settings), `$$$1$2="`+dir+`";`))
		r.path = "perl"
		r.run(t, dir, "-I", dir, "/usr/share/lightsquid/lightparser.pl", "access.log")
		return files(t, filepath.Join(dir, "2*/*"))
	}},
}

// run runs the reader in the folder, with the log as its standard input.
func (r logReader) run(t *testing.T, dir string, args ...string) string {
	t.Helper()
	log, err := os.Open(filepath.Join(dir, "access.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(r.path, args...)
	cmd.Dir, cmd.Stdin = dir, log
	cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC", "PERL_HASH_SEED=0", "PERL_PERTURB_KEYS=0") // ties stand in one order
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", r.name, err, out)
	}
	return string(out)
}

// without leaves out lines that have one of some texts.
func without(text string, some ...string) string {
	return strings.Join(slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool {
		return slices.ContainsFunc(some, func(s string) bool { return strings.Contains(line, s) })
	}), "\n")
}

// files is what the files have whose names fit patterns, each behind its name.
func files(t *testing.T, patterns ...string) string {
	t.Helper()
	var b strings.Builder
	for _, pattern := range patterns {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "%s\n%s\n", filepath.Base(path), text)
		}
	}
	if b.Len() == 0 {
		t.Fatalf("there is no report at %s", patterns)
	}
	return b.String()
}

// sameTimes are, in a year that lightsquid knows, the lines of all exchanges as if each had ended in the second of its number and taken that many ms, with error
// pages of one size.
func sameTimes(all []exchange) (log string) {
	for i, e := range all {
		for _, line := range e.log {
			fields := strings.Fields(line)
			fields[0], fields[1] = fmt.Sprintf("%d.250", 1573000000+i), fmt.Sprintf("%6d", i)
			if e.fault != "" {
				fields[4] = "4000"
			}
			log += strings.Join(fields, " ") + "\n"
		}
	}
	return log
}

// TestReadersOfLogs has programs that read Squid's access.log make the same report of ours.
func TestReadersOfLogs(t *testing.T) {
	o := newOrigin(t, "127.0.0.5", odd(new(atomic.Int32)))
	list := slices.Clone(readerRequests)
	for i := range list {
		list[i].raw = strings.ReplaceAll(list[i].raw, "{o}", o.addr())
	}
	c := comparison{t: t, conf: nameServer(t) + "acl denied dstdomain denied.test\nhttp_access deny denied\n"}
	ours, theirs := c.hold(list)
	for _, r := range logReaders {
		t.Run(r.name, func(t *testing.T) {
			if _, err := os.Stat(r.path); err != nil {
				peer(t, r.path, r.packageName)
			}
			var reports [2]string
			for i, all := range [][]exchange{ours, theirs} {
				dir := t.TempDir()
				writeFile(t, dir, "access.log", sameTimes(all))
				reports[i] = strings.ReplaceAll(r.report(t, r, dir), dir, "DIR")
			}
			if reports[0] != reports[1] {
				a, b := nearDifference(reports[0], reports[1])
				t.Errorf("the reports differ:\nours   %s\nSquid's %s\nthe logs are\n%s\n%s", a, b, sameTimes(ours), sameTimes(theirs))
			}
		})
	}
}

// TestDebiansLogrotate has logrotate rotate our logs with the file of Debian's Squid.
func TestDebiansLogrotate(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("logrotate wants to be root")
	}
	rotate := peer(t, "logrotate", "logrotate")
	rules, err := os.ReadFile("/etc/logrotate.d/squid")
	if err != nil {
		rules, err = os.ReadFile("/etc/logrotate.d/squid-openssl")
	}
	if err != nil {
		t.Skip("Debian's Squid has left no file for logrotate: " + err.Error())
	}
	dir := world(t)
	x := start(t, exaproxy(), dir, base+openPort)
	o := newOrigin(t, "127.0.0.5", pages())
	x.exchange(asked{raw: get("http://" + o.addr() + "/plain?before")})
	x.logged(1)
	text := strings.NewReplacer("/var/log/squid/", dir+"/", "/run/squid.pid", dir+"/squid.pid",
		"/usr/sbin/sarg-reports", "/nonexistent", "/usr/sbin/squid -k", built.proxy+" -f "+dir+"/squid.conf -k",
		"/usr/sbin/squid", built.proxy, "\n\tdaily\n", "\n\tdaily\n\tsu root root\n").Replace(string(rules))
	conf := writeFile(t, dir, "rules", text)
	if out, err := exec.Command(rotate, "-f", "-s", filepath.Join(dir, "state"), conf).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, text)
	}
	x.logs("Log files are rotated", 5*time.Second)
	x.exchange(asked{raw: get("http://" + o.addr() + "/plain?after")})
	x.logged(1)
	if old := x.file("access.log.1"); strings.Count(old, "\n") != 1 {
		t.Errorf("the old log has\n%s", old)
	}
	if strings.Contains(x.file("cache.log.1"), "Exiting") {
		t.Error("it has ended")
	}
	left, _ := filepath.Glob(filepath.Join(dir, "*.log.0"))
	if len(left) > 0 {
		t.Errorf("%v: both have rotated", left)
	}
	if facts, err := os.Stat(filepath.Join(dir, "access.log")); err != nil || facts.Mode()&fs.ModePerm != 0o640 {
		t.Errorf("the new log is %v, %v", facts, err)
	}
}
