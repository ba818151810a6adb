package acceptance

import (
	"bufio"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"exaproxy/engine/canary"
)

// A waitingKind is helpers that requests wait for: how they are configured, what each request has for them, and
// how many bytes it may hold meanwhile, with its client and its head.
type waitingKind struct {
	name, conf string
	fields     func(t *testing.T, x *proxy, url string, clients int) func(n int) string // that the n-th of them has; nil: none
	number     *regexp.Regexp                                                           // of the request, in what the helper reads
	most       int64
}

var waitingKinds = []waitingKind{
	{"redirector", "url_rewrite_program {helper} -record {dir}/asked\nurl_rewrite_children 1 startup=1\n",
		nil, regexp.MustCompile(`/waits/(\d+) `), mostWaiting},
	{"reqmod", "reqmod_program {helper} -record {dir}/asked -blocks -answer ICAP/1.0\\s204\\sNo\\n\\n\nreqmod_children 1 startup=1\n",
		nil, regexp.MustCompile(`Pragma: path=/waits/(\d+)\n`), mostAsked},
	{"basic", "acl_helper_timeout 0\nauth_param basic program {helper} -record {dir}/asked -answer OK\\n\nauth_param basic children 1 startup=1\n" + usersOnly,
		credentials(func(n int) string { return "Basic " + encoded(fmt.Sprintf("user%d:secret", n)) }),
		regexp.MustCompile(`user(\d+) `), mostJudged},
	{"digest", "acl_helper_timeout 0\nauth_param digest program {helper} -record {dir}/asked -answer OK\\sha1=" + anyHA1 + "\\n\n" +
		"auth_param digest children 1 startup=1\nauth_param digest realm lab\n" + usersOnly,
		digestFields, regexp.MustCompile(`"user(\d+)":"lab"`), mostJudged},
	{"ntlm", "auth_param ntlm program {helper} -record {dir}/asked -answer AF\\sbob\\n\nauth_param ntlm children 1 startup=1 reservation-timeout=3600\n" + usersOnly,
		credentials(func(n int) string { return fmt.Sprintf("NTLM token-%d", n) }), regexp.MustCompile(`YR token-(\d+)\n`), mostJudged},
	{"negotiate", "auth_param negotiate program {helper} -record {dir}/asked -answer AF\\sdG9rZW4=\\sbob\\n\n" +
		"auth_param negotiate children 1 startup=1 reservation-timeout=3600\n" + usersOnly,
		credentials(func(n int) string { return fmt.Sprintf("Negotiate token-%d", n) }), regexp.MustCompile(`YR token-(\d+)\n`), mostJudged},
	{"external", "acl_helper_timeout 0\nexternal_acl_type waits ttl=0 children-max=1 children-startup=1 queue-size=20000 %URI {helper} -record {dir}/asked -answer OK\\n\n" +
		"acl waits external waits\nhttp_access deny !waits\n",
		nil, regexp.MustCompile(`/waits/(\d+) `), mostJudged},
}

const usersOnly = "acl users proxy_auth REQUIRED\nhttp_access deny !users\n"

// anyHA1 is what a helper of digest says of whomever it is asked about.
const anyHA1 = "0123456789abcdef0123456789abcdef"

// credentials have each request come with some of its own.
func credentials(of func(n int) string) func(*testing.T, *proxy, string, int) func(int) string {
	return func(*testing.T, *proxy, string, int) func(int) string {
		return func(n int) string { return "Proxy-Authorization: " + of(n) + "\r\n" }
	}
}

// digestFields asks for a nonce for each request, and answers to that.
func digestFields(t *testing.T, x *proxy, url string, clients int) func(n int) string {
	t.Helper()
	conn, err := x.dial()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(2 * time.Minute))
	read, all := bufio.NewReader(conn), make([]string, clients)
	for n := range all {
		fmt.Fprint(conn, get(url))
		reply, err := http.ReadResponse(read, nil)
		if err != nil {
			t.Fatalf("nonce %d: %v", n, err)
		}
		reply.Body.Close() // having read it
		all[n] = "Proxy-Authorization: " + digestOf(fmt.Sprint("user", n), fmt.Sprintf("/waits/%d", n), reply.Header.Get("Proxy-Authenticate")) + "\r\n"
	}
	return func(n int) string { return all[n] }
}

// digestOf answers a challenge for a GET, as somebody whose HA1 is anyHA1.
func digestOf(user, uri, challenge string) string {
	nonce := nonceIn.FindStringSubmatch(challenge)
	if nonce == nil {
		return "Digest"
	}
	response := md5Hex(anyHA1, nonce[1], "00000001", "c", "auth", md5Hex("GET", uri))
	return fmt.Sprintf(`Digest username="%s", realm="lab", nonce="%s", uri="%s", qop=auth, nc=00000001, cnonce="c", response="%s"`,
		user, nonce[1], uri, response)
}

// mostAsked is how many bytes a request may hold whose whole head is the question.
const mostAsked = 8 << 10

// mostJudged is how many bytes a request may hold while an access list waits for helpers: it keeps its head.
const mostJudged = 16 << 10

// TestNineThousandRequestsWaitForStoppedHelpers stops the helper of each kind, has requests wait, and reloads:
// what waits goes to the new helper in the order of its arrival, and nobody is refused or forgotten.
func TestNineThousandRequestsWaitForStoppedHelpers(t *testing.T) {
	const clients = 9000
	for _, kind := range waitingKinds {
		t.Run(kind.name, func(t *testing.T) { kind.haveWait(t, clients) })
	}
}

func (kind *waitingKind) haveWait(t *testing.T, clients int) {
	dir := world(t)
	o := newOrigin(t, "127.0.0.1", pages())
	x := start(t, exaproxy(), dir, "workers 1\n"+kind.conf+base+openPort)
	field := func(int) string { return "" }
	if kind.fields != nil {
		field = kind.fields(t, x, o.URL, clients)
	}
	var helpers []int
	x.eventually("has a helper", time.Minute, func() bool { helpers = children(x.pid()); return len(helpers) == 1 })
	syscall.Kill(helpers[0], syscall.SIGSTOP)
	x.eventually("has a stopped helper", 5*time.Second, func() bool { return stopped(helpers[0]) })
	ask := func(from int) func(int) string {
		return func(n int) string {
			head := browserGet(fmt.Sprintf("%s/waits/%d", o.URL, from+n))
			return strings.Replace(head, "\r\n", "\r\n"+field(from+n), 1)
		}
	}
	crowds := []*crowd{gather(t, x, clients/2, ask(0))}
	half := x.residentWith(clients / 2)
	crowds = append(crowds, gather(t, x, clients-clients/2, ask(clients/2)))
	full := x.residentWith(clients)
	each := (full - half) / int64(clients/2)
	t.Logf("resident: %d kB with half of them, %d kB with all: %d bytes each", half>>10, full>>10, each)
	if each > kind.most && !canary.On {
		t.Errorf("a request that waits holds %d bytes, want at most %d", each, kind.most)
	}
	if early := crowds[0].answered.Load() + crowds[1].answered.Load(); early != 0 {
		t.Errorf("%d clients were answered while no helper could", early)
	}
	x.signal(syscall.SIGHUP)
	x.eventually("answers all but the one that the old helper has", time.Minute, func() bool {
		return crowds[0].answered.Load()+crowds[1].answered.Load() >= int64(clients-1)
	})
	syscall.Kill(helpers[0], syscall.SIGCONT)
	for _, c := range crowds {
		c.wait(t)
		if n := c.good.Load(); int(n) != len(c.conns) {
			t.Errorf("%d of %d clients were answered well; %s", n, len(c.conns), c.complaints())
		}
	}
	inOrder(t, x.file("asked"), kind.number, clients)
}

// inOrder checks that a helper was asked about each request once, in their order but for the one that the old helper had.
func inOrder(t *testing.T, asked string, number *regexp.Regexp, clients int) {
	t.Helper()
	found := number.FindAllStringSubmatch(asked, -1)
	if len(found) != clients {
		t.Errorf("helpers were asked %d times, want %d", len(found), clients)
	}
	last, wrong := -1, 0
	for _, f := range found[:max(len(found)-1, 0)] {
		n, _ := strconv.Atoi(f[1])
		if n < last {
			wrong++
		}
		last = n
	}
	if wrong > 0 {
		t.Errorf("%d times a request was asked about before one that had come earlier", wrong)
	}
}
