package engine

import (
	"net/netip"
	"strings"
	"syscall"
	"testing"
)

// TestWhyAPortCannotBeOpened names the line of the port, and what helps.
func TestWhyAPortCannotBeOpened(t *testing.T) {
	for _, row := range []struct {
		mode Mode
		err  error
		want string
	}{
		{Forward, syscall.EADDRINUSE, "another program listens there ('ss -ltnp sport = :80' tells which)"},
		{Forward, syscall.EACCES, "CAP_NET_BIND_SERVICE"},
		{TPROXY, syscall.EPERM, "CAP_NET_RAW"},
		{Forward, syscall.ENOMEM, ""},
	} {
		p := Port{Addr: netip.MustParseAddrPort("192.0.2.1:80"), Mode: row.mode, Line: "squid.conf(7)"}
		if got := p.remedy(row.err); !strings.Contains(got, row.want) || (got == "") != (row.want == "") {
			t.Errorf("of %v it says %q, want %q", row.err, got, row.want)
		}
		if got := p.placed(row.err).Error(); got != "squid.conf(7): "+row.err.Error() {
			t.Errorf("it says %q", got)
		}
	}
}
