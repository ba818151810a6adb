package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"golang.org/x/tools/txtar"

	"exaproxy/compat"
	"exaproxy/compat/logs"
	"exaproxy/engine"
	"exaproxy/engine/canary/canarytest"
	"exaproxy/engine/enginetest"
	"exaproxy/engine/enginetest/tlspeer"
)

// TestScenarios plays each archive of testdata/scenarios: under the configuration in its section
// squid.conf, and those in sections squid.conf.NAME for its verb "reconfigure NAME", the dialogue in its section script, whose language is that of
// enginetest.World.Play. Everything runs but the network, the helpers and the clock, which are
// the script's. The section "says", if there is one, are lines that the cache log has in the
// end, in this order, perhaps with others between them. The words of the section "secrets" are told no client and no helper,
// and stand in no log.
func TestScenarios(t *testing.T) {
	paths, err := filepath.Glob("../../testdata/scenarios/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, segment := range segments(t, archive) {
				t.Run(fmt.Sprintf("in pieces of %d", segment), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { playScenario(t, archive, segment) })
				})
			}
		})
	}
}

// segments are the sizes of the pieces in which what clients and origins send arrives: whole (0),
// byte by byte, and in sevens, unless the section "pieces" has others.
func segments(t *testing.T, archive *txtar.Archive) []int {
	for _, f := range archive.Files {
		if f.Name != "pieces" {
			continue
		}
		var sizes []int
		for _, word := range strings.Fields(string(f.Data)) {
			n, err := strconv.Atoi(word)
			if err != nil {
				t.Fatal(err)
			}
			sizes = append(sizes, n)
		}
		return sizes
	}
	return []int{0, 1, 7}
}

// authorities are those of all scenarios.
var authorities = sync.OnceValue(func() enginetest.Security {
	return enginetest.Security{Wait: synctest.Wait, Proxy: tlspeer.NewAuthority("the proxy's"), Sites: tlspeer.NewAuthority("the sites'")}
})

func playScenario(t *testing.T, archive *txtar.Archive, segment int) {
	security := authorities()
	sections := map[string]string{"ca.pem": security.Proxy.PEM(), "sites.pem": security.Sites.PEM(), "port.pem": security.Proxy.IssuePEM("proxy.test")}
	for _, f := range archive.Files {
		sections[f.Name] = string(f.Data)
	}
	dir := t.TempDir()
	access := filepath.Join(dir, "access.log")
	said := &strings.Builder{}
	log := logs.NewCacheLog(logs.CacheLogOptions{Stderr: said, StderrLevel: 9})
	files := logs.NewFiles(log, nil)
	defer files.Close()
	load := func(name string) (engine.Config, error) {
		conf := strings.ReplaceAll(sections[name], "stdio:access.log", "stdio:"+access)
		settings, err := compat.Load("squid.conf", compat.Overrides{Say: log.Say, Open: opener(sections, conf)})
		if err != nil {
			return engine.Config{}, fmt.Errorf("the configuration is rejected:\n%s", said)
		}
		setup, err := settings.Engine(log, files)
		if err != nil {
			return engine.Config{}, err
		}
		t.Cleanup(setup.Close)
		return setup.Config, nil
	}
	config, err := load("squid.conf")
	if err != nil {
		t.Fatal(err)
	}
	w := enginetest.NewWorld(t, config)
	w.Configuration = func(name string) (engine.Config, error) { return load("squid.conf." + name) }
	w.Segment, w.Security, w.Secrets = segment, security, strings.Fields(sections["secrets"])
	seen := 0
	w.Log = func() string {
		files.Flush()
		text, _ := os.ReadFile(access)
		fresh := string(text[seen:])
		checkMarks(t, "the access log", fresh)
		w.CheckSecrets("the access log", fresh)
		seen = len(text)
		return fresh
	}
	if sections["script"] == "" {
		t.Fatal("there is no script")
	}
	w.Play(sections["script"])
	w.End()
	w.Log()
	checkMarks(t, "the cache log", said.String())
	w.CheckSecrets("the cache log", said.String())
	checkSaid(t, said.String(), sections["says"])
}

// checkMarks fails the test if a log has memory of another (make canary).
func checkMarks(t *testing.T, log, text string) {
	t.Helper()
	if whose := new(canarytest.Watch).See([]byte(text)); whose != "" {
		t.Errorf("%s has %s:\n%q", log, whose, text)
	}
}

// opener opens what the scenario has in the place of the system's files.
func opener(files map[string]string, conf string) func(string) (io.ReadCloser, error) {
	return func(name string) (io.ReadCloser, error) {
		text := files[name]
		if name == "squid.conf" {
			text = conf
		}
		return io.NopCloser(strings.NewReader(text)), nil
	}
}

// checkSaid looks for the wanted lines in what was said.
func checkSaid(t *testing.T, said, want string) {
	t.Helper()
	rest := said
	for line := range strings.Lines(want) {
		line = strings.TrimSpace(line)
		at := strings.Index(rest, line)
		if line == "" {
			continue
		}
		if at < 0 {
			t.Errorf("the cache log lacks %q, or has it too early:\n%s", line, said)
			return
		}
		rest = rest[at+len(line):]
	}
}
