package acceptance

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// A shape is one way to write a request, or a reply, byte by byte. In what a client sends {o} is the server with its port, {h}
// its name and {p} its port.
type shape struct {
	name  string
	raw   string // what the client sends; "" for the plainest request
	reply string // what the server answers; "" for the plainest reply
	ends  bool   // the server closes its connection behind the reply
	stays bool   // Squid waits for the rest for longer than any test
}

// A manner is how a client comes with a shape.
type manner string

const (
	fresh manner = "fresh" // on a connection of its own
	kept  manner = "kept"  // after another request on the same connection, which was answered
)

var manners = []manner{fresh, kept}

// A shaped is what came of a shape, for each who saw something of it.
type shaped struct {
	helper, server, client string
	requests               []wire // that reached the server
}

// A talk is one shape in one manner, with a client and a server that have no other.
type talk struct {
	shape
	manner
	n int
}

func (k talk) name() string   { return fmt.Sprintf("s%04d.test", k.n) }
func (k talk) other() string  { return fmt.Sprintf("t%04d.test", k.n) }
func (k talk) server() string { return fmt.Sprintf("127.60.%d.%d", k.n/200, k.n%200+1) }
func (k talk) second() string { return fmt.Sprintf("127.61.%d.%d", k.n/200, k.n%200+1) }
func (k talk) client() string { return fmt.Sprintf("127.62.%d.%d", k.n/200, k.n%200+1) }

// shapesConf has a helper write down what is asked for. Who waits for what never comes is let go of by the proxies.
const shapesConf = `url_rewrite_program {helper} -record {dir}/lines
url_rewrite_children 4 startup=4 idle=1
request_timeout 5 seconds
request_start_timeout 5 seconds
read_timeout 5 seconds
dns_timeout 3 seconds
client_idle_pconn_timeout 5 seconds
shutdown_lifetime 1 second
`

// A telling is how shapes are told to a program.
type telling struct {
	program
	conf   string // beside shapesConf; it names name servers
	before serverBefore
}

// A serverBefore starts a server before those of the shapes, at a port of all their addresses, from which it passes on to another port of the
// same address.
type serverBefore func(t *testing.T, port, to string)

// tell has a program told all shapes, in each manner, and returns what came of each.
func tell(t *testing.T, to telling, shapes []shape) map[string]shaped {
	t.Helper()
	var talks []talk
	for _, s := range shapes {
		for _, m := range manners {
			talks = append(talks, talk{s, m, len(talks)})
		}
	}
	sites := newSites(t)
	port := sites.port()
	if to.before != nil {
		port = freeEverywhere(t)
		to.before(t, port, sites.port())
	}
	dir := world(t)
	var hosts strings.Builder
	front := freePort(t)
	for _, k := range talks {
		sites.replies[k.server()] = siteReply{k.reply, k.ends}
		sites.plain[k.server()] = k.plainly(port, front)
		sites.plain[k.second()] = sites.plain[k.server()]
		fmt.Fprintf(&hosts, "%s %s\n%s %s\n", k.server(), k.name(), k.second(), k.other())
	}
	writeFile(t, dir, "hosts", hosts.String())
	close(sites.ready)
	x := start(t, to.program, dir, to.conf+shapesConf+base+"http_port 127.0.0.1:"+front+"\n")
	x.quiet = true // the differences say it all
	clients := make([]string, len(talks))
	turns := make(chan int)
	var all sync.WaitGroup
	for range 160 { // most of the time is waiting
		all.Go(func() {
			for i := range turns {
				clients[i] = x.shaped(talks[i], port, sites.plain[talks[i].server()])
			}
		})
	}
	for i := range talks {
		turns <- i
	}
	close(turns)
	all.Wait()
	if x.hasEnded() {
		t.Fatalf("%s has ended: %v", to.path, x.err)
	}
	x.end()
	sites.settle()
	lines := x.file("lines")
	told := map[string]shaped{}
	for i, k := range talks {
		server, requests := sites.at(k.server())
		told[k.shape.name+", "+string(k.manner)] = shaped{
			helper: k.behindWarm(questionsOf(lines, k.client(), sites.plain[k.server()])),
			server: k.behindWarm(server),
			client: k.behindWarm(clients[i]), requests: requests,
		}
	}
	return told
}

// freeEverywhere is a port that nobody has at any address, below those that the kernel gives to clients.
func freeEverywhere(t *testing.T) string {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp4", fmt.Sprint("0.0.0.0:", 20000+rand.IntN(12000)))
		if err == nil {
			l.Close()
			_, port, _ := net.SplitHostPort(l.Addr().String())
			return port
		}
	}
	t.Fatal("no port is free")
	return ""
}

// plainly replaces what is not the same twice.
func (k talk) plainly(port, proxy string) func(string) string {
	return strings.NewReplacer(k.name(), "SITE", k.other(), "OTHER", ":"+port, ":PORT", k.client(), "CLIENT", "proxy.test:"+proxy, "proxy.test:PORT").Replace
}

// behindWarm is what a text tells of what came after the request before the shape, if there was one.
func (k talk) behindWarm(text string) string {
	if k.manner == fresh {
		return text
	}
	for _, told := range []string{"GET http://SITE:PORT/warm\n", "GET /warm HTTP/1.1\n", "<<warm>>\n"} {
		if rest, is := strings.CutPrefix(text, told); is {
			return strings.TrimPrefix(rest, "(on another connection)\n") // whether the shape is, does not matter
		}
	}
	return "(the request before is not there)\n" + text
}

// questionsOf are the methods and URLs that the helper was asked about, of one client.
func questionsOf(lines, client string, plain func(string) string) string {
	var all strings.Builder
	for line := range strings.Lines(lines) {
		url, rest, of := strings.Cut(line, " "+client+"/")
		if of {
			method := strings.Fields(rest)
			fmt.Fprintf(&all, "%s %s\n", method[2], printable(plain(url)))
		}
	}
	return all.String()
}

// plainRequest is one that nobody refuses.
func plainRequest(path string) string {
	return "GET http://{o}/" + path + " HTTP/1.1\r\nHost: {o}\r\n\r\n"
}

// shaped has one talk with a proxy, and returns what the client reads.
func (x *proxy) shaped(k talk, port string, plain func(string) string) string {
	conn, err := x.dialFrom(k.client())
	if err != nil {
		x.t.Errorf("%s cannot be asked: %v", x.cmd.Path, err)
		return ""
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(map[bool]time.Duration{false: time.Minute, true: 10 * time.Second}[k.stays]))
	c := &shapeClient{conn: conn}
	fill := strings.NewReplacer("{o}", k.name()+":"+port, "{h}", k.name(), "{p}", port).Replace
	raw, methods := k.raw, ""
	if raw == "" {
		raw = plainRequest(first)
	}
	methods = methodsOf(raw)
	if k.manner == kept {
		c.say(fill(plainRequest(warm)))
		c.readTo(sayingOf(warm))
		methods = "GET " + methods
	}
	behind := plainRequest(second)
	if k.ends { // who asks the same server again may not have noticed that it has closed
		behind = strings.ReplaceAll(behind, "{o}", k.other()+":"+port)
	}
	c.say(fill(raw) + fill(behind))
	c.readTo(sayingOf(second))
	return c.text(strings.Fields(methods), plain)
}

// methodsOf are the methods of the requests in a shape.
func methodsOf(raw string) string {
	var all strings.Builder
	for line := range strings.SplitSeq(raw, "\n") {
		method, _, is := strings.Cut(strings.TrimLeft(line, " "), " http://{o}/")
		if !is {
			method, _, is = strings.Cut(line, " ")
			is = is && method == "CONNECT"
		}
		if is {
			all.WriteString(strings.ToUpper(strings.TrimSpace(method)) + " ")
		}
	}
	return all.String()
}

// A shapeClient reads all that it is told.
type shapeClient struct {
	conn  net.Conn
	read  []byte
	ended bool
	still bool // it did not end in time
}

// say sends a text while what is answered is read: a proxy may answer before it has read all.
func (c *shapeClient) say(text string) { go io.WriteString(c.conn, text) }

// readTo reads until a text has come, or there is no more.
func (c *shapeClient) readTo(text string) {
	buf := make([]byte, 64<<10)
	for !c.ended && !bytes.HasSuffix(c.read, []byte(text)) && !bytes.HasSuffix(c.read, []byte(text+"\r\n0\r\n\r\n")) {
		n, err := c.conn.Read(buf)
		c.read = append(c.read, buf[:n]...)
		c.ended = err != nil
		if ne, ok := err.(net.Error); ok && ne.Timeout() {
			c.still = true
		}
	}
}

// text tells the replies, and what became of the connection.
func (c *shapeClient) text(methods []string, plain func(string) string) string {
	var told strings.Builder
	rest := c.read
	for len(rest) > 0 {
		method := "GET"
		if len(methods) > 0 {
			method = methods[0]
		}
		w, after, ok := cutWire(rest, method)
		if !ok {
			told.WriteString("(no reply) " + printable(plain(string(rest))) + "\n")
			break
		}
		told.WriteString(w.text(plain))
		if interim := strings.HasPrefix(w.start, "HTTP/1.1 1") && !strings.HasPrefix(w.start, "HTTP/1.1 101"); !interim && len(methods) > 0 {
			methods = methods[1:]
		}
		rest = after
	}
	switch {
	case c.still:
		told.WriteString("(the connection is still open)\n")
	case c.ended:
		told.WriteString("(closed)\n")
	}
	return told.String()
}
