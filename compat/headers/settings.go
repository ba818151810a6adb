package headers

import (
	"os"
	"strings"

	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
	"exaproxy/compat/errpage"
	"exaproxy/engine"
)

// Settings are what a configuration says of the header fields of messages that pass.
type Settings struct {
	VisibleName string    // visible_hostname
	UniqueName  string    // unique_hostname: our name in Via
	Surrogate   string    // httpd_accel_surrogate_id: our name in Surrogate-Capability; "": VisibleName
	Via         bool      // via
	Forwarded   Forwarded // forwarded_for
	HideVersion bool      // httpd_suppress_version_string
	Version     conf.Version

	request, reply rules
}

// Forwarded is what becomes of X-Forwarded-For (forwarded_for).
type Forwarded uint8

const (
	ForwardedOn          Forwarded = iota // the client's address is appended
	ForwardedOff                          // the word unknown is appended
	ForwardedTransparent                  // it is left as it is
	ForwardedDelete                       // it is removed
	ForwardedTruncate                     // it is replaced by the client's address
)

// Defaults are Squid's.
func Defaults() Settings { return Settings{Via: true, request: rules{beforeReply: true}} }

// Directives are the setters.
func (s *Settings) Directives() directive.Set {
	forwarded := map[string]Forwarded{"on": ForwardedOn, "off": ForwardedOff, "transparent": ForwardedTransparent,
		"delete": ForwardedDelete, "truncate": ForwardedTruncate}
	return directive.Set{
		"via":                           directive.OnOff(&s.Via),
		"forwarded_for":                 directive.OneOf(&s.Forwarded, forwarded, "ERROR: invalid value '%s' for forwarded_for"),
		"visible_hostname":              directive.Text(&s.VisibleName),
		"unique_hostname":               directive.Text(&s.UniqueName),
		"httpd_suppress_version_string": directive.OnOff(&s.HideVersion),
		"request_header_access":         s.request.setAccess,
		"request_header_replace":        s.request.setReplacement,
		"request_header_add":            s.request.add,
		"reply_header_access":           s.reply.setAccess,
		"reply_header_replace":          s.reply.setReplacement,
		"reply_header_add":              s.reply.add,
		"httpd_accel_surrogate_id":      directive.Text(&s.Surrogate),
	}
}

// Finish finds out what the machine is called, if the configuration does not say.
func (s *Settings) Finish(c *directive.Context) {
	s.Version = c.Version
	if s.VisibleName == "" {
		name, err := os.Hostname()
		if err != nil || name == "" {
			name = "localhost"
		}
		s.VisibleName = strings.ToLower(name)
	}
	if !s.Via {
		c.Say(1, "WARNING: HTTP requires the use of Via")
	}
	if s.UniqueName == "" {
		s.UniqueName = s.VisibleName
	}
}

// Identity is how the proxy presents itself in replies of its own. port is its first http_port.
func (s *Settings) Identity(port uint16) *errpage.Identity {
	id := &errpage.Identity{Product: s.product(), Host: s.VisibleName, Port: port}
	if s.hasCacheStatus() {
		id.CacheStatus = s.UniqueName
	}
	if s.Via {
		id.Via = "1.1" + s.signature()
	}
	return id
}

// product is what we call ourselves in messages. The name is Squid's: log analysers, monitoring
// and the error pages of other proxies look for it.
func (s *Settings) product() string {
	if s.HideVersion {
		return "squid"
	}
	return "squid/" + s.Version.Release()
}

// hasCacheStatus says whether replies have Cache-Status in the place of X-Cache and X-Cache-Lookup.
func (s *Settings) hasCacheStatus() bool { return s.Version >= conf.Squid6 }

// signature is " proxy.test (squid/5.7)": by it a message that went through us is known.
func (s *Settings) signature() string { return " " + s.UniqueName + " (" + s.product() + ")" }

// Configure tells the engine whether replies of our own are changed.
func (s *Settings) Configure(c *engine.Config) { c.EditOwn = !s.reply.none() }

// NamesClients reports whether a field that is added has the name of the client.
func (s *Settings) NamesClients() bool { return s.request.nameClients() || s.reply.nameClients() }
