package rewrite

import (
	"bytes"

	"exaproxy/compat/answer"
)

// authority is what all URLs of pages have in common.
var authority = []byte("://")

// refuseHidden refuses an answer that would let the request go on, to where it wanted or to another
// origin, and that names more targets than the read ones. A helper that repeats the client's URL before
// its target writes what the client likes there: a quotation mark that swallows the target, a blank
// that ends the pairs, a target of the client's. Nothing in the answer says which part of it is whose.
func (p *parser) refuseHidden(b []byte, read int) {
	switch p.Action {
	case Unchanged, Rewrite, Intercept:
	case Redirect, Again, File, Invalid, BadTarget:
		return
	}
	if targetsNamed(b) <= read {
		return
	}
	p.Action, p.Complaint = BadTarget, "ERROR: URL rewrite helper named a target where none can be read: "+printable(b)
}

// targetsNamed counts the url= and rewrite-url= that stand in b at the beginning of a word, wherever
// quotation marks are. As in a pair, what follows is no blank.
func targetsNamed(b []byte) (n int) {
	for at := 0; ; {
		i := bytes.Index(b[at:], urlKey)
		if i < 0 {
			return n
		}
		word := bytes.TrimSuffix(b[:at+i], rewriteKey)
		at += i + len(urlKey)
		begins := len(word) == 0 || answer.IsBlank(word[len(word)-1])
		if begins && (at == len(b) || !answer.IsBlank(b[at])) {
			n++
		}
	}
}

var urlKey, rewriteKey = []byte("url="), []byte("rewrite-")
