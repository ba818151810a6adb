package acceptance

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// misbehaviour is what a helper does with questions that have a word in them: ~ stands for its channel number; OK, ERR and
// BH for what says so in its kind. None of it lets anybody pass.
var misbehaviour = []struct {
	word, does string
}{
	{"dies", "exit"},
	{"breaksoff", "~Oexit"},
	{"babbles", `~what\n`},
	{"cannottell", `~BH\n`},
	{"empties", `~\n`},
	{"repeats", `~ERR\n~OK\n`},
	{"strays", `99 OK\n~ERR\n`},
	{"halfbegins", `~TT\n`},
	{"neverends", `~TT dG9rZW4=\n`},
	{"nobodys", `~AF\n`},
	{"floods", "~" + strings.Repeat("x", 1<<20+1<<17)},
	{"mutes", "mute"},
	{"hangs", "silence"},
	{"deafens", "deaf"}, // without channel numbers only
	{"endsnot", "~OK"},  // without channel numbers only
}

// hanging are those that are silent, so that only time ends them: they are done once, and in handshakes, where that
// takes a minute, at one step of each scheme.
var hanging = []string{"hangs", "deafens", "endsnot"}

// farewell is the word for which helpers let pass, close their input, and live on: who is asked next is not lost.
const farewell = "farewell"

// A misbehavingKind is helpers that decide about requests: how they are configured, what a client says on its connection
// when it has been told a challenge (""; none yet), and how it is refused.
type misbehavingKind struct {
	name, conf, options string
	concurrency         []int
	field               func(name, challenge string) string
	refused             *regexp.Regexp
	ok, err, bh         string   // what helpers say
	not                 []string // what is not tried
	begins              bool     // the helper has to be asked twice, and does it the second time
}

var misbehavingKinds = []misbehavingKind{
	{name: "basic", conf: "auth_param basic program {program}\nauth_param basic children 8 startup=8 concurrency=%d\n" + usersOnly,
		concurrency: []int{0, 20}, refused: regexp.MustCompile(" 407 "),
		field: basicField},
	{name: "external", conf: "external_acl_type names ttl=0 queue-size=1000 children-max=8 children-startup=8 concurrency=%d %%URI {program}\n" +
		"acl named external names\nhttp_access deny !named\n",
		concurrency: []int{0, 20}, refused: regexp.MustCompile(" 403 ")},
	{name: "digest", conf: "auth_param digest program {program}\nauth_param digest children 8 startup=8 concurrency=%d\nauth_param digest realm lab\n" + usersOnly,
		concurrency: []int{0, 20}, refused: regexp.MustCompile(" 407 "), ok: "OK ha1=" + anyHA1,
		field: func(name, challenge string) string {
			if challenge == "" {
				return ""
			}
			return digestOf(name, "/"+name, challenge)
		}},
	{name: "ntlm", conf: "auth_param ntlm program {program}\nauth_param ntlm children 8 startup=8 concurrency=%d\n" + usersOnly,
		concurrency: []int{0}, refused: regexp.MustCompile(" 407 "), ok: "AF bob", err: "NA no", field: handshake("NTLM"), not: hanging},
	{name: "ntlm, second step", conf: "auth_param ntlm program {program}\nauth_param ntlm children 8 startup=8 concurrency=%d\n" + usersOnly,
		concurrency: []int{0}, refused: regexp.MustCompile(" 407 "), ok: "AF bob", err: "NA no", field: handshake("NTLM"), begins: true},
	{name: "negotiate", conf: "auth_param negotiate program {program}\nauth_param negotiate children 8 startup=8 concurrency=%d\n" + usersOnly,
		concurrency: []int{0}, refused: regexp.MustCompile(" 407 "), ok: "AF dG9rZW4= bob", err: "NA dG9rZW4= no", field: handshake("Negotiate")},
	{name: "negotiate, second step", conf: "auth_param negotiate program {program}\nauth_param negotiate children 8 startup=8 concurrency=%d\n" + usersOnly,
		concurrency: []int{0}, refused: regexp.MustCompile(" 407 "), ok: "AF dG9rZW4= bob", err: "NA dG9rZW4= no", field: handshake("Negotiate"), begins: true, not: hanging},
	{name: "redirector", conf: redirecting, concurrency: []int{0}, refused: regexp.MustCompile(" (302|500|503) "), ok: "ERR", err: "OK status=302 url=http://127.0.0.1:9/",
		not: []string{"empties"}}, // which says that the URL is as it should be
	{name: "redirector", conf: redirecting, concurrency: []int{20}, refused: regexp.MustCompile(" (302|500|503) "), ok: "ERR", err: "OK status=302 url=http://127.0.0.1:9/",
		not: []string{"empties"}},
	{name: "reqmod", conf: "reqmod_timeout 8 seconds\nreqmod_program {program}\nreqmod_children 8 startup=8 concurrency=%d\n", options: " -blocks",
		concurrency: []int{0}, refused: regexp.MustCompile(" (403|500|503) "), ok: `ICAP/1.0 204 No\n`, bh: `ICAP/1.0 500 No\n`,
		err: `ICAP/1.0 200 OK\nEncapsulated: res-hdr=0, null-body=45\n\nHTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n`},
}

// basicField is the field of a client that has one password to try.
func basicField(name, challenge string) string {
	if challenge != "" {
		return ""
	}
	return "Basic " + encoded(name+":secret")
}

const redirecting = "url_rewrite_timeout 8 seconds\nurl_rewrite_failure crash=deny bh=deny invalid=deny target=deny\n" +
	"url_rewrite_program {program}\nurl_rewrite_children 8 startup=8 concurrency=%d\n"

// handshake is the field of a client that goes on when it is told a token.
func handshake(scheme string) func(name, challenge string) string {
	return func(name, challenge string) string {
		if challenge == scheme {
			return ""
		}
		return scheme + " " + name
	}
}

// TestMisbehavingHelpersHurtNobodyElse has helpers do each of this, most of it three times, and good clients beside those whom they do it to.
func TestMisbehavingHelpersHurtNobodyElse(t *testing.T) {
	for _, kind := range misbehavingKinds {
		for _, concurrency := range kind.concurrency {
			t.Run(fmt.Sprintf("%s, concurrency=%d", kind.name, concurrency), func(t *testing.T) {
				t.Parallel()
				dir := world(t)
				o := newOrigin(t, "127.0.0.1", pages())
				writeRules(t, dir, kind.rules(concurrency > 0)...)
				program := "{helper}" + kind.options + " -rules {dir}/rules -answer " + strings.ReplaceAll(kind.says(`OK\n`), " ", `\s`)
				if concurrency > 0 {
					program += " -channels"
				}
				conf := strings.ReplaceAll(fmt.Sprintf(kind.conf, concurrency), "{program}", program)
				x := start(t, exaproxy(), dir, "acl_helper_timeout 8 seconds\n"+conf+base+openPort)
				kind.misbehaves(t, x, o, concurrency > 0)
			})
		}
	}
}

// done says whether helpers of the kind do it. An answer without an end is none where there are channel numbers: the next
// line of another's would end it. Who hangs there has what others have asked, too: see helper.Config.Spare.
func (kind *misbehavingKind) done(word string, channels bool) bool {
	return !slices.Contains(kind.not, word) && !(channels && (word == "endsnot" || word == "deafens"))
}

func (kind *misbehavingKind) says(text string) string {
	or := func(s, usual string) string {
		if s == "" {
			return usual
		}
		return s
	}
	return strings.NewReplacer("OK", or(kind.ok, "OK"), "ERR", or(kind.err, "ERR"), "BH", or(kind.bh, "BH")).Replace(text)
}

// rules are what helpers of the kind do.
func (kind *misbehavingKind) rules(channels bool) (rules []string) {
	id := ""
	if channels {
		id = "{id} "
	}
	if kind.begins {
		rules = append(rules, "YR ", `TT dG9rZW4=\n`)
	}
	for _, m := range misbehaviour {
		if kind.done(m.word, channels) {
			rules = append(rules, m.word, strings.ReplaceAll(kind.says(m.does), "~", id))
		}
	}
	if !channels {
		return append(rules, farewell, kind.says(`OK\ndeaf`))
	}
	return rules // what it had read by then it would never answer
}

// busyMachine is how long an answer may take on a machine that is busy, also if a helper hangs before.
const busyMachine = 150 * time.Second

// times is how often each is done.
func times(word string) int {
	if slices.Contains(hanging, word) {
		return 1
	}
	return 3
}

// misbehaves sends bad and good requests at the same time.
func (kind *misbehavingKind) misbehaves(t *testing.T, x *proxy, o *origin, channels bool) {
	t.Helper()
	var bad, good sync.WaitGroup
	for _, m := range misbehaviour {
		if !kind.done(m.word, channels) {
			continue
		}
		for n := range times(m.word) {
			bad.Go(func() {
				name := fmt.Sprintf("%s-%d", m.word, n)
				if status := x.visits(o, name, kind.field, busyMachine); !kind.refused.MatchString(status) {
					t.Errorf("%s is answered %q, want %q in it", name, status, kind.refused)
				}
			})
		}
	}
	for client := range 6 {
		good.Go(func() {
			for n := range 15 {
				name := fmt.Sprintf("good-%d-%d", client, n)
				if n == 7 {
					name = fmt.Sprintf("%s-%d", farewell, client)
				}
				if status := x.visits(o, name, kind.field, busyMachine); !strings.Contains(status, " 200 ") {
					t.Errorf("%s is answered %q", name, status)
				}
			}
		})
	}
	good.Wait()
	bad.Wait()
	if name := "good-afterwards"; !strings.Contains(x.visits(o, name, kind.field, busyMachine), " 200 ") {
		t.Errorf("it does not serve on")
	}
	for _, m := range misbehaviour {
		for n := range times(m.word) {
			if path := fmt.Sprintf("/%s-%d", m.word, n); kind.done(m.word, channels) && o.reached(path) {
				t.Errorf("%s reached the server", path)
			}
		}
	}
}

// asUser asks for a page of a name, as the user of that name, and returns the status line of the answer.
func (x *proxy) asUser(o *origin, name string, within time.Duration) string {
	return x.visits(o, name, basicField, within)
}

// visits asks for a page of a name, and again on the same connection as long as field has something else to say to the
// challenge that it gets. It returns the status line of the last answer.
func (x *proxy) visits(o *origin, name string, field func(name, challenge string) string, within time.Duration) string {
	conn, err := x.dial()
	if err != nil {
		return err.Error()
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(within))
	read, challenge := bufio.NewReader(conn), ""
	for step := 0; ; step++ {
		head := get(o.URL + "/" + name)
		if credentials := credentialsOf(field, name, challenge); credentials != "" {
			head = strings.Replace(head, "\r\n", "\r\nProxy-Authorization: "+credentials+"\r\n", 1)
		}
		if _, err := io.WriteString(conn, head); err != nil {
			return err.Error()
		}
		status, asked, err := challenged(read)
		if err != nil {
			return err.Error()
		}
		challenge = asked
		if step > 0 || challenge == "" || credentialsOf(field, name, challenge) == "" {
			return status
		}
	}
}

func credentialsOf(field func(name, challenge string) string, name, challenge string) string {
	if field == nil {
		return ""
	}
	return field(name, challenge)
}

// challenged reads an answer, and what it asks for.
func challenged(read *bufio.Reader) (status, challenge string, err error) {
	reply, err := http.ReadResponse(read, nil)
	if err != nil {
		return "", "", err
	}
	_, err = io.Copy(io.Discard, reply.Body)
	return reply.Proto + " " + reply.Status, reply.Header.Get("Proxy-Authenticate"), err
}
