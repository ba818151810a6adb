package ports

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
	"exaproxy/compat/verify"
	"exaproxy/engine"
)

// clientOptions are the options of a port about certificates of clients.
type clientOptions struct {
	asked   string   // clientca=: the path of those whose certificates are asked for
	trusted []string // cafile=; none: those of clientca=
	folder  string   // capath=
	revoked string   // crlfile=
	system  bool     // tls-default-ca

	never      bool // flags=DONT_VERIFY_PEER, DELAYED_AUTH: none is asked for
	optional   bool // flags=CONDITIONAL_AUTH
	check      bool // flags=VERIFY_CRL
	checkAll   bool // flags=VERIFY_CRL_ALL
	noSessions bool // flags=NO_SESSION_REUSE
}

func (o *clientOptions) given() bool { return o.asked != "" }

// setClients takes one of these options.
func (o *tlsOptions) setClients(c *directive.Context, name, value string) error {
	k := &o.clients
	switch name {
	case "clientca":
		k.asked = value
	case "cafile":
		k.trusted = append(k.trusted, value)
	case "capath":
		k.folder = value
	case "crlfile":
		k.revoked = value
	case "default-ca":
		k.system = value == "" || value == "on"
	case "flags":
		for flag := range strings.FieldsFuncSeq(value, func(r rune) bool { return r == ',' || r == ':' }) {
			if err := k.flag(c, flag); err != nil {
				return err
			}
		}
	}
	return nil
}

// flag takes a flag of sslflags=.
func (o *clientOptions) flag(c *directive.Context, flag string) error {
	switch flag {
	case "DELAYED_AUTH":
		o.never = true
		c.Say(1, "NOTICE: with DELAYED_AUTH no client is asked for a certificate, as in Squid 5.7: acls of the types user_cert and ca_cert match nobody")
	case "DONT_VERIFY_PEER":
		o.never = true
		c.Say(1, "SECURITY WARNING: Peer certificates are not verified for validity!")
		c.Say(1, "UPGRADE NOTICE: The DONT_VERIFY_PEER flag is deprecated. Remove the clientca= option to disable client certificates.")
	case "CONDITIONAL_AUTH":
		o.optional = true
	case "NO_DEFAULT_CA":
		o.system = false
		c.Say(1, "WARNING: flags=NO_DEFAULT_CA is deprecated. Use tls-default-ca=off instead.")
	case "NO_SESSION_REUSE":
		o.noSessions = true
	case "VERIFY_CRL":
		o.check = true
	case "VERIFY_CRL_ALL":
		o.check, o.checkAll = true, true
	case "DONT_VERIFY_DOMAIN": // clients have none
	default:
		return conf.Invalid{fmt.Sprintf("FATAL: Unknown TLS flag '%s'", flag)}
	}
	return nil
}

// ask has clients of the port be asked for a certificate, if the options want that.
func (o *tlsOptions) ask(c *directive.Context, port *engine.Port) error {
	k := &o.clients
	if !k.given() || k.never {
		return nil
	}
	t := trust{roots: x509.NewCertPool(), seen: sha256.New()}
	if k.check || k.revoked != "" {
		t.revoked = &verify.Revoked{All: k.checkAll}
	}
	asked := x509.NewCertPool()
	if err := t.add(c, asked, k.asked); err != nil {
		return o.invalid("clientca=%s: %s", k.asked, err)
	}
	if err := t.read(c, k); err != nil {
		return o.invalid("%s", err)
	}
	config := port.TLS
	config.ClientCAs, config.VerifyConnection = asked, t.verify
	config.ClientAuth = tls.RequireAnyClientCert // and verify judges it, when a session is resumed too
	if k.optional {
		config.ClientAuth = tls.RequestClientCert
	}
	fmt.Fprint(t.seen, t.revoked != nil, k.checkAll, k.system)
	port.Audience = hex.EncodeToString(t.seen.Sum(nil))
	return nil
}

// read reads who may vouch for clients: those of clientca= unless cafile= names others.
func (t *trust) read(c *directive.Context, k *clientOptions) (err error) {
	if k.system {
		if t.roots, err = x509.SystemCertPool(); err != nil {
			return fmt.Errorf("tls-default-ca: %w", err)
		}
	}
	if len(k.trusted) == 0 {
		if err := t.add(c, t.roots, k.asked); err != nil {
			return fmt.Errorf("clientca=%s: %w", k.asked, err)
		}
	}
	for _, path := range k.trusted {
		if err := t.add(c, t.roots, path); err != nil {
			return fmt.Errorf("tls-cafile=%s: %w", path, err)
		}
	}
	if k.folder != "" {
		if err := t.addFolder(c, k.folder); err != nil {
			return fmt.Errorf("tls-capath=%s: %w", k.folder, err)
		}
	}
	if t.revoked != nil {
		if err := t.addLists(c, k.revoked); err != nil {
			return fmt.Errorf("tls-crlfile=%s: %w", k.revoked, err)
		}
	}
	return nil
}

// add adds the certificates of a file to a pool.
func (t *trust) add(c *directive.Context, pool *x509.CertPool, path string) error {
	text, err := c.ReadFile(path)
	if err != nil {
		return err
	}
	if !pool.AppendCertsFromPEM(text) {
		return errors.New("there is no certificate in it")
	}
	t.seen.Write(text)
	return nil
}

// addFolder adds those of all files of a folder, as c_rehash(1) links them.
func (t *trust) addFolder(c *directive.Context, folder string) error {
	if strings.ContainsAny(folder, `*?[\`) {
		return errors.New("a pattern is no folder")
	}
	paths, err := conf.Match(strings.TrimSuffix(folder, "/") + "/*")
	if err != nil {
		return err
	}
	found := false
	for _, path := range paths {
		text, err := c.ReadFile(path)
		if err == nil && t.roots.AppendCertsFromPEM(text) {
			found = true
			t.seen.Write(text)
		}
	}
	if !found {
		return errors.New("there is no certificate in it that can be read")
	}
	return nil
}
