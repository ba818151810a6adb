package engine

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"
)

// noCertificate is why there is no certificate to show a client.
type noCertificate struct{ error }

// unheard is why a client's connection ended that never asked anything.
func (c *client) unheard(err error) *Failure {
	if c.connection.Port.TLS == nil || c.phase == announcing || c.connection.Session != nil || errors.Is(err, io.EOF) {
		return &Failure{Kind: ClientGone, Side: ClientSide, During: reading.String(), Err: err}
	}
	c.worker.reportHandshake(c, nil, err)
	return &Failure{Kind: ClientInsecure, Side: ClientSide, During: reading.String(), Err: err}
}

// handshakesEvery is how often it is logged that a handshake with a client came to nothing. The access log has
// each of them.
const handshakesEvery = time.Second

// reportHandshake logs why a handshake with a client came to nothing: with the proxy itself, or in the tunnel of r.
func (w *worker) reportHandshake(c *client, r *Request, err error) {
	suppressed, ok := w.engine.handshakeWarnings.Allow(w.loop.Now(), handshakesEvery)
	if !ok {
		return
	}
	attrs := []any{"client", c.connection.Client.String()}
	if r != nil {
		attrs = append(attrs, "host", string(r.Target.Host))
	}
	attrs = append(attrs, "error", err)
	if suppressed > 0 {
		attrs = append(attrs, "more since the last message", suppressed)
	}
	level, text := handshakeText(r, err)
	w.log.Log(context.Background(), level, text, attrs...)
}

// handshakeText is what that most often means.
func handshakeText(r *Request, err error) (slog.Level, string) {
	var none noCertificate
	switch {
	case errors.As(err, &none):
		return slog.LevelError, "there is no certificate to show a client in its tunnel"
	case r == nil:
		return slog.LevelWarn, "a client's TLS handshake with an https_port came to nothing"
	case r.TLS != nil && len(r.TLS.Errors) > 0:
		return slog.LevelWarn, "a client breaks off the TLS handshake in its tunnel (it is shown what is wrong with the server's certificate, as sslproxy_cert_sign says)"
	}
	return slog.LevelWarn, "a client breaks off the TLS handshake in its tunnel (is the authority of tls-cert= installed there?)"
}
