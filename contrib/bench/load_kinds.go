package main

import (
	"bufio"
	"fmt"
	"io"
	"sync"
	"syscall"
	"time"
)

// loadConnect opens a tunnel, fetches something through it, closes it, and begins again, on so many connections at a
// time, until the duration is over. A request is all of that.
func loadConnect(o loadOptions, _ io.Reader, _ io.Writer) (loaded, error) {
	d := &dialer{options: o}
	path, host := pathOf(o.url), hostOf(o.url, "")
	begin := time.Now()
	told, times := together(o.connections, func(done func(time.Duration, error) bool) {
		for time.Since(begin) < o.duration {
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
	told.Seconds = time.Since(begin).Seconds()
	told.latencies(times)
	return told, nil
}

// loadSparse does a GET from time to time on each of some kept connections, until the duration is over.
func loadSparse(o loadOptions, _ io.Reader, _ io.Writer) (loaded, error) {
	d := &dialer{options: o}
	begin := time.Now()
	told, times := together(o.connections, func(done func(time.Duration, error) bool) {
		c, err := d.dial()
		if err != nil {
			done(0, err)
			return
		}
		defer c.conn.Close()
		c.conn.SetDeadline(begin.Add(o.duration + 20*time.Second))
		for time.Since(begin) < o.duration {
			at := time.Now()
			_, err := c.get(o.url, hostOf(o.url, ""))
			if !done(time.Since(at), err) || err != nil {
				return
			}
			time.Sleep(o.every)
		}
	})
	told.Seconds = time.Since(begin).Seconds()
	told.latencies(times)
	return told, nil
}

// loadBulk fetches one large file through each of some tunnels at the same time.
func loadBulk(o loadOptions, _ io.Reader, _ io.Writer) (loaded, error) {
	d := &dialer{options: o}
	var bytes int64
	var mutex sync.Mutex
	begin := time.Now()
	told, times := together(o.connections, func(done func(time.Duration, error) bool) {
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
	told.Seconds = time.Since(begin).Seconds()
	told.Bytes = float64(bytes)
	told.latencies(times)
	return told, nil
}

// loadIdle opens connections, does one GET on each and holds them.
func loadIdle(o loadOptions, in io.Reader, out io.Writer) (loaded, error) {
	d := &dialer{options: o}
	return hold(o, in, out, func() (*conversation, error) {
		c, err := d.dial()
		if err != nil {
			return nil, err
		}
		_, err = c.get(o.url, hostOf(o.url, ""))
		return c, err
	})
}

// loadTunnels opens tunnels, does one GET in each and holds them.
func loadTunnels(o loadOptions, in io.Reader, out io.Writer) (loaded, error) {
	d := &dialer{options: o}
	return hold(o, in, out, func() (*conversation, error) {
		c, err := d.tunnel()
		if err != nil {
			return nil, err
		}
		_, err = c.get(pathOf(o.url), hostOf(o.url, ""))
		return c, err
	})
}

// hold opens connections, 32 at a time, writes "ready", and keeps them until a line or the end of its input. Then it
// says how many the proxy has closed meanwhile.
func hold(o loadOptions, in io.Reader, out io.Writer, open func() (*conversation, error)) (loaded, error) {
	tickets := make(chan struct{}, o.connections)
	for range o.connections {
		tickets <- struct{}{}
	}
	close(tickets)
	var held []*conversation
	var mutex sync.Mutex
	told, _ := together(min(32, o.connections), func(done func(time.Duration, error) bool) {
		for range tickets {
			c, err := open()
			if err == nil {
				c.buf = nil // thousands of them would be missed
				mutex.Lock()
				held = append(held, c)
				mutex.Unlock()
			}
			if !done(0, err) {
				return
			}
		}
	})
	fmt.Fprintln(out, "ready")
	bufio.NewReader(in).ReadString('\n')
	for _, c := range held {
		if closed(c) {
			told.fail(fmt.Errorf("the proxy has closed an idle connection"))
		}
		c.conn.Close()
	}
	return told, nil
}

// closed looks whether the other end has closed a connection on which nothing is due.
func closed(c *conversation) bool {
	raw, err := c.conn.(syscall.Conn).SyscallConn()
	if err != nil {
		return true
	}
	over := false
	raw.Control(func(fd uintptr) {
		n, _, err := syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		over = err != syscall.EAGAIN || n > 0
	})
	return over
}

// together runs the same some times at once. What each reports as done is counted; one that reports 100 errors is
// told to give up.
func together(some int, work func(done func(time.Duration, error) bool)) (loaded, []float64) {
	var told loaded
	var times []float64
	var mutex sync.Mutex
	var all sync.WaitGroup
	for range some {
		all.Go(func() {
			errors := 0
			work(func(took time.Duration, err error) bool {
				mutex.Lock()
				defer mutex.Unlock()
				if err != nil {
					told.fail(err)
					errors++
					return errors < 100
				}
				told.Requests++
				times = append(times, took.Seconds()*1000)
				return true
			})
		})
	}
	all.Wait()
	return told, times
}
