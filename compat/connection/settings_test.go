package connection

import (
	"io"
	"strings"
	"testing"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/compattest"
	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
	"exaproxy/engine"
	"exaproxy/engine/h1"
)

func TestConfigure(t *testing.T) {
	var s Settings
	compattest.MustRead(t, acl.NewSet(), s.Directives(), `
connect_timeout 10 seconds
pconn_lifetime 1 hour
reply_header_max_size 32 KB
uri_whitespace DENY
relaxed_header_parser off
server_persistent_connections off
half_closed_clients on
client_ip_max_connections -1
`)
	want := engine.Config{
		Timeouts:            engine.Timeouts{Connect: 10 * time.Second, PconnLife: time.Hour},
		Limits:              engine.Limits{ReplyHead: 32 << 10, Whitespace: h1.Deny, StrictHeads: true},
		NoServerPersistence: true, HalfClosed: true,
	}
	var got engine.Config
	s.Configure(&got)
	if got.Timeouts != want.Timeouts || got.Limits != want.Limits ||
		got.NoServerPersistence != want.NoServerPersistence || got.NoClientPersistence || got.HalfClosed != want.HalfClosed {
		t.Errorf("the engine's configuration is %+v, want %+v", got, want)
	}
}

// TestConnectionsPerClient has the version of Squid say how many connections a number allows.
func TestConnectionsPerClient(t *testing.T) {
	for _, row := range []struct {
		version conf.Version
		line    string
		want    int // -1: an error
	}{
		{conf.Squid5, "client_ip_max_connections 2", 3},
		{conf.Squid6, "client_ip_max_connections 2", 3},
		{conf.Squid7, "client_ip_max_connections 2", 2},
		{conf.Squid5, "client_ip_max_connections 0", 1},
		{conf.Squid7, "client_ip_max_connections 0", -1},
		{conf.Squid7, "client_ip_max_connections -1", 0},
	} {
		var s Settings
		lines, err := conf.Parse("squid.conf", conf.Options{Open: func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(row.line)), nil }})
		if err != nil {
			t.Fatal(err)
		}
		c := directive.NewContext(acl.NewSet(), nil, func(int, string) {})
		c.Version = row.version
		if err := s.Directives().Run(c, &lines[len(lines)-1]); (err != nil) != (row.want < 0) || err == nil && s.Limits.PerClient != row.want {
			t.Errorf("%s of Squid %s: %v, and %d connections", row.line, row.version, err, s.Limits.PerClient)
		}
	}
}

func TestWhatCannotBe(t *testing.T) {
	for _, line := range []string{"uri_whitespace maybe", "client_ip_max_connections many", "relaxed_header_parser 3"} {
		var s Settings
		if _, err := compattest.Read(acl.NewSet(), s.Directives(), line); err == nil {
			t.Errorf("%s is taken", line)
		}
	}
}
