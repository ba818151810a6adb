package acceptance

import (
	"bufio"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// forwardedAllTheSame are the requests that go on though neither net/http nor the grammar of RFC 9112 takes them, by why they do. All of
// them go on in Squid too, and each is written anew, so that servers see nothing of it.
var forwardedAllTheSame = []struct {
	why    string
	strict bool // with relaxed_header_parser off, too
	shapes []string
}{
	{"equal lengths count as one: RFC 9112, section 6.3", true, []string{"a list of one length", "a list of one length with spaces"}},
	{"leading zeros change no size", true, []string{"a chunk's size of 17 digits"}},
	{"recipients may retain them: RFC 9110, section 5.5", true, []string{"a value with a control character", "a value with DEL", "a value with a vertical tab"}},
	{"empty lines in front: RFC 9112, section 2.2", true, []string{"five empty lines in front"}},
	{"relaxed_header_parser: empty lines in front", false, []string{"a bare LF in front"}},
	{"relaxed_header_parser: white space between the words of the first line, RFC 9112, section 3", false, []string{
		"two spaces behind the method", "a tab behind the method", "two spaces before the version", "a tab before the version",
		"a vertical tab before the version", "a form feed behind the method"}},
	{"uri_whitespace strip", false, []string{"a space in the URL", "a tab in the URL", "a version in the URL", "target /a\\vb", "target /a\\fb"}},
	{"HTTP/0.9", true, []string{"no version", "no version and an empty line", "no version and fields"}},
	{"the URL says the host, what Host says is replaced: RFC 9112, section 3.2.2", false, []string{"a Host twice", "two Hosts", "two Hosts, the other first"}},
	{"escapes go on as they are: browsers send them so", true, []string{"target /%", "target /%z", "target /%zz", "target /%u002e"}},
	{"a fragment goes on as a part of the URL, as it was judged", true, []string{"target without a path, a fragment"}},
	{"it is answered 503, and the connection kept", true, []string{"a user with a hash"}},
}

// TestWhatStrictParsersRefuseIsNotForwarded holds what is forwarded to two readers of requests that have nothing in common with
// package engine/h1: net/http, and the grammar of RFC 9112. What both refuse is not forwarded, but for a few exceptions.
func TestWhatStrictParsersRefuseIsNotForwarded(t *testing.T) {
	for name, strict := range map[string]bool{"on": false, "off": true} {
		t.Run("relaxed_header_parser "+name, func(t *testing.T) {
			t.Parallel()
			exceptions := map[string]string{}
			for _, e := range forwardedAllTheSame {
				for _, name := range e.shapes {
					if e.strict || !strict {
						exceptions[name] = e.why
					}
				}
			}
			judgeShapes(t, telling{program: exaproxy(), conf: nameServer(t) + "relaxed_header_parser " + name + "\n"}, exceptions)
		})
	}
}

func judgeShapes(t *testing.T, to telling, exceptions map[string]string) {
	t.Helper()
	shapes := requestShapes()
	ours := tell(t, to, shapes)
	forwarded, refused := 0, 0
	for _, s := range shapes {
		o := ours[s.name+", "+string(fresh)]
		n := len(o.requests)
		if strings.Contains(o.client, "200 Connection established") {
			n = 1 // what is said in the tunnel is the server's to read
		}
		forwarded += n
		raw := strings.NewReplacer("{o}", "s0000.test:32768", "{h}", "s0000.test", "{p}", "32768").Replace(s.raw + plainRequest(second))
		byGo, byGrammar := acceptedByGo(raw), acceptedByGrammar(raw)
		excess := n > max(byGo, byGrammar)
		if excess {
			refused++
		}
		reason := exceptions[s.name]
		delete(exceptions, s.name)
		switch {
		case excess && reason == "":
			t.Errorf("%s: %d requests are forwarded, of which net/http takes %d and the grammar %d: %s", s.name, n, byGo, byGrammar, o.server)
		case !excess && reason != "":
			t.Errorf("%s was to be forwarded though both refuse it, and is not: %d, %d, %d", s.name, n, byGo, byGrammar)
		}
	}
	for name := range exceptions {
		t.Errorf("%s is no shape, and has a reason", name)
	}
	t.Logf("%d requests of %d shapes are forwarded, %d of them by exception", forwarded, len(shapes), refused)
}

// acceptedByGo says how many requests net/http reads before it finds a fault.
func acceptedByGo(raw string) (n int) {
	r := bufio.NewReader(strings.NewReader(raw))
	for {
		q, err := http.ReadRequest(r)
		if err != nil {
			return n
		}
		if q.Method == "CONNECT" {
			return n + 1
		}
		if _, err := io.Copy(io.Discard, q.Body); err != nil {
			return n
		}
		n++
	}
}

// The grammar of RFC 9112 and RFC 9110, by its rules' names.
const (
	token        = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
	pchar        = `(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})`
	absolutePath = `(?:/` + pchar + `*)+`
	query        = `(?:\?(?:` + pchar + `|[/?])*)?`
	uriHost      = `(?:\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+)`
	userinfo     = `(?:(?:[A-Za-z0-9\-._~!$&'()*+,;=:]|%[0-9A-Fa-f]{2})*@)?`
	quoted       = `"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*"`
	chunkExt     = `(?:[ \t]*;[ \t]*` + token + `(?:[ \t]*=[ \t]*(?:` + token + `|` + quoted + `))?)*`
	vchars       = `[\x21-\x7e\x80-\xff]`
)

var (
	requestLine = latin(`(` + token + `) ([^ ]+) HTTP/1\.[0-9]\r\n`)
	fieldLine   = latin(`(` + token + `):[ \t]*(|` + vchars + `(?:[ \t\x21-\x7e\x80-\xff]*` + vchars + `)?)[ \t]*\r\n`)
	chunkLine   = latin(`([0-9A-Fa-f]{1,15})` + chunkExt + `\r\n`)
	hostField   = latin(`(?:` + uriHost + `(?::[0-9]*)?)?$`)
	connectForm = latin(uriHost + `:[0-9]+$`)
	otherForms  = latin(`(?:https?://` + userinfo + uriHost + `(?::[0-9]*)?(?:` + absolutePath + `)?` + query + `|` + absolutePath + query + `)$`)
	lengthValue = latin(`[0-9]{1,18}$`)
)

// latin is a pattern for the beginning of a text of bytes.
func latin(pattern string) *regexp.Regexp { return regexp.MustCompile(`^(?s:` + pattern + `)`) }

// acceptedByGrammar says how many requests are written as the grammar has them before there is a fault.
func acceptedByGrammar(raw string) (n int) {
	text := asRunes(raw)
	for {
		rest, tunnel, ok := cutByGrammar(text)
		if !ok {
			return n
		}
		n++
		if tunnel || rest == "" {
			return n
		}
		text = rest
	}
}

// asRunes makes a character of each byte, so that patterns may have bytes above 0x7f.
func asRunes(raw string) string {
	runes := make([]rune, len(raw))
	for i := range len(raw) {
		runes[i] = rune(raw[i])
	}
	return string(runes)
}

// cutByGrammar cuts one request off a text.
func cutByGrammar(text string) (rest string, tunnel, ok bool) {
	text = strings.TrimPrefix(text, "\r\n") // RFC 9112, section 2.2
	line := requestLine.FindStringSubmatch(text)
	if line == nil {
		return "", false, false
	}
	method, target, old := line[1], line[2], strings.HasSuffix(line[0], "1.0\r\n")
	form := otherForms
	if tunnel = method == "CONNECT"; tunnel {
		form = connectForm
	}
	if !form.MatchString(target) && !(method == "OPTIONS" && target == "*") {
		return "", false, false
	}
	fields, rest, ok := cutFields(text[len(line[0]):])
	hosts, lengths, codings := fields["host"], fields["content-length"], fields["transfer-encoding"]
	switch {
	case !ok, len(hosts) > 1, len(hosts) == 0 && !old, len(hosts) == 1 && !hostField.MatchString(hosts[0]),
		len(lengths)+len(codings) > 1, old && len(codings) > 0, tunnel && len(lengths)+len(codings) > 0:
		return "", false, false
	case len(codings) == 1:
		if !strings.EqualFold(codings[0], "chunked") {
			return "", false, false
		}
		rest, ok = cutChunksByGrammar(rest)
	case len(lengths) == 1:
		if !lengthValue.MatchString(lengths[0]) {
			return "", false, false
		}
		rest, ok = cutBytes(rest, lengths[0], 10)
	}
	return rest, tunnel, ok
}

// cutFields cuts field lines and the empty line behind them off a text.
func cutFields(text string) (fields map[string][]string, rest string, ok bool) {
	fields = map[string][]string{}
	for {
		if rest, ends := strings.CutPrefix(text, "\r\n"); ends {
			return fields, rest, true
		}
		f := fieldLine.FindStringSubmatch(text)
		if f == nil {
			return nil, "", false
		}
		name := strings.ToLower(f[1])
		fields[name] = append(fields[name], f[2])
		text = text[len(f[0]):]
	}
}

// cutChunksByGrammar cuts a chunked body off a text.
func cutChunksByGrammar(text string) (rest string, ok bool) {
	for {
		line := chunkLine.FindStringSubmatch(text)
		if line == nil {
			return "", false
		}
		text = text[len(line[0]):]
		if strings.Trim(line[1], "0") == "" {
			_, rest, ok := cutFields(text)
			return rest, ok
		}
		if text, ok = cutBytes(text, line[1], 16); !ok {
			return "", false
		}
		if text, ok = strings.CutPrefix(text, "\r\n"); !ok {
			return "", false
		}
	}
}

// cutBytes cuts as many bytes off a text as a number says.
func cutBytes(text, number string, base int) (rest string, ok bool) {
	n, err := strconv.ParseInt(number, base, 64)
	runes := []rune(text)
	if err != nil || n > int64(len(runes)) {
		return "", false
	}
	return string(runes[n:]), true
}
