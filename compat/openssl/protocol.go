package openssl

import (
	"cmp"
	"crypto/tls"
	"errors"
)

// A Protocol is which TLS is spoken, by the options that http_port, https_port and tls_outgoing_options have in
// common. The zero Protocol is TLS 1.2 and later with the ciphers of crypto/tls.
type Protocol struct {
	min     uint16 // 0: not given
	options options
	ciphers []uint16 // nil: not given
}

var versions = map[string]uint16{"1.0": tls.VersionTLS10, "1.1": tls.VersionTLS11, "1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}

// Set takes the value of min-version=, options=, version= or cipher=. Words of options= that nobody knows are left
// out with an error in cache.log, as by Squid.
func (p *Protocol) Set(name, value string, log func(level int, format string, args ...any)) (err error) {
	switch name {
	case "min-version":
		if p.min = versions[value]; p.min == 0 {
			return errors.New("the versions of TLS are 1.0, 1.1, 1.2 and 1.3")
		}
	case "options":
		options, unknown := parseOptions(value)
		for _, word := range unknown {
			log(0, "ERROR: Unknown TLS option %s", word)
		}
		p.options |= options
	case "version":
		options, only, err := obsolete(value)
		if err != nil {
			return err
		}
		p.options, p.min = p.options|options, cmp.Or(only, p.min)
	case "cipher":
		p.ciphers, err = Ciphers(value)
	default:
		panic("BUG: " + name + " is no option of which TLS is spoken")
	}
	return err
}

// Config is a new configuration of crypto/tls.
func (p *Protocol) Config() (*tls.Config, error) {
	from, to, err := p.options.versions(p.min)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion: from, MaxVersion: to, CipherSuites: p.ciphers, SessionTicketsDisabled: p.options&noTicket != 0,
	}, nil
}
