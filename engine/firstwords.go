package engine

import (
	"errors"

	"exaproxy/engine/h1"
	"exaproxy/engine/loop"
	"exaproxy/engine/tlshello"
)

// Words are what a client says first in a tunnel that is one because it had said nothing for long.
type words uint8

const (
	harmless  words = iota // nothing yet, or nothing that asks for anything, or they were judged
	undecided              // they may become something that does
	judgeable              // they ought to have been judged: a server may take them for TLS, or by an http_port for a request
)

var errAsksAfterAll = errors.New("the client, which had said nothing, asks for something that nobody has judged")

// firstWords looks at them. They are kept until nobody can take them for what ought to have been judged.
func (t *transaction) firstWords() words {
	if !t.unheard || !t.clientEnd.Readable() {
		return t.held()
	}
	pool, said := &t.client.worker.buffers, t.takeHeard()
	if said == nil {
		said = pool.relay()
	}
	n, err := t.clientEnd.Read(said.room())
	said.w += n
	switch {
	case err == nil:
		return t.judgeWords(said)
	case said.empty():
		pool.put(said) // the flow is told so too
		return harmless
	}
	if t.up.buf = said; err == loop.ErrAgain {
		return undecided
	}
	return judgeable
}

// held is what they are as long as there is nothing more of them.
func (t *transaction) held() words {
	if t.unheard && t.up.buf != nil && !t.up.buf.empty() {
		return undecided
	}
	return harmless
}

// judgeWords judges them as far as they are there.
func (t *transaction) judgeWords(said *buffer) words {
	t.up.buf = said
	if _, err := tlshello.Parse(said.bytes()); err != tlshello.ErrNotTLS {
		return judgeable
	}
	if t.client.mayBeForeign() && h1.Like(said.bytes()) {
		if !h1.Unfinished(said.bytes()) || len(said.room()) == 0 {
			return judgeable
		}
		return undecided
	}
	t.unheard, t.up.buf = false, nil
	t.up.begin(flow{src: t.clientEnd, dst: t.upstream.end, buf: said, body: h1.Tunnel()})
	return harmless
}
