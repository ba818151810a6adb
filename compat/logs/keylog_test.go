package logs

import (
	"io"
	"path/filepath"
	"strings"
	"testing"

	"exaproxy/compat/acl"
	"exaproxy/compat/compattest"
)

// TestKeyLog has secrets be written where tls_key_log says, for as long as a policy needs the file.
func TestKeyLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.log")
	s := Defaults()
	s.Rotate = 4
	reading := compattest.MustRead(t, acl.NewSet(), s.Directives(), "access_log none\ntls_key_log stdio:"+path)
	s.Finish(reading.Context)
	files := NewFiles(newMessages().CacheLog, nil)
	opened, err := s.Open(files)
	if err != nil {
		t.Fatal(err)
	}
	opened.Commit(&s)
	keys := opened.KeyLog()
	p := opened.NewPolicy(compattest.Services(t).Loop, nil)
	opened.Close()
	io.WriteString(keys, "CLIENT_RANDOM 00 01\n")
	p.Close()
	files.Close()
	if got := readFile(t, path); got != "CLIENT_RANDOM 00 01\n" || s.KeyLog.Rotate != 4 {
		t.Errorf("%s has %q, of which %d are kept", path, got, s.KeyLog.Rotate)
	}
	if len(reading.Messages) != 1 || !strings.Contains(reading.Messages[0], "can decrypt") {
		t.Errorf("it says %q", reading.Messages)
	}
	if opened, err := new(Settings).Open(files); err != nil || opened.KeyLog() != nil {
		t.Errorf("without tls_key_log there is %v, %v", opened, err)
	}
	for lines, want := range map[string]string{
		"tls_key_log":                                     "Bungled",
		"tls_key_log /a\ntls_key_log /b":                  "there can be one",
		"tls_key_log udp:192.0.2.1:514":                   "tls_key_log place 'udp:192.0.2.1:514' cannot be written to",
		"tls_key_log /a if localhost":                     "cannot have acls yet",
		"tls_key_log /a logformat=squid":                  "Unknown tls_key_log option",
		"tls_key_log /a nonsense":                         "Unknown tls_key_log option",
		"tls_key_log /a rotate=2 rotate=x on-error=drop ": "is not a number of files",
	} {
		var s Settings
		if _, err := compattest.Read(acl.NewSet(), s.Directives(), lines); err == nil || want != "Bungled" && !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives %v, want %q", lines, err, want)
		}
	}
	if _, err := (&Settings{KeyLog: &AccessLog{Path: "/nonexistent/keys.log"}}).Open(files); err == nil {
		t.Error("a file that cannot be opened is opened")
	}
}
