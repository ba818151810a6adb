package acceptance

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// A question is something that good clients ask, each time with words of its own, so that an answer which was
// meant for somebody else is seen.
type question struct {
	name string
	ask  func(c *goodClient, n int) error
}

// A goodClient asks one question after the other.
type goodClient struct {
	*storm
	number int
	http   *http.Client

	inTunnels, overTLS *http.Client // made when there is the first question for them
}

const (
	thinking = 30 * time.Millisecond // from an answer to the next question
	patience = 2 * time.Minute       // who is not answered by then has lost the request
)

func newGoodClient(s *storm, number int) *goodClient {
	c := &goodClient{storm: s, number: number, http: s.x.client()}
	c.http.Timeout = patience
	return c
}

// rounds asks all questions some times, or until the storm is over.
func (c *goodClient) rounds(times int) {
	defer c.hangUp()
	for n := range times * len(c.asks) {
		q := c.asks[(n+c.number)%len(c.asks)]
		began := time.Now()
		err := q.ask(c, n)
		if err != nil {
			err = fmt.Errorf("%s: %w", q.name, err)
		}
		c.good.record(c.number, time.Since(began), c.paths(n), err)
		if !c.pass(thinking) {
			return
		}
	}
}

// hangUp closes the client's connections.
func (c *goodClient) hangUp() {
	for _, client := range []*http.Client{c.http, c.inTunnels, c.overTLS} {
		if client != nil {
			client.CloseIdleConnections()
		}
	}
}

// get asks for a URL and checks the status, the place it leads to and the body.
func (c *goodClient) get(url string, status int, location, body string) error {
	return getBy(c.http, url, status, location, body)
}

func getBy(client *http.Client, url string, status int, location, body string) error {
	reply, err := client.Get(url)
	if err != nil {
		return err
	}
	return check(reply, url, status, location, body)
}

// check reads a reply to its end. A body that is none of our business is "".
func check(reply *http.Response, url string, status int, location, body string) error {
	defer reply.Body.Close()
	got, err := io.ReadAll(reply.Body)
	if err != nil {
		return fmt.Errorf("the answer to %s ends early: %w", url, err)
	}
	if reply.StatusCode != status || reply.Header.Get("Location") != location || body != "" && string(got) != body {
		return fmt.Errorf("%s is answered %s, Location %q, %.100q; X-Squid-Error %q; want %d, %q, %.100q",
			url, reply.Status, reply.Header.Get("Location"), got, reply.Header.Get("X-Squid-Error"), status, location, body)
	}
	return nil
}

func (c *goodClient) path(kind string, n int) string {
	return fmt.Sprintf("/%s/%d/%d", kind, c.number, n)
}

// paths is how all that path makes ends.
func (c *goodClient) paths(n int) string { return fmt.Sprintf("/%d/%d", c.number, n) }

var askPage = question{"a page", func(c *goodClient, n int) error {
	path := c.path("page", n)
	return c.get(c.people.good.at(goodName, path), http.StatusOK, "", "origin answers GET "+path+"\n")
}}

// stormPattern is the body of larger messages.
var stormPattern = sync.OnceValue(func() string {
	b, _ := io.ReadAll(pattern(100_000))
	return string(b)
})

var askLarge = question{"a large page", func(c *goodClient, n int) error {
	body := stormPattern()
	return c.get(c.people.good.at(goodName, fmt.Sprintf("/bytes/%d", len(body))), http.StatusOK, "", body)
}}

var askPost = question{"a form", func(c *goodClient, n int) error {
	return postBy(c.http, c.people.good.at(goodName, "/sum"), stormPattern()[:n%20_000])
}}

// postBy sends a body, and checks that it is what the origin was sent.
func postBy(client *http.Client, url, body string) error {
	reply, err := client.Post(url, "text/plain", strings.NewReader(body))
	if err != nil {
		return err
	}
	sum := newSum()
	io.WriteString(sum, body)
	return check(reply, url, http.StatusOK, "", fmt.Sprintf("%s %d POST\n", sum.text(), len(body)))
}

// What the helper makes of an allowed URL carries that URL: an answer that somebody else should have had is seen.
var askMarked = question{"a page that is marked", func(c *goodClient, n int) error {
	path := c.path("marked", n)
	return c.get(c.people.good.at(goodName, path), http.StatusOK, "", "marked "+path+"?mark\n")
}}

var askBlocked = question{"a blocked page", func(c *goodClient, n int) error {
	url := c.people.forbidden.at(forbiddenName, c.path("blocked", n))
	return c.get(url, http.StatusFound, blockPage+"?u="+url, "")
}}

var askRewritten = question{"a page that is rewritten", func(c *goodClient, n int) error {
	url := c.people.forbidden.at(rewrittenName, c.path("rewritten", n))
	return c.get(url, http.StatusOK, "", "blocked u="+url+"\n")
}}

// A name that nobody has asked for before.
var askLookedUp = question{"a page at a new name", func(c *goodClient, n int) error {
	if c.people.names == "" {
		return nil
	}
	path := c.path("page", n)
	return c.get(c.people.good.at(fmt.Sprintf("c%d-%d.%s", c.number, n, goodName), path), http.StatusOK, "", "origin answers GET "+path+"\n")
}}

var askTunnel = question{"a tunnel", func(c *goodClient, n int) error {
	path := c.path("page", n)
	return c.tunnel(net.JoinHostPort(goodName, c.people.good.port()), path, http.StatusOK, "", "origin answers GET "+path+"\n")
}}

// squidGuard blocks a name at port 443 only, which nobody listens at.
var askBlockedTunnel = question{"a blocked tunnel", func(c *goodClient, n int) error {
	to := forbiddenName + ":443"
	return c.tunnel(to, c.path("blocked", n), http.StatusFound, blockPage+"?u="+to, "")
}}

// tunnel asks for a page inside a tunnel.
func (c *goodClient) tunnel(to, path string, status int, location, body string) error {
	conn, err := net.DialTimeout("tcp", c.x.addr(), patience)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	io.WriteString(conn, request("CONNECT", to))
	r := bufio.NewReader(conn)
	reply, err := http.ReadResponse(r, &http.Request{Method: http.MethodConnect})
	if err != nil {
		return fmt.Errorf("CONNECT %s is not answered: %w", to, err)
	}
	if reply.StatusCode != http.StatusOK {
		return fmt.Errorf("CONNECT %s is answered %s", to, reply.Status)
	}
	io.WriteString(conn, request("GET", path))
	reply, err = http.ReadResponse(r, nil)
	if err != nil {
		return fmt.Errorf("in the tunnel to %s: %w", to, err)
	}
	return check(reply, to, status, location, body)
}

// A tally is what became of the good clients' requests.
type tally struct {
	mu    sync.Mutex
	each  [goodClients]int
	took  []time.Duration
	lost  int
	why   []string // of the first few
	wrong []string // how their paths end
}

func (y *tally) reset() {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.each, y.took = [goodClients]int{}, nil
}

func (y *tally) record(client int, took time.Duration, paths string, err error) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.each[client]++
	y.took = append(y.took, took)
	if err == nil {
		return
	}
	y.lost++
	if len(y.why) < 10 {
		y.why = append(y.why, fmt.Sprintf("%s, after %v: %v", time.Now().Format(time.StampMicro), took, err))
		y.wrong = append(y.wrong, paths)
	}
}

// least is how much the client has asked who has asked least.
func (y *tally) least() int {
	y.mu.Lock()
	defer y.mu.Unlock()
	return slices.Min(y.each[:])
}

// waits are how many requests there were, and how long they took: half of them, 99 of 100, all.
func (y *tally) waits() (n int, half, most99, most time.Duration) {
	y.mu.Lock()
	took := slices.Clone(y.took)
	y.mu.Unlock()
	if len(took) == 0 {
		return 0, 0, 0, 0
	}
	slices.Sort(took)
	return len(took), took[len(took)/2], took[len(took)*99/100], took[len(took)-1]
}

func (y *tally) complaints() (lost int, why string) {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.lost, strings.Join(y.why, "\n")
}
