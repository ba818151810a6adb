package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"exaproxy/compat/authority"
)

// makeCAWord is the command that makes an authority: exaproxy make-ca DIR.
const makeCAWord = "make-ca"

// installText says how the certificate comes into browsers.
//
//go:embed makeca.txt
var installText string

// makeCA carries out the command: it writes ca.crt and ca.key into a folder, and says what to do with them.
// Nothing that is there is overwritten: computers may trust it already.
func makeCA(args []string, stdout, stderr io.Writer) int {
	if len(args) != 1 || args[0] == "" || strings.HasPrefix(args[0], "-") {
		fmt.Fprintf(stderr, "usage: exaproxy %s DIR\n  makes a certificate authority in DIR: ca.crt, for browsers, and ca.key, for nobody but the proxy\n", makeCAWord)
		return 1
	}
	dir, err := filepath.Abs(args[0])
	if err == nil {
		err = writeCA(dir)
	}
	if err != nil {
		fmt.Fprintf(stderr, "exaproxy %s: %s\n", makeCAWord, err)
		return 1
	}
	fmt.Fprint(stdout, strings.ReplaceAll(installText, "{dir}", dir))
	return 0
}

// writeCA writes the two files, the key first: a certificate without it is of no use, and nobody is to
// install one.
func writeCA(dir string) error {
	host, err := os.Hostname()
	if err != nil {
		host = "this network"
	}
	cert, key, err := authority.Make("Web filter of "+host, time.Now())
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, file := range []struct {
		name string
		text []byte
		mode os.FileMode
	}{{"ca.key", key, 0o600}, {"ca.crt", cert, 0o644}} {
		if err := create(filepath.Join(dir, file.name), file.text, file.mode); err != nil {
			return err
		}
	}
	return nil
}

// create writes a file that must not be there.
func create(path string, text []byte, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		if errors.Is(err, os.ErrExist) {
			return fmt.Errorf("%s is there already, and computers may trust it: take another folder, or move it away", path)
		}
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}
