package compat

import (
	"fmt"
	"net"
	"net/netip"

	"exaproxy/compat/acl"
	"exaproxy/compat/conf"
)

func setACL(r *reading, l *conf.Line) error {
	warnings, err := r.settings.ACLs.Add(l)
	r.warn(warnings)
	return err
}

func setHTTPAccess(r *reading, l *conf.Line) error { return r.rule(r.settings.HTTPAccess, l) }

func setRewriteAccess(r *reading, l *conf.Line) error {
	return r.rule(r.settings.Rewriter.Access, l)
}

func (r *reading) rule(list *acl.List, l *conf.Line) error {
	warnings, err := list.Add(l, 0)
	r.warn(warnings)
	return err
}

// terms makes a list of the acls that stand on the line from token number from on.
func (r *reading) terms(l *conf.Line, from int) (*acl.List, error) {
	list := r.settings.ACLs.NewList(l.Name, acl.Allow)
	warnings, err := list.AddConditions(l, from)
	r.warn(warnings)
	return list, err
}

func (r *reading) warn(warnings []string) {
	for _, w := range warnings {
		r.o.Say(0, w)
	}
}

// finishAccess makes the acls ready and warns of lists that nobody meant to write.
func (r *reading) finishAccess() error {
	s := r.settings
	r.warn(s.ACLs.Finish())
	if s.HTTPAccess.Empty() {
		r.say(1, "NOTICE: there is no http_access line: everybody is denied")
	}
	for name := range s.DenyInfo {
		if !s.ACLs.Has(name) {
			r.say(1, "WARNING: deny_info names acl '%s', which there is not", name)
		}
	}
	for _, log := range s.AccessLogs {
		if log.Access != nil && log.Access.Slow() {
			r.say(1, "WARNING: an access_log line has an acl that may need a lookup; it matches what is known by the time of logging")
		}
	}
	return nil
}

// resolveHost finds the addresses of a host that an acl names, while the configuration is read.
func resolveHost(name string) ([]netip.Addr, error) {
	texts, err := net.LookupHost(name)
	if err != nil {
		return nil, err
	}
	var addrs []netip.Addr
	for _, text := range texts {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			return nil, fmt.Errorf("resolve %s: %w", name, err)
		}
		addrs = append(addrs, addr.Unmap())
	}
	return addrs, nil
}
