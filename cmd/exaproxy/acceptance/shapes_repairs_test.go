package acceptance

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

// A repair is something that is mended in a request that is then forwarded, written anew.
type repair struct {
	what string
	of   *regexp.Regexp
	with string
}

// repairs are all that are made, in this order.
var repairs = []repair{
	{"relaxed_header_parser: empty lines in front", re(`^(?:\r?\n)+`), ""},
	{"relaxed_header_parser: line ends without CR", re(`([^\r])\n`), "$1\r\n"},
	{"relaxed_header_parser: white space before the target", re(`^([^ \t\v\f\r]+)[ \t\v\f]+`), "$1 "},
	{"relaxed_header_parser: white space before the version", re(`^([^\r]*?)[ \t\v\f]+(HTTP/1\.[0-9]\r)`), "$1 $2"},
	{"uri_whitespace strip", re(`^([^ ]+ [^ \t\v\f\r]*)[ \t\v\f]+([^\r]*[^ \t\v\f\r][^\r]* HTTP/1\.[0-9]\r)`), "$1$2"},
	{"the URL says the host: what Host says is replaced", re(`\r\n(?i:host):[^\r]*`), ""},
	{"a user with a name in bytes that must be escaped goes no further", re(`^([^ ]+ [A-Za-z]+://)[^/?# @]*@`), "$1"},
	{"a fragment goes on as a part of the URL, as it was judged", re(`^([^ ]+ [^ #]*)#[^ ]*`), "$1"},
	{"escapes go on as they are: browsers send them so", re(`^([^ ]+ [^ ]*?)%([^0-9A-Fa-f]|[0-9A-Fa-f][^0-9A-Fa-f])`), "$1$2"},
}

// repaired makes all repairs, each as often as there is something to mend.
func repaired(raw string) string {
	for _, r := range repairs {
		for r.of.MatchString(raw) {
			mended := r.of.ReplaceAllString(raw, r.with)
			if mended == raw {
				break
			}
			raw = mended
		}
	}
	line, rest, _ := strings.Cut(raw, "\r\n")
	return line + "\r\nHost: any.test\r\n" + rest
}

// TestNoMutatedFormIsForwardedThatStrictParsersRefuse holds forms of requests with one to three mutations to the same readers: what
// is forwarded one of them takes as it is, or when it has been mended in ways that are known.
func TestNoMutatedFormIsForwardedThatStrictParsersRefuse(t *testing.T) {
	trap := newTrap(t)
	forms := mutated(1000, 3*(*mutations), kinds, trap.address)
	reached := attempt(t, exaproxy(), redirector{}, trap, forms, 5*time.Second)
	mended := 0
	for _, f := range forms {
		raw := f.bytes()
		if !reached[f.mark] || acceptedByGo(raw)+acceptedByGrammar(raw) > 0 {
			continue
		}
		mended++
		if r := repaired(raw); acceptedByGo(r)+acceptedByGrammar(r) == 0 {
			t.Errorf("%q is forwarded: %.200q, mended %.200q", f.names, raw, r)
		}
	}
	t.Logf("%d of %d forms are forwarded, %d of them mended", len(reached), len(forms), mended)
}
