package dnsasync

import (
	"encoding/binary"
	"strings"
	"testing"
)

// hostileMessages are of a size of at most largest bytes, each as costly to read as can be.
func hostileMessages(largest int) map[string][]byte {
	question := "\x03www\x07example\x00\x00\x01\x00\x01"
	begin := func(answers int) []byte {
		return append(binary.BigEndian.AppendUint16([]byte{0, 0, 0x80, 0x80, 0, 1}, uint16(answers)), "\x00\x00\x00\x00"+question...)
	}
	fill := func(start, each string) []byte {
		head := append(begin(0), start...)
		n := (largest - len(head)) / len(each)
		binary.BigEndian.PutUint16(head[6:], uint16(n))
		return append(head, strings.Repeat(each, n)...)
	}
	// the longest name there is, of labels of one byte, in a first record; all others point to it
	long := strings.Repeat("\x01a", 126) + "\x00"
	txt := long + "\x00\x10\x00\x01\x00\x00\x00\x00\x00\x00"
	at := 12 + len(question)
	pointer := string([]byte{0xc0 | byte(at>>8), byte(at)})
	chain := func() []byte {
		m := begin(0)
		m = append(m, "\x00\x00\x10\x00\x01\x00\x00\x00\x00\xff\xff"...)
		body := len(m)
		last := body
		m = append(m, 0)
		for len(m) < largest-64 { // each points to the one before it
			m = append(m, 0xc0|byte(min(last, 0x3fff)>>8), byte(last))
			last = len(m) - 2
		}
		return m
	}
	return map[string][]byte{
		"names of 126 labels":          fill(txt, pointer+"\x00\x10\x00\x01\x00\x00\x00\x00\x00\x00"),
		"addresses of the longest":     fill(txt, pointer+"\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x01"),
		"aliases of the longest":       fill(txt, pointer+"\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x02"+pointer),
		"aliases of the question":      fill("", "\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x02\xc0\x0c"),
		"addresses of the question":    fill("", "\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x01"),
		"authorities with two names":   fill(txt, pointer+"\x00\x06\x00\x01\x00\x00\x00\x3c\x00\x18"+pointer+pointer+strings.Repeat("\x00", 20)),
		"services with much structure": fill("", "\xc0\x0c\x00\x40\x00\x01\x00\x00\x00\x3c\x00\x0b\x00\x01\x00\x00\x01\x00\x04\x02h2x"),
		"records of no length":         fill("", "\x00\x00\x10\x00\x01\x00\x00\x00\x00\x00\x00"),
		"pointers to pointers":         chain(),
		"numbers that lie":             append(begin(0xffff), strings.Repeat("\x00", largest-64)...),
	}
}

// TestHostileMessages has the largest messages there are cost little memory, and nothing be believed of them that is not there.
// BenchmarkHostileMessages has their time.
func TestHostileMessages(t *testing.T) {
	for name, data := range hostileMessages(65535) {
		for _, qtype := range []uint16{typeA, typeAAAA, typePTR} {
			r, err := readReply(data, "www.example", qtype)
			if qtype == typeA && err != nil {
				t.Errorf("%s: %v", name, err)
			}
			checkReply(t, &r, qtype)
			if n := testing.AllocsPerRun(10, func() { readReply(data, "www.example", qtype) }); n > 3*maxKept {
				t.Errorf("%s: reading it makes %v allocations", name, n)
			}
		}
	}
}

func BenchmarkHostileMessages(b *testing.B) {
	for name, data := range hostileMessages(65535) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				readReply(data, "www.example", typeA)
			}
		})
	}
}

// TestHostileAnswersByTCP has names be found after each such message.
func TestHostileAnswersByTCP(t *testing.T) {
	for name, data := range hostileMessages(65535) {
		w, server, clients := truncating(t, "www.example")
		second := w.nameServer(2)
		end := server.accepts("one stream")
		q := server.askedByTCP("one", end, "A www.example")[0]
		binary.BigEndian.PutUint16(data, q.Id)
		q.sendBytes(data)
		w.settle()
		if _, done, _ := clients[0].lookup.Result(); !done {
			second.receive() // it was malformed, or an alias is asked for
			server.receive()
			if len(server.held)+len(second.held) == 0 {
				t.Errorf("%s: the question hangs", name)
			}
			server.forgets()
			second.forgets()
		}
		c := w.looks("other.example")
		server.asked("another name", "A other.example").truncates()
		server.askedByTCP("by the same stream", end, "A other.example")[0].answers("other.example. 300 IN A 192.0.2.1")
		c.gets("after "+name, "192.0.2.1")
		w.resolver.Close()
	}
}
