package errpage

import (
	"log/slog"
	"strings"
	"time"

	"exaproxy/compat/decision"
	"exaproxy/engine"
)

// A Policy answers one worker's engine with error pages. It belongs to the worker's goroutine.
type Policy struct {
	Settings *Settings
	Identity *Identity
	Now      func() time.Time // the loop's time
	Log      *slog.Logger     // nil: nobody is told of languages that are missing

	// Challenge appends the fields of a 407, or of the 401 that stands for it on an accelerator's port, that say how a client can prove who it is, each with its CRLF, and says
	// whether it is the last reply of the connection. nil: it cannot.
	Challenge func(dst []byte, r *engine.Request) (fields []byte, last bool)

	challenges []byte          // memory for these
	told       map[string]bool // languages that the log was told of
}

// Page makes the answer to a transaction that went wrong or was refused: the page of Squid's name
// and status.
func (p *Policy) Page(r *engine.Request, f *engine.Failure, m *decision.Memory) engine.LocalReply {
	name, status := Name(f)
	p.Write(m, r, f, name, status)
	return m.Reply
}

// Write makes a page the reply in m.
func (p *Policy) Write(m *decision.Memory, r *engine.Request, f *engine.Failure, name string, status int) {
	bare := tunnelFailed(r, f)
	head := Head{Page: name, Errno: Errno(f), Lookup: LookupOf(r, f), Bare: bare, Media: ContentType, Fits: p.Settings.Fitted, Now: p.Now()}
	last := bare
	if status == Challenges(r) && p.Challenge != nil {
		p.challenges, last = p.Challenge(p.challenges[:0], r)
		head.Challenges = p.challenges
	}
	body := p.body(m.Reply.Body[:0], r, f, &head)
	head.Length = len(body)
	fields := p.Identity.AppendError(m.Reply.Fields[:0], &head)
	m.Reply = engine.LocalReply{Status: status, Fields: fields, Body: body, Close: last, Page: name, ContentType: head.Media}
	if bare {
		m.Reply.ContentType = ""
	}
}

// body appends the body of a page, and says in head what it is.
func (p *Policy) body(dst []byte, r *engine.Request, f *engine.Failure, head *Head) []byte {
	if p.Settings.Fitted && head.Challenges == nil && refused(f) {
		if k := fit(r); k != nil {
			head.Media = k.media
			return append(dst, k.body...)
		}
	}
	page := p.Settings.Pages.Choose(head.Page, r, p.missing)
	head.Language = page.Language
	return page.Append(dst, p.values(r, f))
}

// missing tells the log of a language that somebody wants and nobody has written, once.
func (p *Policy) missing(tag []byte) {
	if !p.Settings.LogMissing || p.Log == nil || !isTag(tag) || len(p.told) == mostTold {
		return
	}
	name := strings.ToLower(string(tag))
	if p.told[name] {
		return
	}
	if p.told == nil {
		p.told = make(map[string]bool)
	}
	p.told[name] = true
	p.Log.Warn("Error Pages Missing Language: " + name)
}

// mostTold is how many languages the log is told of. There are more of them than that, and clients make up others.
const mostTold = 64

// isTag says whether this may be the tag of a language.
func isTag(tag []byte) bool {
	for _, c := range tag {
		if c != '-' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return len(tag) > 1 && len(tag) <= longestTag
}

// WriteLookedUp makes a page the reply in m, as one that was looked for in vain, in the way that l says. challenge are fields
// that ask for credentials, each with its CRLF; nil: none do.
func (p *Policy) WriteLookedUp(m *decision.Memory, r *engine.Request, f *engine.Failure, name string, status int, l Lookup, challenge []byte) {
	page := p.Settings.Pages.Choose(name, r, p.missing)
	body := page.Append(m.Reply.Body[:0], p.values(r, f))
	head := Head{Page: name, Length: len(body), Language: page.Language, Lookup: l, Challenges: challenge, Media: ContentType, Now: p.Now()}
	fields := p.Identity.AppendError(m.Reply.Fields[:0], &head)
	m.Reply = engine.LocalReply{Status: status, Fields: fields, Body: body, Page: name, ContentType: ContentType}
}

// Challenges is the status of an answer that asks a client who it is: of a proxy, or of what it takes for a server.
func Challenges(r *engine.Request) int {
	if r.Accelerated() {
		return 401
	}
	return 407
}

// tunnelFailed says whether this is the failure of a CONNECT that had been let through. Squid's
// answers to these have fewer fields.
func tunnelFailed(r *engine.Request, f *engine.Failure) bool {
	return r.IsConnect() && (f.Side == engine.UpstreamSide || f.Side == engine.NameSide)
}

// values are what the codes of error pages stand for.
func (p *Policy) values(r *engine.Request, f *engine.Failure) *Values {
	s := p.Settings
	return &Values{
		Request: r, Failure: f, Now: p.Now(), Message: r.External.Message,
		Host: p.Identity.Host, Contact: s.Contact, Product: p.Identity.Product,
		Stylesheet: s.Stylesheet, Text: s.Text, MailData: s.MailData,
	}
}
