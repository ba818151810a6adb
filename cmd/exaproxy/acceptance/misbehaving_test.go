package acceptance

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"
)

// misbehaviour is what a helper does with questions that have a word in them: ~ stands for its channel number. None of it
// lets anybody pass.
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
	{"floods", "~" + strings.Repeat("x", 1<<20+1<<17)},
	{"hangs", "silence"},
	{"endsnot", "~OK"}, // without channel numbers only
}

// misbehavingKinds are the helpers that decide within access lists.
var misbehavingKinds = []struct{ name, conf, refused string }{
	{"basic", "auth_param basic program {program}\nauth_param basic children 8 startup=8 concurrency=%d\n" +
		"acl users proxy_auth REQUIRED\nhttp_access deny !users\n", " 407 "},
	{"external", "external_acl_type names ttl=0 queue-size=1000 children-max=8 children-startup=8 concurrency=%d %%URI {program}\n" +
		"acl named external names\nhttp_access deny !named\n", " 403 "},
}

// TestMisbehavingHelpersHurtNobodyElse has helpers do each of this, most of it three times, and good clients beside those whom they do it to.
func TestMisbehavingHelpersHurtNobodyElse(t *testing.T) {
	for _, kind := range misbehavingKinds {
		for _, concurrency := range []int{0, 20} {
			t.Run(fmt.Sprintf("%s, concurrency=%d", kind.name, concurrency), func(t *testing.T) {
				dir := world(t)
				o := newOrigin(t, "127.0.0.1", pages())
				id, program := "", "{helper} -rules {dir}/rules -answer OK\\n"
				if concurrency > 0 {
					id, program = "{id} ", program+" -channels"
				}
				var rules []string
				for _, m := range misbehaviour {
					if m.word == "endsnot" && concurrency > 0 {
						continue // the answer to another's question would end it
					}
					rules = append(rules, m.word, strings.ReplaceAll(m.does, "~", id))
				}
				writeRules(t, dir, rules...)
				x := start(t, exaproxy(), dir, "acl_helper_timeout 8 seconds\n"+strings.ReplaceAll(fmt.Sprintf(kind.conf, concurrency), "{program}", program)+base+openPort)
				x.misbehaves(t, o, kind.refused, concurrency > 0)
			})
		}
	}
}

// busyMachine is how long an answer may take on a machine that is busy, also if a helper hangs before.
const busyMachine = 150 * time.Second

// times is how often each is done: what ends with acl_helper_timeout once.
func times(word string) int {
	if word == "hangs" || word == "endsnot" {
		return 1
	}
	return 3
}

// misbehaves sends bad and good requests at the same time. An answer without an end is none where there are channel numbers: the next
// line of another's would end it.
func (x *proxy) misbehaves(t *testing.T, o *origin, refused string, channels bool) {
	t.Helper()
	var bad, good sync.WaitGroup
	for _, m := range misbehaviour {
		if m.word == "endsnot" && channels {
			continue
		}
		for n := range times(m.word) {
			bad.Go(func() {
				name := fmt.Sprintf("%s-%d", m.word, n)
				if status := x.asUser(o, name, busyMachine); !strings.Contains(status, refused) {
					t.Errorf("%s is answered %q, want%s", name, status, refused)
				}
			})
		}
	}
	for client := range 6 {
		good.Go(func() {
			for n := range 15 {
				name := fmt.Sprintf("good-%d-%d", client, n)
				if status := x.asUser(o, name, busyMachine); !strings.Contains(status, " 200 ") {
					t.Errorf("%s is answered %q", name, status)
				}
			}
		})
	}
	good.Wait()
	bad.Wait()
	for _, m := range misbehaviour {
		for n := range times(m.word) {
			if path := fmt.Sprintf("/%s-%d", m.word, n); o.reached(path) {
				t.Errorf("%s reached the server", path)
			}
		}
	}
}

// asUser asks for a page of a name, as the user of that name, and returns the status line of the answer.
func (x *proxy) asUser(o *origin, name string, within time.Duration) string {
	conn, err := x.dial()
	if err != nil {
		return err.Error()
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(within))
	head := strings.Replace(get(o.URL+"/"+name), "\r\n", "\r\nProxy-Authorization: Basic "+encoded(name+":secret")+"\r\n", 1)
	if _, err := io.WriteString(conn, head); err != nil {
		return err.Error()
	}
	return readExchange(conn, "GET", "").status
}
