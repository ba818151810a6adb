package rewrite

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"

	"exaproxy/compat/logformat"
	"exaproxy/engine"
	"exaproxy/engine/h1"
)

// A difference is where we do not do as Squid 5.7 does, on purpose.
type difference struct{ want, reason string }

const cut = "an echoed line ends at its first space, as in Squid up to 3.5 and from 7.6"

// getDifferences hold for both recordings of GET.
var getDifferences = map[string]difference{
	"t076": {`ERROR: URL rewrite helper named a target where none can be read: junk rewrite-url="http://127.0.0.1:21081/afterjunk"`,
		"what names a target is never taken for unchanged"},
	"t078": {`ERROR: URL rewrite helper named a target where none can be read: rewrite-url="http://127.0.0.1:21081/first" rewrite-url="http://127.0.0.1:21081/second"`,
		"the first may be the client's, in its URL that the helper repeats"},
	"t015": {"rewrite http://127.0.0.1:21081/plain", cut},
	"t016": {"rewrite http://127.0.0.1:21081/plain", cut},
	"t071": {"ERROR: URL-rewrite produces invalid request: GET ok HTTP/1.1", cut},
	"t024": {"rewrite ftp://nx.test/", "whether it can be fetched is not asked here"},
	"t025": {"rewrite https://127.0.0.1:21081/tls", "the recording does not show the scheme"},
	"t063": {`rewrite http://127.0.0.1:21081/esc"q\b`, "the recording writes the backslash twice"},
	"t116": {`ERROR: URL-rewrite produces invalid request: GET OK\x00rewrite-url="x" HTTP/1.1`, "Squid waits for ever"},
	"t117": {"rewrite http://127.0.0.1:21081/nul%00x", "Squid waits for ever"},
}

func TestRecordedAnswers(t *testing.T) {
	differences := map[string]difference{"t013": {"unchanged", cut}}
	for id, d := range getDifferences {
		differences[id] = d
	}
	for _, rec := range readRecordings(t, "get.txt") {
		r := asked(t, "GET", "http://origin.test:21080/"+rec.id)
		play(t, &rec, r, rec.fill(r, question(r)), differences)
	}
}

// With concurrency the pool takes off the channel number and the blanks behind it.
func TestRecordedConcurrentAnswers(t *testing.T) {
	differences := map[string]difference{
		"t013": {"ERROR: URL-rewrite produces invalid request: GET 14 HTTP/1.1", cut},
	}
	for id, d := range getDifferences {
		differences[id] = d
	}
	for _, rec := range readRecordings(t, "get-concurrent.txt") {
		r := asked(t, "GET", "http://origin.test:21080/"+rec.id)
		play(t, &rec, r, strings.TrimLeft(rec.fill(r, "14 "+question(r)), " \t"), differences)
	}
}

func TestRecordedConnectAnswers(t *testing.T) {
	const page = "an answer meant for a browser is a redirect, not a host of the name http"
	const failed = "whether it can be reached is not asked here"
	differences := map[string]difference{
		"t005": {"redirect 302 http://127.0.0.1:21081/", page},
		"t006": {"redirect 302 http://127.0.0.1:21081/blocked?u=t006.test:21080", page},
		"t007": {"redirect 302 https://127.0.0.1:21081/", page},
		"t010": {"redirect 302 http://127.0.0.1:21081/x", page},
		"t011": {"redirect 302 https://127.0.0.1:21081/x", page},
		"t003": {"rewrite origin.test:21081", "the recording does not show the host"},
		"t004": {"rewrite 127.0.0.1:21081", "the recording does not show the host"},
		"t008": {"rewrite 127.0.0.1:21081", "the recording does not show the host"},
		"t009": {"rewrite 127.0.0.1:21081", "the recording does not show the host"},
		"t013": {"rewrite 127.0.0.1:443", "the recording does not show the host"},
		"t017": {"rewrite [::1]:21080", "the recording does not show the host"},
		"t012": {"rewrite nx.test:443", failed},
		"t015": {"rewrite 127.0.0.1:21999", failed},
		"t029": {"rewrite garbage:443", failed},
	}
	for _, rec := range readRecordings(t, "connect.txt") {
		r := asked(t, "CONNECT", rec.id+".test:21080")
		play(t, &rec, r, rec.fill(r, question(r)), differences)
	}
}

// play checks one recording.
func play(t *testing.T, rec *recording, r *engine.Request, answer string, differences map[string]difference) {
	t.Run(rec.id, func(t *testing.T) {
		parsed := Parse([]byte(strings.TrimSuffix(answer, "\r")), r, h1.Strip)
		got, squid := describe(&parsed), rec.wanted(string(r.Target.AppendURL(nil)))
		if d, ok := differences[rec.id]; ok {
			if got != d.want {
				t.Errorf("%q should mean %s (%s), it means %s", answer, d.want, d.reason, got)
			}
			if got == squid {
				t.Errorf("%q is listed as a difference and is none", answer)
			}
			return
		}
		if got != squid {
			t.Errorf("%q means to Squid: %s, to us: %s", answer, squid, got)
		}
	})
}

// The questions that a Squid 5.7 put to its helper for all kinds of requests.
func TestRecordedQuestions(t *testing.T) {
	b, err := os.ReadFile(testdata + "questions.raw")
	if err != nil {
		t.Fatal(err)
	}
	form := regexp.MustCompile(`(?s)^(\S+) (\S+)/(\S+) (.*) (\S+) myip=(\S+) myport=(\d+)$`)
	for _, line := range bytes.Split(bytes.TrimSpace(b), []byte("\n")) {
		parts := form.FindSubmatch(line)
		if parts == nil {
			t.Fatalf("the recorded line should be a question: %q", line)
		}
		r := asked(t, string(parts[5]), string(parts[1]))
		r.Client, r.Local = endpoint(t, parts[2], "1"), endpoint(t, parts[6], string(parts[7]))
		want := string(line)
		if user := string(parts[4]); user != "-" {
			r.User = user // Squid 5 writes it as it is; up to 3.4 it escaped it, and helpers undo that
			escaped := string(logformat.AppendEscaped(nil, user))
			want = strings.Replace(want, " "+user+" ", " "+escaped+" ", 1)
		}
		if !bytes.Equal(parts[2], parts[3]) {
			r.Connection = &engine.Connection{Client: r.Client, ClientName: string(parts[3])}
		}
		if got := question(r); got != want {
			t.Errorf("Squid asks\n%s, we ask\n%s", want, got)
		}
	}
}
