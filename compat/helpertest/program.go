package helpertest

import (
	"exaproxy/engine"
	"exaproxy/helper"
)

// A Program is a helper of a configuration.
type Program struct {
	Kind   string // "url_rewrite", "auth", "external_acl"
	Name   string // as the configuration calls it: "external_acl_type group"
	Config helper.Config
	Talk   func(engine.Services) Talk
}

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

// A Meaning is what the proxy does about an answer.
type Meaning struct {
	Does  string // in a few words
	Again bool   // the same is asked once more (BH)
	Fault string // what is wrong with the answer; "": nothing
}

// A Probe is a question that tries something.
type Probe struct {
	Tries string // "bytes that are not UTF-8"
	Question
}
