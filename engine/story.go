package engine

import (
	"time"

	"exaproxy/dnsasync"
	"exaproxy/engine/loop"
	"exaproxy/engine/tlsend"
	"exaproxy/engine/tlshello"
	"exaproxy/helper"
)

// A stage is where a transaction is in its story. Its name ends the sentence "the transaction
// is …" in logs and failures.
type stage uint8

const (
	greeting     stage = iota // who is it, and where did it want to go?
	reading                   // the request's head
	admitting                 // may this client ask for this?
	asking                    // the helpers, about the URL
	interpreting              // what they said
	bumping                   // what becomes of its tunnel?
	peeking                   // the ClientHello in the tunnel
	routing                   // which next hop?
	resolving                 // its name
	connecting                // to it
	piercing                  // it, which is a proxy, to speak to the server behind it
	handshaking               // with it, in TLS
	overhearing               // what it answers to the client's ClientHello
	sending                   // the request's head
	relaying                  // the request's body up, the reply down
	checking                  // what the client says first in its tunnel
	tunnelling                // bytes both ways, unread
	establishing              // 200 for a CONNECT whose answer comes inside the tunnel
	securing                  // the client's tunnel, if it speaks TLS there
	hearing                   // what the client says in its tunnel
	answering                 // a reply of our own
	over
)

var stageNames = [...]string{
	greeting: "greeting", reading: "reading", admitting: "admitting", asking: "asking", interpreting: "interpreting",
	bumping: "bumping", peeking: "peeking", routing: "routing", resolving: "resolving", connecting: "connecting",
	piercing: "piercing", handshaking: "handshaking", overhearing: "overhearing", sending: "sending", relaying: "relaying",
	checking: "checking", tunnelling: "tunnelling", establishing: "establishing", securing: "securing", hearing: "hearing", answering: "answering", over: "over",
}

func (s stage) String() string { return stageNames[s] }

// A transaction is one request with its reply. It is a task of its own: all that it waits for wakes
// it. What a stage has begun and waits for is held in the fields below, and released in finish.
// While it lasts the client's end is the transaction's.
type transaction struct {
	client    *client
	clientEnd End
	setup     *setup
	waker     *loop.Waker
	timer     *loop.Timer
	deadline  time.Time // of what the present stage waits for

	stage   stage
	timed   bool      // the deadline is the present stage's
	entered time.Time // the present stage

	request    *Request // lent; a tunnel gives it back and keeps the head alone, as who waits in a crowd
	judged     *Judged  // the request's, while it is given back; nil: it had none
	began      time.Time
	head       []byte // the request's, in the client's buffer
	keepClient bool   // the client's connection may serve another request
	unparsable bool   // what follows the head in the client's buffer cannot be understood

	question     *helper.Question
	helperAnswer []byte // what the helpers said
	helperErr    error  // why they said nothing

	hop       Hop
	failed    []Attempt // hops that could not be reached
	unreached *Failure  // why the last of them could not
	forwardBy time.Time // when all connecting has to end (forward_timeout)
	tries     int       // addresses that were tried, and names that led to none
	lookup    *dnsasync.Lookup
	dialer    *dialer // lent while connecting

	upstream     *upstream
	serverSaid   *buffer // behind the answer to a CONNECT, while the client is listened to
	up, down     flow
	offered      []byte // protocols that the next hop was offered to switch to; nil: none
	keepUpstream bool   // the next hop's connection may serve another request
	replied      bool   // the reply's head has been composed: the client may have seen some of it
	interims     int    // interim replies so far
	sent         int    // how many connections it was sent over

	localReply  LocalReply      // what answering gives the client
	handshake   *tlsend.Conn    // that goes on, with the client or with the next hop
	said        *tlshello.Hello // what the client says in it; nil: it is with the next hop
	established bool            // the client of a CONNECT knows that its tunnel is there
	next        stage           // after establishing
	decrypts    bool            // the requests in the tunnel are going to be read

	judgedInside bool   // by what its ClientHello says, too
	unheard      bool   // the client has said nothing in its tunnel, and nobody knows what it will
	inTunnel     bool   // it is the answer to what the client says in its tunnel
	recorded     bool   // the policy has been given the record
	innerMethod  string // the method of that
	failure      *Failure
	record       Record
}

// Run plays the transaction on, and what the client asks next if it comes to its end.
func (t *transaction) Run() {
	c := t.client
	if c == nil {
		return // woken for what it has done without by now
	}
	defer c.recoverFault()
	c.borrows()
	t.advance()
	c.serve()
}

// advance plays the transaction on from where it is, until it waits or is over.
func (t *transaction) advance() {
	t.playing()
	if t.overdue() {
		t.enter(t.giveUp())
	} else if t.abandoned() {
		t.enter(t.clientGone())
	}
	for t.stage != over {
		next := t.play()
		if next == t.stage {
			t.await() // it has said so to whom it waits for
			t.played()
			return
		}
		t.enter(next)
	}
	t.finish()
}

// play does what can be done now in the present stage and returns the stage that follows.
func (t *transaction) play() stage {
	switch t.stage {
	case greeting:
		return t.greet()
	case reading:
		return t.read()
	case admitting:
		return t.admit()
	case asking:
		return t.ask()
	case interpreting:
		return t.interpret()
	case bumping:
		return t.bump()
	case peeking:
		return t.peek()
	case routing:
		return t.route()
	case resolving:
		return t.resolve()
	case connecting:
		return t.connect()
	case piercing:
		return t.pierce()
	case handshaking:
		return t.shakeHands()
	case overhearing:
		return t.overhear()
	case sending:
		return t.send()
	case relaying:
		return t.relay()
	case checking:
		return t.check()
	case tunnelling:
		return t.tunnel()
	case establishing:
		return t.establish()
	case securing:
		return t.secure()
	case hearing:
		return t.hear()
	case answering:
		return t.answer()
	}
	panic("BUG: no such stage: " + t.stage.String())
}

// enter moves to another stage. It is the only door: the time spent is noted here.
func (t *transaction) enter(next stage) {
	if next == t.stage {
		return
	}
	now := t.now()
	t.spend(now)
	t.stage, t.entered, t.timed = next, now, false
}

// spend notes how long the present stage took until now.
func (t *transaction) spend(now time.Time) {
	switch spent := &t.record.Spent; t.stage {
	case asking:
		spent.Helper += now.Sub(t.entered)
	case resolving:
		spent.Names += now.Sub(t.entered)
	case connecting:
		spent.Connect += now.Sub(t.entered)
	}
}

func (t *transaction) now() time.Time { return t.client.worker.loop.Now() }
