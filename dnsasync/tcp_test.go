package dnsasync

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"exaproxy/engine/loop/looptest"

	"github.com/miekg/dns"
)

// truncating is a world in which some names are being asked for, whose replies do not fit
// a datagram.
func truncating(t *testing.T, names ...string) (*world, *nameServer, []*client) {
	t.Helper()
	config := two()
	w := newWorld(t, config)
	server := w.nameServer(1)
	var clients []*client
	for _, name := range names {
		clients = append(clients, w.looks(name))
	}
	for _, name := range names {
		server.asked("by UDP", "A "+name).truncates()
	}
	return w, server, clients
}

func TestTruncated(t *testing.T) {
	w, server, clients := truncating(t, "www.example")
	end := server.accepts("the same server")
	q := server.askedByTCP("the same query", end, "A www.example")[0]
	if stats := w.resolver.Stats(); len(stats.Queue) != 1 || !stats.Queue[0].TCP {
		t.Errorf("queue %+v, want one query by TCP", stats.Queue)
	}
	clients[0].waits("by TCP")
	q.answers(record, "www.example. 300 IN A 192.0.2.2")
	clients[0].gets("by TCP", "192.0.2.1", "192.0.2.2")
	w.passes(4 * time.Second)
	if end.Closed() {
		t.Error("the stream was closed at once")
	}
	w.passes(1100 * time.Millisecond)
	if !end.Closed() {
		t.Error("the stream was not closed when it was not needed for 5 s")
	}
	if log := w.log.String(); log != "" {
		t.Errorf("nothing went wrong: %s", log)
	}
}

func TestTruncatedInTheMiddleOfARecord(t *testing.T) {
	w := newWorld(t, two())
	server := w.nameServer(1)
	w.looks("www.example")
	q := server.asked("by UDP", "A www.example")
	m := q.reply(dns.RcodeSuccess, record, record)
	m.Truncated = true
	data, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	q.sendBytes(data[:len(data)-20])
	w.settle()
	server.askedByTCP("by TCP", server.accepts("truncated is truncated"), "A www.example")
}

func TestStreamIsShared(t *testing.T) {
	w, server, clients := truncating(t, "a.example", "b.example", "c.example")
	end := server.accepts("one stream")
	queries := server.askedByTCP("in a row", end, "A a.example", "A b.example", "A c.example")
	if server.tcp.Accept() != nil {
		t.Error("there are two streams")
	}
	for i, addr := range []string{"192.0.2.3", "192.0.2.2", "192.0.2.1"} {
		q := queries[2-i]
		q.answers(q.Question[0].Name + " 300 IN A " + addr)
	}
	for i, addr := range []string{"192.0.2.1", "192.0.2.2", "192.0.2.3"} {
		clients[i].gets("in any order", addr)
	}
	w.looks("d.example")
	server.asked("UDP comes first", "A d.example").truncates()
	server.askedByTCP("the stream is used again", end, "A d.example")
}

func TestStreamCutAnywhere(t *testing.T) {
	for _, size := range []int{1, 2, 3, 7, 100} {
		w, server, clients := truncating(t, "a.example", "b.example")
		end := server.accepts("one stream")
		end.Segment(size)
		for _, q := range server.askedByTCP("both", end, "A a.example", "A b.example") {
			var records []string
			for range 40 {
				records = append(records, q.Question[0].Name+" 300 IN A 192.0.2.1", q.Question[0].Name+" 300 IN TXT "+strings.Repeat("x", 200))
			}
			q.answers(records...)
		}
		for _, c := range clients {
			if answer, done, err := c.lookup.Result(); !done || err != nil || len(answer.Addrs) != 40 {
				t.Errorf("in pieces of %d bytes: done %v, error %v, %d addresses", size, done, err, len(answer.Addrs))
			}
		}
		w.resolver.Close()
	}
}

// TestStreamCutInTwo has answers be read wherever they are cut.
func TestStreamCutInTwo(t *testing.T) {
	for cut, size := 1, 2; cut < size; cut++ {
		w, server, clients := truncating(t, "a.example", "b.example")
		end := server.accepts("one stream")
		var data []byte
		for _, q := range server.askedByTCP("both", end, "A a.example", "A b.example") {
			message, err := q.reply(codeSuccess, q.Question[0].Name+" 300 IN A 192.0.2.1").Pack()
			if err != nil {
				t.Fatal(err)
			}
			data = append(append(data, byte(len(message)>>8), byte(len(message))), message...)
		}
		size = len(data)
		end.Write(data[:cut])
		w.passes(time.Second)
		end.Write(data[cut:])
		w.settle()
		for _, c := range clients {
			c.gets(fmt.Sprintf("cut after %d bytes", cut), "192.0.2.1")
		}
		w.resolver.Close()
	}
}

// A stream that ends in the middle of the first answer has failed.
func TestStreamThatEndsMidway(t *testing.T) {
	for _, end := range []func(*looptest.End){(*looptest.End).Close, (*looptest.End).CloseWrite, (*looptest.End).Reset} {
		w, server, clients := truncating(t, "www.example")
		second := w.nameServer(2)
		stream := server.accepts("one stream")
		message, err := server.askedByTCP("one", stream, "A www.example")[0].reply(codeSuccess, record).Pack()
		if err != nil {
			t.Fatal(err)
		}
		stream.Write(append([]byte{0, byte(len(message))}, message[:len(message)-1]...))
		w.settle()
		clients[0].waits("for the rest")
		end(stream)
		w.settle()
		second.asked("the next server", "A www.example").answers(record)
		clients[0].gets("from the second", "192.0.2.1")
	}
}

func TestStreamWithoutRoom(t *testing.T) {
	w := newWorld(t, two())
	server := w.nameServer(1)
	names := []string{"a.example", "b.example", "c.example"}
	w.looks(names[0])
	server.asked("by UDP", "A a.example").truncates()
	end := server.accepts("one stream")
	server.askedByTCP("the first", end, "A a.example")
	end.SetCapacity(10)
	for _, name := range names[1:] {
		w.looks(name)
		server.asked("by UDP", "A "+name).truncates()
	}
	var got []byte
	for range 20 {
		got = append(got, end.Read()...)
		w.settle()
	}
	if want := 2 * (lengthSize + headerSize + len("\x01b\x07example\x00") + 4 + 11); len(got) != want {
		t.Errorf("%d bytes came through the narrow stream, want %d", len(got), want)
	}
}

func TestStreamThatEnds(t *testing.T) {
	for _, row := range []struct {
		name string
		end  func(*looptest.End)
	}{
		{"closed", (*looptest.End).Close},
		{"closed for writing", (*looptest.End).CloseWrite},
		{"reset", (*looptest.End).Reset},
	} {
		t.Run(row.name+" after a reply", func(t *testing.T) {
			w, server, clients := truncating(t, "a.example", "b.example")
			end := server.accepts("one stream")
			queries := server.askedByTCP("both", end, "A a.example", "A b.example")
			queries[0].answers("a.example. 300 IN A 192.0.2.1")
			clients[0].gets("the first", "192.0.2.1")
			row.end(end)
			w.settle()
			next := server.accepts("another stream")
			server.askedByTCP("what is left", next, "A b.example")[0].answers("b.example. 300 IN A 192.0.2.2")
			clients[1].gets("the second", "192.0.2.2")
		})
		t.Run(row.name+" without a reply", func(t *testing.T) {
			w, server, clients := truncating(t, "a.example", "b.example")
			second := w.nameServer(2)
			row.end(server.accepts("one stream"))
			w.settle()
			second.asked("the next server", "A a.example").answers("a.example. 300 IN A 192.0.2.1")
			second.asked("the next server", "A b.example").answers("b.example. 300 IN A 192.0.2.2")
			clients[0].gets("the first", "192.0.2.1")
			clients[1].gets("the second", "192.0.2.2")
		})
		t.Run(row.name+" while idle", func(t *testing.T) {
			w, server, clients := truncating(t, "a.example")
			end := server.accepts("one stream")
			server.askedByTCP("one", end, "A a.example")[0].answers("a.example. 300 IN A 192.0.2.1")
			clients[0].gets("the first", "192.0.2.1")
			row.end(end)
			w.settle()
			if n := w.kernel.OpenDescriptors(); n != 1 {
				t.Errorf("%d descriptors are open, want the datagram socket alone", n)
			}
			if log := w.log.String(); log != "" {
				t.Errorf("nothing went wrong: %s", log)
			}
		})
	}
}

func TestStreamThatIsRefused(t *testing.T) {
	w := newWorld(t, two())
	first, second := w.nameServer(1), w.nameServer(2)
	first.tcp.Close()
	c := w.looks("www.example")
	first.asked("by UDP", "A www.example").truncates()
	second.asked("the next server", "A www.example").answers(record)
	c.gets("from the second", "192.0.2.1")
	if log := w.log.String(); !strings.Contains(log, "by=TCP") {
		t.Errorf("the log does not say that TCP is refused: %s", log)
	}
}

func TestStreamThatIsSilent(t *testing.T) {
	w, server, clients := truncating(t, "www.example")
	w.kernel.Blackhole(at(2))
	end := server.accepts("one stream")
	query := server.askedByTCP("one", end, "A www.example")[0]
	w.passes(4900 * time.Millisecond)
	clients[0].waits("the second was asked meanwhile")
	w.passes(4 * time.Second)
	if end.Closed() {
		t.Fatal("the stream was closed too early")
	}
	query.answers(record)
	clients[0].gets("a late reply by TCP", "192.0.2.1")

	c := w.looks("other.example")
	server.asked("by UDP", "A other.example").truncates()
	w.passes(4900 * time.Millisecond)
	w.passes(4900 * time.Millisecond)
	w.passes(300 * time.Millisecond)
	if !end.Closed() {
		t.Error("the stream is still open after 10 s of silence")
	}
	c.waits("the second server is still asked")
}

func TestStreamThatNeverConnects(t *testing.T) {
	w := newWorld(t, Config{IPv4Only: true})
	server := w.nameServer(1)
	c := w.looks("www.example")
	w.kernel.Blackhole(at(1))
	server.asked("by UDP", "A www.example").truncates()
	for range 10 {
		w.passes(time.Second)
	}
	w.kernel.Reachable(at(1))
	for range 25 {
		w.passes(time.Second)
	}
	c.fails("there is no other server", ServerFailure)
}

func TestMalformedRepliesByTCP(t *testing.T) {
	for _, row := range []struct {
		name string
		data func(q *inquiry) string
	}{
		{"an empty message", func(*inquiry) string { return "\x00\x00" }},
		{"a short one", func(*inquiry) string { return "\x00\x03abc" }},
		{"a long one", func(*inquiry) string { return "\xff\xff" + strings.Repeat("\x00", 65535) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			w, server, clients := truncating(t, "www.example")
			end := server.accepts("one stream")
			q := server.askedByTCP("one", end, "A www.example")[0]
			end.WriteString(row.data(q))
			w.settle()
			clients[0].waits("that was no reply")
			q.answers(record)
			clients[0].gets("this is", "192.0.2.1")
			if n := w.resolver.Stats().Dropped; n != 1 {
				t.Errorf("%d messages were dropped, want 1", n)
			}
		})
	}
}

func TestTruncatedByTCP(t *testing.T) {
	w, server, clients := truncating(t, "www.example")
	second := w.nameServer(2)
	server.askedByTCP("one", server.accepts("one stream"), "A www.example")[0].truncates()
	second.asked("that makes no sense", "A www.example").answers(record)
	clients[0].gets("from the second", "192.0.2.1")
}

func TestTCPUnreachable(t *testing.T) {
	w := newWorld(t, two())
	first, second := w.nameServer(1), w.nameServer(2)
	c := w.looks("www.example")
	w.kernel.Unreachable(at(1))
	first.asked("by UDP", "A www.example").truncates()
	second.asked("the next server", "A www.example").answers(record)
	c.gets("from the second", "192.0.2.1")
}

func TestManyRepliesByTCPAtOnce(t *testing.T) {
	var names []string
	for i := range 40 {
		names = append(names, fmt.Sprintf("n%d.example", i))
	}
	_, server, clients := truncating(t, names...)
	end := server.accepts("one stream")
	var want []string
	for _, name := range names {
		want = append(want, "A "+name)
	}
	for _, q := range server.askedByTCP("all", end, want...) {
		records := []string{q.Question[0].Name + " 300 IN A 192.0.2.1"}
		for range 40 { // so that reading all takes more than one run
			records = append(records, q.Question[0].Name+" 300 IN TXT "+strings.Repeat("x", 250))
		}
		data, err := q.reply(codeSuccess, records...).Pack()
		if err != nil {
			t.Fatal(err)
		}
		q.sendBytes(data)
	}
	server.w.settle()
	for _, c := range clients {
		c.gets("all are there", "192.0.2.1")
	}
}

func TestSilentStreamIsNotKeptByNewQueries(t *testing.T) {
	w := newWorld(t, Config{IPv4Only: true})
	server := w.nameServer(1)
	w.looks("first.example")
	server.asked("by UDP", "A first.example").truncates()
	end := server.accepts("one stream")
	for i := range 12 {
		name := fmt.Sprintf("n%d.example", i)
		w.looks(name)
		server.asked("by UDP", "A "+name).truncates()
		w.passes(time.Second)
		server.receive()
		server.held = nil
	}
	if !end.Closed() {
		t.Error("a stream that was silent for 12 s is still in use")
	}
}

func TestQueryIsSentOnceByStream(t *testing.T) {
	w := newWorld(t, Config{IPv4Only: true, Retransmit: time.Second})
	server := w.nameServer(1)
	c := w.looks("www.example")
	server.asked("by UDP", "A www.example").truncates()
	end := server.accepts("one stream")
	q := server.askedByTCP("by TCP", end, "A www.example")[0]
	w.passes(2100 * time.Millisecond)
	server.asked("it is time to ask again", "A www.example").truncates()
	server.askedByTCP("it is on its way already", end)
	q.answers(record)
	c.gets("the reply to the first", "192.0.2.1")
}

func TestReplyByTheOtherTransport(t *testing.T) {
	w, server, clients := truncating(t, "a.example")
	end := server.accepts("one stream")
	server.askedByTCP("one", end, "A a.example")
	c := w.looks("b.example")
	q := server.asked("by UDP", "A b.example")
	forged := *q
	forged.stream = end
	forged.answers("b.example. 300 IN A 192.0.2.66")
	c.waits("it was not asked by TCP")
	clients[0].waits("its reply has not come")
	q.answers("b.example. 300 IN A 192.0.2.1")
	c.gets("by UDP", "192.0.2.1")
}

func TestHugeAnswerIsBounded(t *testing.T) {
	w := newWorld(t, Config{IPv4Only: true})
	server := w.nameServer(1)
	c := w.looks("www.example")
	server.asked("by UDP", "A www.example").truncates()
	q := server.askedByTCP("by TCP", server.accepts("it does not fit"), "A www.example")[0]
	m := q.reply(dns.RcodeSuccess, record)
	for range 4000 {
		m.Answer = append(m.Answer, m.Answer[0])
	}
	m.Compress = true
	q.send(m)
	answer, done, err := c.lookup.Result()
	if !done || err != nil || len(answer.Addrs) != maxRecords {
		t.Errorf("done %v, error %v, %d addresses; want %d", done, err, len(answer.Addrs), maxRecords)
	}
}

// A stream for which there is no descriptor is opened when there is one.
func TestTruncatedWaitsForADescriptor(t *testing.T) {
	w := newWorld(t, two())
	server := w.nameServer(1)
	client := w.looks("www.example")
	w.kernel.FailConnect(syscall.EMFILE, 1)
	server.asked("by UDP", "A www.example").truncates()
	w.passes(2 * makeRoomEvery)
	server.asked("by UDP once more", "A www.example").truncates()
	server.askedByTCP("then by TCP", server.accepts("there is a descriptor"), "A www.example")[0].answers("www.example. 300 IN A 192.0.2.2")
	client.gets("by TCP", "192.0.2.2")
}
