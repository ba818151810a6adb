package acceptance

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// A clientKind is how a client uses its tunnel. The zero one speaks TLS with the host of its CONNECT, and HTTP inside.
type clientKind struct {
	byAddress bool   // the CONNECT is to the site's address
	sni       string // instead of the site's name, which {name} stands for
	noSNI     bool
	version   uint16 // of TLS, at most
	host      string // that requests are for; the CONNECT's if ""
	// says is what is written instead of a ClientHello. May be nil.
	says func(s *site) string
	// http says that this is requests.
	http bool
}

// clientKinds are the clients by their names in the table of cases.
var clientKinds = map[string]clientKind{
	"TLS": {}, "TLS 1.2": {version: tls.VersionTLS12}, "other SNI": {sni: "sni.{name}"}, "no SNI": {noSNI: true},
	"address": {byAddress: true}, "address, no SNI": {byAddress: true, noSNI: true},
	"other Host":           {host: "unlike.test"},
	"denied SNI":           {sni: "sni.denied.test"},
	"address, denied SNI":  {sni: "sni.denied.test", byAddress: true},
	"refused SNI":          {sni: "sni.refused.test"},
	"address, refused SNI": {sni: "sni.refused.test", byAddress: true},
	"HTTP":                 {http: true},
	"SSH":                  {says: func(*site) string { return "SSH-2.0-client\r\n" }},
	"silent":               {says: func(*site) string { return "" }},
	"half a ClientHello":   {says: func(s *site) string { return string(clientHello(s.name)[:80]) }},
}

// A conversation is what one client does and sees.
type conversation struct {
	conn net.Conn
	kind clientKind
	site *site
	path string // of the first request in the tunnel
	said []string
}

func (c *conversation) note(format string, args ...any) {
	c.said = append(c.said, fmt.Sprintf(format, args...))
}

// hold has the conversation, to its end.
func (c *conversation) hold() {
	defer c.conn.Close()
	c.conn.SetDeadline(time.Now().Add(3 * time.Minute))
	authority := net.JoinHostPort(c.site.name, c.site.port())
	if c.kind.byAddress {
		authority = c.site.addr
	}
	fmt.Fprintf(c.conn, "CONNECT %[1]s HTTP/1.1\r\nHost: %[1]s\r\nUser-Agent: test\r\n\r\n", authority)
	r := bufio.NewReader(c.conn)
	if !c.reply(r, "CONNECT") {
		return
	}
	conn := readConn{c.conn, r}
	switch {
	case c.kind.http:
		c.gets(conn, authority, "/plain")
	case c.kind.says != nil:
		io.WriteString(conn, c.kind.says(c.site))
		got, err := io.ReadAll(conn)
		c.note("reads %.40q, %s", got, ending(err))
	default:
		c.secure(conn, authority)
	}
}

// secure speaks TLS in the tunnel.
func (c *conversation) secure(conn net.Conn, authority string) {
	conf := &tls.Config{InsecureSkipVerify: true, ServerName: c.site.name, MaxVersion: c.kind.version}
	if c.kind.sni != "" {
		conf.ServerName = strings.ReplaceAll(c.kind.sni, "{name}", c.site.name)
	}
	if c.kind.noSNI {
		conf.ServerName = ""
	}
	secured := tls.Client(conn, conf)
	if err := secured.Handshake(); err != nil {
		c.note("handshake: %s", ending(err))
		return
	}
	state := secured.ConnectionState()
	leaf := state.PeerCertificates[0]
	issuer := leaf.Issuer.CommonName
	if strings.HasPrefix(issuer, "Web filter of ") { // and the machine's name
		issuer = "the proxy"
	}
	term := "the site's term"
	switch left := time.Until(leaf.NotAfter); {
	case left < 0:
		term = "expired"
	case left > siteTerm:
		term = "a term of its own"
	}
	c.note("%s with %s %q %v by %s, %s", tls.VersionName(state.Version), leaf.Subject, leaf.DNSNames, leaf.IPAddresses, issuer, term)
	if c.kind.host != "" {
		authority = c.kind.host
	}
	c.gets(secured, authority, c.path)
}

// gets asks for two pages, one after the other if the first is had.
func (c *conversation) gets(conn net.Conn, host, first string) {
	r := bufio.NewReader(conn)
	for _, path := range []string{first, "/second"} {
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, host)
		if !c.reply(r, "GET") {
			return
		}
	}
}

// reply notes a reply, and says whether anything may follow.
func (c *conversation) reply(r *bufio.Reader, method string) bool {
	first, err := r.Peek(5)
	if string(first) != "HTTP/" {
		c.note("%s: %q, %s", method, first, ending(err))
		return false
	}
	reply, err := http.ReadResponse(r, &http.Request{Method: method})
	if err != nil {
		c.note("%s: no reply: %v", method, err)
		return false
	}
	note := fmt.Sprintf("%s: %d", method, reply.StatusCode)
	for _, name := range []string{"X-Squid-Error", "Location"} {
		if v := reply.Header.Get(name); v != "" {
			note += " " + v
		}
	}
	if method == "CONNECT" && reply.StatusCode == http.StatusOK {
		c.note("%s", note)
		return true
	}
	body, err := io.ReadAll(reply.Body)
	if line, _, _ := strings.Cut(string(body), "\n"); strings.Contains(line, " answers ") {
		note += " " + line
	}
	if reply.Close {
		_, end := r.Peek(1)
		note += ", " + ending(end)
	}
	c.note("%s", note)
	return err == nil && method == "GET" && reply.StatusCode == http.StatusOK
}

// ending is how a connection ended.
func ending(err error) string {
	var ne net.Error
	switch {
	case err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return "closed"
	case errors.As(err, &ne) && ne.Timeout():
		return "nothing comes"
	case strings.Contains(err.Error(), "reset"):
		return "reset"
	}
	return err.Error()
}

// readConn is a connection that something was read from already.
type readConn struct {
	net.Conn
	r *bufio.Reader
}

func (c readConn) Read(p []byte) (int, error) { return c.r.Read(p) }

// clientHello is what a client begins with.
func clientHello(name string) []byte {
	var sent bytes.Buffer
	tls.Client(writeOnly{w: &sent}, &tls.Config{ServerName: name, InsecureSkipVerify: true}).Handshake()
	return sent.Bytes()
}

// writeOnly is a connection from which nothing comes.
type writeOnly struct {
	net.Conn
	w io.Writer
}

func (c writeOnly) Write(p []byte) (int, error) { return c.w.Write(p) }
func (c writeOnly) Read([]byte) (int, error)    { return 0, io.EOF }
func (c writeOnly) Close() error                { return nil }
