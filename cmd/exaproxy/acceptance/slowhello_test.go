package acceptance

import (
	"crypto/tls"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"exaproxy/engine/canary"
)

// slowClients is how many clients of an https_port are slow at once. EXAPROXY_SLOW_CLIENTS says another number, as
// for the figure in SECURITY.md.
func slowClients() int {
	if n, err := strconv.Atoi(os.Getenv("EXAPROXY_SLOW_CLIENTS")); err == nil {
		return n
	}
	return 400
}

// eachSlow is how much memory one of them may cost: a goroutine with its stack, and what crypto/tls has of a hello.
const eachSlow = 40 << 10

// hello is what a client says first that asks for a name.
func hello(t *testing.T, name string) []byte {
	t.Helper()
	a, b := net.Pipe()
	defer a.Close()
	go tls.Client(b, &tls.Config{ServerName: name}).Handshake()
	first := make([]byte, 4096)
	n, err := a.Read(first)
	if err != nil {
		t.Fatal(err)
	}
	return first[:n]
}

// TestSlowHandshakesHoldNobodyUp has clients that say nothing, and others that say their ClientHello byte by byte, for
// as long as a healthy one needs to be served.
func TestSlowHandshakesHoldNobodyUp(t *testing.T) {
	dir := world(t)
	options := newAuthority(t, dir, "proxy.test").pemFiles(t, dir)
	o := newOrigin(t, "127.0.0.1", pages())
	x := start(t, exaproxy(), dir, base+"https_port 127.0.0.1:0 "+options+"\n")
	if got := secureGet(x.addr(), o.URL+"/plain", &tls.Config{}); !strings.HasPrefix(got, "HTTP/1.1 200") {
		t.Fatalf("the first client gets %q", got)
	}
	before, words, n := resident(x.pid()), hello(t, "proxy.test"), slowClients()
	var slow []net.Conn
	for range n {
		conn, err := net.Dial("tcp", x.addr())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		slow = append(slow, conn)
	}
	x.eventually("accepts all", time.Minute, func() bool { return tcpClients(x.pid()) >= n })
	for i := range 60 { // of each second one a byte
		for j := 0; j < n; j += 2 {
			slow[j].Write(words[i : i+1])
		}
	}
	x.eventually("reads what they say", time.Minute, func() bool { _, heard := heardClients(x.pid()); return heard >= n })
	began := time.Now()
	if got := secureGet(x.addr(), o.URL+"/plain", &tls.Config{}); !strings.HasPrefix(got, "HTTP/1.1 200") {
		t.Errorf("a healthy client gets %q", got)
	}
	took, each := time.Since(began), (resident(x.pid())-before)/int64(n)
	t.Logf("%d slow clients: a healthy one is served in %s; %d bytes for each", n, took, each)
	if took > 10*time.Second {
		t.Errorf("a healthy client is served after %s", took)
	}
	if each > eachSlow && !canary.On {
		t.Errorf("%d slow clients cost %d bytes each", n, each)
	}
	for _, conn := range slow {
		conn.Close()
	}
	x.eventually("lets them go", time.Minute, func() bool { return tcpClients(x.pid()) == 0 })
}
