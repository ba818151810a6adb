package outgoing

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"strings"

	"exaproxy/compat/authority"
	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
	"exaproxy/compat/openssl"
	"exaproxy/compat/verify"
)

// option takes one option.
func (s *Settings) option(c *directive.Context, option string) error {
	name, value, _ := strings.Cut(option, "=")
	switch name {
	case "":
	case "cert":
		s.cert = value
	case "key":
		s.key = value
	case "cafile":
		return s.trustFile(c, value)
	case "capath":
		return s.trustFolder(c, value)
	case "crlfile":
		return s.revoke(c, value)
	case "default-ca":
		s.noDefaults = value == "off"
	case "min-version":
		version, ok := authority.Version(value)
		if !ok {
			return refuse("'%s': the versions of TLS are 1.0, 1.1, 1.2 and 1.3", option)
		}
		s.min = version
	case "version":
		options, only, err := openssl.Obsolete(value)
		if err != nil {
			return refuse("'%s': %s", option, err)
		}
		s.options, s.min = s.options|options, cmp.Or(only, s.min)
	case "flags":
		return s.flags(c, value)
	case "options":
		options, unknown := openssl.ParseOptions(value)
		for _, word := range unknown {
			c.Say(0, "ERROR: Unknown TLS option %s", word)
		}
		s.options |= options
	case "cipher":
		ciphers, err := openssl.Ciphers(value)
		if err != nil {
			return refuse("cipher=%s: %s", value, err)
		}
		s.ciphers = ciphers
	case "domain", "no-npn":
		c.Say(1, "NOTICE: tls_outgoing_options: '%s' has no effect: servers are verified by the host of the URL", option)
	case "disable":
		return refuse("'disable' cannot be followed: deny https:// URLs by http_access and an acl of the type proto")
	default:
		return refuse("Unknown TLS option '%s'", option)
	}
	return nil
}

// refuse words an error.
func refuse(format string, a ...any) error {
	return conf.Invalid{"FATAL: tls_outgoing_options: " + fmt.Sprintf(format, a...)}
}

func (s *Settings) flags(c *directive.Context, value string) error {
	for flag := range strings.FieldsFuncSeq(value, separates) {
		switch flag {
		case "DONT_VERIFY_PEER":
			s.anyPeer = true
			c.Say(0, "SECURITY WARNING: Peer certificates are not verified for validity!")
		case "DONT_VERIFY_DOMAIN":
			s.anyName = true
		case "NO_DEFAULT_CA":
			c.Say(0, "WARNING: flags=NO_DEFAULT_CA is deprecated. Use tls-default-ca=off instead.")
			s.noDefaults = true
		case "VERIFY_CRL", "VERIFY_CRL_ALL":
			s.revoked().All = s.revoked().All || flag == "VERIFY_CRL_ALL"
		case "NO_SESSION_REUSE":
			// there is none
		case "CONDITIONAL_AUTH", "DELAYED_AUTH":
			// of clients, which these are not
		default:
			return refuse("Unknown TLS flag '%s'", flag)
		}
	}
	return nil
}

func separates(c rune) bool { return c == ',' || c == ':' }

// revoked are the lists that certificates are looked up in; none are too.
func (s *Settings) revoked() *verify.Revoked {
	if s.verify.Revoked == nil {
		s.verify.Revoked = &verify.Revoked{}
	}
	return s.verify.Revoked
}

// apply makes of all options what the engine wants to have.
func (s *Settings) apply(c *directive.Context) error {
	from, to, err := s.options.Versions(s.min)
	if err != nil {
		return refuse("%s", err)
	}
	s.Config = &tls.Config{CipherSuites: s.ciphers, InsecureSkipVerify: s.anyPeer, MinVersion: from, MaxVersion: to}
	if err := s.trust(); err != nil {
		return err
	}
	if s.cert == "" {
		if s.key != "" {
			return conf.Invalid{"FATAL: cert= option must be set before key= is used."}
		}
		return nil
	}
	pair, err := authority.Read(c.ReadFile, s.cert, s.key) // for servers that ask for one
	if err != nil {
		return refuse("cert=%s: %s", s.cert, err)
	}
	s.Config.Certificates = []tls.Certificate{pair}
	return nil
}
