package engine

import (
	"bytes"
	"net/netip"
	"slices"
	"testing"

	"exaproxy/helper"
)

// crowded puts a transaction at asking, with so many questions of others before it.
func crowded(t *testing.T, others int, ask string, change func(*Request)) (p *played, first *helper.Question) {
	t.Helper()
	p = newTransaction(t, asking, given{helped: true, ask: ask, policy: questioned("line", Ask)})
	if change != nil {
		change(p.request)
	}
	pool := p.worker.setup.helpers
	var waiting []*helper.Question
	for range others {
		waiting = append(waiting, pool.Ask([]byte("another"), nil))
	}
	p.turn()
	p.wants(p.play(), asking)
	for _, q := range waiting[1:] {
		q.Cancel()
	}
	return p, waiting[0]
}

const longPost = "POST http://a.example/path?query HTTP/1.1\r\nHost: a.example\r\nContent-Length: 9\r\nX-A: b\r\n\r\nhello"

func TestARequestInACrowdHoldsLess(t *testing.T) {
	for _, row := range []struct {
		name   string
		others int
		change func(*Request)
		less   bool // the request is given back
		size   int  // of the buffer
	}{
		{"alone", 1, nil, false, headSize},
		{"among a few", crowd - 2, nil, false, headSize},
		{"in a crowd", crowd, nil, true, len(longPost) | 1},
		{"with a note", crowd, func(r *Request) { r.AddNote([]byte("k"), []byte("v")) }, false, len(longPost) | 1},
		{"with addresses that were judged", crowd, func(r *Request) { r.Judge([]netip.Addr{serverAddr.Addr()}, nil) }, true, len(longPost) | 1},
		{"asked once more", crowd, func(r *Request) { r.Asked = 1 }, false, len(longPost) | 1},
		{"of a client behind the peer", crowd, func(r *Request) { r.Told = serverAddr }, false, len(longPost) | 1},
		{"of a client with a name", crowd, func(r *Request) { r.Connection.ClientName = "a" }, true, len(longPost) | 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			var judged Judged
			p, first := crowded(t, row.others, longPost, func(r *Request) {
				if row.change != nil {
					row.change(r)
				}
				judged = r.Judged
			})
			if len(p.client.in.b) != row.size || string(p.client.in.bytes()) != "hello" {
				t.Errorf("it holds %d bytes for its head, want %d, and behind it %q", len(p.client.in.b), row.size, p.client.in.bytes())
			}
			if (p.request == nil) != row.less {
				t.Errorf("the request is given back: %v, want %v", p.request == nil, row.less)
			}
			p.wants(p.play(), asking) // woken for nothing
			p.answer(t, first)
			r := p.request
			if string(p.helperAnswer) != "mine" || r == nil || r.Asked == 0 || r.Waker != p.waker || r.Client != clientAddr {
				t.Fatalf("the answer is %q, and the request %+v", p.helperAnswer, r)
			}
			if r.Judged.Known != judged.Known || !slices.Equal(r.Judged.Addrs, judged.Addrs) {
				t.Errorf("judged is %v, want %v", r.Judged, judged)
			}
			if string(r.RawTarget) != "http://a.example/path?query" || !bytes.Equal(r.Header.Get("X-A"), []byte("b")) || r.Method != "POST" {
				t.Errorf("of the request there is %q, %q, %q", r.Method, r.RawTarget, r.Header.Get("X-A"))
			}
		})
	}
}

// answer has the helper answer the question that it has, and then the transaction's.
func (p *played) answer(t *testing.T, first *helper.Question) {
	t.Helper()
	p.wantsHeard(p.helpers.far, "another\n")
	p.helpers.far.WriteString("another's\n")
	p.turn()
	if line, done, _ := first.Answer(); !done || string(line) != "another's" {
		t.Fatalf("the other question is answered %q", line)
	}
	first.Cancel()
	p.wantsHeard(p.helpers.far, "line\n")
	p.helpers.far.WriteString("mine\n")
	p.turn()
	p.wants(p.play(), interpreting)
}

// A diverted client that has said nothing has no head that could be held in less.
func TestASilentClientInACrowd(t *testing.T) {
	p, first := crowded(t, crowd, longPost, nil)
	p.answer(t, first)
	p = newTransaction(t, asking, given{helped: true, policy: questioned("line", Ask)})
	pool := p.worker.setup.helpers
	for range crowd {
		pool.Ask([]byte("another"), nil)
	}
	p.worker.buffers.put(p.client.in)
	p.client.in, p.head = nil, nil
	p.turn()
	p.wants(p.play(), asking)
	if p.request == nil {
		t.Error("its request is given back, which no head can be read for again")
	}
}
