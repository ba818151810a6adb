package engine

import (
	"time"

	"exaproxy/dnsasync"
	"exaproxy/helper"
)

// A stage is where a transaction is in its story. Its name ends the sentence "the transaction
// is …" in logs and failures.
type stage uint8

const (
	greeting   stage = iota // who is it, and where did it want to go?
	reading                 // the request's head
	admitting               // may this client ask for this?
	asking                  // the helpers, about the URL
	heeding                 // what they said
	resolving               // the name of the next hop
	connecting              // to it
	sending                 // the request's head
	relaying                // the request's body up, the reply down
	tunnelling              // bytes both ways, unread
	answering               // a reply of our own
	over
)

var stageNames = [...]string{
	greeting: "greeting", reading: "reading", admitting: "admitting", asking: "asking", heeding: "heeding",
	resolving: "resolving", connecting: "connecting", sending: "sending", relaying: "relaying",
	tunnelling: "tunnelling", answering: "answering", over: "over",
}

func (s stage) String() string { return stageNames[s] }

// A transaction is one request with its reply. It belongs to a client, whose task plays it.
// What a stage has begun and waits for is held in the fields below, and released in finish.
type transaction struct {
	client  *client
	setup   *setup
	stage   stage
	timed   bool      // the present stage's deadline is set
	entered time.Time // the present stage

	request *Request // lent; a tunnel gives it back and keeps the head alone
	began   time.Time
	head    []byte // the request's, in the client's buffer
	keep    bool   // the client's connection may serve another request
	garbled bool   // what follows the head in the client's buffer cannot be understood

	question *helper.Question
	answer   []byte // what the helpers said
	lost     error  // why they said nothing

	route  Route
	lookup *dnsasync.Lookup
	dialer *dialer // lent while connecting

	upstream *upstream
	up, down flow
	kept     bool // the next hop's connection may serve another request
	replied  bool // the reply's head has been composed: the client may have seen some of it
	attempts int

	own     Reply // what answering gives the client
	verdict verdict
	inner   string // the method of what the client said in its tunnel
	failure *Failure
	record  Record
	told    bool // the policy has been given the record
}

// Run plays the transaction on from where it is, until it waits or is over.
func (t *transaction) Run() {
	if t.overdue() {
		t.enter(t.giveUp())
	} else if t.abandoned() {
		t.enter(t.leave())
	}
	for t.stage != over {
		next := t.play()
		if next == t.stage {
			t.await() // it has said so to whom it waits for
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
	case heeding:
		return t.heed()
	case resolving:
		return t.resolve()
	case connecting:
		return t.connect()
	case sending:
		return t.send()
	case relaying:
		return t.relay()
	case tunnelling:
		return t.tunnel()
	case answering:
		return t.answerSelf()
	}
	panic("BUG: no such stage: " + t.stage.String())
}

// enter moves to another stage. It is the only door: the time spent is noted here.
func (t *transaction) enter(next stage) {
	if next == t.stage {
		return
	}
	now := t.client.worker.loop.Now()
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

// await makes sure that the present stage's waiting has its deadline. Most stages do not wait.
func (t *transaction) await() {
	if !t.timed {
		t.wait(t.patience())
	}
}

// wait begins the present stage's waiting anew, for d at most.
func (t *transaction) wait(d time.Duration) {
	t.timed = true
	t.client.wait(d)
}

// patience is how long the present stage may wait without anything moving.
func (t *transaction) patience() time.Duration {
	limits := &t.setup.config.Timeouts
	switch t.stage {
	case greeting:
		return limits.requestStart()
	case reading:
		return limits.request()
	case asking:
		return limits.helper()
	case resolving:
		return limits.names()
	case connecting:
		return limits.forward()
	case sending, answering:
		return limits.write()
	case relaying, tunnelling:
		return limits.read()
	case admitting, heeding, over:
		return forever
	}
	panic("BUG: no such stage: " + t.stage.String())
}

// overdue says whether the present stage has waited for too long. Before it waits, what may have
// passed is the deadline of another stage, or of the client's rest.
func (t *transaction) overdue() bool { return t.timed && t.client.expired() }
