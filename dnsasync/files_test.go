package dnsasync

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata/dns")

// golden compares with the file beside the input that is named like it, and .golden.
func golden(t *testing.T, input, got string) {
	t.Helper()
	path := input + ".golden"
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s gives\n%s\nwant\n%s", input, got, want)
	}
}

// eachInput runs a test for the files in testdata/dns that are named so.
func eachInput(t *testing.T, pattern string, f func(t *testing.T, path string, r io.Reader)) {
	paths, err := filepath.Glob(filepath.Join("..", "testdata", "dns", pattern))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no inputs %s: %v", pattern, err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			f(t, path, bytes.NewReader(data))
		})
	}
}

func TestResolvConf(t *testing.T) {
	eachInput(t, "*.conf", func(t *testing.T, path string, r io.Reader) {
		config, err := ReadResolvConf(r)
		var b strings.Builder
		fmt.Fprintln(&b, "servers:   ", config.Servers)
		fmt.Fprintln(&b, "search:    ", config.Search)
		fmt.Fprintln(&b, "ndots:     ", config.Ndots)
		fmt.Fprintln(&b, "retransmit:", config.Retransmit)
		fmt.Fprintln(&b, "timeout:   ", config.Timeout)
		fmt.Fprintln(&b, "IPv4 only: ", config.IPv4Only)
		fmt.Fprintln(&b, "rotate:    ", config.Rotate)
		fmt.Fprintln(&b, "error:     ", err)
		golden(t, path, b.String())
	})
}

func TestHosts(t *testing.T) {
	eachInput(t, "*.hosts", func(t *testing.T, path string, r io.Reader) {
		hosts, err := ReadHosts(r)
		var b strings.Builder
		for _, name := range hosts.sortedNames() {
			fmt.Fprintln(&b, name, hosts.addrs[name])
		}
		for _, addr := range hosts.sortedAddrs() {
			fmt.Fprintln(&b, addr, hosts.names[addr])
		}
		fmt.Fprintln(&b, "error:", err)
		golden(t, path, b.String())
	})
}

func TestFilesThatCannotBeRead(t *testing.T) {
	trouble := errors.New("trouble")
	read := func(text string) io.Reader { return io.MultiReader(strings.NewReader(text), iotest.ErrReader(trouble)) }
	if hosts, err := ReadHosts(read("192.0.2.1 a\nbad\n")); !errors.Is(err, trouble) || hosts.Len() != 1 {
		t.Errorf("hosts: error %v, %d names; want the reader's error and one name", err, hosts.Len())
	}
	if config, err := ReadResolvConf(read("nameserver 192.0.2.1\nbad\n")); !errors.Is(err, trouble) || len(config.Servers) != 1 {
		t.Errorf("resolv.conf: error %v, servers %v; want the reader's error and one server", err, config.Servers)
	}
}

func TestSkippedListsTwenty(t *testing.T) {
	_, err := ReadHosts(strings.NewReader(strings.Repeat("nonsense here\n", 1000)))
	var skipped *Skipped
	if !errors.As(err, &skipped) {
		t.Fatalf("error %v", err)
	}
	if len(skipped.Lines) != maxListed || skipped.Count != 1000 || skipped.Lines[19].Number != 20 {
		t.Errorf("%d listed of %d, the last line %d", len(skipped.Lines), skipped.Count, skipped.Lines[19].Number)
	}
	if text := err.Error(); !strings.HasPrefix(text, `read hosts file: 1000 left out: line 1: not an address: "nonsense"; line 2:`) ||
		!strings.HasSuffix(text, "; …") || strings.Contains(text, "\n") {
		t.Errorf("error %s", text)
	}
}

func TestNoHosts(t *testing.T) {
	var none *Hosts
	if none.Len() != 0 || none.named([]byte("a")) != nil || none.sortedNames() != nil || none.sortedAddrs() != nil {
		t.Error("no hosts file has something in it")
	}
}

// FuzzFiles feeds both readers; whatever they take in must be usable.
func FuzzFiles(f *testing.F) {
	for _, pattern := range []string{"*.conf", "*.hosts"} {
		paths, err := filepath.Glob(filepath.Join("..", "testdata", "dns", pattern))
		if err != nil {
			f.Fatal(err)
		}
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		hosts, _ := ReadHosts(bytes.NewReader(data))
		for _, name := range hosts.sortedNames() {
			if canonical, ok := hostName(name); !ok || canonical != name || len(hosts.addrs[name]) == 0 {
				t.Errorf("hosts has the name %q with %v", name, hosts.addrs[name])
			}
		}
		config, _ := ReadResolvConf(bytes.NewReader(data))
		if len(config.Servers) == 0 || len(config.Servers) > maxServers || config.Retransmit < 0 || config.Timeout < config.Retransmit {
			t.Errorf("resolv.conf gives %+v", config)
		}
		for _, server := range config.Servers {
			if !server.IsValid() || server.Port() != 53 {
				t.Errorf("server %v", server)
			}
		}
	})
}
