package engine

import (
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"

	"crypto/tls"
)

// TestHandshakeTexts has what most often is meant be told.
func TestHandshakeTexts(t *testing.T) {
	imitated := &Request{TLS: &SeenTLS{Errors: []error{x509.UnknownAuthorityError{}}}}
	for _, row := range []struct {
		r     *Request
		err   error
		level slog.Level
		text  string
	}{
		{nil, errors.New("x"), slog.LevelWarn, "https_port"},
		{&Request{}, errors.New("x"), slog.LevelWarn, "is the authority of tls-cert= installed there?"},
		{&Request{TLS: &SeenTLS{}}, errors.New("x"), slog.LevelWarn, "is the authority of tls-cert= installed there?"},
		{imitated, errors.New("x"), slog.LevelWarn, "what is wrong with the server's certificate"},
		{imitated, noCertificate{errors.New("the authority has expired")}, slog.LevelError, "there is no certificate to show"},
	} {
		if level, text := handshakeText(row.r, row.err); level != row.level || !strings.Contains(text, row.text) {
			t.Errorf("%v is told as %v %q, want %q", row.err, level, text, row.text)
		}
	}
}

// TestWhoWasNeverHeard is told apart from who has left.
func TestWhoWasNeverHeard(t *testing.T) {
	p := newTransaction(t, reading, given{})
	c := p.client
	for _, row := range []struct {
		name    string
		secure  bool
		session *Session
		err     error
		want    FailureKind
	}{
		{"of an http_port", false, nil, errors.New("reset"), ClientGone},
		{"in its handshake", true, nil, errors.New("bad certificate"), ClientInsecure},
		{"who left in its handshake", true, nil, io.EOF, ClientGone},
		{"after its handshake", true, &Session{}, errors.New("reset"), ClientGone},
	} {
		port := Port{}
		if row.secure {
			port.TLS = &tls.Config{}
		}
		c.connection.Port, c.connection.Session = &port, row.session
		if f := c.unheard(row.err); f.Kind != row.want || f.Err != row.err || f.Side != ClientSide {
			t.Errorf("one %s: %+v", row.name, f)
		}
	}
}
