//go:build canary

package canary

import "fmt"

// On says whether this is a build that marks.
const On = true

// Spoil fills b, up to its capacity, with the mark of the owner of this number: nobody may read it any more.
func Spoil(b []byte, p Pool, owner uint64) {
	b = b[:cap(b)]
	mark := encode(p, owner)
	for i := range b {
		b[i] = mark[i%len(mark)]
	}
}

// Again spoils b, and gives no memory for its next use: who has kept b shall see the mark for ever.
func Again(b []byte, p Pool, owner uint64) []byte {
	Spoil(b, p, owner)
	return nil
}

// A Loan is kept with memory that is lent whole.
type Loan struct {
	pool  Pool
	owner uint64
	lent  bool
}

// Begin says that b is lent to the owner of this number. What is lent for the first time is not marked yet.
func (l *Loan) Begin(b []byte, p Pool, owner uint64) {
	if l.lent {
		Misused(name(l.pool, l.owner) + " was lent to two")
	}
	*l = Loan{pool: p, owner: owner, lent: true}
}

// End says that b, which is all of what was lent, is given back.
func (l *Loan) End(b []byte) {
	if !l.lent {
		Misused(name(l.pool, l.owner) + " was given back twice")
		return
	}
	l.lent = false
	Spoil(b, l.pool, l.owner)
	quarantine(held{b, l.pool, l.owner})
}

// Marked reports whether b holds nothing but the mark that Spoil left.
func marked(b []byte, p Pool, owner uint64) bool {
	mark := encode(p, owner)
	for i, c := range b {
		if c != mark[i%len(mark)] {
			return false
		}
	}
	return true
}

// Misused ends the program, since somebody has used memory that is not his. It does so on another goroutine:
// faults are caught on a worker's.
func Misused(what string) { misused(what) }

var misused = func(what string) {
	go panic("CANARY: " + what)
	select {}
}

// OnMisuse has a test told instead, until restore.
func OnMisuse(tell func(what string)) (restore func()) {
	before := misused
	misused = tell
	return func() { misused = before }
}

// name says what memory it was and whose.
func name(p Pool, owner uint64) string {
	const text = "%s of the client at port %d, in request %d of its connection"
	switch p {
	case Buffer, Request:
		return fmt.Sprintf(text, names[p], owner>>16, owner&0xffff)
	case Question, ChildInput, ChildOutput:
		return fmt.Sprintf("%s %d", names[p], owner)
	}
	return names[p]
}

var names = [...]string{
	Buffer: "a buffer", Request: "kept memory", Reply: "a reply of our own", URL: "a URL", Unfolded: "a folded field",
	Question: "the text of question", ChildInput: "lines for helper", ChildOutput: "lines of helper", ChildLine: "a helper's line in pieces",
	ChildError: "a helper's standard error", Query: "a query", Datagram: "a name server's datagram",
	Stream: "a name server's stream", AccessLine: "a line of the access log", LogLines: "lines of a log file", StderrLines: "lines for standard error",
	RewriteLine: "a line for helpers", ForwardedLine: "a field of a request", Text: "a text for acls", Test: "a test's memory",
}
