package guard

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"exaproxy/compat/errpage"
	"exaproxy/engine"
	"exaproxy/engine/loop"
)

// A Policy is the guard of one worker.
type Policy struct {
	settings *Settings
	log      *slog.Logger
	loop     *loop.Loop

	refusals loop.Limiter // of what is logged of them
}

// NewPolicy makes one that follows s. l is the worker's loop.
func NewPolicy(s *Settings, log *slog.Logger, l *loop.Loop) *Policy {
	return &Policy{settings: s, log: log, loop: l}
}

var (
	errOwnPort   = errors.New("it is a port of this proxy")
	errLinkLocal = errors.New("the address is link-local")
	errMetadata  = errors.New("it is the address of a cloud's metadata")
)

// Permit says whether to may be connected to for a request: nil, or the failure that is due.
func (p *Policy) Permit(r *engine.Request, h *engine.Hop, to netip.AddrPort) *engine.Failure {
	if !p.settings.On || h.Proxy || h.Peer != nil || r.Judged.Allow || !bytes.Equal(h.Host, r.Target.Host) {
		return nil
	}
	err := p.reason(r, netip.AddrPortFrom(plain(to.Addr()), to.Port()))
	if err == nil {
		return nil
	}
	p.warn(r, to, err)
	return &engine.Failure{Kind: engine.Refused, Side: engine.OurSide, Page: errpage.AccessDenied, Remote: to, Err: err}
}

// reason is why a plain address is guarded, or nil.
func (p *Policy) reason(r *engine.Request, to netip.AddrPort) error {
	switch addr := to.Addr(); {
	case addr.IsLinkLocalUnicast():
		return errLinkLocal
	case isMetadata(addr):
		return errMetadata
	}
	return p.ownPort(r, to)
}

// ownPort is errOwnPort if it is this proxy that listens there: where the request came to it, or by
// another of its ports. If that cannot be told, the error is why.
func (p *Policy) ownPort(r *engine.Request, to netip.AddrPort) error {
	if !r.Original().IsValid() && to == netip.AddrPortFrom(r.Local.Addr().Unmap(), r.Local.Port()) {
		return errOwnPort
	}
	for _, port := range p.settings.ports {
		if port.Port() != to.Port() {
			continue
		}
		own, err := p.listens(port.Addr(), to.Addr())
		if err != nil {
			return fmt.Errorf("whether it is a port of this proxy cannot be told (%w)", err)
		}
		if own {
			return errOwnPort
		}
	}
	return nil
}

// listens reports whether a port that is bound to bound has connections to addr. To connect to no
// address in particular is to connect to this machine (ip(7)). What the machine's addresses are may
// change at any time, so the kernel is asked, for the few requests to a port of our number.
func (p *Policy) listens(bound, addr netip.Addr) (bool, error) {
	switch {
	case bound == addr:
		return true, nil
	case addr.IsUnspecified():
		return bound.IsLoopback() || bound.IsUnspecified(), nil
	case bound.IsUnspecified() && (bound.Is6() || addr.Is4()):
		return p.loop.Kernel().IsOwn(addr)
	}
	return false, nil
}

// warnEvery is how often a refusal is logged: clients could fill the log otherwise.
const warnEvery = time.Minute

func (p *Policy) warn(r *engine.Request, to netip.AddrPort, why error) {
	suppressed, ok := p.refusals.Allow(p.loop.Now(), warnEvery)
	if !ok {
		return
	}
	more := ""
	if suppressed > 0 {
		more = fmt.Sprintf(" (and %d more were refused)", suppressed)
	}
	p.log.Warn(fmt.Sprintf("guard: %s may not connect to %s as %s: %s%s; a dst acl in an http_access allow line allows it, or '#exaproxy guard off' all such addresses",
		r.Client.Addr(), to, r.Target.Host, why, more))
}
