package acl

import (
	"fmt"

	"exaproxy/compat/conf"
)

// connectionCount is an acl of the type maxconn: clients that have more connections than that.
type connectionCount struct {
	most  int
	given bool
}

func newConnectionCount() tester { return &connectionCount{} }

// add takes the number. The last one counts, as in Squid.
func (t *connectionCount) add(v *values) error {
	for n, item := range v.items {
		if n > 0 {
			v.warn(fmt.Sprintf("WARNING: acl '%s': '%s' is left out: maxconn takes one number", v.acl, item.Text))
			continue
		}
		most, err := conf.ParseUint(item.Text)
		if err != nil {
			return err
		}
		if most == 0 {
			return fmt.Errorf("FATAL: ERROR: Invalid ACL: %s", v.line.Input)
		}
		t.most, t.given = most, true
	}
	return nil
}

func (t *connectionCount) finish(string) []string { return nil }

func (t *connectionCount) empty() bool { return !t.given }

func (t *connectionCount) slow() bool { return false }

func (t *connectionCount) match(p *Place) outcome {
	return outcomeOf(p.Connections != nil && p.Connections(p.request.Client.Addr()) > t.most)
}
