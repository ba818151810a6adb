package auth

import (
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/conf"
	"exaproxy/compat/directive"
	"exaproxy/engine"
	"exaproxy/engine/h1"
	"exaproxy/engine/loop"
	"exaproxy/helper"
)

// A scheme is what a configuration says of one way to prove who one is (RFC 9110, section 11.1): its settings, which
// all workers read.
type scheme interface {
	// common are the parameters that every scheme has.
	common() *Program
	// set takes a parameter that only this scheme has. known is false if it has none of that name.
	set(c *directive.Context, args *conf.Args, parameter string) (known bool, err error)
	// prover makes who judges credentials by these settings for the worker of services.
	prover(p *Policy, services engine.Services) prover
}

// served makes the settings of the schemes that are served, as Squid has them where a configuration says nothing.
var served = map[string]func() scheme{
	"basic":     func() scheme { return newBasic() },
	"digest":    func() scheme { return newDigest() },
	"ntlm":      func() scheme { return newNTLM() },
	"negotiate": func() scheme { return newNegotiate() },
}

// A shaper is a scheme whose helpers are not run as those of others are.
type shaper interface{ shape(hc *helper.Config) }

// A prover judges the credentials of one scheme, for one worker. It belongs to the worker's goroutine.
type prover interface {
	// prove does for its scheme what acl.Users.Prove does. credentials are what stands behind the name of the
	// scheme, and the State is the request's: where the next challenge is not to be the usual one, prove says so there.
	prove(r *engine.Request, st *State, credentials []byte, w *loop.Waker) (acl.Answer, acl.Inquiry)
	// challenge appends the value of a Proxy-Authenticate or WWW-Authenticate field that asks a client for credentials.
	challenge(dst []byte) []byte
	// close ends what is asked.
	close()
}

// An informer is a prover that has something to say to a client in the reply to a request that it has let pass.
type informer interface {
	// inform edits the head of the reply. What it adds lives as long as the request.
	inform(r *engine.Request, credentials []byte, h *h1.Header)
}

// A knower is a prover that remembers whose credentials are good.
type knower interface {
	eachKnown(f func(user string, until time.Time))
}

// A session is what a prover keeps of a connection whose requests it judges all together (Connection.begin): a
// handshake that takes several requests, and then who the client is.
type session interface {
	// prove does what a prover's does, for each request of the connection, whatever its credentials are; field is
	// the whole field with these. over ends the session: the request is then judged as if there had been none.
	prove(r *engine.Request, st *State, field []byte, w *loop.Waker) (answer acl.Answer, inquiry acl.Inquiry, over bool)
	// close is called when the connection or the session is over.
	close()
}
