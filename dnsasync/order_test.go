package dnsasync

import (
	"fmt"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// answered looks a name up that one server alone is asked for, and answers.
func (w *world) answered(sentence, name string, by *nameServer, others ...*nameServer) {
	w.Helper()
	c := w.looks(name)
	by.asked(sentence, "A "+name).answers(name + ". 300 IN A 192.0.2.1")
	c.gets(sentence, "192.0.2.1")
	for _, s := range others {
		s.notAsked(sentence)
	}
}

// fallsSilent has the first server miss as many queries as it takes for it to be asked after the second.
func (w *world) fallsSilent(first, second *nameServer) {
	w.Helper()
	for i := range silencesBeforeWarning {
		name := fmt.Sprintf("silent%d.example", i)
		c := w.looks(name)
		first.asked("it is still asked first", "A "+name)
		w.passes(4900 * time.Millisecond)
		c.waits("for the first")
		w.passes(200 * time.Millisecond)
		second.asked("then the second", "A "+name).answers(name + ". 300 IN A 192.0.2.1")
	}
}

// A server that does not answer costs nobody its time, and is asked first again when it answers.
func TestDeadServerIsAskedLast(t *testing.T) {
	w := newWorld(t, two())
	first, second := w.nameServer(1), w.nameServer(2)
	w.fallsSilent(first, second)
	c := w.looks("a.example")
	first.asked("whether it is back", "A a.example")
	second.asked("at once", "A a.example").answers("a.example. 300 IN A 192.0.2.1")
	c.gets("without waiting", "192.0.2.1")
	for i := range 5 {
		w.answered("the second alone", fmt.Sprintf("b%d.example", i), second, first)
	}
	w.passes(probeEvery)
	w.passes(10 * time.Millisecond)
	c = w.looks("c.example")
	probe := first.asked("whether it is back, 10 s later", "A c.example")
	second.asked("at once", "A c.example").answers("c.example. 300 IN A 192.0.2.2")
	c.gets("from the second", "192.0.2.2")
	w.answered("there was no sign", "d.example", second, first)
	probe.answers("c.example. 300 IN A 192.0.2.66")
	w.looks("c.example").gets("the first was too late for this", "192.0.2.2")
	w.answered("it is back", "e.example", first, second)
}

// What answers the probe first is taken.
func TestServerThatIsBackAnswersTheProbe(t *testing.T) {
	w := newWorld(t, two())
	first, second := w.nameServer(1), w.nameServer(2)
	w.fallsSilent(first, second)
	c := w.looks("a.example")
	first.asked("whether it is back", "A a.example").answers("a.example. 300 IN A 192.0.2.1")
	c.gets("it was quicker", "192.0.2.1")
	second.asked("at once", "A a.example")
	w.answered("it is back", "b.example", first, second)
}

// A server that answers after dns_retransmit_interval is as good as dead.
func TestSlowServerIsAskedLast(t *testing.T) {
	w := newWorld(t, two())
	first, second := w.nameServer(1), w.nameServer(2)
	w.fallsSilent(first, second)
	for i := range 4 {
		name := fmt.Sprintf("n%d.example", i)
		c := w.looks(name)
		late := first.asked("a probe", "A "+name)
		second.asked("at once", "A "+name).answers(name + ". 300 IN A 192.0.2.1")
		c.gets("from the second", "192.0.2.1")
		w.passes(4990 * time.Millisecond)
		w.passes(990 * time.Millisecond)
		late.answers(name + ". 300 IN A 192.0.2.1")
		w.passes(probeEvery)
	}
}

// Where none answers all are asked in their order, whatever is known of them.
func TestAllAreAskedWhereNoneAnswers(t *testing.T) {
	config := two()
	config.Timeout = time.Hour
	w := newWorld(t, config)
	first, second := w.nameServer(1), w.nameServer(2)
	w.looks("long.example")
	for range 8 {
		for range 21 {
			w.passes(4 * time.Second)
		}
	}
	first.forgets()
	second.forgets()
	c := w.looks("www.example")
	first.asked("the first", "A www.example")
	second.asked("and a probe", "A www.example").answers(record)
	c.gets("whoever answers", "192.0.2.1")
	w.answered("the second is known to be well", "b.example", second)
}

// A server that is reached but of no use costs an answer of its, and is asked first all the same.
func TestLyingServerCostsAnAnswer(t *testing.T) {
	w := newWorld(t, two())
	first, second := w.nameServer(1), w.nameServer(2)
	for i := range 5 {
		name := fmt.Sprintf("n%d.example", i)
		c := w.looks(name)
		first.asked("the first", "A "+name).says(dns.RcodeRefused)
		second.asked("at once", "A "+name).answers(name + ". 300 IN A 192.0.2.1")
		c.gets("from the second", "192.0.2.1")
	}
}

func TestServersTakeTurns(t *testing.T) {
	config := three()
	config.Rotate = true
	w := newWorld(t, config)
	servers := []*nameServer{w.nameServer(1), w.nameServer(2), w.nameServer(3)}
	for i := range 7 {
		w.answered("each in its turn", fmt.Sprintf("n%d.example", i), servers[i%3], servers[(i+1)%3], servers[(i+2)%3])
	}
	c := w.looks("www.example")
	servers[1].asked("its turn", "A www.example").says(dns.RcodeServerFailure)
	servers[2].asked("the next", "A www.example").says(dns.RcodeServerFailure)
	servers[0].asked("and around", "A www.example").answers(record)
	c.gets("from the last", "192.0.2.1")
}

// What is known of servers outlives a reload.
func TestInheritedHealth(t *testing.T) {
	w := newWorld(t, two())
	first, second := w.nameServer(1), w.nameServer(2)
	w.fallsSilent(first, second)
	old := w.resolver
	config := two()
	config.Random = newChance()
	w.resolver = New(w.loop, config)
	w.resolver.Inherit(old)
	old.Close()
	c := w.looks("www.example")
	first.asked("a probe", "A www.example")
	second.asked("at once", "A www.example").answers(record)
	c.gets("from the second", "192.0.2.1")
}
