package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMakeCA(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	var out, errors strings.Builder
	if status := run([]string{"exaproxy", "make-ca", dir}, &out, &errors); status != 0 || errors.Len() > 0 {
		t.Fatalf("the status is %d: %s", status, errors.String())
	}
	for _, want := range []string{"tls-cert=" + dir + "/ca.crt tls-key=" + dir + "/ca.key", "Windows", "Firefox", "Chrome", "iOS", "Android", "Linux"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, out.String())
		}
	}
	for name, mode := range map[string]os.FileMode{"ca.crt": 0o644, "ca.key": 0o600} {
		if facts, err := os.Stat(filepath.Join(dir, name)); err != nil || facts.Mode() != mode {
			t.Errorf("%s is %v: %v", name, facts, err)
		}
	}
	key, err := os.ReadFile(filepath.Join(dir, "ca.key"))
	if err != nil {
		t.Fatal(err)
	}
	if status := run([]string{"exaproxy", "make-ca", dir}, &out, &errors); status != 1 || !strings.Contains(errors.String(), "is there already") {
		t.Errorf("a second time the status is %d: %s", status, errors.String())
	}
	if again, err := os.ReadFile(filepath.Join(dir, "ca.key")); err != nil || string(again) != string(key) {
		t.Errorf("the key is another: %v", err)
	}
	for _, args := range [][]string{{"make-ca"}, {"make-ca", ""}, {"make-ca", "a", "b"}, {"make-ca", "-h"}} {
		errors.Reset()
		if status := run(append([]string{"exaproxy"}, args...), &out, &errors); status != 1 || !strings.Contains(errors.String(), "usage: exaproxy make-ca DIR") {
			t.Errorf("%q gives %d: %s", args, status, errors.String())
		}
	}
}
