package logformat

import (
	"strconv"

	"exaproxy/engine"
)

// toClient makes a value of what packets to the client bear.
func toClient(of func(engine.Packets) int) value {
	return func(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
		var p engine.Packets
		if c := rec.Request.Connection; c != nil {
			p = c.Packets
		}
		return appendHex(dst, of(p))
	}
}

// toServer makes a value of what packets to the next hop bear.
func toServer(of func(engine.Packets) int) value {
	return func(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
		return appendHex(dst, of(rec.ToServer))
	}
}

func appendHex(dst []byte, n int) []byte {
	return strconv.AppendUint(append(dst, "0x"...), uint64(n), 16)
}
