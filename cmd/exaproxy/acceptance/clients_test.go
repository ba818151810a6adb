package acceptance

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// client is a client of a proxy that keeps its connection and follows no redirect.
func (x *proxy) client() *http.Client {
	proxyURL, _ := url.Parse(x.url())
	return &http.Client{
		Timeout: time.Minute,
		Transport: &http.Transport{
			Proxy:              http.ProxyURL(proxyURL),
			DisableCompression: true,
			DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				conn, err := (&net.Dialer{Timeout: 20 * time.Second}).DialContext(ctx, network, addr)
				if err != nil {
					return nil, err
				}
				return watchConn(x.t, "a client", conn), nil
			},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// rush has a number of clients ask a number of things each, all at once, and returns the
// complaints, at most ten of them. ask says what the n-th question is, and judges the answer.
func rush(x *proxy, clients, each int, ask func(client, n int) (url string, judge func(*http.Response) string)) []string {
	var mu sync.Mutex
	var complaints []string
	complain := func(text string) {
		mu.Lock()
		defer mu.Unlock()
		if text != "" && len(complaints) < 10 {
			complaints = append(complaints, text)
		}
	}
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() {
			c := x.client()
			defer c.CloseIdleConnections()
			for n := range each {
				where, judge := ask(i, n)
				complain(one(c, where, judge))
			}
		})
	}
	all.Wait()
	return complaints
}

// one asks for one URL.
func one(c *http.Client, where string, judge func(*http.Response) string) string {
	reply, err := c.Get(where)
	if err != nil {
		return fmt.Sprintf("%s is not answered: %v", where, err)
	}
	defer reply.Body.Close()
	if _, err := io.Copy(io.Discard, reply.Body); err != nil {
		return fmt.Sprintf("the answer to %s ends early: %v", where, err)
	}
	return judge(reply)
}

// expect judges by the status.
func expect(status int) func(*http.Response) string {
	return func(r *http.Response) string {
		if r.StatusCode != status {
			return fmt.Sprintf("%s is answered %s, want %d", r.Request.URL, r.Status, status)
		}
		return ""
	}
}
