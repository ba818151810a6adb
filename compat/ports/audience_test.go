package ports

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestAudience has sessions be good where the same clients are trusted.
func TestAudience(t *testing.T) {
	f := newFolder(t)
	f.make("site.test", nil, nil)
	f.make("school", nil, nil)
	own := "tls-cert={}/site.test.crt tls-key={}/site.test.key "
	audience := func(options string) string {
		port, _ := f.port(own + options)
		return port.Audience
	}
	school := audience("clientca={}/school.crt")
	if audience("") != "" || audience("clientca={}/school.crt") != school {
		t.Error("a port has another audience after a reload")
	}
	if school == audience("clientca={}/site.test.crt") || school == "" {
		t.Error("ports that trust others have the same audience")
	}
}

// TestAudienceIsOfTheRules has sessions be good for the same rules only, where the files that are read are the same,
// down to one that holds an authority and, for who looks for it, a list.
func TestAudienceIsOfTheRules(t *testing.T) {
	f := newFolder(t)
	f.make("site.test", nil, nil)
	school := f.make("school", nil, nil)
	list := f.revoke("list.pem", school, time.Hour)
	text, err := os.ReadFile(filepath.Join(f.dir, "school.crt"))
	if err != nil {
		t.Fatal(err)
	}
	f.write("both.pem", append(text, list...))
	seen := map[string]string{}
	for _, options := range []string{
		"clientca={}/both.pem",
		"clientca={}/school.crt tls-crlfile={}/list.pem",
		"clientca={}/school.crt tls-crlfile={}/list.pem tls-flags=VERIFY_CRL_ALL",
		"clientca={}/both.pem tls-default-ca=on",
	} {
		port, _ := f.port("tls-cert={}/site.test.crt tls-key={}/site.test.key " + options)
		if other := seen[port.Audience]; other != "" {
			t.Errorf("%s has the audience of %s", options, other)
		}
		seen[port.Audience] = options
	}
}
