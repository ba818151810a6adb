package dnsasync

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// forges sends answers in the server's name, with n identifiers beside that of the query.
func (q *inquiry) forges(n int) {
	q.server.w.Helper()
	for i := range n {
		m := q.reply(codeSuccess, q.Question[0].Name+" 300 IN A 192.0.2.66")
		m.Id += uint16(i + 1)
		data, err := m.Pack()
		if err != nil {
			q.server.w.Fatal(err)
		}
		q.sendBytes(data)
	}
	q.server.w.settle()
}

// Somebody who guesses at identifiers gets a few guesses at a port; if he finds the next ones, too, nothing that comes by UDP
// is believed.
func TestGuessing(t *testing.T) {
	w := newWorld(t, two())
	server := w.nameServer(1)
	second := w.nameServer(2)
	c := w.looks("www.example")
	q := server.asked("by UDP", "A www.example")
	q.forges(maxStrays)
	if server.tcp.Accept() != nil {
		t.Error("networks repeat datagrams")
	}
	for range maxGuessed {
		q.forges(200)
		q.answers("www.example. 300 IN A 192.0.2.66")
		c.waits("a right guess is too late")
		before := q
		q = server.asked("from another port", "A www.example")
		if q.from == before.from || q.Id == before.Id {
			t.Errorf("it is asked from %v with %d, and again from %v with %d", before.from, before.Id, q.from, q.Id)
		}
	}
	q.forges(200)
	stream := server.accepts("somebody finds each port")
	q.answers("www.example. 300 IN A 192.0.2.66")
	c.waits("a right guess is too late")
	server.askedByTCP("the same query", stream, "A www.example")[0].answers(record)
	c.gets("by TCP", "192.0.2.1")
	if log := w.log.String(); strings.Count(log, "in the name of a name server") != 1 {
		t.Errorf("it is to be said once: %s", log)
	}
	other := w.looks("other.example")
	next := server.asked("by UDP again", "A other.example")
	if next.from == q.from {
		t.Errorf("it was asked from %v again", q.from)
	}
	next.answers("other.example. 300 IN A 192.0.2.2")
	other.gets("from another port", "192.0.2.2")
	second.notAsked("the first is there")
}

// Without TCP the next server is asked.
func TestGuessingWhereThereIsNoTCP(t *testing.T) {
	w := newWorld(t, two())
	first, second := w.nameServer(1), w.nameServer(2)
	first.tcp.Close()
	c := w.looks("www.example")
	for range 1 + maxGuessed {
		first.asked("by UDP", "A www.example").forges(100)
	}
	second.asked("the next", "A www.example").answers(record)
	c.gets("from the second", "192.0.2.1")
}

// Servers that answer all that they were sent, late or twice, are not taken for others.
func TestRepeatedRepliesAreNoForgeries(t *testing.T) {
	config := two()
	config.Servers = config.Servers[:1]
	config.Timeout = time.Second
	w := newWorld(t, config)
	server := w.nameServer(1)
	var late []*inquiry
	for i := range 5 * maxStrays {
		name := fmt.Sprintf("late%d.example", i)
		w.looks(name)
		late = append(late, server.asked("silence", "A "+name))
		w.passes(250 * time.Millisecond)
	}
	w.passes(1100 * time.Millisecond)
	for _, q := range late {
		q.answers(q.Question[0].Name + " 300 IN A 192.0.2.1")
	}
	for i := range maxStrays {
		name := fmt.Sprintf("twice%d.example", i)
		c := w.looks(name)
		q := server.asked("a query", "A "+name)
		q.answers(name + ". 300 IN A 192.0.2.1")
		q.answers(name + ". 300 IN A 192.0.2.1")
		c.gets("the first", "192.0.2.1")
	}
	if log := w.log.String(); strings.Contains(log, "in the name of") {
		t.Errorf("the log says: %s", log)
	}
}
