package acl

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"exaproxy/compat/conf"
)

// A Set is all acls of a configuration, by name.
//
// It is filled with Add and made ready with Finish, by one goroutine. From then on it does not
// change, and the lists made from it may be matched on any number of goroutines.
type Set struct {
	// Open opens the files that values stand in. nil: os.Open.
	Open conf.Open
	// Version is that of the Squid whose ways are followed where they differ.
	Version conf.Version
	// Schemes says whether there is a way for clients to prove who they are (auth_param), so far. nil: there is none.
	Schemes func() bool
	// External says whether there is an external_acl_type of that name so far, and whether its helper is told who the
	// client is. nil: there is none.
	External func(name string) (user, ok bool)
	// Resolve finds the addresses of host names among the values of src and dst, which are
	// looked up once. It may block. nil: host names are refused.
	Resolve func(name string) ([]netip.Addr, error)
	// Purge is set by Add: there is an acl of the method PURGE.
	Purge bool
	// Keep keeps what acls are made of, so that a Trace can say which value matched.
	Keep bool

	acls     map[string]*namedTest // by name in lower case
	order    []*namedTest
	finished bool
}

// A namedTest is an acl: a test of requests.
type namedTest struct {
	name     string // as first written
	typeName string
	test     tester

	kept []keptValues // of each line, if the Set keeps them
}

// NewSet returns a Set with the acls that Squid predefines: all, manager, localhost,
// to_localhost, to_linklocal (of Squid 6), CONNECT and ssl::certHasExpired with its kin. Those that look at where a request goes
// know IPv4 addresses within NAT64 (RFC 6052) and 6to4 (RFC 3056) addresses, too.
func NewSet() *Set {
	s := &Set{acls: make(map[string]*namedTest)}
	for _, text := range predefined {
		if _, err := s.Add(predefinedLine(text)); err != nil {
			panic("BUG: predefined acl: " + err.Error())
		}
	}
	return s
}

var predefined = [...]string{
	"all src all",
	"manager url_regex -i ^cache_object:// +i ^[^:]+://[^/]+/squid-internal-mgr/",
	"localhost src 127.0.0.1/32 ::1",
	"to_localhost dst 127.0.0.0/8 0.0.0.0/32 ::1/128 ::/128 64:ff9b::7f00:0/104 64:ff9b::/128 2002:7f00::/24 2002::/48",
	"to_linklocal dst 169.254.0.0/16 fe80::/10 64:ff9b::a9fe:0/112 2002:a9fe::/32",
	"CONNECT method CONNECT",
	"ssl::certHasExpired ssl_error certHasExpired",
	"ssl::certNotYetValid ssl_error certNotYetValid",
	"ssl::certDomainMismatch ssl_error certDomainMismatch",
	"ssl::certUntrusted ssl_error certUntrusted",
	"ssl::certSelfSigned ssl_error certSelfSigned",
}

func predefinedLine(text string) *conf.Line {
	line := &conf.Line{Pos: conf.Pos{File: "predefined"}, Text: "acl " + text, Input: "acl " + text, Name: "acl", Rest: text}
	for _, word := range strings.Fields(text) {
		line.Tokens = append(line.Tokens, conf.Token{Text: word})
	}
	return line
}

// Add takes an acl line, of which the tokens are name, type, flags and values. A line with a name
// that is known adds to it. warnings are lines for the log, in Squid's words where it has any.
// The error is a conf.Report.
func (s *Set) Add(line *conf.Line) (warnings []string, err error) {
	if s.finished {
		panic("BUG: an acl is added to a finished set")
	}
	v := &values{set: s, line: line}
	if err := s.add(v); err != nil {
		return v.warnings, line.Bungle(reasons(err))
	}
	return v.warnings, nil
}

// reasons makes the text of an error what Squid would print.
func reasons(err error) error {
	if invalid, ok := err.(conf.Invalid); ok {
		return invalid
	}
	return conf.Invalid{err.Error()}
}

func (s *Set) add(v *values) error {
	name, typeName, err := v.head()
	if err != nil || typeName == "" {
		return err
	}
	a := s.lookup(name)
	if a == nil {
		return s.create(name, typeName, v)
	}
	if a.typeName != typeName {
		return fmt.Errorf("aclParseAclLine: ACL '%s' already exists with different type.", a.name)
	}
	if _, ok := a.test.(*unserved); ok {
		return nil
	}
	v.acl = a.name
	err = v.into(a.test, types[typeName])
	a.keep(v)
	return err
}

// create makes a new acl. It can be named in other lines, and by its own later ones.
func (s *Set) create(name, typeName string, v *values) error {
	t, ok := types[typeName]
	switch {
	case !ok:
		return fmt.Errorf("FATAL: Invalid ACL type '%s'", typeName)
	case t.new == nil:
		v.warn(fmt.Sprintf("NOTICE: acl '%s': acl type '%s' is not served yet: no line that is followed may name it", name, typeName))
		s.put(&namedTest{name: name, typeName: typeName, test: &unserved{}})
		return nil
	}
	a := &namedTest{name: name, typeName: typeName, test: t.new()}
	v.acl = name
	if err := v.into(a.test, t); err != nil {
		return err
	}
	a.keep(v)
	if a.test.empty() {
		v.warn("Warning: empty ACL: " + v.line.Input)
	}
	s.put(a)
	return nil
}

func (s *Set) put(a *namedTest) {
	s.acls[strings.ToLower(a.name)] = a
	s.order = append(s.order, a)
}

// Has reports whether there is an acl of that name. Like Squid it does not distinguish capitals.
func (s *Set) Has(name string) bool { return s.lookup(name) != nil }

// HasType reports whether there is an acl of a type.
func (s *Set) HasType(typeName string) bool {
	return slices.ContainsFunc(s.order, func(a *namedTest) bool { return a.typeName == typeName })
}

func (s *Set) lookup(name string) *namedTest { return s.acls[strings.ToLower(name)] }

// Finish makes the acls ready for use. Call it once, after the last Add and before the first
// Match. warnings are about values that others make redundant.
func (s *Set) Finish() (warnings []string) {
	if s.finished {
		panic("BUG: a set of acls is finished twice")
	}
	s.finished = true
	for _, a := range s.order {
		warnings = append(warnings, a.test.finish(a.name)...)
	}
	return warnings
}
