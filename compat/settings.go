package compat

import (
	"fmt"
	"slices"

	"exaproxy/compat/access"
	"exaproxy/compat/acl"
	"exaproxy/compat/auth"
	"exaproxy/compat/bump"
	"exaproxy/compat/certs"
	"exaproxy/compat/conf"
	"exaproxy/compat/connection"
	"exaproxy/compat/directive"
	"exaproxy/compat/errpage"
	"exaproxy/compat/external"
	"exaproxy/compat/guard"
	"exaproxy/compat/headers"
	"exaproxy/compat/indirect"
	"exaproxy/compat/intercept"
	"exaproxy/compat/logs"
	"exaproxy/compat/manager"
	"exaproxy/compat/names"
	"exaproxy/compat/notes"
	"exaproxy/compat/outgoing"
	"exaproxy/compat/packets"
	"exaproxy/compat/peers"
	"exaproxy/compat/ports"
	"exaproxy/compat/program"
	"exaproxy/compat/redirector"
	"exaproxy/compat/reportonly"
	"exaproxy/compat/tunnel"
	"exaproxy/compat/upgrade"
	"exaproxy/compat/verdict"
	"exaproxy/engine"
)

// Settings is what a configuration asks for, each feature's part in a field of its own. Load makes
// it and nobody changes it afterwards: the policies of all workers read the same one.
type Settings struct {
	Path    string       // the main file
	Version conf.Version // squid_version
	acls    *acl.Set
	observe func(*acl.Trace) // of Explain

	Program    program.Settings
	Ports      ports.Settings
	Connection connection.Settings
	Indirect   indirect.Settings
	Names      names.Settings
	Headers    headers.Settings
	Upgrade    upgrade.Settings
	Auth       auth.Settings
	External   external.Settings
	Access     access.Settings
	Guard      guard.Settings
	Intercept  intercept.Settings
	Redirector redirector.Settings
	ReportOnly reportonly.Settings
	Verdict    verdict.Settings
	Tunnel     tunnel.Settings
	Bump       bump.Settings
	Certs      certs.Settings
	Outgoing   outgoing.Settings
	Packets    packets.Settings
	Peers      peers.Settings
	Manager    manager.Settings
	Notes      notes.Settings
	Pages      errpage.Settings
	Logs       logs.Settings
}

// defaults are Squid 5.7's, as Debian builds it, where the file says nothing.
func defaults(acls *acl.Set) *Settings {
	s := &Settings{
		acls:       acls,
		Program:    program.Defaults(),
		Indirect:   indirect.Defaults(acls),
		Names:      names.Defaults(),
		Headers:    headers.Defaults(),
		Auth:       auth.Defaults(),
		Access:     access.Defaults(acls),
		Guard:      guard.Defaults(),
		Intercept:  intercept.Defaults(acls),
		Redirector: redirector.Defaults(acls),
		Peers:      peers.Defaults(acls),
		Pages:      errpage.Defaults(),
		Logs:       logs.Defaults(),
	}
	acls.Schemes, acls.External = s.Auth.Enabled, s.External.Find
	return s
}

// directives are the setters of all features.
func (s *Settings) directives() directive.Set {
	all := directive.Set{
		"configuration_includes_quoted_values": directive.Nothing, // package conf follows it
		"squid_version":                        checkVersion,
	}
	for _, feature := range []interface{ Directives() directive.Set }{
		&s.Program, &s.Ports, &s.Connection, &s.Indirect, &s.Names, &s.Headers, &s.Upgrade, &s.Auth, &s.External, &s.Access, &s.Guard, &s.Intercept, &s.Redirector, &s.ReportOnly, &s.Verdict, &s.Tunnel, &s.Bump, &s.Certs, &s.Outgoing, &s.Peers, &s.Manager, &s.Packets, &s.Pages, &s.Notes, &s.Logs,
	} {
		all.Add(feature.Directives())
	}
	return all
}

// finish has each feature judge its settings as a whole, after the last line. An error is why the
// configuration cannot be used.
func (s *Settings) finish(c *directive.Context, commandLine []string) error {
	if err := s.Auth.Finish(c); err != nil {
		return err
	}
	if err := s.External.Finish(); err != nil {
		return err
	}
	s.Access.Finish(c)
	s.Connection.Finish(c)
	if err := s.ReportOnly.Finish(c, s.Access.Rules); err != nil {
		return err
	}
	s.Logs.Finish(c) // looks at acls
	if err := s.Ports.Finish(c, commandLine, s.Path); err != nil {
		return err
	}
	if err := s.Verdict.Finish(s.Ports); err != nil {
		return err
	}
	if err := s.Tunnel.Finish(c); err != nil {
		return err
	}
	s.Bump.Finish(c, s.Ports)
	s.sayNoHello(c)
	s.Guard.Finish(s.Ports)
	s.Packets.Finish(c)
	s.Headers.Finish(c)
	if err := s.Names.Finish(c); err != nil {
		return err
	}
	if err := s.Redirector.Finish(c.Say); err != nil {
		return err
	}
	s.ReportOnly.CheckHelper(c, s.Redirector.Enabled())
	s.Pages.Finish(c, s.Access.Pages())
	s.Redirector.ReadPages(c, s.Pages.Directory)
	return nil
}

// sayNoHello warns of acls that are about a ClientHello where nobody reads one, or not before they are asked.
func (s *Settings) sayNoHello(c *directive.Context) {
	if slices.ContainsFunc(s.Ports, func(p engine.Port) bool { return p.Bump }) {
		return
	}
	switch access := s.Tunnel.Access; {
	case !c.ACLs.HasType("ssl::encrypted_hello"):
	case !s.Tunnel.Check:
		c.Say(1, "WARNING: acls of the type ssl::encrypted_hello never match: no ClientHello is looked at, which ssl_bump peek does on a port with ssl-bump")
	case access != nil && access.NeedsHello():
		c.Say(1, "WARNING: an acl of the type ssl::encrypted_hello never matches in tunnel_check_access: the ClientHello comes later, but for ssl_bump peek on a port with ssl-bump")
	}
}

// namesClients says whether anybody is told the names of clients: only then are they looked up.
func (s *Settings) namesClients() bool {
	return s.Redirector.NamesClients() || s.Logs.NamesClients() || s.External.NamesClients() || s.Auth.NamesClients() ||
		s.Headers.NamesClients() || s.Pages.NamesClients()
}

// logsReplies says whether acls of access_log or note are about the reply.
func (s *Settings) logsReplies() bool { return s.Logs.NeedReply() || s.Notes.NeedReply() }

// HasKeys says whether the settings have private keys, or write secrets of TLS.
func (s *Settings) HasKeys() bool {
	c := s.Outgoing.Config
	return s.Ports.HasKeys() || s.Peers.HasKeys() || s.Logs.KeyLog != nil || c != nil && len(c.Certificates) > 0
}

// NeedsNetRaw says whether the proxy needs CAP_NET_RAW for as long as it serves: to mark packets (SO_MARK), or to connect
// from the addresses of clients (IP_TRANSPARENT).
func (s *Settings) NeedsNetRaw() bool {
	return s.Packets.Marks() || slices.ContainsFunc(s.Ports, func(p engine.Port) bool { return p.Mode == engine.TPROXY })
}

// checkProgram returns what is wrong with the user whom the proxy becomes, or else, with helpers, why he cannot run them.
func (s *Settings) checkProgram(helpers bool) []error {
	if err := s.Program.Finish(); err != nil {
		return []error{err}
	}
	if !helpers {
		return nil
	}
	return s.checkHelpers()
}

// checkHelpers returns why helpers cannot be run by the user whom the proxy becomes.
func (s *Settings) checkHelpers() (wrong []error) {
	check := func(place string, argv []string) {
		if err := s.Program.CheckHelper(argv[0]); err != nil {
			wrong = append(wrong, fmt.Errorf("%s %s: %w", place, argv[0], err))
		}
	}
	if s.Redirector.Enabled() {
		check(s.Redirector.Place(), s.Redirector.Argv)
	}
	s.Auth.EachProgram(check)
	s.External.EachProgram(check)
	return wrong
}
