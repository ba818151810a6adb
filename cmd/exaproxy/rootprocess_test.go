package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"exaproxy/cmd/exaproxy/privsep"
	"exaproxy/compat/account"
)

// What the proxy has asked for last is done before its pid file is removed for it.
func TestRootProcessRemovesThePIDFileOfAProxyThatHasEnded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pid")
	if err := os.WriteFile(path, []byte(strconv.Itoa(os.Getpid())+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ours, theirs, err := socketPair()
	if err != nil {
		t.Fatal(err)
	}
	k := &rootProcess{proxy: os.Getpid()}
	server, err := privsep.NewServer(theirs, k, nil)
	if err != nil {
		t.Fatal(err)
	}
	proxy, err := privsep.NewClient(ours)
	if err != nil {
		t.Fatal(err)
	}
	k.attend(server, func() {
		if err := proxy.Starting(&account.User{UID: uint32(os.Getuid()), GID: uint32(os.Getgid()), Alone: true}, path); err != nil {
			t.Error(err)
		}
		proxy.Close()
	})
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the pid file of a proxy that has ended: %v", err)
	}
}
