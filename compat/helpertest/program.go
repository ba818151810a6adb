package helpertest

import (
	"bytes"
	"errors"
	"fmt"

	"exaproxy/compat/answer"
	"exaproxy/engine"
	"exaproxy/helper"
)

// A Program is a helper of a configuration.
type Program struct {
	Kind   string // "url_rewrite", "reqmod", "auth", "digest", "ntlm", "negotiate", "external_acl"
	Name   string // as the configuration calls it: "external_acl_type group"
	Config helper.Config
	Talk   func(engine.Services) Talk // nil: it cannot be tried (ErrHandshake)
}

// ErrHandshake is why programs of NTLM and Negotiate cannot be tried.
var ErrHandshake = errors.New("it cannot be tried here: it judges the tokens of a handshake, which only a client can make; " +
	"have one ask through the proxy (curl --proxy-ntlm, curl --proxy-negotiate)")

// A Talk writes a program's lines and reads its answers, as the proxy does. It belongs to the loop's goroutine.
type Talk interface {
	// Question makes what is asked of a line of the input.
	Question(line string) (Question, error)
	// OfRequest makes what is asked about a request that an access log tells of.
	OfRequest(r *engine.Request) (Question, error)
	// Probes are lines that programs are known to die of, and that clients can bring about.
	Probes() []Probe
}

// A Question is a line to a program.
type Question interface {
	Line() []byte
	// Means says what the proxy makes of the answer, or of an error of package helper's.
	Means(answer []byte, err error) Meaning
}

// A titled Question is shown by another name than its beginning, unless that is "".
type titled interface{ Title() string }

// title is what a question is shown as.
func title(q Question) []byte {
	if named, ok := q.(titled); ok && named.Title() != "" {
		return []byte(named.Title())
	}
	return q.Line()
}

// A Meaning is what the proxy does about an answer.
type Meaning struct {
	Does  string // in a few words
	Again bool   // the same is asked once more (BH)
	Fault string // what is wrong with the answer; "": nothing
	Kind  string // of the fault; "": unclear
}

// expectNumbers makes it a fault if an answer, which has no channel number taken off, begins with one, or with the
// question's first word in the place of one.
func (m *Meaning) expectNumbers(question, line []byte) {
	number, rest, ok := bytes.Cut(line, []byte(" "))
	first, _, _ := bytes.Cut(question, []byte(" "))
	word, _, _ := bytes.Cut(rest, []byte(" "))
	known := len(word) > 0 && answer.Parse(word).Result != answer.Unknown
	digits := len(number) > 0 && len(bytes.Trim(number, "0123456789")) == 0
	if ok && (digits && (known || bytes.Contains(word, []byte("://"))) || known && bytes.Equal(number, first)) {
		m.Kind, m.Fault = numbered, fmt.Sprintf("to %q it answers %q", Printable(question, shown), Printable(line, shown))
	}
}

// A Probe is a question that tries something.
type Probe struct {
	Tries string // "bytes that are not UTF-8"
	Question
}
