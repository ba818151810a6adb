package acceptance

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"exaproxy/engine/canary"
)

// waitingKinds are the helpers that requests wait for: how they are configured, what each request has for them, and
// how many bytes it may hold meanwhile, with its client and its head.
var waitingKinds = []struct {
	name, conf string
	field      func(n int) string
	number     *regexp.Regexp // of the request, in a line to the helper
	most       int64
}{
	{"redirector", "url_rewrite_program {helper} -record {dir}/asked\nurl_rewrite_children 1 startup=1\n",
		func(int) string { return "" }, regexp.MustCompile(`/waits/(\d+) `), mostWaiting},
	{"basic", "acl_helper_timeout 0\nauth_param basic program {helper} -record {dir}/asked -answer OK\\n\nauth_param basic children 1 startup=1\n" +
		"acl users proxy_auth REQUIRED\nhttp_access deny !users\n",
		func(n int) string {
			return "Proxy-Authorization: Basic " + encoded(fmt.Sprintf("user%d:secret", n)) + "\r\n"
		}, regexp.MustCompile(`user(\d+) `), mostJudged},
	{"external", "acl_helper_timeout 0\nexternal_acl_type waits ttl=0 children-max=1 children-startup=1 queue-size=20000 %URI {helper} -record {dir}/asked -answer OK\\n\n" +
		"acl waits external waits\nhttp_access deny !waits\n",
		func(int) string { return "" }, regexp.MustCompile(`/waits/(\d+) `), mostJudged},
}

// mostJudged is how many bytes a request may hold while an access list waits for helpers: it keeps its head.
const mostJudged = 16 << 10

// TestNineThousandRequestsWaitForStoppedHelpers stops the helper of each kind, has requests wait, and reloads:
// what waits goes to the new helper in the order of its arrival, and nobody is refused or forgotten.
func TestNineThousandRequestsWaitForStoppedHelpers(t *testing.T) {
	const clients = 9000
	for _, kind := range waitingKinds {
		t.Run(kind.name, func(t *testing.T) {
			dir := world(t)
			o := newOrigin(t, "127.0.0.1", pages())
			x := start(t, exaproxy(), dir, "workers 1\n"+kind.conf+base+openPort)
			var helpers []int
			x.eventually("has a helper", time.Minute, func() bool { helpers = children(x.pid()); return len(helpers) == 1 })
			syscall.Kill(helpers[0], syscall.SIGSTOP)
			x.eventually("has a stopped helper", 5*time.Second, func() bool { return stopped(helpers[0]) })
			ask := func(from int) func(int) string {
				return func(n int) string {
					head := browserGet(fmt.Sprintf("%s/waits/%d", o.URL, from+n))
					return strings.Replace(head, "\r\n", "\r\n"+kind.field(from+n), 1)
				}
			}
			crowds := []*crowd{gather(t, x, clients/2, ask(0))}
			half := x.residentWith(clients / 2)
			crowds = append(crowds, gather(t, x, clients-clients/2, ask(clients/2)))
			full := x.residentWith(clients)
			each := (full - half) / (clients / 2)
			t.Logf("resident: %d kB with half of them, %d kB with all: %d bytes each", half>>10, full>>10, each)
			if each > kind.most && !canary.On {
				t.Errorf("a request that waits holds %d bytes, want at most %d", each, kind.most)
			}
			if early := crowds[0].answered.Load() + crowds[1].answered.Load(); early != 0 {
				t.Errorf("%d clients were answered while no helper could", early)
			}
			x.signal(syscall.SIGHUP)
			x.eventually("answers all but the one that the old helper has", time.Minute, func() bool {
				return crowds[0].answered.Load()+crowds[1].answered.Load() >= clients-1
			})
			syscall.Kill(helpers[0], syscall.SIGCONT)
			for _, c := range crowds {
				c.wait(t)
				if n := c.good.Load(); int(n) != len(c.conns) {
					t.Errorf("%d of %d clients were answered well; %s", n, len(c.conns), c.complaints())
				}
			}
			inOrder(t, x.file("asked"), kind.number, clients)
		})
	}
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
