package ports

import (
	"crypto/ed25519"
	"crypto/tls"
	"fmt"
	"strings"
	"time"

	"exaproxy/compat/authority"
	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
	"exaproxy/compat/openssl"
	"exaproxy/engine"
)

// tlsOptions are the TLS options of a port. On an http_port they name an authority, under whose
// certificates clients whose CONNECT was refused are shown why; on an https_port the certificates of the
// proxy itself.
type tlsOptions struct {
	directive, port string // as written
	at              conf.Pos

	pairs    []pair
	memory   int64 // dynamic_cert_mem_cache_size, bytes; 0: not given
	protocol openssl.Protocol
	clients  clientOptions
	bump     bool // ssl-bump
}

const (
	// defaultMemory is Squid's, 4 MB.
	defaultMemory = 4 << 20
	// certificateSize is what one certificate is taken to need of it, as in Squid.
	certificateSize = 4 << 10
)

// plainNames are what options are called that need no tls- in front, and what with it.
var plainNames = map[string]string{
	"cert": "cert", "key": "key", "version": "version", "options": "options", "cipher": "cipher", "clientca": "clientca",
	"cafile": "cafile", "capath": "capath", "crlfile": "crlfile", "dhparams": "dh", "sslflags": "flags", "sslcontext": "context",
	"dynamic_cert_mem_cache_size": "dynamic_cert_mem_cache_size", "generate-host-certificates": "generate-host-certificates",
}

// set takes one option.
func (o *tlsOptions) set(c *directive.Context, name, value, option string) error {
	if name == "ssl-bump" {
		o.bump = true
		return nil
	}
	known, ok := strings.CutPrefix(name, "tls-")
	if !ok {
		if known = plainNames[name]; known == "" {
			return o.unknown(option)
		}
		o.deprecated(c, name, option)
	}
	switch known {
	case "cert", "key", "ocsp-staple":
		return o.setPair(known, value)
	case "min-version", "options", "cipher", "version":
		if err := o.protocol.Set(known, value, c.Say); err != nil {
			return o.invalid("'%s': %s", option, err)
		}
		return nil
	case "clientca", "cafile", "capath", "crlfile", "default-ca", "flags":
		return o.setClients(c, known, value)
	case "dh":
		c.Say(1, "NOTICE: %s option '%s' has no effect: keys are exchanged over elliptic curves, which need no parameters", o.directive, option)
		return nil
	case "context", "no-npn":
		return nil // what Squid keeps sessions apart by; what nobody speaks
	}
	return o.setAuthority(known, value, option)
}

// deprecated says, as Squid does, what an option is called today.
func (o *tlsOptions) deprecated(c *directive.Context, name, option string) {
	switch name {
	case "cafile", "capath", "crlfile":
		c.Say(1, "UPGRADE WARNING: '%s' is deprecated in %s. Use 'tls-%s=' instead.", option, o.directive, name)
	case "version":
		c.Say(1, "UPGRADE WARNING: '%s' is deprecated in %s. Use 'options=' instead.", option, o.directive)
	case "dhparams":
		c.Say(1, "WARNING: '%s' is deprecated in %s. Use 'tls-dh=' instead.", option, o.directive)
	}
}

// setAuthority takes an option about the certificates that are made.
func (o *tlsOptions) setAuthority(name, value, option string) (err error) {
	switch name {
	case "dynamic_cert_mem_cache_size":
		o.memory, err = conf.ParseSize(value)
		o.memory = max(o.memory, 1)
	case "generate-host-certificates":
		if value != "" && value != "on" {
			return o.refuse(option, "the certificates that clients are shown are made for each host")
		}
	default:
		return o.unknown(option)
	}
	return err
}

func (o *tlsOptions) unknown(option string) error {
	return conf.Invalid{fmt.Sprintf("FATAL: Unknown %s option '%s'.", o.directive, option)}
}

func (o *tlsOptions) refuse(option, why string) error {
	return conf.Invalid{fmt.Sprintf("ERROR: %s option '%s' cannot be followed yet: %s", o.directive, option, why)}
}

func (o *tlsOptions) invalid(format string, a ...any) error {
	return conf.Invalid{fmt.Sprintf("FATAL: %s %s: ", o.directive, o.port) + fmt.Sprintf(format, a...)}
}

// use gives the port what the options say.
func (o *tlsOptions) use(c *directive.Context, port *engine.Port) error {
	config, err := o.protocol.Config()
	if err != nil {
		return o.invalid("%s", err)
	}
	config.NextProtos = []string{"http/1.1"}
	switch {
	case o.directive == "https_port" && port.Mode.Diverted():
		if err := o.divert(port); err != nil {
			return err
		}
	case o.directive == "https_port" && o.bump:
		return conf.Invalid{"FATAL: ssl-bump on https_port requires tproxy/intercept which is missing."}
	case o.directive == "https_port":
		return o.secure(c, port, config)
	}
	return o.authority(c, port, config)
}

// secure makes the port one to which clients speak TLS.
func (o *tlsOptions) secure(c *directive.Context, port *engine.Port, config *tls.Config) error {
	if len(o.pairs) == 0 {
		return o.invalid("it needs tls-cert=")
	}
	own, err := o.read(c)
	if err != nil {
		return err
	}
	config.GetCertificate = own.choose
	config.SessionTicketsDisabled = config.SessionTicketsDisabled || o.clients.noSessions
	port.TLS = config
	return o.ask(c, port)
}

// authority makes the port one with an authority, if it has a certificate.
func (o *tlsOptions) authority(c *directive.Context, port *engine.Port, config *tls.Config) error {
	switch {
	case o.clients.given():
		return o.invalid("certificates of clients are asked for on an https_port")
	case len(o.pairs) == 0 && o.bump:
		return o.invalid("ssl-bump needs tls-cert= with an authority ('exaproxy make-ca DIR' makes one)")
	case len(o.pairs) == 0:
		return nil
	case len(o.pairs) > 1:
		return o.invalid("there is one authority on a port")
	case o.pairs[0].staple != "":
		return o.invalid("tls-ocsp-staple= is for the certificates of an https_port")
	}
	chain, err := authority.Read(c.ReadFile, o.pairs[0].cert, o.pairs[0].key)
	if err != nil {
		return o.invalid("tls-%s", err)
	}
	memory := o.memory
	if memory == 0 {
		memory = defaultMemory
	}
	a, err := authority.New(chain, int(memory/certificateSize), time.Now)
	if err != nil {
		return o.invalid("tls-cert=%s: %s", o.pairs[0].cert, err)
	}
	o.warnOfExpiry(c, o.pairs[0].cert, chain.Leaf, time.Now())
	if _, ok := chain.PrivateKey.(ed25519.PrivateKey); ok {
		c.Say(1, "WARNING: %s %s: the key of tls-cert=%s is one of Ed25519: browsers do not take what it signs", o.directive, o.port, o.pairs[0].cert)
	}
	port.Certificate, port.InTunnels, port.Bump, port.State = a.Certificate, config, o.bump, a
	return nil
}
