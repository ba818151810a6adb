package acl

import (
	"net/netip"

	"exaproxy/dnsasync"
)

// Services are those of a worker that answer the questions of slow acls. A Place has them; the acls
// themselves are shared by all workers.
type Services struct {
	// Resolver looks up names and addresses. nil: nothing is looked up; dst then knows addresses
	// only, and dstdomain sees an address as "none".
	Resolver *dnsasync.Resolver
	// Users says who a client proves to be. nil: who has not proved it before matches no acl of users.
	Users Users
	// Addresses counts from where users come. nil: nobody does, and no acl of the type max_user_ip matches.
	Addresses UserAddresses
	// Connections is how many connections come from an address. nil: nobody counts, and no acl of the type maxconn matches.
	Connections func(netip.Addr) int
	// Externals decides acls of the type external. nil: none of them matches.
	Externals Externals
}

// A question is what a slow acl type wants to know of someone who takes his time: name servers, a
// helper. Its type has a method for the answer, of whatever kind that is.
type question interface {
	// settled reports whether the answer is there, or it is known that none will come. Until then
	// the Waker of the Place is going to be woken.
	settled() bool
	// cancel says that nobody wants the answer any more: the Waker is not woken for it. It may be
	// called on a question that is settled.
	cancel()
}

// A source answers questions of one kind: a pointer to what is configured, or an empty struct.
type source[Q question] interface {
	// ask puts the question about subject; p.Waker is to be woken when it is settled. subject is
	// only valid during the call.
	ask(p *Place, subject []byte) Q
}

// ask returns the question to a source about a subject, and whether it is settled. Each is put once
// for a request, whichever acls ask: equal sources (==) and equal subjects are the same question.
func ask[Q question](p *Place, from source[Q], subject []byte) (q Q, settled bool) {
	if known := p.questions.find(from, subject); known != nil {
		q = known.(Q)
	} else {
		q = from.ask(p, subject)
		p.questions.add(from, subject, q)
	}
	return q, q.settled()
}

// questions are those that were put for one request. Their memory is used again.
type questions struct {
	list     []keyedQuestion
	subjects []byte // one behind the other
}

// keyedQuestion is a question, and what it is found by: whom it was put to, and about what.
type keyedQuestion struct {
	source   any
	from, to int // the subject in questions.subjects
	question question
}

// find returns the question that was put, nil if it was not.
func (qs *questions) find(source any, subject []byte) question {
	for i := range qs.list {
		if q := &qs.list[i]; q.source == source && string(qs.subjects[q.from:q.to]) == string(subject) {
			return q.question
		}
	}
	return nil
}

func (qs *questions) add(source any, subject []byte, q question) {
	from := len(qs.subjects)
	qs.subjects = append(qs.subjects, subject...)
	qs.list = append(qs.list, keyedQuestion{source, from, len(qs.subjects), q})
}

// cancel ends all that are under way, and forgets them.
func (qs *questions) cancel() {
	for i := range qs.list {
		qs.list[i].question.cancel()
	}
	clear(qs.list)
	qs.list, qs.subjects = qs.list[:0], blank(qs.subjects)
}
