package ports

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
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
	files := hashedFiles{c, sha256.New()}
	asked, t, err := k.read(files)
	if err != nil {
		return o.invalid("%s", err)
	}
	config := port.TLS
	config.ClientCAs, config.VerifyConnection = asked, t.verify
	config.ClientAuth = tls.RequireAnyClientCert // and verify judges it, when a session is resumed too
	if k.optional {
		config.ClientAuth = tls.RequestClientCert
	}
	fmt.Fprint(files.seen, t.revoked != nil, k.checkAll, k.system)
	port.Audience = hex.EncodeToString(files.seen.Sum(nil))
	return nil
}

// hashedFiles are files of which is kept, as a hash, what has been read.
type hashedFiles struct {
	*directive.Context
	seen hash.Hash
}

// ReadFile reads a file that the configuration names.
func (f hashedFiles) ReadFile(name string) ([]byte, error) {
	text, err := f.Context.ReadFile(name)
	f.seen.Write(text)
	return text, err
}

// read reads whose certificates are asked for, and who may vouch for clients: the same, unless cafile= names
// others.
func (o *clientOptions) read(files hashedFiles) (asked *x509.CertPool, t *trust, err error) {
	var named, trusted verify.Authorities
	if err := named.AddFile(files, o.asked); err != nil {
		return nil, nil, fmt.Errorf("clientca=%s: %w", o.asked, err)
	}
	if asked, err = named.Pool(false); err != nil {
		return nil, nil, err
	}
	if len(o.trusted) == 0 {
		trusted = named
	}
	for _, path := range o.trusted {
		if err := trusted.AddFile(files, path); err != nil {
			return nil, nil, fmt.Errorf("tls-cafile=%s: %w", path, err)
		}
	}
	if o.folder != "" {
		if err := trusted.AddFolder(files, o.folder); err != nil {
			return nil, nil, fmt.Errorf("tls-capath=%s: %w", o.folder, err)
		}
	}
	t = &trust{}
	if t.roots, err = trusted.Pool(o.system); err != nil {
		return nil, nil, fmt.Errorf("tls-default-ca: %w", err)
	}
	if t.revoked, err = o.lists(files); err != nil {
		return nil, nil, fmt.Errorf("tls-crlfile=%s: %w", o.revoked, err)
	}
	return asked, t, nil
}

// lists reads the CRLs, if clients are looked up in some.
func (o *clientOptions) lists(files hashedFiles) (*verify.Revoked, error) {
	switch {
	case o.revoked == "" && o.check:
		return nil, errors.New("VERIFY_CRL needs a file of CRLs")
	case o.revoked == "":
		return nil, nil
	}
	text, err := files.ReadFile(o.revoked)
	if err != nil {
		return nil, err
	}
	r := &verify.Revoked{All: o.checkAll}
	_, err = r.Add(text)
	return r, err
}
