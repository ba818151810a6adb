package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// dialer connects to the proxy from one address after the other.
type dialer struct {
	options loadOptions
	next    atomic.Int64
	secrets *tls.Config // of all TLS
}

// newDialer reads the authority that is trusted.
func newDialer(o loadOptions) (*dialer, error) {
	d := &dialer{options: o}
	if o.trusted == "" {
		return d, nil
	}
	text, err := os.ReadFile(o.trusted)
	if err != nil {
		return nil, err
	}
	d.secrets = &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS13, CurvePreferences: []tls.CurveID{tls.X25519}}
	if !d.secrets.RootCAs.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s has no certificate", o.trusted)
	}
	return d, nil
}

// dial connects to the proxy, and speaks TLS to it if that is asked for.
func (d *dialer) dial() (*httpConn, error) {
	conn, err := d.dialPlain()
	switch {
	case err != nil:
		return nil, err
	case d.options.secure:
		return d.shakeHands(conn, d.options.proxy)
	}
	return newHTTPConn(conn), nil
}

func (d *dialer) dialPlain() (net.Conn, error) {
	source := net.IPv4(127, 0, 3, byte(1+d.next.Add(1)%int64(max(1, d.options.sources))))
	from := net.Dialer{Timeout: 10 * time.Second, LocalAddr: &net.TCPAddr{IP: source}, Control: chooseAddressOnly, KeepAlive: -1}
	conn, err := from.DialContext(context.Background(), "tcp", d.options.proxy)
	if err != nil {
		return nil, err
	}
	return conn, conn.SetDeadline(time.Now().Add(20 * time.Second))
}

// chooseAddressOnly has bind(2) choose the address alone and leave the port to connect(2), which knows the other end: see
// IP_BIND_ADDRESS_NO_PORT in ip(7).
func chooseAddressOnly(_, _ string, raw syscall.RawConn) error {
	const bindAddressNoPort = 24
	var err error
	controlled := raw.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, bindAddressNoPort, 1)
	})
	if controlled != nil {
		return controlled
	}
	return err
}

// tunnel dials, and asks for a tunnel to the URL's host if the proxy is one to be asked. For a URL of https it speaks TLS
// in it.
func (d *dialer) tunnel() (*httpConn, error) {
	c, err := d.dial()
	if err != nil {
		return nil, err
	}
	host := hostOf(d.options.url, "")
	if !d.options.direct {
		if err := c.connect(host); err != nil {
			c.conn.Close()
			return nil, err
		}
	}
	if !strings.HasPrefix(d.options.url, "https:") {
		return c, nil
	}
	return d.shakeHands(c.conn, host)
}

// open gives a connection on which the URL can be asked for, and in which form.
func (d *dialer) open() (c *httpConn, target string, err error) {
	if strings.HasPrefix(d.options.url, "https:") {
		c, err = d.tunnel()
		return c, pathOf(d.options.url), err
	}
	c, err = d.dial()
	return c, d.options.url, err
}

// shakeHands begins TLS on a connection.
func (d *dialer) shakeHands(conn net.Conn, authority string) (*httpConn, error) {
	secure, err := d.handshake(conn, authority, nil)
	if err != nil {
		conn.Close()
		return nil, err
	}
	return newHTTPConn(secure), nil
}

// handshake agrees on keys with who has the name of an authority (RFC 3986, section 3.2). It insists on what all
// contestants can, so that all do the same work.
func (d *dialer) handshake(conn net.Conn, authority string, sessions tls.ClientSessionCache) (*tls.Conn, error) {
	if d.secrets == nil {
		return nil, errors.New("TLS is asked for, and no authority is trusted")
	}
	config := d.secrets.Clone()
	config.ServerName, _, _ = strings.Cut(authority, ":")
	config.ClientSessionCache = sessions
	secure := tls.Client(conn, config)
	if err := secure.Handshake(); err != nil {
		return nil, fmt.Errorf("shake hands with %s: %w", authority, err)
	}
	if suite := secure.ConnectionState().CipherSuite; suite != tls.TLS_AES_128_GCM_SHA256 {
		return nil, fmt.Errorf("shake hands with %s: it chooses %s", authority, tls.CipherSuiteName(suite))
	}
	return secure, nil
}

// farewell ends TLS, and waits until the other end has done so too: then it has done all that there is to a handshake,
// session tickets included.
func farewell(secure *tls.Conn) error {
	defer secure.Close()
	if err := secure.CloseWrite(); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, secure)
	if errors.Is(err, io.ErrUnexpectedEOF) { // no close_notify, for who closes an idle connection
		return nil
	}
	return err
}
