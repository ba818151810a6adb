package logs

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"exaproxy/compat/account"
	"exaproxy/compat/acl"
	"exaproxy/compat/compattest"
	"exaproxy/engine"
)

// TestRecord has each transaction logged where its acls say, and nowhere after a "none".
func TestRecord(t *testing.T) {
	dir := t.TempDir()
	acls := acl.NewSet()
	s := Defaults()
	reading := compattest.MustRead(t, acls, s.Directives(), strings.ReplaceAll(`
acl a dstdomain a.test
acl secret dstdomain secret.test
logformat mine %ru
access_log stdio:DIR/first.log mine a
access_log none secret
access_log stdio:DIR/all.log logformat=mine
`, "DIR", dir))
	acls.Finish()
	s.Finish(reading.Context)
	files := NewFiles(newMessages().CacheLog, nil)
	opened, err := s.Open(files)
	if err != nil {
		t.Fatal(err)
	}
	var place acl.Place
	services := compattest.Services(t)
	p := opened.NewPolicy(services.Loop, func(l *acl.List, r *engine.Request) acl.Answer { return l.Match(r, &r.Target, &place) })
	opened.Close() // the policy holds the files
	if !p.LogReady(services.Loop.NewWaker(nil)) {
		t.Error("there is no room in empty logs")
	}
	for _, url := range []string{"http://a.test/", "http://secret.test/", "http://b.test/"} {
		p.Record(&engine.Record{Request: compattest.NewRequest(t, "GET "+url+" HTTP/1.1")})
	}
	p.Close()
	files.Close()
	for name, want := range map[string]string{"first.log": "http://a.test/\n", "all.log": "http://a.test/\nhttp://b.test/\n"} {
		if got := readFile(t, filepath.Join(dir, name)); got != want {
			t.Errorf("%s has %q, want %q", name, got, want)
		}
	}
}

// TestOpenGivesUpWhatItOpened has the second of two access logs fail.
func TestOpenGivesUpWhatItOpened(t *testing.T) {
	s := Settings{AccessLogs: []AccessLog{{Path: filepath.Join(t.TempDir(), "a.log")}, {Path: "/nonexistent/a.log"}}}
	files := NewFiles(newMessages().CacheLog, &account.User{Name: "proxy"})
	defer files.Close()
	_, err := s.Open(files)
	if err == nil || !strings.Contains(err.Error(), "cannot open '/nonexistent/a.log' for writing") ||
		!strings.Contains(err.Error(), "'proxy', which is the cache_effective_user") {
		t.Errorf("it says %v", err)
	}
	if len(files.files) > 0 {
		t.Errorf("%d files are still open", len(files.files))
	}
}

// TestWhyALogCannotBeOpened says which of file and folder is at fault, and the line.
func TestWhyALogCannotBeOpened(t *testing.T) {
	dir := t.TempDir()
	own := filepath.Join(dir, "own")
	if err := os.WriteFile(own, nil, 0o400); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		path string
		err  error
		want string
	}{
		{dir, syscall.EISDIR, "It is a folder: name a file in it"},
		{own, syscall.EACCES, "The file is there, and must be writeable by the user 'proxy'"},
		{filepath.Join(dir, "new"), syscall.EACCES, "The parent directory must be writeable by the user 'proxy'"},
		{filepath.Join(dir, "none", "new"), syscall.ENOENT, "There is no folder " + filepath.Join(dir, "none") + ": make it, writeable by the user 'proxy'"},
		{filepath.Join(dir, "new"), syscall.ENOSPC, "The file, its folder or its disk has to be mended, or another named"},
	} {
		if got := remedy(row.path, "'proxy'", row.err); got != row.want {
			t.Errorf("%s, %v: it says %q, want %q", row.path, row.err, got, row.want)
		}
	}
	s := Settings{AccessLogs: []AccessLog{{Path: dir, Line: "squid.conf(7)"}}}
	if _, err := s.Open(NewFiles(newMessages().CacheLog, nil)); err == nil || !strings.HasPrefix(err.Error(), "squid.conf(7): cannot open '"+dir+"' for writing. It is a folder: ") {
		t.Errorf("it says %v", err)
	}
}

// TestCommitChangesFiles has a file that is open already written and rotated as before, until the
// new settings are committed.
func TestCommitChangesFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log")
	files := NewFiles(newMessages().CacheLog, nil)
	defer files.Close()
	now := Settings{AccessLogs: []AccessLog{{Path: path, Rotate: 2}}}
	opened, err := now.Open(files)
	if err != nil {
		t.Fatal(err)
	}
	opened.Commit(&now)
	f := files.files[path]
	next := Settings{AccessLogs: []AccessLog{{Path: path, Rotate: 5}}, Buffered: true}
	reopened, err := next.Open(files)
	if err != nil {
		t.Fatal(err)
	}
	if f.keep != 2 || f.gather.Load() != int64(gathering) {
		t.Errorf("before Commit it keeps %d old files and gathers for %d ns", f.keep, f.gather.Load())
	}
	reopened.Commit(&next)
	if f.keep != 5 || f.gather.Load() != int64(bufferedGathering) {
		t.Errorf("after Commit it keeps %d old files and gathers for %d ns", f.keep, f.gather.Load())
	}
	opened.Close()
	reopened.Close()
}

// TestLogsAreNotToldErrors has squid_error be refused, which would match nothing, also in a group.
func TestLogsAreNotToldErrors(t *testing.T) {
	for _, lines := range []string{"access_log none e", "acl g any-of e\nacl h all-of g\naccess_log /log squid h"} {
		s := Defaults()
		_, err := compattest.Read(acl.NewSet(), s.Directives(), "acl e squid_error ERR_TOO_BIG\n"+lines)
		if err == nil || !strings.Contains(err.Error(), "cannot have an acl of the type squid_error") {
			t.Errorf("%q: %v", lines, err)
		}
	}
}
