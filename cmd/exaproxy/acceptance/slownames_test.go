package acceptance

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"exaproxy/engine/canary"
)

// mostAsking is how many bytes a client may cost whose request waits for a name, all of what is resident for it included.
const mostAsking = 32 << 10

// TestTwoThousandClientsWaitForASlowNameServer has each ask for another name of a server that answers after 5 s. Half of them do
// not wait for that.
func TestTwoThousandClientsWaitForASlowNameServer(t *testing.T) {
	const clients, delay = 2000, 5 * time.Second
	address, ok := serveNames(t, dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		reply := new(dns.Msg).SetReply(q)
		if q.Question[0].Qtype == dns.TypeA {
			reply.Answer = []dns.RR{aRecord(q.Question[0].Name, "127.0.0.1")}
		}
		time.AfterFunc(delay+rand.N(3*time.Second), func() { w.WriteMsg(reply) }) // not all at once: no socket would hold them
	}))
	if !ok {
		t.Skip("this test needs a name server of its own, at port 53, which it may not open")
	}
	o := anyAddress(t)
	x := start(t, exaproxy(), world(t), manyConf(address))
	url := func(kind string, n int) string { return fmt.Sprintf("http://n%d.%s.test:%s/", n, kind, o.port()) }
	before := resident(x.pid())
	memory := watchMemory(x.pid())
	var all sync.WaitGroup
	for n := range clients / 2 {
		all.Go(func() {
			c := x.client()
			defer c.CloseIdleConnections()
			c.Timeout = delay / 5
			if reply, err := c.Get(url("left", n)); err == nil {
				reply.Body.Close()
				t.Errorf("%s is answered %s at once", reply.Request.URL, reply.Status)
			}
		})
	}
	complaints := rush(x, clients/2, 1, func(client, _ int) (string, func(*http.Response) string) {
		return url("waits", client), reachedAt("127.0.0.1")
	})
	all.Wait()
	for _, complaint := range complaints {
		t.Error(complaint)
	}
	each := (memory.most() - before) / clients
	t.Logf("resident: %d kB before, %d bytes for each client", before>>10, each)
	if each > mostAsking && !canary.On {
		t.Errorf("a client whose name is looked up costs %d bytes, want at most %d", each, mostAsking)
	}
	x.eventually("lets go of all clients", 20*time.Second, func() bool { return tcpClients(x.pid()) == 0 })
	x.eventually("gives the memory back", time.Minute, func() bool { return resident(x.pid()) < before+8<<20 })
	if requests, _ := o.counts(); requests != clients/2 {
		t.Errorf("%d requests have come to the origin, want those of who has waited, %d", requests, clients/2)
	}
	if log := x.cacheLog(); strings.Contains(log, "in the name of") {
		t.Errorf("late answers are taken for forged ones:\n%s", log)
	}
}
