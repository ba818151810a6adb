package logformat

import "exaproxy/engine"

// bumpMode is what ssl_bump said last.
func bumpMode(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
	if seen := rec.Request.TLS; seen != nil {
		return append(dst, seen.Mode...)
	}
	return dst
}

// requestedName is the name in the ClientHello.
func requestedName(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
	if seen := rec.Request.TLS; seen != nil && seen.ServerName != "" {
		return append(dst, seen.ServerName...)
	}
	return append(dst, rec.ServerName...)
}
