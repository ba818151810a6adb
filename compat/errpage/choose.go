package errpage

import (
	"bytes"

	"exaproxy/engine"
	"exaproxy/engine/h1"
)

// longestTag is how many bytes of a language tag are looked at: RFC 5646 section 4.4.1.
const longestTag = 35

// choose is the language that a client wants most of those that there are: RFC 9110 section 12.5.4, with the lookup of
// RFC 4647 section 3.4, by which fr is good for who wants fr-CA. The stand-in is for who wants any, or none that there is.
// Of languages that are wanted as much as another the first counts; Squid looks at nothing but the order.
func choose(h *h1.Header, standIn *language, missing func(tag []byte)) *language {
	found, most := standIn, 0
	h.Elements("Accept-Language", func(element []byte) {
		tag, weight := weigh(element)
		if weight <= most {
			return
		}
		if l := lookUp(tag, standIn); l != nil {
			found, most = l, weight
		} else if missing != nil {
			missing(tag)
		}
	})
	return found
}

// wanted is the request for which a page is: of a tunnel that is there for the client, the one inside.
func wanted(r *engine.Request) *h1.Request {
	if r.Inside != nil {
		return r.Inside
	}
	return &r.Request
}

// lookUp is the language of a tag, or of a shorter one that it begins with; nil if there is none.
func lookUp(tag []byte, standIn *language) *language {
	if len(tag) == 1 && tag[0] == '*' {
		return standIn
	}
	if len(tag) > longestTag {
		return nil
	}
	var small [longestTag]byte
	for i, c := range tag {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		small[i] = c
	}
	for tag = small[:len(tag)]; ; {
		if l := languages()[string(tag)]; l != nil {
			return l
		}
		cut := bytes.LastIndexByte(tag, '-')
		if cut < 0 {
			return nil
		}
		tag = tag[:cut]
	}
}

// weigh cuts an element of a list into its value and how much it is wanted, in thousandths: RFC 9110 section 12.4.2.
func weigh(element []byte) (value []byte, weight int) {
	value, parameters, _ := bytes.Cut(element, semicolon)
	weight = 1000
	for len(parameters) > 0 {
		var p []byte
		p, parameters, _ = bytes.Cut(parameters, semicolon)
		if p = bytes.TrimSpace(p); len(p) > 2 && p[0]|0x20 == 'q' && p[1] == '=' {
			weight = thousandths(p[2:])
		}
	}
	return bytes.TrimSpace(value), weight
}

var semicolon = []byte(";")

// thousandths reads a weight: 0, or 1, or either with up to three digits behind a point. What is no weight is 1, as if it
// had not been said.
func thousandths(s []byte) int {
	if len(s) == 0 || s[0] != '0' || len(s) > 1 && s[1] != '.' {
		return 1000
	}
	n, unit := 0, 100
	for _, c := range s[min(len(s), 2):] {
		if c < '0' || c > '9' {
			return 1000
		}
		n, unit = n+int(c-'0')*unit, unit/10
	}
	return n
}
