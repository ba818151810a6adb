package guard

import (
	"net/netip"

	"exaproxy/compat/directive"
	"exaproxy/engine"
)

// Settings are what a configuration says of the guard.
type Settings struct {
	On bool // guard

	ports []netip.AddrPort // where the proxy listens
}

// Defaults have the guard on.
func Defaults() Settings { return Settings{On: true} }

// Directives are the setters.
func (s *Settings) Directives() directive.Set {
	return directive.Set{"guard": directive.OnOff(&s.On)}
}

// Finish notes which ports are the proxy's own.
func (s *Settings) Finish(ports []engine.Port) {
	for i := range ports {
		s.ports = append(s.ports, ports[i].Addr)
	}
}
