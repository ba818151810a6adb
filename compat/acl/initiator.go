package acl

import (
	"fmt"
	"slices"
)

// initiators are those of transactions that Squid 5.7 knows. Here all transactions are of clients.
var initiators = [...]string{
	client, all, "internal", "peer-pool", "peer-mcast", "certificate-fetching", "cache-digest", "esi", "icmp", "icp", "htcp", "asn", "ipc",
	"adaptation", "icon",
}

const client, all = "client", "all"

// initiatorTest is an acl of the type transaction_initiator.
type initiatorTest struct{ wordTest }

func newInitiator() tester {
	return &initiatorTest{wordTest{of: func(*Place) string { return client }}}
}

func (t *initiatorTest) add(v *values) error {
	for i, item := range v.items {
		switch {
		case !slices.Contains(initiators[:], item.Text):
			return fmt.Errorf("FATAL: Invalid transaction_initiator value near %s", item.Text)
		case item.Text == all:
			v.items[i].Text = client
		}
	}
	return t.wordTest.add(v)
}
