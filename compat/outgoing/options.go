package outgoing

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"strings"

	"exaproxy/compat/authority"
	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
	"exaproxy/compat/verify"
)

// Option takes one option.
func (s *Settings) Option(c *directive.Context, option string) error {
	name, value, _ := strings.Cut(option, "=")
	switch name {
	case "":
	case "cert":
		s.cert = value
	case "key":
		s.key = value
	case "cafile":
		if err := s.trusted.AddFile(c, value); err != nil {
			return s.refuse("cafile=%s: %s", value, err)
		}
	case "capath":
		if err := s.trusted.AddFolder(c, value); err != nil {
			return s.refuse("capath=%s: %s", value, err)
		}
	case "crlfile":
		return s.revoke(c, value)
	case "default-ca":
		s.noDefaults = value == "off"
	case "min-version", "options", "version", "cipher":
		if err := s.protocol.Set(name, value, c.Say); err != nil {
			return s.refuse("'%s': %s", option, err)
		}
	case "flags":
		return s.flags(c, value)
	case "domain", "no-npn":
		c.Say(1, "NOTICE: %s: '%s' has no effect: servers are verified by the host of the URL", cmp.Or(s.Usage, "tls_outgoing_options"), option)
	case "disable":
		return s.refuse("'disable' cannot be followed: deny https:// URLs by http_access and an acl of the type proto")
	default:
		return s.refuse("Unknown TLS option '%s'", option)
	}
	return nil
}

// refuse words an error.
func (s *Settings) refuse(format string, a ...any) error {
	return conf.Invalid{"FATAL: " + cmp.Or(s.Usage, "tls_outgoing_options") + ": " + fmt.Sprintf(format, a...)}
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
			return s.refuse("Unknown TLS flag '%s'", flag)
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
	config, err := s.protocol.Config()
	if err != nil {
		return s.refuse("%s", err)
	}
	config.InsecureSkipVerify = s.anyPeer
	s.Config = config
	if s.verify.Roots, err = s.trusted.Pool(!s.noDefaults); err != nil {
		return s.refuse("whom the system trusts: %s", err)
	}
	if s.cert == "" {
		if s.key != "" {
			return conf.Invalid{"FATAL: cert= option must be set before key= is used."}
		}
		return nil
	}
	pair, err := authority.Read(c.ReadFile, s.cert, s.key) // for servers that ask for one
	if err != nil {
		return s.refuse("%s", err)
	}
	s.Config.Certificates = []tls.Certificate{pair}
	return nil
}
