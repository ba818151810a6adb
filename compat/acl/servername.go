package acl

import (
	"errors"

	"exaproxy/compat/verify"
)

// A serverNameTest is an acl of the type ssl::server_name or ssl::server_name_regex: of the name that a TLS
// client asks for, or of those that the server's certificate has.
type serverNameTest struct {
	names interface {
		hostSet
		hasWildcard(name []byte, p *Place) bool // a name of a certificate, which may begin with "*."
	}
	which string // the option, of serverNameOptions; "": the certificate's names, else the client's
}

// The options of which an acl may have one.
const (
	clientRequested = "--client-requested" // the client's name, whatever the certificate says
	serverProvided  = "--server-provided"  // the certificate's names alone
	consensus       = "--consensus"        // the client's name, if the certificate does not contradict

	serverNameOptions = clientRequested + " " + serverProvided + " " + consensus
)

// noName is what Squid looks up when there is no name.
const noName = "none"

func newServerName() tester { return &serverNameTest{names: &serverNames{}} }

func newServerNamePattern() tester { return &serverNameTest{names: &serverPatterns{}} }

// add takes the option, which stays for the whole acl whichever line has it.
func (t *serverNameTest) add(v *values) error {
	for option := range v.flags {
		if t.which != "" && t.which != option {
			return errors.New("ERROR: Multiple options given for the server_name ACL")
		}
		t.which = option
	}
	return t.names.add(v)
}

func (t *serverNameTest) finish(acl string) []string { return t.names.finish(acl) }

func (t *serverNameTest) empty() bool { return t.names.empty() }

func (t *serverNameTest) slow() bool { return false }

// match never waits: as in Squid, addresses are not looked up.
func (t *serverNameTest) match(p *Place) outcome {
	server := p.serverCertificate()
	switch {
	case server != nil && (t.which == "" || t.which == serverProvided):
		for name := range verify.Names(server) {
			p.text = append(p.text[:0], name...)
			if t.names.hasWildcard(p.text, p) {
				return match
			}
		}
		return mismatch
	case t.which == serverProvided,
		t.which == consensus && server != nil && !verify.IsFor(server, string(p.requestedName())):
		p.text = append(p.text[:0], noName...)
	default:
		p.text = append(p.text[:0], p.requestedName()...)
	}
	return outcomeOf(t.names.has(p.text, p))
}

// requestedName is the host that the client wants: of its ClientHello, or else of its request.
func (p *Place) requestedName() []byte {
	switch tls := p.request.TLS; {
	case tls != nil && tls.ServerName != "":
		p.text = append(p.text[:0], tls.ServerName...)
		return p.text
	case len(p.target.Host) == 0:
		p.text = append(p.text[:0], noName...)
		return p.text
	}
	return p.host()
}

// serverNames are the values of ssl::server_name.
type serverNames struct {
	domainNames
	backwards suffixes
}

func (n *serverNames) finish(acl string) []string {
	warnings := n.domainNames.finish(acl)
	n.backwards = n.sorted()
	return warnings
}

// hasWildcard takes "*.b.test" for all names below b.test, so that it matches a value if that stands for any
// of them.
func (n *serverNames) hasWildcard(name []byte, p *Place) bool {
	if len(name) < 3 || name[0] != '*' || name[1] != '.' {
		return n.has(name, p)
	}
	return n.has(name, p) || n.below(n.backwards, name[1:])
}

// serverPatterns are the values of ssl::server_name_regex.
type serverPatterns struct{ textPatterns }

func (x *serverPatterns) hasWildcard(name []byte, p *Place) bool { return x.has(name, p) }
