package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// wrkScript makes wrk ask for an absolute URL and report what it measured as ours do. As it sets variables and defines
// no function request, wrk builds the request once.
const wrkScript = `wrk.method = %q
wrk.path = %q
wrk.headers["Host"] = %q
%s
done = function(summary, latency)
	local e = summary.errors
	print(string.format('{"requests":%%d,"seconds":%%f,"p50":%%f,"p99":%%f,"p999":%%f,"errors":%%d,"error":"wrk: %%d connect, %%d read, %%d write, %%d status, %%d timeout"}',
		summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
		latency:percentile(99.9) / 1e3, e.connect + e.read + e.write + e.status + e.timeout,
		e.connect, e.read, e.write, e.status, e.timeout))
end
`

// request is what wrk sends again and again.
type request struct {
	path   string
	close  bool // a connection for each
	upload int  // the size of a body to POST
}

// wrk puts load on a proxy with one thread, for some seconds.
func (b *bench) wrk(p *proxy, r request, seconds int) (loadResult, error) {
	url := p.url(r.path)
	method, more := "GET", ""
	if r.close {
		more = `wrk.headers["Connection"] = "close"`
	}
	if r.upload > 0 {
		method, more = "POST", fmt.Sprintf("wrk.body = string.rep('x', %d)", r.upload)
	}
	script := p.path("load.lua")
	if err := os.WriteFile(script, fmt.Appendf(nil, wrkScript, method, url, hostOf(url, ""), more), 0o644); err != nil {
		return loadResult{}, err
	}
	return b.generate(time.Duration(seconds+30)*time.Second, "wrk", "-t1", "-c"+strconv.Itoa(b.options.connections),
		"-d"+strconv.Itoa(seconds)+"s", "--timeout", "10s", "--latency", "-s", script, "http://"+p.address())
}

// ours puts load on a proxy with "bench load".
func (b *bench) ours(p *proxy, kind, path string, more ...string) (loadResult, error) {
	argv, err := loadCommand(p, kind, path, more)
	if err != nil {
		return loadResult{}, err
	}
	return b.generate(90*time.Second, argv...)
}

// loadCommand is the command line of "bench load" for a proxy.
func loadCommand(p *proxy, kind, path string, more []string) ([]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	argv := []string{self, "load", kind, "-proxy", p.address(), "-url", p.url(path), "-trusted", p.trusted()}
	if p.contestant.tcp {
		argv = append(argv, "-direct")
	}
	if p.contestant.secure {
		argv = append(argv, "-secure")
	}
	return append(argv, more...), nil
}

// generate runs a load generator to its end and reads the last line of JSON that it writes.
func (b *bench) generate(limit time.Duration, argv ...string) (loadResult, error) {
	ctx, cancel := context.WithTimeout(b.ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var wrong bytes.Buffer
	cmd.Stderr = &wrong
	out, err := cmd.Output()
	if err != nil {
		return loadResult{}, fmt.Errorf("%s: %w: %s", filepath.Base(argv[0]), err, wrong.String())
	}
	return readLoadResult(string(out))
}

func readLoadResult(out string) (loadResult, error) {
	at := strings.LastIndex(out, `{"requests"`)
	if at < 0 {
		return loadResult{}, fmt.Errorf("the load generator reports nothing: %s", out)
	}
	var l loadResult
	if err := json.Unmarshal([]byte(out[at:]), &l); err != nil {
		return loadResult{}, fmt.Errorf("read what the load generator reports: %w", err)
	}
	if l.Errors == 0 {
		l.Error = ""
	}
	return l, nil
}

// idleConnections is a load generator that holds connections open.
type idleConnections struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// openIdle opens some idle connections or tunnels to a proxy, and returns when all are open.
func (b *bench) openIdle(p *proxy, kind string, some int) (*idleConnections, error) {
	argv, err := loadCommand(p, kind, "/1k", []string{"-connections", strconv.Itoa(some)})
	if err != nil {
		return nil, err
	}
	c := &idleConnections{cmd: exec.CommandContext(b.ctx, argv[0], argv[1:]...)}
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.out = bufio.NewReader(out)
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	late := time.AfterFunc(90*time.Second, func() { c.cmd.Process.Kill() })
	defer late.Stop()
	if line, err := c.out.ReadString('\n'); err != nil || line != "ready\n" {
		c.cmd.Process.Kill()
		c.cmd.Wait()
		return nil, fmt.Errorf("open %d idle connections to %s: it prints %q: %v", some, p.contestant.name, line, err)
	}
	return c, nil
}

// close closes the connections and tells how many there were and how many the proxy had closed.
func (c *idleConnections) close() (loadResult, error) {
	c.in.Close()
	late := time.AfterFunc(60*time.Second, func() { c.cmd.Process.Kill() })
	defer late.Stop()
	out, err := io.ReadAll(c.out)
	if waited := c.cmd.Wait(); err == nil {
		err = waited
	}
	if err != nil {
		return loadResult{}, fmt.Errorf("close idle connections: %w", err)
	}
	return readLoadResult(string(out))
}
