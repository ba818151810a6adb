package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// lists are the folders that most tests use.
var lists = map[string]string{
	"porn/domains":           "porn.example\nXXX.Example.  \n*.stars.example\n# nothing\n\n192.0.2.66\n2001:db8::66\nwww.deep.porn.test\n",
	"porn/urls":              "http://www.Partly.example/Forbidden/\nother.example/a%62c/d?x=1\nroot.example/\n",
	"porn/expressions":       "\\bnaked\\b\n^tunnel[0-9]+\\.example:\n",
	"social/net/domains":     "0.0.0.0 social.example\r\n::1 hosts.example # as in a hosts file\r\n",
	"good/domains":           "good.porn.example\n",
	"zip/domains":            "zip\n",
	"mirror/urls":            "old.example/pub\n",
	"unused/domains":         "unused.example\n",
	"blocklist.conf":         conf,
	"elsewhere/broken.empty": "",
}

const conf = `# a school
lists    .
redirect http://why.example/?c=%t&a=%a&i=%i&s=%s&u=%u
source   pupils   10.1.0.0/16 10.2.0.5-10.2.0.9 2001:db8:1::/48
source   teachers 10.9.0.0/16 user:anna
time     lessons  mon-fri 08:00-16:00 sat 09:00-12:00

allow    good
block    porn                                               # for all
block    social/net  from=pupils during=lessons to=http://why.example/work
block    zip
block    addresses   from=!teachers,pupils to=https://why.example/?%h%%
rewrite  mirror      to=http://mirror.example%p
safesearch from=pupils youtube=strict
`

// Monday and Sunday at nine.
var (
	monday = time.Date(2026, 11, 30, 9, 0, 0, 0, time.Local)
	sunday = time.Date(2026, 11, 29, 9, 0, 0, 0, time.Local)
)

func at(now time.Time) func() time.Time { return func() time.Time { return now } }

// folder makes a folder of these files, by their names.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		write(t, filepath.Join(dir, name), text)
	}
	return dir
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// school is the list of most tests.
func school(t testing.TB) *list {
	t.Helper()
	l, err := load(filepath.Join(folder(t, lists), "blocklist.conf"))
	if err != nil {
		t.Fatal(err)
	}
	return l
}
