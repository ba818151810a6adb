package engine

import "testing"

// TestAFullLogHoldsNoServer has a transaction that waits for room in the log keep neither the server's
// connection from others nor a buffer of the reply.
func TestAFullLogHoldsNoServer(t *testing.T) {
	for _, row := range []struct {
		name, reply string
		idle        int
	}{
		{"a connection that is kept", okReply + "ok", 1},
		{"one that is not", "HTTP/1.1 200 OK\r\nDate: now\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := relayed(t, given{}, row.reply, "")
			p.play()
			p.wants(p.play(), over)
			p.enter(over)
			p.policy.logFull = true
			p.finish()
			if p.upstream != nil || p.worker.idle.count != row.idle {
				t.Errorf("the server's connection is held: %t; %d are idle", p.upstream != nil, p.worker.idle.count)
			}
			p.wantsBuffers(1) // the request's head
			if len(p.policy.records) > 0 || p.worker.clients.tx == nil {
				t.Error("the transaction did not wait for the log")
			}
			p.policy.logFull = false
			p.finish()
			if rec := p.policy.records[0]; rec.Out == 0 || rec.UpstreamIn != int64(len(row.reply)) {
				t.Errorf("it is recorded with %d bytes to the client and %d from the server", rec.Out, rec.UpstreamIn)
			}
		})
	}
}
