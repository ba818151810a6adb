package rewrite

import (
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"

	"exaproxy/engine"
	"exaproxy/engine/h1"
)

const testdata = "../../testdata/rewrite/"

// asked makes the request that a helper was asked about.
func asked(t testing.TB, method, url string) *engine.Request {
	t.Helper()
	r := &engine.Request{}
	head := method + " " + url + " HTTP/1.1\r\n\r\n"
	if _, err := h1.ParseRequest([]byte(head), &r.Request, h1.Limits{Relaxed: true}); err != nil {
		t.Fatalf("the request %s %s should be well-formed: %v", method, url, err)
	}
	r.Client = netip.MustParseAddrPort("127.0.0.1:45000")
	r.Local = netip.MustParseAddrPort("127.0.0.1:21128")
	return r
}

// question is the line that r was put with.
func question(r *engine.Request) string {
	return string(Append(nil, nil, &engine.Record{Request: r}))
}

// describe says in one line what an answer asks for.
func describe(r *Answer) string {
	switch r.Action {
	case Unchanged:
		return "unchanged"
	case Rewrite:
		return "rewrite " + string(r.Target.AppendURL(nil))
	case Redirect:
		return "redirect " + strconv.Itoa(r.Status) + " " + string(r.Location)
	case Again:
		return "again " + r.String()
	case File:
		return "file " + string(r.Name)
	case Intercept:
		return "intercept " + string(r.Host) + " " + strconv.Itoa(int(r.Port))
	}
	return r.Complaint
}

// A recording is what a Squid 5.7 made of one answer.
type recording struct {
	id, answer string
	result     string   // of the request
	log        []string // in cache.log
}

// readRecordings reads a file of recordings: the answer as a Python string, an arrow, the result;
// below it, what was logged.
func readRecordings(t *testing.T, name string) (all []recording) {
	t.Helper()
	b, err := os.ReadFile(testdata + name)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n") {
		if log, ok := strings.CutPrefix(strings.TrimSpace(line), "LOG: "); ok {
			last := &all[len(all)-1]
			for _, entry := range strings.Split(log, " // ") {
				last.log = append(last.log, strings.TrimSpace(entry))
			}
			continue
		}
		id, rest, _ := strings.Cut(line, " ")
		answer, result, ok := strings.Cut(rest, " -> ")
		if !ok {
			answer = strings.TrimSuffix(rest, " ->")
		}
		all = append(all, recording{id: id, answer: unpython(t, strings.TrimSpace(answer)), result: strings.TrimSpace(result)})
	}
	return all
}

// unpython returns the bytes of a string that is written as in Python, a character for a byte.
func unpython(t *testing.T, s string) string {
	t.Helper()
	var out []byte
	runes := []rune(s[1 : len(s)-1])
	for i := 0; i < len(runes); i++ {
		if runes[i] != '\\' {
			out = append(out, byte(runes[i]))
			continue
		}
		i++
		switch runes[i] {
		case 'x':
			n, err := strconv.ParseUint(string(runes[i+1:i+3]), 16, 8)
			if err != nil {
				t.Fatalf("%s should be a Python string: %v", s, err)
			}
			out = append(out, byte(n))
			i += 2
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		default:
			out = append(out, byte(runes[i]))
		}
	}
	return string(out)
}

// wanted is what an answer should mean that Squid treated so. url is the request's.
func (rec *recording) wanted(url string) string {
	for _, entry := range rec.log {
		if strings.HasPrefix(entry, "ERROR: URL-rewrite produces") || strings.HasPrefix(entry, "ERROR: URL rewrite helper returned") {
			return entry
		}
		if again, ok := strings.CutPrefix(entry, "ERROR: helper: "); ok {
			again, _, _ = strings.Cut(again, ", attempt")
			return "again " + again
		}
	}
	status, rest, _ := strings.Cut(rec.result, " ")
	if _, location, ok := strings.Cut(rest, " LOC="); ok || strings.HasPrefix(status, "30") {
		return "redirect " + status + " " + latin1(location)
	}
	if _, origin, ok := strings.Cut(rest, "ORIGIN="); ok {
		return rec.from(strings.Fields(origin), url)
	}
	return rec.result
}

// from is what the answer came to, judged by the origin that was reached.
func (rec *recording) from(origin []string, url string) string {
	if !strings.HasPrefix(url, "http") { // a CONNECT: only the origin knows
		if origin[0] == "o4" {
			return "unchanged"
		}
		return "rewrite to " + origin[0]
	}
	path := strings.ReplaceAll(origin[2], `\xc3\xa9`, "\xc3\xa9")
	reached := "http://" + strings.TrimSuffix(origin[4], ")") + path
	if reached == url {
		return "unchanged"
	}
	return "rewrite " + reached
}

// latin1 returns s with a byte for every character.
func latin1(s string) string {
	var out []byte
	for _, r := range s {
		out = append(out, byte(r))
	}
	return string(out)
}

// fill replaces what the recording helper had put into its answers.
func (rec *recording) fill(r *engine.Request, line string) string {
	url := string(r.Target.AppendURL(nil))
	return strings.NewReplacer("{url}", url, "{line}", line).Replace(rec.answer)
}
