package acl

import (
	"fmt"

	"exaproxy/compat/conf"
	"exaproxy/engine"
)

// UserAddresses counts from where users come (authenticate_ip_ttl). It is asked about requests whose User is known.
type UserAddresses interface {
	// Seen notes that the user comes from the client's address.
	Seen(r *engine.Request)
	// TooMany reports whether the user comes from more than most addresses. Then with strict the client's is
	// forgotten, else all are.
	TooMany(r *engine.Request, most int, strict bool) bool
}

// maxUserAddresses is an acl of the type max_user_ip: users that come from more addresses than that.
type maxUserAddresses struct {
	most   int
	strict bool
}

func newMaxUserAddresses() tester { return &maxUserAddresses{} }

// add takes the number. Later ones do not count, as in Squid.
func (t *maxUserAddresses) add(v *values) error {
	if err := v.haveSchemes(); err != nil {
		return err
	}
	if t.most > 0 {
		v.warn("Attempting to alter already set User max IP acl")
		return nil
	}
	if len(v.items) == 0 {
		return fmt.Errorf("FATAL: ERROR: Invalid ACL: %s", v.line.Input)
	}
	most, err := conf.ParseUint(v.items[0].Text)
	if err != nil {
		return err
	}
	if most == 0 {
		return fmt.Errorf("FATAL: ERROR: Invalid ACL: %s", v.line.Input)
	}
	t.most, t.strict = most, v.flags["-s"]
	return nil
}

func (t *maxUserAddresses) finish(string) []string { return nil }

func (t *maxUserAddresses) empty() bool { return t.most == 0 }

func (t *maxUserAddresses) slow() bool { return true }

func (t *maxUserAddresses) match(p *Place) outcome {
	_, result := p.user()
	if result != match {
		return result
	}
	return outcomeOf(p.Addresses != nil && p.Addresses.TooMany(p.request, t.most, t.strict))
}
