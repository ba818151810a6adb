package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"sync"
	"time"
)

// loadConnect opens a tunnel, fetches something through it, closes it, and begins again, on so many connections at a
// time, until the duration is over. A request is all of that.
func loadConnect(o loadOptions, _ io.Reader, _ io.Writer) (loadResult, error) {
	d, err := newDialer(o)
	if err != nil {
		return loadResult{}, err
	}
	path, host := pathOf(o.url), hostOf(o.url, "")
	begin := time.Now()
	r, times := concurrently(o.connections, func(done func(time.Duration, error) bool) {
		for more := true; more; more = time.Since(begin) < o.duration {
			at := time.Now()
			c, err := d.tunnel()
			if err == nil {
				_, err = c.get(path, host)
				c.conn.Close()
			}
			if !done(time.Since(at), err) {
				return
			}
		}
	})
	r.Seconds = time.Since(begin).Seconds()
	r.latencies(times)
	return r, nil
}

// loadGet does one GET after the other on each of some kept connections, with a pause between if there is to be one,
// until the duration is over.
func loadGet(o loadOptions, _ io.Reader, _ io.Writer) (loadResult, error) {
	d, err := newDialer(o)
	if err != nil {
		return loadResult{}, err
	}
	begin := time.Now()
	r, times := concurrently(o.connections, func(done func(time.Duration, error) bool) {
		c, target, err := d.open()
		if err != nil {
			done(0, err)
			return
		}
		defer c.conn.Close()
		c.conn.SetDeadline(begin.Add(o.duration + 20*time.Second))
		for more := true; more; more = time.Since(begin) < o.duration {
			at := time.Now()
			_, err := c.get(target, hostOf(o.url, ""))
			if !done(time.Since(at), err) || err != nil {
				return
			}
			time.Sleep(o.every)
		}
	})
	r.Seconds = time.Since(begin).Seconds()
	r.latencies(times)
	return r, nil
}

// loadHandshake connects, shakes hands and says farewell, on so many connections at a time, until the duration is over. A
// request is all of that. Sessions that are to be resumed are those of the connection before.
func loadHandshake(o loadOptions, _ io.Reader, _ io.Writer) (loadResult, error) {
	d, err := newDialer(o)
	if err != nil {
		return loadResult{}, err
	}
	begin := time.Now()
	r, times := concurrently(o.connections, func(done func(time.Duration, error) bool) {
		var sessions tls.ClientSessionCache
		if o.resume {
			sessions = tls.NewLRUClientSessionCache(1)
			if _, err := d.greet(sessions); err != nil {
				done(0, err)
				return
			}
		}
		for more := true; more; more = time.Since(begin) < o.duration {
			at := time.Now()
			resumed, err := d.greet(sessions)
			if err == nil && resumed != o.resume {
				err = fmt.Errorf("resumed: %v, where %v was expected", resumed, o.resume)
			}
			if !done(time.Since(at), err) {
				return
			}
		}
	})
	r.Seconds = time.Since(begin).Seconds()
	r.latencies(times)
	return r, nil
}

// greet connects, shakes hands and says farewell. It tells whether a session was resumed.
func (d *dialer) greet(sessions tls.ClientSessionCache) (resumed bool, err error) {
	conn, err := d.dialPlain()
	if err != nil {
		return false, err
	}
	defer conn.Close()
	secure, err := d.handshake(conn, d.options.proxy, sessions)
	if err != nil {
		return false, err
	}
	return secure.ConnectionState().DidResume, farewell(secure)
}

// loadBulk fetches one large file through each of some tunnels at the same time.
func loadBulk(o loadOptions, _ io.Reader, _ io.Writer) (loadResult, error) {
	d, err := newDialer(o)
	if err != nil {
		return loadResult{}, err
	}
	var bytes int64
	var mutex sync.Mutex
	begin := time.Now()
	r, times := concurrently(o.connections, func(done func(time.Duration, error) bool) {
		at := time.Now()
		c, err := d.tunnel()
		if err == nil {
			defer c.conn.Close()
			c.conn.SetDeadline(time.Now().Add(60 * time.Second))
			var n int64
			n, err = c.get(pathOf(o.url), hostOf(o.url, ""))
			mutex.Lock()
			bytes += n
			mutex.Unlock()
		}
		done(time.Since(at), err)
	})
	r.Seconds = time.Since(begin).Seconds()
	r.Bytes = float64(bytes)
	r.latencies(times)
	return r, nil
}

// loadIdle opens connections, does one GET on each and holds them.
func loadIdle(o loadOptions, in io.Reader, out io.Writer) (loadResult, error) {
	d, err := newDialer(o)
	if err != nil {
		return loadResult{}, err
	}
	return hold(o, in, out, d.dial, o.url)
}

// loadTunnels opens tunnels, does one GET in each and holds them.
func loadTunnels(o loadOptions, in io.Reader, out io.Writer) (loadResult, error) {
	d, err := newDialer(o)
	if err != nil {
		return loadResult{}, err
	}
	return hold(o, in, out, d.tunnel, pathOf(o.url))
}

// hold opens connections, 32 at a time, and gets a target on each; writes "ready", and keeps them until a line or the
// end of its input. Those that the proxy has closed meanwhile are errors.
func hold(o loadOptions, in io.Reader, out io.Writer, open func() (*httpConn, error), target string) (loadResult, error) {
	tickets := make(chan struct{}, o.connections)
	for range o.connections {
		tickets <- struct{}{}
	}
	close(tickets)
	var opened []*httpConn
	var mutex sync.Mutex
	r, _ := concurrently(min(32, o.connections), func(done func(time.Duration, error) bool) {
		for range tickets {
			c, err := open()
			if err == nil {
				_, err = c.get(target, hostOf(o.url, ""))
			}
			if err == nil {
				c.buf = nil // with thousands of connections it counts
				mutex.Lock()
				opened = append(opened, c)
				mutex.Unlock()
			}
			if !done(0, err) {
				return
			}
		}
	})
	fmt.Fprintln(out, "ready")
	bufio.NewReader(in).ReadString('\n')
	for _, c := range opened {
		if c.closed() {
			r.fail(fmt.Errorf("the proxy has closed an idle connection"))
		}
		c.conn.Close()
	}
	return r, nil
}

// concurrently runs work n times at once and counts what each reports as done. done returns false after 100 errors:
// then work gives up.
func concurrently(n int, work func(done func(time.Duration, error) bool)) (loadResult, []float64) {
	var r loadResult
	var times []float64
	var mutex sync.Mutex
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			errors := 0
			work(func(took time.Duration, err error) bool {
				mutex.Lock()
				defer mutex.Unlock()
				if err != nil {
					r.fail(err)
					errors++
					return errors < 100
				}
				r.Requests++
				times = append(times, took.Seconds()*1000)
				return true
			})
		})
	}
	all.Wait()
	return r, times
}
