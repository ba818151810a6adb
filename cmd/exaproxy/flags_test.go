package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestParseOptions(t *testing.T) {
	for _, row := range []struct {
		args string
		want options
	}{
		{"", options{level: -1}},
		{"-NCd1", options{alone: true, level: 1}},
		{"-N -d 2", options{alone: true, level: 2}},
		{"-d3", options{level: 3}},
		{"-dx", options{level: 0}},
		{"--foreground -sYC", options{foreground: true, syslog: true, level: -1}},
		{"-f /etc/x.conf -k re", options{file: "/etc/x.conf", command: "re", level: -1}},
		{"-f/etc/x.conf -kparse", options{file: "/etc/x.conf", command: "parse", level: -1}},
		{"-n two -a 3129 -a 3130", options{service: "two", ports: []string{"3129", "3130"}, level: -1}},
		{"-X -D -z", options{full: true, obsolete: true, swap: true, level: -1}},
		{"-l local4 -u 3130 -O x -m -i -r -R -S -F --kid squid-1", options{level: -1}},
		{"-v", options{version: true, level: -1}},
		{"--help", options{help: true, level: -1}},
		{"--try", options{trying: true, alone: true, level: 1}},
		{"--try=/bin/cat", options{trying: true, try: "/bin/cat", alone: true, level: 1}},
	} {
		o, err := parseOptions(strings.Fields(row.args))
		if err != nil || !reflect.DeepEqual(*o, row.want) {
			t.Errorf("%q is %+v, %v, want %+v", row.args, o, err, row.want)
		}
	}
}

// TestCommandLineSaysWhatSquidSays holds what is printed, and the status, against Squid's.
func TestCommandLineSaysWhatSquidSays(t *testing.T) {
	dir := t.TempDir()
	conf, pid := filepath.Join(dir, "squid.conf"), filepath.Join(dir, "squid.pid")
	text := "http_port 127.0.0.1:0\nhttp_access allow all\ncache deny all\npid_filename " + pid + "\n"
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(dir, "bad.conf")
	if err := os.WriteFile(bad, []byte(text+"via maybe\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	notRunning := fmt.Sprintf("FATAL: failed to open %s: (2) No such file or directory\n", pid)
	const ended = "ExaProxy (Version " + version + "): Terminated abnormally.\n"
	for _, row := range []struct {
		args   []string
		status int
		want   string // without dates
	}{
		{[]string{"-Q"}, 1, "FATAL: '-Q': unrecognized option or missing required argument\n"},
		{[]string{"-NQ"}, 1, "FATAL: '-Q': unrecognized option or missing required argument\n"},
		{[]string{"-c"}, 1, "FATAL: '-c': unrecognized option or missing required argument\n"},
		{[]string{"-V"}, 1, "FATAL: '-V': unrecognized option or missing required argument\n"},
		{[]string{"--bogus"}, 1, "FATAL: '--bogus': unrecognized option or missing required argument\n"},
		{[]string{"-k"}, 1, "FATAL: '-k': unrecognized option or missing required argument\n"},
		{[]string{"-f"}, 1, "FATAL: '-f': unrecognized option or missing required argument\n"},
		{[]string{"-n", "bad name!", "-f", conf, "-k", "parse"}, 1, "FATAL: Garbage after alphanumeric service name in the -n option value: bad name!\n" + ended},
		{[]string{"-f", "/nonexistent.conf", "-k", "parse"}, 1,
			"Processing Configuration File: /nonexistent.conf (depth 0)\nFATAL: Unable to open configuration file: /nonexistent.conf: (2) No such file or directory\n" + ended},
		{[]string{"-f", conf, "-k", "check"}, 1, notRunning},
		{[]string{"-f", conf, "-k", "reconfigure"}, 1, notRunning},
		{[]string{"-f", conf, "-k", "rotate"}, 1, notRunning},
		{[]string{"-f", conf, "-k", "shutdown"}, 1, notRunning},
		{[]string{"-f", conf, "-k", "restart"}, 1, notRunning},
		{[]string{"-f", conf, "-k", "interrupt"}, 1, notRunning},
		{[]string{"-f", conf, "-k", "kill"}, 1, notRunning},
		{[]string{"-f", conf, "-k", "debug"}, 1, notRunning},
		{[]string{"-f", bad, "-k", "reconfigure"}, 1,
			"ERROR: Invalid option: Boolean options can only be 'on' or 'off'.\nFATAL: Bungled " + bad + " line 5: via maybe\n" + ended},
		{[]string{"-D", "-f", conf, "-k", "check"}, 1, "WARNING: -D command-line option is obsolete.\n" + notRunning},
		{[]string{"-f", conf, "-z"}, 0, "NOTICE: 1 lines that steer a cache are ignored: there is no cache\nNo cache_dir stores are configured.\n"},
	} {
		t.Run(strings.Join(row.args, " "), func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			status := run(append([]string{"squid"}, row.args...), &stdout, &stderr)
			got := dated.ReplaceAllString(stderr.String(), "")
			if status != row.status || got != row.want || stdout.Len() > 0 {
				t.Errorf("the status is %d, want %d, and it prints\n%swant\n%s", status, row.status, got, row.want)
			}
		})
	}
}

// TestUsageNamesTheCommands has the ways to call it at the top, under the name that it was called by.
func TestUsageNamesTheCommands(t *testing.T) {
	var text bytes.Buffer
	usage(&text, "squid")
	calls, options, _ := strings.Cut(text.String(), "\n\n")
	for _, command := range []string{"--try[=REDIRECTOR]", makeCAWord + " DIR"} {
		if !strings.Contains(calls, "\n       squid "+command) || !strings.Contains(options, "\n       "+command+"\n") {
			t.Errorf("%s is not told of in\n%s", command, text.String())
		}
	}
	if strings.Contains(text.String(), "%!") {
		t.Errorf("the text is not filled in:\n%s", text.String())
	}
}

func TestUsageAndVersion(t *testing.T) {
	for _, row := range []struct {
		args           string
		status         int
		stdout, stderr string // how they begin
	}{
		{"-h", 1, "", "Usage: squid [-"},
		{"--help", 1, "", "Usage: squid [-"},
		{"-k bogus", 1, "", "squid: -k: 'bogus' is no order\nUsage: squid [-"},
		{"-v", 0, "Squid Cache: Version 5.7 ", ""},
		{"--version", 0, "Squid Cache: Version 5.7 ", ""},
		{"-v -n two", 0, "Squid Cache: Version 5.7 (compatible; ExaProxy " + version + ")\nService Name: two\n", ""},
	} {
		var stdout, stderr bytes.Buffer
		status := run(append([]string{"squid"}, strings.Fields(row.args)...), &stdout, &stderr)
		if status != row.status || !strings.HasPrefix(stdout.String(), row.stdout) || !strings.HasPrefix(stderr.String(), row.stderr) ||
			(row.stdout == "") != (stdout.Len() == 0) || (row.stderr == "") != (stderr.Len() == 0) {
			t.Errorf("%s: the status is %d, standard output\n%s\nstandard error\n%s", row.args, status, stdout.String(), stderr.String())
		}
	}
}
