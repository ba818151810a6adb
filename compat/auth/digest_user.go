package auth

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"slices"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/answer"
	"exaproxy/compat/children"
	"exaproxy/engine"
)

// A digestUser is what a helper has said of a user, or is asked. It implements children.Asker and entry.
type digestUser struct {
	prover   *digestProver
	key      key
	name     string
	question *children.Shared // nil: nobody is asked

	ha1   [md5.Size]byte // MD5 of user, realm and password: as good as the password
	until time.Time      // while that counts
	notes []engine.Note  // what was said beside it
	good  bool           // the last answer had it
	told  []engine.Note  // what the last answer said beside it
}

// asking implements entry.
func (u *digestUser) asking() bool { return u.question != nil }

// over implements entry.
func (u *digestUser) over() bool { return !u.prover.loop.Now().Before(u.until) }

// end implements entry.
func (u *digestUser) end() { u.question.Close() }

// Answered implements children.Asker. A user whom the helper does not know is forgotten; one whom it could not
// tell of stays as it was.
func (u *digestUser) Answered(line []byte, err error) {
	u.question = nil
	a := answer.Parse(line)
	u.told = slices.DeleteFunc(children.Notes(a.Each), func(n engine.Note) bool { return string(n.Key) == "ha1" })
	var ha1 [md5.Size]byte
	if ha1, u.good = readHA1(&a); u.good && err == nil {
		u.ha1, u.notes, u.until = ha1, u.told, u.prover.loop.Now().Add(u.prover.policy.settings.TTL)
		u.tellOld(&a)
		return
	}
	u.good = false
	if u.over() || err == nil && (len(line) == 0 || a.Result == answer.Err) {
		forget(&u.prover.users, u.key, u)
	}
	u.report(line, err)
}

// readHA1 finds it in an answer: by name, or as the first word of one from before Squid 3.4.
func readHA1(a *answer.Answer) (ha1 [md5.Size]byte, ok bool) {
	var text []byte
	switch a.Result {
	case answer.OK:
		a.Each(func(key, value []byte) {
			if text == nil && string(key) == "ha1" {
				text = value
			}
		})
	case answer.Unknown:
		text, _, _ = bytes.Cut(a.Text, []byte(" "))
	case answer.Err, answer.Broken:
	}
	if len(text) != 2*md5.Size {
		return ha1, false
	}
	_, err := hex.Decode(ha1[:], text)
	return ha1, err == nil
}

// JudgeDigest says whether a helper knows a user by what it has answered, whether that is of the form from before Squid
// 3.4, and what is wrong with it; "": nothing.
func JudgeDigest(line []byte, err error) (knows, old bool, complaint string) {
	a := answer.Parse(line)
	_, ok := readHA1(&a)
	return ok && err == nil, a.Result == answer.Unknown, digestComplaint(line, err, ok)
}

// digestComplaint is what is wrong with an answer, but not what it was: it may be a HA1.
func digestComplaint(line []byte, err error, good bool) string {
	switch {
	case err != nil:
		return err.Error()
	case !good && len(line) > 0 && answer.Parse(line).Result != answer.Err:
		return "its answer has no HA1 that could be used"
	}
	return ""
}

// Tell implements children.Asker. Each request has a response of its own.
func (u *digestUser) Tell(r *engine.Request) acl.Answer {
	d := u.prover
	st := d.policy.memory.OfRequest(r)
	if u.good {
		_, credentials, _ := bytes.Cut(credentialsOf(r), []byte(" "))
		if c := parseDigest(bytes.Trim(credentials, " \t")); d.fits(u, &c, r) {
			return d.accept(u, &c, r, st)
		}
	}
	children.Note(r, u.told)
	st.ask(d, nil, true)
	return acl.Challenge
}

// Abandoned implements children.Asker. What is known of the user stays known.
func (u *digestUser) Abandoned() {
	if u.question = nil; u.over() {
		forget(&u.prover.users, u.key, u)
	}
}

// tellOld tells once of a helper that answers as before Squid 3.4.
func (u *digestUser) tellOld(a *answer.Answer) {
	if a.Result == answer.Unknown && !u.prover.old {
		u.prover.old = true
		u.prover.policy.log.Warn("Digest auth helper returned old format HA1 response. It needs to be upgraded.")
	}
}

// report tells of what is no answer.
func (u *digestUser) report(line []byte, err error) {
	if complaint := digestComplaint(line, err, u.good); complaint != "" {
		u.prover.policy.report("Digest", u.name, complaint)
	}
}
