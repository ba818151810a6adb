package rewrite

import (
	"bytes"
	"fmt"

	"exaproxy/compat/answer"
	"exaproxy/engine/h1"
)

// A Change is what becomes of the header fields of one name.
type Change struct {
	Name  string
	Value []byte // nil: they are removed; else this is the only one
}

// Changes reads the set-header="Name: value" and del-header=Name of an answer that begins with OK. An error is why one
// of them cannot be done.
func (a *Answer) Changes() (all []Change, err error) {
	if a.result != "OK" {
		return nil, nil
	}
	for rest, ok := a.pairs, true; ok; {
		var p answer.Pair
		if p, rest, ok = answer.Next(rest); !ok {
			continue
		}
		var c Change
		switch string(p.Key) {
		case "set-header":
			c, err = setField(p.Text())
		case "del-header":
			c, err = Change{Name: string(p.Text())}, checkName(p.Text())
		default:
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

// Apply makes the change. The value is kept.
func (c *Change) Apply(h *h1.Header) {
	if c.Value == nil {
		h.Del(c.Name)
	} else {
		h.Set(c.Name, c.Value)
	}
}

// setField reads "Name: value".
func setField(text []byte) (c Change, err error) {
	name, value, ok := bytes.Cut(text, colon)
	if !ok {
		return c, fmt.Errorf("'%s' has no colon", printable(text))
	}
	if bytes.ContainsAny(value, "\r\n\x00") {
		return c, fmt.Errorf("'%s' has a line end or a NUL", printable(text))
	}
	value = bytes.Trim(value, " \t")
	return Change{string(name), append([]byte{}, value...)}, checkName(name)
}

// checkName returns why a helper may not say anything of the fields of that name.
func checkName(name []byte) error {
	switch {
	case !h1.IsToken(name):
		return fmt.Errorf("'%s' is no name of a field", printable(name))
	case Reserved(name):
		return fmt.Errorf("%s is not for helpers", name)
	}
	return nil
}

// reserved are the fields that are about a connection, about how a message is read or how far it goes, and Host, which
// the URL says.
var reserved = [...]string{"Host", "Content-Length", "Transfer-Encoding", "Connection", "Proxy-Connection", "Keep-Alive", "TE", "Trailer",
	"Upgrade", "Expect", "Max-Forwards", "Proxy-Authorization", "Proxy-Authenticate", "Proxy-Authentication-Info"}

// Reserved says whether the fields of that name are no helper's business.
func Reserved(name []byte) bool {
	for _, r := range reserved {
		if len(name) == len(r) && bytes.EqualFold(name, []byte(r)) {
			return true
		}
	}
	return false
}
