package auth

import (
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"time"

	"exaproxy/engine"
	"exaproxy/engine/loop"
)

// addresses is from where users come, as one worker knows it: what it has seen itself, and what the others have told
// it by its loop's mailbox. It belongs to the worker's goroutine, and implements acl.UserAddresses.
//
// A worker tells the others of a user's new address at once, and of one that is still used when a quarter of
// authenticate_ip_ttl is over. So what they count differs for as long as a message takes, a turn of their loops.
type addresses struct {
	loop   *loop.Loop
	log    *slog.Logger
	memory Memory
	ttl    time.Duration
	every  time.Duration // how often users are forgotten who come from nowhere any more
	others *workers[*addresses]

	byUser map[string][]address
	forgot time.Time
	told   loop.Limiter
}

// An address is one from where a user has come.
type address struct {
	netip.Addr
	until  time.Time // while it counts
	tellAt time.Time // when the others have to be told again, if it is still used
}

// mostAddresses is how many of a user are known. More do not make him more suspect.
const mostAddresses = 1 << 10

func newAddresses(s *Settings, services engine.Services, memory Memory) *addresses {
	a := &addresses{loop: services.Loop, log: services.Log, memory: memory, ttl: s.AddressTTL, every: s.GarbageInterval,
		others: s.counters, byUser: make(map[string][]address)}
	s.counters.join(a)
	return a
}

// close ends the exchange with the others. On a nil pointer it does nothing.
func (a *addresses) close() {
	if a != nil {
		a.others.leave(a)
	}
}

// Seen implements acl.UserAddresses. A request is counted once.
func (a *addresses) Seen(r *engine.Request) {
	st := a.memory.OfRequest(r)
	if st.counted {
		return
	}
	st.counted = true
	now, user, from := a.loop.Now(), r.User, r.Client.Addr()
	known := a.hear(user, address{from, now.Add(a.ttl), now})
	if known == nil || now.Before(known.tellAt) {
		return
	}
	known.tellAt = now.Add(a.ttl / 4)
	seen := *known
	a.others.tell(a, func(other *addresses) { other.hear(user, seen) })
}

// hear notes an address, and returns what is known of it; nil if there are too many.
func (a *addresses) hear(user string, seen address) *address {
	a.forgetOver()
	list := a.current(user)
	at := slices.IndexFunc(list, func(known address) bool { return known.Addr == seen.Addr })
	switch {
	case at >= 0:
		list[at].until = seen.until // later than what was known, but for a message's way
	case len(list) >= mostAddresses:
		return nil
	default:
		at, list = len(list), append(list, seen)
	}
	a.byUser[user] = list
	return &list[at]
}

// current is the user's addresses that count still. Others are forgotten.
func (a *addresses) current(user string) []address {
	now := a.loop.Now()
	return a.keep(user, func(known address) bool { return now.Before(known.until) })
}

// keep forgets the user's addresses that are not wanted, and returns the others.
func (a *addresses) keep(user string, wanted func(address) bool) []address {
	list := slices.DeleteFunc(a.byUser[user], func(known address) bool { return !wanted(known) })
	if len(list) == 0 {
		delete(a.byUser, user)
		return nil
	}
	a.byUser[user] = list
	return list
}

// TooMany implements acl.UserAddresses.
func (a *addresses) TooMany(r *engine.Request, most int, strict bool) bool {
	user, from := r.User, netip.Addr{}
	if len(a.current(user)) <= most {
		return false
	}
	if strict {
		from = r.Client.Addr()
	}
	a.forget(user, from)
	a.others.tell(a, func(other *addresses) { other.forget(user, from) })
	if more, ok := a.told.Allow(a.loop.Now(), time.Second); ok {
		a.log.Warn(fmt.Sprintf("aclMatchUserMaxIP: user '%s' tries to use too many IP addresses (max %d allowed)!%s", user, most, loop.SinceLast(more)))
	}
	return true
}

// forget forgets an address of a user, or all if it is none.
func (a *addresses) forget(user string, from netip.Addr) {
	a.keep(user, func(known address) bool { return from.IsValid() && known.Addr != from })
}

// forgetOver forgets users who come from nowhere any more.
func (a *addresses) forgetOver() {
	now := a.loop.Now()
	if since := now.Sub(a.forgot); since < a.every && (len(a.byUser) < mostKnown || since < time.Second) {
		return
	}
	a.forgot = now
	for user := range a.byUser {
		a.current(user)
	}
}

// mailbox implements worker.
func (a *addresses) mailbox() *loop.Loop { return a.loop }
