package connection

import (
	"fmt"
	"strings"
	"time"

	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
	"exaproxy/engine"
	"exaproxy/engine/h1"
)

// Settings are what a configuration says of connections and messages. The zero Settings are
// Squid's defaults.
type Settings struct {
	Timeouts engine.Timeouts
	Limits   engine.Limits

	HalfClosed          bool // half_closed_clients
	NoClientPersistence bool // client_persistent_connections off
	NoServerPersistence bool // server_persistent_connections off
	HTTP09              HTTP09

	NoClientDB bool // client_db off: clients are not counted
	counted    bool // an acl asks how many connections they have
}

// HTTP09 is what becomes of replies without a head (http09).
type HTTP09 uint8

const (
	HTTP09Allow HTTP09 = iota // they get one, as in Squid
	HTTP09Deny                // they are refused
)

// Directives are the setters.
func (s *Settings) Directives() directive.Set {
	http09 := map[string]HTTP09{"allow": HTTP09Allow, "deny": HTTP09Deny}
	set := directive.Set{
		"request_header_max_size":       directive.Size(&s.Limits.RequestHead),
		"reply_header_max_size":         directive.Size(&s.Limits.ReplyHead),
		"request_body_max_size":         directive.Size(&s.Limits.RequestBody),
		"forward_max_tries":             directive.Number(&s.Limits.ForwardTries),
		"client_ip_max_connections":     s.setConnectionsPerClient,
		"client_db":                     directive.Unless(&s.NoClientDB),
		"uri_whitespace":                s.setWhitespace,
		"relaxed_header_parser":         s.setRelaxed,
		"client_persistent_connections": directive.Unless(&s.NoClientPersistence),
		"server_persistent_connections": directive.Unless(&s.NoServerPersistence),
		"half_closed_clients":           directive.OnOff(&s.HalfClosed),
		"http09":                        directive.OneOf(&s.HTTP09, http09, "ERROR: http09 is allow or deny, not '%s'"),
	}
	set.Add(timeouts(&s.Timeouts))
	return set
}

func timeouts(t *engine.Timeouts) directive.Set {
	return directive.Set{
		"request_start_timeout":     directive.Wait(&t.RequestStart),
		"request_timeout":           directive.Wait(&t.Request),
		"client_idle_pconn_timeout": directive.Wait(&t.ClientIdle),
		"connect_timeout":           directive.Wait(&t.Connect),
		"forward_timeout":           directive.Wait(&t.Forward),
		"read_timeout":              directive.Wait(&t.Read),
		"write_timeout":             directive.Wait(&t.Write),
		"server_idle_pconn_timeout": directive.Wait(&t.ServerIdle),
		"client_lifetime":           directive.Wait(&t.Lifetime),
		"pconn_lifetime":            directive.Duration(time.Second, &t.PconnLife),
	}
}

// setConnectionsPerClient takes a number of connections. Before Squid 7 a client may have one more; below 0 any number.
func (s *Settings) setConnectionsPerClient(c *directive.Context, l *conf.Line) error {
	n, err := c.Args(l).Int()
	switch {
	case err != nil:
		return err
	case n == 0 && c.Version >= conf.Squid7:
		return conf.Invalid{fmt.Sprintf("ERROR: %s 0 lets nobody in by squid_version %s: -1 is any number", l.Name, c.Version)}
	case c.Version < conf.Squid7:
		n++
	}
	s.Limits.PerClient = max(n, 0)
	return nil
}

func (s *Settings) setWhitespace(c *directive.Context, l *conf.Line) error {
	words := map[string]h1.Whitespace{"strip": h1.Strip, "deny": h1.Deny, "allow": h1.Allow, "encode": h1.Encode, "chop": h1.Chop}
	word, err := c.Args(l).String()
	if err != nil {
		return err
	}
	w, ok := words[strings.ToLower(word)]
	if !ok {
		return conf.Invalid{fmt.Sprintf("ERROR: parse_uri_whitespace: Invalid option '%s': 'uri_whitespace' accepts strip, deny, allow, encode and chop", word)}
	}
	s.Limits.Whitespace = w
	return nil
}

func (s *Settings) setRelaxed(c *directive.Context, l *conf.Line) error {
	t, err := c.Args(l).Tristate()
	if err == nil {
		s.Limits.StrictHeads = t == conf.Off
	}
	return err
}

// Finish follows the version of Squid, sees whether clients have to be counted, and warns of what cannot be followed if they may not be.
func (s *Settings) Finish(c *directive.Context) {
	s.Limits.BodiesOf10 = c.Version >= conf.Squid6
	s.counted = c.ACLs.HasType("maxconn")
	if !s.NoClientDB {
		return
	}
	if s.counted {
		c.Say(0, "WARNING: acls of the type maxconn match nobody with client_db off")
	}
	if s.Limits.PerClient > 0 {
		c.Say(0, "WARNING: client_ip_max_connections limits nobody with client_db off")
	}
	s.counted, s.Limits.PerClient = false, 0
}

// Configure gives the engine its part.
func (s *Settings) Configure(c *engine.Config) {
	c.Timeouts, c.Limits, c.CountConnections = s.Timeouts, s.Limits, s.counted
	c.HalfClosed, c.NoClientPersistence, c.NoServerPersistence = s.HalfClosed, s.NoClientPersistence, s.NoServerPersistence
	c.NoHTTP09 = s.HTTP09 == HTTP09Deny
}
