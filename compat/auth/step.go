package auth

import (
	"bytes"
	"strings"

	"exaproxy/compat/answer"
	"exaproxy/compat/children"
	"exaproxy/engine"
)

// result is what a helper makes of a token.
type result uint8

const (
	unable   result = iota // it cannot tell, or nobody can tell what it says
	another                // the client is to come with another token
	accepted               // the client is known
	rejected               // the client is not who it says to be
)

// A step is a helper's answer to a token.
type step struct {
	result  result
	token   string // for the client; "": none
	user    string
	message string // why it is not accepted
	notes   []engine.Note
}

// parseStep reads the answer of a helper of NTLM or Negotiate: of Squid 2.5's kind
//
//	TT token     AF user     AF token user     NA why     BH why
//
// or of 3.4's, which says OK, ERR or BH with pairs. Pairs may stand behind the words of either.
func parseStep(line []byte) (s step) {
	word, rest, more := bytes.Cut(line, []byte(" "))
	switch string(word) {
	case "TT":
		s.result = another
		s.token, rest = nextWord(rest)
	case "AF":
		s.result = accepted
		s.user, rest = nextWord(rest)
		if second, pairs := nextWord(rest); second != "" {
			s.token, s.user, rest = s.user, second, pairs
		}
		s.note("user", s.user)
	case "NA":
		s.result, s.message = rejected, string(rest)
		s.note("message", s.message)
		return s
	default:
		return parseWithPairs(line).checked()
	}
	if !more {
		return unclear(line)
	}
	for p, next, ok := answer.Next(rest); ok; p, next, ok = answer.Next(next) {
		s.note(string(p.Key), string(p.Text()))
	}
	return s.checked()
}

// unclear is an answer that makes no sense.
func unclear(line []byte) step { return step{message: "it answered " + children.Quote(line)} }

// parseWithPairs reads an answer of the newer kind.
func parseWithPairs(line []byte) (s step) {
	a := answer.Parse(line)
	switch a.Result {
	case answer.OK:
		s.result = accepted
	case answer.Err:
		s.result = rejected
	case answer.Broken:
	case answer.Unknown:
		return unclear(line)
	}
	a.Each(s.hear)
	if text := string(answer.SkipBlanks(a.Text)); s.message == "" && text != "" && s.result != accepted {
		s.message = text
		s.note("message", text)
	}
	return s
}

// hear takes a pair. The first of a name counts; all but tokens are notes.
func (s *step) hear(key, value []byte) {
	var field *string
	switch string(key) {
	case "token":
		field = &s.token
	case "user":
		field = &s.user
	case "message":
		field = &s.message
	}
	if field != nil && *field == "" {
		*field = string(value)
	}
	if field != &s.token {
		s.note(string(key), string(value))
	}
}

// note notes something that every request of the connection is to know.
func (s *step) note(key, value string) {
	if value != "" && key != "password" { // what is noted may be logged
		s.notes = append(s.notes, engine.Note{Key: []byte(key), Value: []byte(value)})
	}
}

// checked is the step, unless it lacks what it has to say, or says it in a way that would be taken for something else.
func (s step) checked() step {
	switch {
	case s.result == another && s.token == "":
		return step{message: "it answered TT without a token"}
	case s.result == accepted && s.user == "":
		return step{message: "it accepted a client without saying who it is"}
	case strings.ContainsFunc(s.user, isControl):
		return step{message: "it named a user with a control character"}
	case s.result != rejected && strings.ContainsFunc(s.token, isNoToken):
		return step{message: "it answered with a token that no field can have"}
	}
	return s
}

func nextWord(b []byte) (word string, rest []byte) {
	text, rest, _ := answer.Word(b)
	return string(text), rest
}

func isControl(c rune) bool { return c < ' ' || c == 0x7f }

// isNoToken says whether a byte cannot stand in what a client is told as a token.
func isNoToken(c rune) bool { return c <= ' ' || c >= 0x7f }
