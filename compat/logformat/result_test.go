package logformat

import (
	"testing"

	"exaproxy/engine"
)

func TestResultCode(t *testing.T) {
	get := func() *engine.Request { return request(t, "GET http://origin.test/ HTTP/1.1") }
	connect := func() *engine.Request { return request(t, "CONNECT origin.test:443 HTTP/1.1") }
	failure := func(k engine.FailureKind) *engine.Failure { return &engine.Failure{Kind: k} }
	for _, tt := range []struct {
		name string
		rec  engine.Record
		want string
	}{
		{"an ordinary request", engine.Record{Request: get(), Forwarded: true}, "TCP_MISS"},
		{"a rewritten one", engine.Record{Request: get(), Forwarded: true, Decided: engine.Rewrite}, "TCP_MISS"},
		{"the client left", engine.Record{Request: get(), Forwarded: true, Aborted: true}, "TCP_MISS_ABORTED"},
		{"the client left while the helper thought", engine.Record{Request: get(), Aborted: true,
			Failure: failure(engine.ClientGone)}, "NONE_NONE_ABORTED"},
		{"no connection", engine.Record{Request: get(), Forwarded: true,
			Failure: failure(engine.CannotConnect)}, "TCP_MISS"},
		{"denied", engine.Record{Request: get(), Decided: engine.Refuse,
			Failure: failure(engine.Refused)}, "TCP_DENIED"},
		{"a denied CONNECT", engine.Record{Request: connect(), Decided: engine.Refuse,
			Failure: failure(engine.Refused)}, "TCP_DENIED"},
		{"denied, and the client left", engine.Record{Request: get(), Decided: engine.Refuse, Aborted: true}, "TCP_DENIED_ABORTED"},
		{"refused for want of helpers", engine.Record{Request: get(), Decided: engine.Refuse,
			Failure: failure(engine.HelperLost)}, "NONE_NONE"},
		{"asked for credentials", engine.Record{Request: get(), Decided: engine.Challenge}, "TCP_DENIED"},
		{"redirected", engine.Record{Request: get(), Decided: engine.Redirect}, "TCP_REDIRECT"},
		{"redirected, and the client left", engine.Record{Request: get(), Decided: engine.Redirect, Aborted: true}, "TCP_REDIRECT_ABORTED"},
		{"a redirected CONNECT", engine.Record{Request: connect(), Decided: engine.Redirect, Tunnel: true}, "TCP_REDIRECT"},
		{"a tunnel", engine.Record{Request: connect(), Forwarded: true, Tunnel: true}, "TCP_TUNNEL"},
		{"a tunnel that the client ended", engine.Record{Request: connect(), Forwarded: true, Tunnel: true, Aborted: true}, "TCP_TUNNEL"},
		{"a tunnel to nobody", engine.Record{Request: connect(), Forwarded: true,
			Failure: failure(engine.CannotConnect)}, "NONE_NONE"},
		{"a page of ours", engine.Record{Request: get(), Decided: engine.Serve}, "TCP_MISS"},
		{"a loop", engine.Record{Request: get(), Failure: failure(engine.Looping)}, "TCP_MISS"},
		{"not a request", engine.Record{Request: &engine.Request{}, Failure: failure(engine.BadRequest)}, "NONE_NONE"},
		{"a probe of the port", engine.Record{Request: &engine.Request{}, Unread: true, Aborted: true,
			Failure: failure(engine.ClientGone)}, "NONE_NONE"},
		{"half a request", engine.Record{Request: get(), Unread: true, Aborted: true,
			Failure: failure(engine.ClientLate)}, "NONE_NONE"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := &Format{}
			if got := f.resultCode(&tt.rec); got != tt.want {
				t.Errorf("Squid calls this %s, not %s", tt.want, got)
			}
			want := tt.want
			if tt.name == "a tunnel to nobody" {
				want = "TCP_TUNNEL"
			}
			f.Results.FailedTunnels = true
			if got := f.resultCode(&tt.rec); got != want {
				t.Errorf("Squid 6 calls this %s, not %s", want, got)
			}
		})
	}
}

func TestURLOfWhatIsNone(t *testing.T) {
	for _, tt := range []struct {
		name    string
		request string
		failure engine.Failure
		want    string
	}{
		{"a probe of the port", "", engine.Failure{Kind: engine.ClientGone}, "- error:transaction-end-before-headers 0.0"},
		{"half a head", "GET http://origin.test/a HTTP/1.1", engine.Failure{Kind: engine.ClientLate},
			"- error:transaction-end-before-headers 0.0"},
		{"one word", "BADLINE", engine.Failure{Kind: engine.BadRequest}, "BADLINE error:invalid-request 1.1"},
		{"garbage", "@@@ \x01", engine.Failure{Kind: engine.BadRequest}, "- error:invalid-request 1.1"},
		{"too large", "GET http://origin.test/ HTTP/1.1", engine.Failure{Kind: engine.HeadTooLarge}, "GET error:request-too-large 1.1"},
		{"no host", "GET /a HTTP/1.1", engine.Failure{Kind: engine.BadRequest}, "GET /a 1.1"},
		{"a bad port", "CONNECT bad:99999 HTTP/1.1", engine.Failure{Kind: engine.BadRequest}, "CONNECT bad:99999 1.1"},
		{"a control character", "GET http://origin.test/a\x1b[2J HTTP/1.1", engine.Failure{Kind: engine.BadRequest},
			"GET http://origin.test/a%1B%5B2J 1.1"},
		{"a bad field", "GET http://origin.test/a HTTP/1.1", engine.Failure{Kind: engine.BadRequest}, "GET http://origin.test/a 1.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rec := &engine.Record{Request: &engine.Request{}, Failure: &tt.failure}
			rec.Unread = tt.failure.Kind == engine.ClientGone || tt.failure.Kind == engine.ClientLate
			if tt.request != "" {
				rec.Request = request(t, tt.request)
			}
			if got := line(t, "%rm %ru %rv", rec); got != tt.want {
				t.Errorf("Squid logs this as %s, got %s", tt.want, got)
			}
		})
	}
}
