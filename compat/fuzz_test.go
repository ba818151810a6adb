package compat

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// FuzzLoad has any squid.conf be followed or refused, with the same words each time, and no line end the reading. Its seeds are
// the archives of TestSettings and the configurations of all scenarios. Names in it are looked up by nobody.
func FuzzLoad(f *testing.F) {
	usual := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("nobody is asked")
	}}
	f.Cleanup(func() { net.DefaultResolver = usual })
	for _, folder := range []string{"settings", "scenarios"} {
		paths, err := filepath.Glob("../testdata/" + folder + "/*.txtar")
		if err != nil || len(paths) == 0 {
			f.Fatalf("no seeds: %v", err)
		}
		for _, path := range paths {
			a, err := txtar.ParseFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(squidConf(a))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 4<<10 || strings.Contains(text, "include") {
			t.Skip("it takes long")
		}
		a := &txtar.Archive{Files: []txtar.File{{Name: "squid.conf", Data: []byte(text)}}}
		first, again := loadArchive(a), loadArchive(a)
		if first["said"] != again["said"] {
			t.Errorf("it says\n%s\nand then\n%s", first["said"], again["said"])
		}
	})
}

// squidConf is the configuration of an archive.
func squidConf(a *txtar.Archive) string {
	for _, f := range a.Files {
		if f.Name == "squid.conf" {
			return string(f.Data)
		}
	}
	return ""
}
