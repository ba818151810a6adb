package acl

import (
	"fmt"
	"slices"
	"strings"

	"exaproxy/compat/conf"
	"exaproxy/engine/h1"
)

// portTest is an acl of ports and ranges of ports: port, localport.
type portTest struct {
	simple
	ranges []numberRange
	of     func(p *Place) uint16
}

type numberRange struct{ first, last uint16 }

func newPort() tester {
	return &portTest{of: func(p *Place) uint16 { return p.target.Port }}
}

func newLocalPort() tester {
	return &portTest{of: func(p *Place) uint16 { return p.request.Local.Port() }}
}

func (t *portTest) add(v *values) error {
	for _, item := range v.items {
		from, to, ranged := strings.Cut(item.Text, "-")
		first, err := conf.ParsePort(from)
		if err != nil {
			return err
		}
		last := first
		if ranged {
			if last, err = conf.ParsePort(to); err != nil {
				return err
			}
		}
		if last < first {
			return conf.Invalid{"ACLIntRange::parse: Invalid port value"}
		}
		t.ranges = append(t.ranges, numberRange{first, last})
	}
	return nil
}

func (t *portTest) empty() bool { return len(t.ranges) == 0 }

func (t *portTest) match(p *Place) outcome {
	return within(t.ranges, t.of(p))
}

// within matches if a number is in one of the ranges.
func within(ranges []numberRange, n uint16) outcome {
	return outcomeOf(slices.ContainsFunc(ranges, func(r numberRange) bool { return n >= r.first && n <= r.last }))
}

// wordTest is an acl of words of which the request has one: method, proto, myportname.
type wordTest struct {
	simple
	words []string
	read  func(v *values, word string) (string, bool) // ok is false for what is left out; nil: as it is
	of    func(p *Place) string                       // in the form that read makes
}

func (t *wordTest) add(v *values) error {
	for _, item := range v.items {
		word, ok := item.Text, true
		if t.read != nil {
			word, ok = t.read(v, word)
		}
		if ok && !slices.Contains(t.words, word) {
			t.words = append(t.words, word)
		}
	}
	return nil
}

func (t *wordTest) empty() bool { return len(t.words) == 0 }

func (t *wordTest) match(p *Place) outcome {
	word := t.of(p)
	return outcomeOf(word != "" && slices.Contains(t.words, word))
}

func newPortName() tester {
	return &wordTest{of: func(p *Place) string {
		if p.request.Port == nil {
			return ""
		}
		return p.request.Port.Name
	}}
}

func newMethod() tester {
	return &wordTest{
		read: readMethod,
		of:   func(p *Place) string { return methodOf(p.request.Method) },
	}
}

func readMethod(v *values, word string) (string, bool) {
	method := methodOf(word)
	v.set.Purge = v.set.Purge || method == "PURGE"
	return method, true
}

// methodOf is a method as Squid calls it: those that it knows in upper case, however they are
// written (relaxed_header_parser on), others as they are.
func methodOf(written string) string {
	for _, known := range methods {
		if len(known) == len(written) && strings.EqualFold(known, written) {
			return known
		}
	}
	return written
}

// methods are those that Squid 5.7 knows.
var methods = [...]string{
	"GET", "POST", "CONNECT", "HEAD", "PUT", "OPTIONS", "DELETE", "TRACE", "PATCH", "PROPFIND",
	"LINK", "UNLINK", "CHECKOUT", "CHECKIN", "UNCHECKOUT", "MKWORKSPACE", "VERSION-CONTROL", "REPORT",
	"UPDATE", "LABEL", "MERGE", "BASELINE-CONTROL", "MKACTIVITY", "ORDERPATCH", "ACL", "MKREDIRECTREF",
	"UPDATEREDIRECTREF", "MKCALENDAR", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK",
	"SEARCH", "BIND", "REBIND", "UNBIND", "PRI", "PURGE",
}

func newProtocol() tester {
	return &wordTest{
		read: func(v *values, word string) (string, bool) {
			name := strings.ToLower(word)
			if slices.Contains(protocols[:], name) {
				return name, true
			}
			v.warn(fmt.Sprintf("WARNING: Ignoring unknown protocol '%s' in the ACL named '%s'", word, v.acl))
			return "", false
		},
		of: func(p *Place) string {
			if p.target.Form == h1.Authority {
				return "none"
			}
			return p.target.Scheme
		},
	}
}

// protocols are those that Squid 5.7 knows. A CONNECT has none of them.
var protocols = [...]string{
	"none", "http", "ftp", "https", "coap", "coaps", "gopher", "wais", "cache_object", "icp", "htcp",
	"urn", "whois", "icy", "tls", "ssl", "authority_form",
}
