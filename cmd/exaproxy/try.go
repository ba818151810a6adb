package main

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"io"
	"net/netip"
	"os"
	"sync"
	"time"

	"exaproxy/compat"
	"exaproxy/compat/authority"
)

// trialConf is the configuration of --try. Lines of the port and the redirector are added.
//
//go:embed try.conf
var trialConf string

// What messages call it, and where it has its authority from. No file is meant.
const (
	trialName = "(the built-in configuration)"
	trialCert = "(throw-away.crt)"
	trialKey  = "(throw-away.key)"
)

// A throwAway is an authority that lives no longer than the program: in --try the page of a blocked https
// site is to be seen without anything being installed.
type throwAway struct {
	cert, key []byte // PEM
	pin       string // of the certificate's key, as Chromium wants it
}

// theThrowAway is made once, so that a reload has the same.
var theThrowAway = sync.OnceValues(func() (throwAway, error) {
	cert, key, err := authority.Make("ExaProxy --try, until it ends", time.Now())
	if err != nil {
		return throwAway{}, err
	}
	pair, err := authority.Parse(cert, key)
	if err != nil {
		return throwAway{}, err
	}
	pin := sha256.Sum256(pair.Leaf.RawSubjectPublicKeyInfo)
	return throwAway{cert, key, base64.StdEncoding.EncodeToString(pin[:])}, nil
})

// loadTrial loads the configuration of --try.
func loadTrial(o *options, over compat.Overrides) (*compat.Settings, error) {
	ca, err := theThrowAway()
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{trialName: trialText(o), trialCert: ca.cert, trialKey: ca.key}
	over.KeepUser = true // the redirector may stand in a home that nobody else can enter
	over.Ports = nil     // they are in the text
	over.Open = func(name string) (io.ReadCloser, error) {
		if text, ok := files[name]; ok {
			return io.NopCloser(bytes.NewReader(text)), nil
		}
		return os.Open(name)
	}
	return compat.Load(trialName, over)
}

// trialText is the configuration, with the ports and the redirector of the command line.
func trialText(o *options) []byte {
	text := []byte(trialConf)
	ports := o.ports
	if len(ports) == 0 {
		ports = []string{"127.0.0.1:3128"}
	}
	for _, port := range ports {
		text = fmt.Appendf(text, "http_port %s tls-cert=%s tls-key=%s\n", port, trialCert, trialKey)
	}
	if o.try != "" {
		text = fmt.Appendf(text, "url_rewrite_program %s\n", o.try)
	}
	return text
}

// welcome says to somebody who tries it what to try. addr is where it listens.
func welcome(to io.Writer, o *options, addr netip.AddrPort) {
	fmt.Fprintf(to, `ExaProxy %s serves http://%s
  try     curl -x http://%s http://example.com/
  and     curl -x http://%s https://example.com/
`, version, addr, addr, addr)
	if ca, err := theThrowAway(); err == nil {
		fmt.Fprintf(to, `  or      chromium --user-data-dir=$(mktemp -d) --proxy-server=http://%s \
                   --ignore-certificate-errors-spki-list=%s https://denied.example.com/
It shows the page of what is denied inside TLS, under an authority that is made anew at each start.
`, addr, ca.pin)
	}
	if o.try == "" {
		fmt.Fprintln(to, "Nobody is asked about URLs: name a redirector with --try=PROGRAM.")
	} else {
		fmt.Fprintf(to, "Each URL is put to %s. The example blocks ads.example.com and others.\n", o.try)
	}
	fmt.Fprintln(to, "Requests are shown as they end. Control-C ends it.")
}
