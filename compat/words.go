package compat

import (
	"fmt"

	"exaproxy/compat/errpage"
	"exaproxy/engine"
)

// words are the texts that depend on the settings alone and go into many messages.
type words struct {
	self      errpage.Identity
	signature []byte    // " proxy.test (squid/5.7)": by it a message that went through us is known
	via       [2][]byte // our entry in Via, by minor version
	cache     []byte    // X-Cache
	looked    []byte    // X-Cache-Lookup
}

// newWords makes the texts of the settings.
func newWords(s *Settings) words {
	signature := " " + s.UniqueName + " (" + product(s) + ")"
	w := words{signature: []byte(signature)}
	for minor := range w.via {
		w.via[minor] = fmt.Appendf(nil, "1.%d%s", minor, signature)
	}
	port := s.Ports[0].Addr.Port()
	w.cache = fmt.Appendf(nil, "MISS from %s", s.VisibleName)
	w.looked = fmt.Appendf(nil, "MISS from %s:%d", s.VisibleName, port)
	w.self = errpage.Identity{Product: product(s), Host: s.VisibleName, Port: port}
	if s.Via {
		w.self.Via = string(w.via[1])
	}
	return w
}

// product is how we call ourselves in messages. The name is Squid's: log analysers, monitoring
// and the error pages of other proxies look for it.
func product(s *Settings) string {
	if s.HideVersion {
		return "squid"
	}
	return "squid/" + SquidVersion
}

// viaOf is our entry in Via for a message of that version.
func (w *words) viaOf(r *engine.Request) []byte {
	if r.Major == 1 && r.Minor == 0 {
		return w.via[0]
	}
	return w.via[1]
}
