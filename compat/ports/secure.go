package ports

import (
	"crypto/tls"
	"fmt"
	"strings"
	"time"

	"exaproxy/compat/authority"
	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
	"exaproxy/engine"
)

// tlsOptions are the TLS options of a port. On an http_port they name an authority, under whose
// certificates clients whose CONNECT was refused are shown why; on an https_port the certificate of the
// proxy itself.
type tlsOptions struct {
	directive, port string // as written

	cert, key string // paths
	memory    int64  // dynamic_cert_mem_cache_size, bytes; 0: not given
	min       uint16 // tls-min-version; 0: not given
	bump      bool   // ssl-bump
}

const (
	// defaultMemory is Squid's, 4 MB.
	defaultMemory = 4 << 20
	// certificateSize is what one certificate is taken to need of it, as in Squid.
	certificateSize = 4 << 10
)

// set takes one option.
func (o *tlsOptions) set(name, value, option string) (err error) {
	switch name {
	case "tls-cert", "cert":
		if o.cert != "" {
			return o.refuse(option, "there is one certificate on a port")
		}
		o.cert = value
	case "tls-key", "key":
		o.key = value
	case "ssl-bump":
		if o.directive == "https_port" {
			return o.refuse(option, "the tunnels of a port where the proxy itself speaks TLS are not looked into")
		}
		o.bump = true
	case "tls-min-version":
		var known bool
		if o.min, known = authority.Version(value); !known {
			return o.invalid("'%s': the versions of TLS are 1.0, 1.1, 1.2 and 1.3", option)
		}
	case "dynamic_cert_mem_cache_size":
		o.memory, err = conf.ParseSize(value)
		o.memory = max(o.memory, 1)
	case "generate-host-certificates":
		if value != "" && value != "on" {
			return o.refuse(option, "the certificates that clients are shown are made for each host")
		}
	default:
		if strings.HasPrefix(name, "tls-") || strings.HasPrefix(name, "ssl") || name == "options" || name == "cipher" || name == "clientca" {
			return o.refuse(name, "the only TLS options are tls-cert=, tls-key= and tls-min-version=")
		}
		return conf.Invalid{fmt.Sprintf("FATAL: Unknown %s option '%s'.", o.directive, option)}
	}
	return err
}

func (o *tlsOptions) refuse(option, why string) error {
	return conf.Invalid{fmt.Sprintf("ERROR: %s option '%s' cannot be followed yet: %s", o.directive, option, why)}
}

func (o *tlsOptions) invalid(format string, a ...any) error {
	return conf.Invalid{fmt.Sprintf("FATAL: %s %s: ", o.directive, o.port) + fmt.Sprintf(format, a...)}
}

// use gives the port what the options say.
func (o *tlsOptions) use(c *directive.Context, port *engine.Port) error {
	secure := o.directive == "https_port"
	switch {
	case o.cert == "" && secure:
		return o.invalid("it needs tls-cert=")
	case o.cert == "" && o.key != "":
		return o.invalid("tls-key= needs tls-cert=")
	case o.cert == "" && o.bump:
		return o.invalid("ssl-bump needs tls-cert= with an authority ('exaproxy make-ca DIR' makes one)")
	case o.cert == "":
		return nil
	}
	chain, err := authority.Read(c.ReadFile, o.cert, o.key)
	if err != nil {
		return o.invalid("tls-cert=%s: %s", o.cert, err)
	}
	if secure {
		port.TLS = &tls.Config{Certificates: []tls.Certificate{chain}, MinVersion: o.min, NextProtos: []string{"http/1.1"}}
		return nil
	}
	memory := o.memory
	if memory == 0 {
		memory = defaultMemory
	}
	a, err := authority.New(chain, int(memory/certificateSize), time.Now)
	if err != nil {
		return o.invalid("tls-cert=%s: %s", o.cert, err)
	}
	port.Certificate, port.Bump, port.State = a.Certificate, o.bump, a
	return nil
}
