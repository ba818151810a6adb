package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"time"
	"unicode/utf8"

	"exaproxy/compat/acl"
	"exaproxy/compat/children"
	"exaproxy/engine"
	"exaproxy/engine/h1"
	"exaproxy/engine/loop"
	"exaproxy/helper"
)

// A digestProver judges responses by what a helper knows of their users.
type digestProver struct {
	*Digest
	policy *Policy
	pool   *helper.Pool
	load   *children.Load
	loop   *loop.Loop

	users  known[*digestUser]
	record engine.Record // what a format of key_extras is given; only its Request is set
	line   []byte        // the question that is composed
	old    bool          // it was told that the helper answers as before Squid 3.4
}

// prove implements prover. A response that does not fit what is known of its user is put to the helper: the password
// may have been changed.
func (d *digestProver) prove(r *engine.Request, st *State, credentials []byte, w *loop.Waker) (acl.Answer, acl.Inquiry) {
	c := parseDigest(credentials)
	name, ok := d.name(c.user)
	if ok {
		r.Claimed = string(name)
	}
	if !ok || !c.whole() || string(c.realm) != unmarked(d.Realm) {
		return acl.Challenge, nil
	}
	if !c.about(r) {
		d.policy.report("Digest", r.Claimed, "it is not asked about credentials whose uri= is not that of the request")
		return acl.Challenge, nil
	}
	if _, ok := d.current(&c); !ok {
		return d.stale(st), nil
	}
	line := d.question(name, r)
	k := key(sha256.Sum256(line))
	u := d.users.byKey[k]
	if u != nil && !u.over() && d.fits(u, &c, r) {
		return d.accept(u, &c, r, st), nil
	}
	if (u == nil || u.question == nil) && d.load.Full() && d.load.Drops("their clients are asked for other credentials") {
		return acl.Challenge, nil
	}
	if u == nil {
		u = &digestUser{prover: d, key: k, name: string(name)}
		d.users.add(k, u)
	}
	if u.question == nil {
		u.question = children.Ask(u, d.loop, d.pool, line)
	}
	return acl.Pending, u.question.Join(r, w)
}

// name is the user as the helper and the log know it. ok is false if there is none that could stand in a question.
func (d *digestProver) name(user []byte) (name []byte, ok bool) {
	for _, c := range user {
		if c < ' ' || c == 0x7f || c == '"' {
			return nil, false
		}
	}
	if d.UTF8 && !utf8.Valid(user) {
		user = appendLatin1(append([]byte(nil), user...), len(user))
	}
	return user, len(user) > 0
}

// question is the line to the helper.
func (d *digestProver) question(name []byte, r *engine.Request) []byte {
	d.line = append(append(d.line[:0], '"'), name...)
	d.line = append(append(append(d.line, `":"`...), unmarked(d.Realm)...), '"')
	d.line = d.appendExtras(d.line, r, &d.record)
	return d.line
}

// current reads the nonce, if it is ours and not too old.
func (d *digestProver) current(c *digestCredentials) (found nonce, ok bool) {
	n, ok := d.nonces.read(c.nonce)
	return n, ok && !d.loop.Now().After(n.made.Add(d.MaxDuration))
}

// fits reports whether the response is that of somebody who knows the user's HA1.
func (d *digestProver) fits(u *digestUser, c *digestCredentials, r *engine.Request) bool {
	var response [len(u.ha1)]byte
	if _, err := hex.Decode(response[:], c.response); err != nil {
		return false
	}
	fits := func(method string) bool {
		expected := c.expected(u.ha1, method)
		return subtle.ConstantTimeCompare(response[:], expected[:]) == 1
	}
	return fits(r.Method) || d.PostAsGet && fits("GET")
}

// accept takes credentials whose response fits, unless the nonce is used up or its count was used.
func (d *digestProver) accept(u *digestUser, c *digestCredentials, r *engine.Request, st *State) acl.Answer {
	n, ok := d.current(c)
	if !ok || !d.nonces.take(n.number, func(before uses) (uses, bool) { return d.use(before, c) }) {
		return d.stale(st)
	}
	r.User = u.name
	children.Note(r, u.notes)
	return acl.Allow
}

// use is what the credentials make of the uses of their nonce.
func (d *digestProver) use(before uses, c *digestCredentials) (after uses, ok bool) {
	most := min(uint64(max(d.MaxCount, 0)), mostUses)
	count := uint64(max(c.count(), 0))
	switch {
	case !d.CheckCount:
		count = before.highest + 1
	case len(c.qop) == 0: // there are no counts: it is good once
		return uses{highest: mostUses}, before.highest == 0 && most > 0
	}
	if count > most {
		return before, false
	}
	return before.use(count, d.Strict && d.CheckCount)
}

// stale has the client prove the same with another nonce.
func (d *digestProver) stale(st *State) acl.Answer {
	st.ask(d, d.appendChallenge(nil, "true"), false)
	return acl.Challenge
}

// challenge implements prover.
func (d *digestProver) challenge(dst []byte) []byte { return d.appendChallenge(dst, "false") }

func (d *digestProver) appendChallenge(dst []byte, stale string) []byte {
	dst = append(append(append(dst, `Digest realm="`...), quoted(d.Realm)...), `", nonce="`...)
	dst = d.nonces.appendNew(dst, d.loop.Now())
	return append(append(dst, `", qop="auth", stale=`...), stale...)
}

// inform implements informer: whose nonce is as good as used up is told another, as Squid does.
func (d *digestProver) inform(r *engine.Request, credentials []byte, h *h1.Header) {
	c := parseDigest(credentials)
	n, ok := d.nonces.read(c.nonce)
	if !ok || d.nonces.highest(n.number)+1 < uint64(max(d.MaxCount, 0)) {
		return
	}
	d.line = append(d.line[:0], `nextnonce="`...)
	d.line = append(d.nonces.appendNew(d.line, d.loop.Now()), '"')
	h.Add(fieldFor(r, "Proxy-Authentication-Info", "Authentication-Info"), r.Keep(d.line))
}

// close implements prover.
func (d *digestProver) close() { d.users.close() }

// eachKnown implements knower.
func (d *digestProver) eachKnown(f func(user string, until time.Time)) {
	for _, u := range d.users.byKey {
		f(u.name, u.until)
	}
}
