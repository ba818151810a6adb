package logformat

import "exaproxy/engine"

// bumpModes are the actions of ssl_bump as the log has them.
var bumpModes = map[engine.Bump]string{
	engine.BumpNone: "none", engine.BumpSplice: "splice", engine.BumpPeek: "peek", engine.BumpStare: "stare",
	engine.BumpClientFirst: "bump", engine.BumpServerFirst: "bump", engine.BumpTerminate: "terminate",
}

// bumpMode is what ssl_bump said last.
func bumpMode(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
	if seen := rec.Request.TLS; seen != nil {
		return append(dst, bumpModes[seen.Action]...)
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
