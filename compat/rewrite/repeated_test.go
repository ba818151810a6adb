package rewrite

import (
	"bytes"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"

	"exaproxy/compat/answer"
	"exaproxy/engine"
	"exaproxy/engine/h1"
)

// page is where the helpers of these tests send what is blocked.
const page = "http://page.test/why"

// repeating are answers of helpers that repeat what the client asked for, at U, before their target.
var repeating = []string{
	`OK log=U url=P`, `OK log=U rewrite-url=P`, `OK message="U" url=P`, `OK message="U" rewrite-url=P`,
	`OK message="U" url="P"`, `OK message="U" rewrite-url="P"`, `OK status=307 message=U url=P`,
	`OK status=307 message="U" url="P?u=U"`, `OK message="U" url=P?u=U`, `OK message="U" rewrite-url="P?u=U"`,
	`OK message="Q" url="P?u=U"`, `OK message="Q" rewrite-url=P?u=U`, `OK log=Q url="P?u=U"`, `OK user=Q url=P`,
	`OK a=U b="U" rewrite-url=P`, `OK a="U" b=U url="P?u=U" status=307`, `OK U url=P`, `OK "U" rewrite-url=P`,
	`OK	log=U	url=P`, `OK  log=U  rewrite-url=P`, `AF user=U url=P`, `AF U rewrite-url=P`,
	`log=U P`, `log="U" P`, `log=U 302:P`, `log="U" 302:P`, `!U!302:P`, `!U!P`, `log=U OK url=P`, `0 OK log=U url=P`,
	`message=U url=P`, `log=U redirect://P`, `log=U url="P?u=U"`,
}

// written are the ways in which helpers write a client's text.
var written = map[string]func(string) string{
	"raw":     func(s string) string { return s },
	"decoded": decoded,
	"twice":   func(s string) string { return decoded(decoded(s)) },
	"quoted":  strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace,
	"halved":  strings.NewReplacer(`"`, `\"`).Replace, // forgets that a backslash needs one too
	"escaped": url.QueryEscape,
	"ended":   func(s string) string { return strings.ReplaceAll(s, `"`, `""`) },
}

// decoded undoes escapes as scripts do. A line end is left out: it would be another answer.
func decoded(s string) string {
	return strings.ReplaceAll(string(answer.Unescape([]byte(s))), "\n", "")
}

// answers calls f with each answer of helpers that are asked about target.
func answers(target string, f func(form, answer string)) {
	_, query, _ := strings.Cut(target, "?")
	for way, write := range written {
		fill := strings.NewReplacer("U", write(target), "Q", write(query), "P", page)
		for _, form := range repeating {
			f(way+" "+form, fill.Replace(form))
		}
		path := strings.TrimPrefix(target, "http://origin.test")
		path, _, _ = strings.Cut(path, "?")
		f(way+" of the path", `OK message="`+write(path)+`" url=`+page+"?u="+target)
		f(way+" of the path", `OK message="`+write(path)+`" rewrite-url="`+page+"?u="+write(target)+`"`)
	}
}

// passes says whether an answer lets the request go where it wanted.
func passes(a *Answer, r *engine.Request) bool {
	switch a.Action {
	case Unchanged, Again, Invalid:
		return true
	case Rewrite:
		return bytes.Equal(a.Target.Host, r.Target.Host)
	case Intercept:
		return true
	}
	return false
}

// client asks for a URL on origin.test as one that wants to get past the filter; nil if it is none.
func client(path string) *engine.Request {
	r := &engine.Request{}
	head := "GET http://origin.test/" + path + " HTTP/1.1\r\n\r\n"
	if _, err := h1.ParseRequest([]byte(head), &r.Request, h1.Limits{Relaxed: true}); err != nil {
		return nil
	}
	return r
}

func checkRepeating(t *testing.T, path string) {
	r := client(path)
	if r == nil {
		return
	}
	target := string(r.Target.AppendURL(nil))
	answers(target, func(form, answer string) {
		if a := Parse([]byte(answer), r, h1.Strip); passes(&a, r) {
			t.Errorf("%s: the client of %q passes: %.300q means %s", form, target, answer, describe(&a))
		}
	})
}

// tokens are what the URLs of the clients are made of: all that means something to the reader of answers.
var tokens = []string{
	`"`, `\`, `%22`, `%5c`, `%20`, `%0a`, `%0d`, `%0b`, `%09`, `%00`, `%2522`, `%2520`, `=`, `!`, `?`, `:`, `/`, `&`, `%`, `x`, `k=`, `'`,
	`url=`, `rewrite-url=`, `http://origin.test/`, `302:`, `OK`, `status=`, `%20url=`, `%20rewrite-url=http://origin.test/`, `%20status=200`,
	`intercept://origin.test`, `file://x`, "\xff",
}

// No URL that a helper repeats before its target makes of the answer one that lets the request pass.
func TestARepeatedURLNeverHidesTheTarget(t *testing.T) {
	for _, a := range tokens {
		for _, b := range tokens {
			checkRepeating(t, a+b)
		}
	}
	random := rand.New(rand.NewPCG(8, 1))
	for range 500 {
		path := ""
		for range 1 + random.IntN(12) {
			path += tokens[random.IntN(len(tokens))]
		}
		checkRepeating(t, path)
		if t.Failed() {
			return
		}
	}
}

func FuzzRepeatedURL(f *testing.F) {
	for _, seed := range tokens {
		f.Add(seed)
	}
	f.Fuzz(checkRepeating)
}
