// Package answer reads what helpers of all kinds answer, from Squid 3.4 on: a word and pairs.
//
//	OK user=joe message="welcome back"
//	ERR message="who is that?"
//	BH message="the database is down"
//
// It logs nothing and keeps nothing: an Answer is views of the line. What URL rewriters may answer beside that is
// package rewrite's.
package answer

import "bytes"

// A Result is what the first word says.
type Result uint8

const (
	Unknown Result = iota // none of these
	OK
	Err
	Broken // BH: the helper could not tell
)

// An Answer is a line.
type Answer struct {
	Result Result
	// Text is what stands behind the word and the pairs: what helpers wrote before there were pairs.
	Text []byte

	pairs []byte
}

// Parse reads a line, without channel number and line end; it must be left alone for as long as the Answer is
// used. A line without a known word has no pairs.
func Parse(line []byte) Answer {
	word, rest, _ := bytes.Cut(line, []byte(" "))
	a := Answer{pairs: rest}
	switch string(word) {
	case "OK":
		a.Result = OK
	case "ERR":
		a.Result = Err
	case "BH":
		a.Result = Broken
	default:
		return Answer{Text: line}
	}
	a.Text = rest
	for ok := true; ok; {
		_, a.Text, ok = Next(a.Text)
	}
	return a
}

// Each calls f with each pair in its order, the value as what it stands for; valid during the call.
func (a *Answer) Each(f func(key, value []byte)) {
	for rest := a.pairs; ; {
		p, next, ok := Next(rest)
		if !ok {
			return
		}
		f(p.Key, p.Text())
		rest = next
	}
}
