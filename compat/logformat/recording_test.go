package logformat

import (
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"exaproxy/engine"
)

const recordings = "../../testdata/logformat/"

// lines reads a recorded log.
func lines(t *testing.T, name string) []string {
	t.Helper()
	b, err := os.ReadFile(recordings + name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

// A fact is one "label=%code" of the recorded format with every code of Squid.
type fact struct{ label, code string }

// facts takes the recorded format apart.
func facts(format string) (all []fact) {
	for at := 0; at < len(format); {
		label, rest, ok := strings.Cut(format[at:], "=%")
		if !ok {
			break
		}
		end := strings.IndexByte(rest, ' ')
		if end < 0 {
			end = len(rest)
		}
		all = append(all, fact{label, "%" + rest[:end]})
		at += len(label) + len("=%") + end + 1
	}
	return all
}

// values reads the values of a recorded line, by label.
func values(t *testing.T, all []fact, line string) map[string]string {
	t.Helper()
	got := map[string]string{}
	for i, f := range all {
		rest, ok := strings.CutPrefix(line, f.label+"=")
		if !ok {
			t.Fatalf("the recorded line should go on with %s, it goes on with %.60q", f.label, line)
		}
		end := len(rest)
		if i+1 < len(all) {
			end = strings.Index(rest, " "+all[i+1].label+"=")
		}
		got[f.label] = rest[:end]
		line = strings.TrimPrefix(rest[end:], " ")
	}
	return got
}

// recorded makes the record of a transaction from its recorded facts.
func recorded(t *testing.T, v map[string]string, referer string) *engine.Record {
	t.Helper()
	number := func(s string) int64 { n, _ := strconv.ParseInt(s, 10, 64); return n }
	end := func(addr, port string) netip.AddrPort {
		a, err := netip.ParseAddr(v[addr])
		if err != nil || a.IsUnspecified() {
			return netip.AddrPort{}
		}
		return netip.AddrPortFrom(a, uint16(number(v[port])))
	}
	rec := &engine.Record{
		Request: readRequest(t, v, referer), Ended: time.UnixMilli(number(v["ts"])*1000 + number(v["tu"])),
		Took: time.Duration(number(v["tr"])) * time.Millisecond, Status: int(number(v[">Hs"])),
		In: number(v[">st"]), Out: number(v["<st"]), Upstream: end("<a", "<p"), Outgoing: end("<la", "<lp"),
	}
	rec.Request.Client, rec.Request.Local = end(">a", ">p"), end(">la", ">lp")
	if v["Sh"] != "HIER_NONE" {
		rec.Hierarchy = v["Sh"]
	}
	if v["mt"] != "-" {
		rec.ContentType = []byte(v["mt"] + ";charset=utf-8")
	}
	if v["<Hs"] != "-" {
		rec.ReplyHead = fmt.Appendf(nil, "HTTP/1.1 %s Whatever\r\n\r\n", v["<Hs"])
		rec.UpstreamIn = int64(len(rec.ReplyHead)) + number(v["<bs"])
	}
	decide(rec, v)
	return rec
}

// readRequest makes the request that was recorded.
func readRequest(t *testing.T, v map[string]string, referer string) *engine.Request {
	t.Helper()
	var r *engine.Request
	switch url := v[">ru"]; {
	case url == urlOfUnread:
		return &engine.Request{}
	case url == urlOfInvalid:
		r = request(t, v["rm"])
	case url == urlOfTooLarge:
		r = request(t, v["rm"]+" http://x/ HTTP/"+v["rv"])
	default:
		url = strings.NewReplacer("%5B", "[", "%5D", "]").Replace(url)
		r = request(t, v["rm"]+" "+url+" HTTP/"+v["rv"], "User-Agent: "+v["SQ{User-Agent}>h"],
			"Host: "+v["{Host}>ha"], "Referer: "+referer)
		if v["{Host}>ha"] == "-" {
			r.Header.Del("Host")
		}
		if base, _, _ := strings.Cut(v["ru"], "?"); !strings.HasPrefix(url, base) {
			r.Rewritten = request(t, v["rm"]+" "+v["<ru"]+" HTTP/1.1").Target
			r.WasRewritten = true
		}
	}
	if v["un"] != "-" {
		r.User = v["un"]
	}
	return r
}

// decide sets what the engine would have recorded of the policy's verdict and of failures.
func decide(rec *engine.Record, v map[string]string) {
	tag, aborted := strings.CutSuffix(v["Ss"], "_ABORTED")
	rec.Aborted = aborted
	switch {
	case v[">ru"] == urlOfUnread:
		rec.Unread, rec.Failure = true, &engine.Failure{Kind: engine.ClientGone}
	case v[">ru"] == urlOfTooLarge:
		rec.Failure = &engine.Failure{Kind: engine.HeadTooLarge}
	case tag == "TCP_MISS":
		rec.Forwarded = true
	case tag == "TCP_TUNNEL":
		rec.Forwarded, rec.Tunnel = true, true
	case tag == "TCP_REDIRECT":
		rec.Decided = engine.Redirect
	case tag == "TCP_DENIED":
		rec.Decided, rec.Failure = engine.Refuse, &engine.Failure{Kind: engine.Refused}
	case aborted:
		rec.Failure = &engine.Failure{Kind: engine.ClientGone}
	case v["rm"] == "CONNECT" && rec.Status >= 500:
		rec.Forwarded, rec.Failure = true, &engine.Failure{Kind: engine.CannotConnect}
	case v[">rm"] != "-":
		rec.Failure = &engine.Failure{Kind: engine.BodyTooLarge}
	default:
		rec.Failure = &engine.Failure{Kind: engine.BadRequest}
	}
}

// unlikeSquid are the codes whose values differ from Squid's.
var unlikeSquid = map[string]string{
	">eui": "addresses of network cards are not looked up", "credentials": "passwords are not logged",
	"master_xaction": "transactions have no numbers", "sn": "tested by itself",
	"<tt": "not recorded", "dt": "not in these records", "<pt": "not in these records",
	">sh": "not recorded", "<sh": "not recorded", "<sH": "not recorded", "<sS": "not recorded",
	"<rv": "Squid 5.7 prints the time instead", "{Via}<h": "the reply's head is the next hop's",
	"err_code": "the policy's", "err_detail": "the policy's",
	"{Host}>ha": "Squid adds the field before it looks", ">v": "deprecated",
	"rG": "deprecated", "tS": "reckoned from microseconds, which these records do not have",
}

// Recordings of a Squid 5.7: what it logged of 85 transactions in six formats.
func TestRecordings(t *testing.T) {
	format := strings.Join(lines(t, "mega.format"), "")
	all := facts(format)
	mega, combined := lines(t, "mega.log"), lines(t, "combined.log")
	logs := map[string][]string{"combined": combined}
	for _, name := range []string{"squid", "common", "referrer", "useragent"} {
		logs[name] = lines(t, name+".log")
	}
	for i := range mega {
		v := values(t, all, mega[i])
		if v["Ss"] == "TCP_DENIED_REPLY" {
			continue // there are no rules for replies
		}
		rec := recorded(t, v, refererOf(combined[i]))
		for name, log := range logs {
			f, _ := Builtin(name)
			if got := string(f.Append(nil, rec)); got != log[i] {
				t.Errorf("line %d in the format %s: Squid wrote\n%s, we write\n%s", i+1, name, log[i], got)
			}
		}
		for _, f := range all {
			if unlikeSquid[f.label] != "" || !parsed(rec) && f.label[0] == '<' {
				continue // of a request that made no sense Squid logs that its next hop is "http://:0"
			}
			if got := line(t, f.code, rec); got != v[f.label] {
				t.Errorf("line %d, code %s: Squid wrote %s, we write %s", i+1, f.code, v[f.label], got)
			}
		}
	}
}

// refererOf finds the referrer in a line of the combined format.
func refererOf(line string) string {
	if i := strings.Index(line, `"http://ref`); i >= 0 {
		rest := line[i+1:]
		return rest[:strings.IndexByte(rest, '"')]
	}
	return "-"
}
