package redirector

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"exaproxy/compat/rewrite"
	"exaproxy/engine"
	"exaproxy/helper"
)

// A trouble is a kind of thing that goes wrong with a question, of which cache.log is told.
type trouble uint8

const (
	lost trouble = iota
	remembered
	unasked
	tooLong
	late
	firstAttempt // BH
	secondAttempt
	broken // BH to the last
	invalid
	badTarget
	noPage
	garbage
	troubles // how many kinds there are
)

// tellEvery is how often each kind is told: a client may cause any of them with every request.
const tellEvery = time.Second

// tellGarbageEvery is how often garbage is: a helper that writes some does so with every answer.
const tellGarbageEvery = time.Minute

const (
	passes  = "The request passes unfiltered"
	refused = "The request is refused"
)

// report tells, not too often, what went wrong, in Squid's words where it has some, and what becomes of the
// request.
func (p *Policy) report(r *engine.Request, kind trouble, fate, format string, args ...any) {
	if p.spare != nil {
		fate = "With report_only it passes; else: " + fate
	}
	p.tell(r, kind, tellEvery, fate, format, args...)
}

// reportGarbage tells what was left out of an answer, in Squid's words, and what a helper may have meant by it.
func (p *Policy) reportGarbage(r *engine.Request, a *rewrite.Answer) {
	if len(a.Garbage) == 0 {
		return
	}
	advice := "It is left out. A helper that changes nothing had better answer ERR"
	if word, _, _ := bytes.Cut(a.Garbage[1:], []byte(" ")); p.settings.Children.Concurrency == 0 && slices.Contains(results, string(word)) {
		advice = "It is left out. If the helper wants a channel number before each URL, give it one with the option concurrency= of " +
			p.settings.Kind.prefix() + "children"
	}
	p.tell(r, garbage, tellGarbageEvery, advice,
		"UPGRADE WARNING: URL rewriter reponded with garbage '%.256s'. Future Squid will treat this as part of the URL", a.Garbage)
}

// results are the first words of answers to questions that have channel numbers, behind the number.
var results = []string{"OK", "ERR", "BH"}

// tell tells of a trouble, and what follows from it.
func (p *Policy) tell(r *engine.Request, kind trouble, every time.Duration, fate, format string, args ...any) {
	more, ok := p.told[kind].Allow(p.now(), every)
	if !ok {
		return
	}
	since := ""
	if more > 0 {
		since = fmt.Sprintf(" (%d more of this kind since the last message)", more)
	}
	p.log.Error(fmt.Sprintf(format, args...)+". "+fate+since, "url", p.shortURL(r))
}

// fate is what becomes of a request by an option of url_rewrite_failure or reqmod_failure.
func (a *Asking) fate(option string, f Fault) string {
	by := " (" + a.Kind.prefix() + "failure " + option
	if f == Pass {
		return passes + by + "=pass)"
	}
	return refused + by + "=deny)"
}

// fateOfLate is what becomes of one by url_rewrite_timeout or reqmod_timeout.
func (a *Asking) fateOfLate() string {
	by := " (" + a.Kind.prefix() + "timeout on_timeout="
	switch a.OnTimeout {
	case TimeoutBypass:
		return passes + by + "bypass)"
	case TimeoutResponse:
		return "The configured response decides" + by + "use_configured_response)"
	case TimeoutRetry:
		return refused + by + "retry)"
	case TimeoutFail:
	}
	return refused + by + "fail)"
}

// kindOf is the kind of an error of package helper's for which a question has no answer.
func kindOf(err error) trouble {
	switch err {
	case helper.ErrLost:
		return lost
	case helper.ErrRemembered:
		return remembered
	}
	return unasked
}

// shortURL is the request's URL for cache.log.
func (p *Policy) shortURL(r *engine.Request) string {
	const enough = 256
	url := r.Target.AppendURL(p.blank())
	p.scratch = url
	if len(url) > enough {
		url = append(slices.Clip(url[:enough]), "…"...)
	}
	return string(url)
}
