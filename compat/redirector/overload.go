package redirector

import (
	"fmt"

	"exaproxy/compat/children"
	"exaproxy/engine"
	"exaproxy/engine/loop"
)

// An overload says when new requests had better not wait for the helpers. It belongs to the policy.
type overload struct {
	*children.Load
	kind   Kind
	bypass bool         // url_rewrite_bypass
	passed loop.Limiter // that requests pass
}

func newOverload(s *Settings, w engine.Services) *overload {
	return &overload{Load: children.NewLoad(s.Kind.pool(), &s.Children, w.Helpers, w), kind: s.Kind, bypass: s.Bypass}
}

// skip says whether the request that is about to be asked had better pass unasked: the helpers
// are busy and url_rewrite_bypass or on-persistent-overload=ERR allows it.
func (o *overload) skip() bool {
	switch {
	case !o.Full():
		return false
	case o.bypass:
		o.reportBypass()
		return true
	}
	return o.Drops("they pass unfiltered")
}

// reportBypass says, now and then, that requests pass because of url_rewrite_bypass, and why.
func (o *overload) reportBypass() {
	more, ok := o.passed.Allow(o.Now(), children.TellDropped)
	if !ok {
		return
	}
	why := "no " + o.Name + " process is running"
	if serving, most := o.Pool.Serving(); serving > 0 {
		why = fmt.Sprintf("all %d/%d %s processes are busy", serving, most, o.Name)
	}
	o.Log.Warn("requests pass unfiltered (" + o.kind.prefix() + "bypass on), since " + why + o.Of() + loop.SinceLast(more))
}
