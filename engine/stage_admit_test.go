package engine

import (
	"bytes"
	"testing"
)

const connectRequest = "CONNECT a.example:443 HTTP/1.1\r\n\r\n"

var challenge = LocalReply{Status: 407, Fields: []byte("Content-Length: 0\r\n"), Page: "ERR_CACHE_ACCESS_DENIED"}

func admitted(d Decision) func(*scripted) { return func(s *scripted) { s.admit = d } }

// told is a decision of which a client learns in that way, if it is about a CONNECT.
func told(d Decision, how ConnectVerdict) Decision {
	d.Connect = how
	return d
}

func TestAdmitLeadsOn(t *testing.T) {
	serve, redirect := Decision{Action: Serve, Reply: &page}, Decision{Action: Redirect, Reply: &page, URL: "http://b.example/"}
	asked := Decision{Action: Challenge, Reply: &challenge}
	for _, row := range []struct {
		name   string
		given  given
		decide Decision
		next   stage
		status int // of the reply that the client will get
	}{
		{"who may goes on", given{}, Decision{}, asking, 0},
		{"who may goes on with a CONNECT", given{ask: connectRequest}, Decision{}, asking, 0},
		{"who has to prove himself is asked to", given{}, asked, answering, 407},
		{"who has to prove himself for a CONNECT is asked to in the answer itself", given{ask: connectRequest}, asked, answering, 407},
		{"a page of ours is served", given{}, serve, answering, 403},
		{"a page of ours is served by its path alone", given{ask: "GET /icons/a.png HTTP/1.1\r\n\r\n"}, serve, answering, 403},
		{"who asks elsewhere is sent there", given{}, redirect, answering, 403},
		{"a redirected CONNECT is answered in its tunnel", given{ask: connectRequest}, redirect, establishing, 403},
		{"a redirected CONNECT is answered itself", given{ask: connectRequest}, told(redirect, ConnectRedirect), answering, 403},
		{"a redirected CONNECT is closed", given{ask: connectRequest}, told(redirect, ConnectClose), over, 403},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.given.policy = admitted(row.decide)
			p := newTransaction(t, admitting, row.given)
			p.wants(p.play(), row.next)
			p.wantsCalls("admit")
			if p.localReply.Status != row.status || p.failure != nil {
				t.Errorf("the reply is %d, the failure %v", p.localReply.Status, p.failure)
			}
			if p.record.Decided != row.decide.Action || p.record.URL != row.decide.URL {
				t.Errorf("the record says %d %q", p.record.Decided, p.record.URL)
			}
			if row.status != 0 && p.record.Page != row.decide.Reply.Page {
				t.Errorf("the record has page %q", p.record.Page)
			}
			if p.keepClient == (row.next == over) {
				t.Errorf("the connection is kept: %v", p.keepClient)
			}
		})
	}
}

func TestAdmitWaitsForThePolicy(t *testing.T) {
	p := newTransaction(t, admitting, given{policy: admitted(Decision{Action: Pending})})
	p.wants(p.play(), admitting)
	p.wants(p.play(), admitting)
	p.wantsCalls("admit", "admit")
	if p.woke() || p.record.Decided != Proceed {
		t.Errorf("woken %v, decided %d", p.woke(), p.record.Decided)
	}
	p.policy.admit = Decision{}
	p.request.Waker.Wake()
	if !p.woke() {
		t.Error("the policy cannot wake it")
	}
	p.wants(p.play(), asking)
	p.wantsTimeoutForever()
}

func TestAdmitRefuses(t *testing.T) {
	for _, row := range []struct {
		name    string
		given   given
		failure *Failure
		kind    FailureKind
		side    Side
		next    stage
	}{
		{"without a failure it is a refusal of ours", given{}, nil, Refused, OurSide, answering},
		{"with a failure of the policy's", given{}, &Failure{Kind: Looping, Side: ClientSide, Page: "ERR_X"}, Looping, ClientSide, answering},
		{"a CONNECT in its tunnel", given{ask: connectRequest}, nil, Refused, OurSide, establishing},
		{"a CONNECT itself", given{ask: connectRequest, how: ConnectRedirect}, nil, Refused, OurSide, answering},
		{"a CONNECT by closing it", given{ask: connectRequest, how: ConnectClose}, nil, Refused, OurSide, over},
		{"who has left already, without a page", given{}, &Failure{Kind: ClientGone, Side: ClientSide}, ClientGone, ClientSide, over},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.given.policy = admitted(Decision{Action: Refuse, Failure: row.failure, Connect: row.given.how})
			p := newTransaction(t, admitting, row.given)
			p.wants(p.play(), row.next)
			f := p.failure
			if f == nil || f.Kind != row.kind || f.Side != row.side || f.During != "admitting" {
				t.Fatalf("the failure is %+v", f)
			}
			if row.failure != nil && f != row.failure {
				t.Error("it is not the policy's failure")
			}
			if row.kind == ClientGone {
				p.wantsCalls("admit")
			} else {
				p.wantsCalls("admit", "page "+row.kind.String())
			}
			if p.record.Decided != Refuse {
				t.Errorf("the record says %d", p.record.Decided)
			}
		})
	}
}

func TestAdmitMisaddressed(t *testing.T) {
	for _, row := range []struct {
		name, ask string
		decide    Decision
		kind      FailureKind
		keep      bool
	}{
		{"a path alone", "GET /index.html HTTP/1.1\r\nHost: a.example\r\n\r\n", Decision{}, BadRequest, false},
		{"a path alone of who may not ask it either", "GET /index.html HTTP/1.1\r\n\r\n", Decision{Action: Refuse}, BadRequest, false},
		{"options for nobody", "OPTIONS * HTTP/1.1\r\n\r\n", Decision{}, Unsupported, true},
		{"options for nobody that go no further", "OPTIONS * HTTP/1.1\r\nMax-Forwards: 0\r\n\r\n", Decision{}, Unsupported, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newTransaction(t, admitting, given{ask: row.ask, policy: admitted(row.decide)})
			p.wantsFailure(p.play(), row.kind, ClientSide, true)
			if p.keepClient != row.keep {
				t.Errorf("the connection is kept: %v", p.keepClient)
			}
		})
	}
}

func TestAdmitAnswersForTheLastHop(t *testing.T) {
	const secrets = "Cookie: c\r\nAuthorization: a\r\nProxy-Authorization: p\r\nAccept: */*\r\n\r\n"
	for _, row := range []struct {
		name, ask string
		next      stage
		body      string
	}{
		{"a TRACE is sent back without secrets", "TRACE http://a.example/ HTTP/1.1\r\nMax-Forwards: 0\r\n" + secrets, answering,
			"TRACE http://a.example/ HTTP/1.1\r\nMax-Forwards: 0\r\nAccept: */*\r\n\r\n"},
		{"OPTIONS are answered without a body", "OPTIONS http://a.example/ HTTP/1.1\r\nMax-Forwards: 0\r\n\r\n", answering, ""},
		{"a TRACE that may go on goes on", "TRACE http://a.example/ HTTP/1.1\r\nMax-Forwards: 1\r\n\r\n", asking, ""},
		{"of a GET it means nothing", "GET http://a.example/ HTTP/1.1\r\nMax-Forwards: 0\r\n\r\n", asking, ""},
		{"no number means nothing", "TRACE http://a.example/ HTTP/1.1\r\nMax-Forwards: none\r\n\r\n", asking, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newTransaction(t, admitting, given{ask: row.ask})
			p.wants(p.play(), row.next)
			if !bytes.Equal(p.localReply.Body, []byte(row.body)) {
				t.Errorf("the reply is %q", p.localReply.Body)
			}
			if row.next == answering && p.localReply.Status != 200 {
				t.Errorf("the status is %d", p.localReply.Status)
			}
		})
	}
}

// What is no admission does not admit.
func TestAdmitOfWhatIsNoAdmission(t *testing.T) {
	for _, a := range []Action{Rewrite, Ask, 99} {
		p := newTransaction(t, admitting, given{policy: admitted(Decision{Action: a})})
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("action %d lets it pass", a)
				}
			}()
			p.play()
		}()
	}
}
