package main

import (
	_ "embed"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"

	"exaproxy/compat"
)

// trialConf is the configuration of --try. Lines of the port and the redirector are added.
//
//go:embed try.conf
var trialConf string

// trialName is what messages call it.
const trialName = "(the built-in configuration)"

// loadTrial loads the configuration of --try.
func loadTrial(o *options, over compat.Overrides) (*compat.Settings, error) {
	text := trialConf
	if len(o.ports) == 0 {
		text += "http_port 127.0.0.1:3128\n"
	}
	if o.try != "" {
		text += "url_rewrite_program " + o.try + "\n"
	}
	over.KeepUser = true // the redirector may stand in a home that nobody else can enter
	over.Open = func(name string) (io.ReadCloser, error) {
		if name == trialName {
			return io.NopCloser(strings.NewReader(text)), nil
		}
		return os.Open(name)
	}
	return compat.Load(trialName, over)
}

// welcome says to somebody who tries it what to try. addr is where it listens.
func welcome(to io.Writer, o *options, addr netip.AddrPort) {
	fmt.Fprintf(to, `ExaProxy %s serves http://%s
  try     curl -x http://%s http://example.com/
  and     curl -x http://%s https://example.com/
`, version, addr, addr, addr)
	if o.try == "" {
		fmt.Fprintln(to, "Nobody is asked about URLs: name a redirector with --try=PROGRAM.")
	} else {
		fmt.Fprintf(to, "Each URL is put to %s. The example blocks ads.example.com and others.\n", o.try)
	}
	fmt.Fprintln(to, "Requests are shown as they end. Control-C ends it.")
}
