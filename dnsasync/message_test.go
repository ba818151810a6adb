package dnsasync

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// packed is a reply to "A www.example" with these records in the answer.
func packed(tb testing.TB, records ...string) []byte {
	tb.Helper()
	m := new(dns.Msg).SetQuestion("www.example.", typeA)
	m.Response, m.RecursionAvailable = true, true
	for _, text := range records {
		record, err := dns.NewRR(text)
		if err != nil {
			tb.Fatal(err)
		}
		m.Answer = append(m.Answer, record)
	}
	data, err := m.Pack()
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// loops are messages whose names go in circles.
func loops() map[string][]byte {
	header := []byte{0, 0, 0x80, 0x80, 0, 1, 0, 1, 0, 0, 0, 0}
	question := []byte("\x03www\x07example\x00\x00\x01\x00\x01")
	with := func(name string) []byte {
		return append(append(append([]byte(nil), header...), question...), name+"\x00\x01\x00\x01\x00\x00\x01\x2c\x00\x04\xc0\x00\x02\x01"...)
	}
	return map[string][]byte{
		"a pointer to itself":         with("\xc0\x1d"),
		"two pointers to each other":  with("\xc0\x1f\xc0\x1d"),
		"a label and back":            with("\x01a\xc0\x1d"),
		"a pointer beyond the end":    with("\xff\xff"),
		"a pointer into the header":   with("\xc0\x02"),
		"a reserved label type":       with("\x80\x00"),
		"the question is a loop":      append(append([]byte(nil), header...), "\xc0\x0c\x00\x01\x00\x01"...),
		"more records than it says":   append(append(append([]byte(nil), header[:6]...), 0xff, 0xff, 0, 0, 0, 0), question...),
		"a name longer than 255 byte": with(strings.Repeat("\x3f"+strings.Repeat("a", 63), 5) + "\x00"),
	}
}

func TestMessagesThatGoInCircles(t *testing.T) {
	for name, data := range loops() {
		r, err := readReply(data, "www.example", typeA)
		if err == nil && !r.malformed && len(r.addrs) > 0 {
			t.Errorf("%s: it was read as %+v", name, r)
		}
		if err != nil && !errors.Is(err, errNotOurs) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestMessageCutAnywhere(t *testing.T) {
	data := packed(t, "www.example. 300 IN CNAME a.example.", "a.example. 300 IN A 192.0.2.1", "a.example. 300 IN A 192.0.2.2")
	for n := range data {
		r, err := readReply(data[:n], "www.example", typeA)
		if err == nil && !r.malformed {
			t.Errorf("%d bytes of %d were read as %+v", n, len(data), r)
		}
	}
	if r, err := readReply(data, "www.example", typeA); err != nil || r.malformed || len(r.addrs) != 2 {
		t.Errorf("the whole message: %+v, %v", r, err)
	}
}

func TestQueryOfTheLongestName(t *testing.T) {
	name := strings.Repeat("a.", 126) + "b"
	buffer := make([]byte, queryBuffer)
	data, err := packQuery(buffer, 1, name, typeAAAA, udpSize)
	if err != nil || len(data) != queryBuffer-1 {
		t.Errorf("%d bytes, error %v; want %d", len(data), err, queryBuffer-1)
	}
	if &data[0] != &buffer[0] {
		t.Error("the query is not in the buffer that was given")
	}
	if _, err := packQuery(buffer, 1, strings.Repeat("a", 64), typeA, udpSize); err == nil {
		t.Error("a label of 64 bytes was packed")
	}
}

func TestReverseNames(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.254": "254.2.0.192.in-addr.arpa",
		"2001:db8::f": "f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
	} {
		if got := string(appendReverse(nil, netip.MustParseAddr(addr))); got != want {
			t.Errorf("the name of %s is %s, want %s", addr, got, want)
		}
	}
}

func TestRandomSource(t *testing.T) {
	reads := 0
	r := random{source: readerFunc(func(p []byte) (int, error) {
		reads++
		for i := range p {
			p[i] = byte(i)
		}
		return len(p), nil
	})}
	for i := range 256 {
		if got, want := r.id(), binary.BigEndian.Uint16([]byte{byte(2 * i), byte(2*i + 1)}); got != want {
			t.Fatalf("identifier %d is %#x, want %#x", i, got, want)
		}
	}
	if reads != 1 {
		t.Errorf("%d reads for 256 identifiers, want one", reads)
	}
	if r.id(); reads != 2 {
		t.Errorf("%d reads for 257 identifiers, want two", reads)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// FuzzMessage opens the door to everything that name servers may send. Whatever comes
// in, what is believed is bounded, well formed, and about what was asked.
func FuzzMessage(f *testing.F) {
	f.Add(packed(f, "www.example. 300 IN A 192.0.2.1"))
	f.Add(packed(f, "www.example. 300 IN CNAME a.example.", "a.example. 0 IN A 192.0.2.1"))
	f.Add(packed(f, "www.example. 4294967295 IN AAAA 2001:db8::1", "www.example. 1 IN PTR b.example."))
	for _, data := range loops() {
		f.Add(data)
	}
	for _, data := range hostileMessages(600) {
		f.Add(data)
	}
	query, err := packQuery(nil, 1, "www.example", typeA, udpSize)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(query)
	f.Fuzz(func(t *testing.T, data []byte) {
		id, isReply := messageID(data)
		for _, qtype := range []uint16{typeA, typeAAAA, typePTR} {
			before := bytes.Clone(data)
			r, err := readReply(data, "www.example", qtype)
			if !bytes.Equal(before, data) {
				t.Fatal("the message was changed")
			}
			if err != nil {
				if len(r.addrs)+len(r.names) > 0 || r.code != 0 {
					t.Fatalf("something was believed: %+v", r)
				}
				continue
			}
			if !isReply || id != binary.BigEndian.Uint16(data) {
				t.Fatalf("identifier %d, reply %v: and yet it was read", id, isReply)
			}
			checkReply(t, &r, qtype)
			checkAgainstOthers(t, &r, data, qtype)
		}
	})
}

// checkAgainstOthers compares what was found with what a reader of all records finds, of messages that both can read.
func checkAgainstOthers(t *testing.T, r *reply, data []byte, qtype uint16) {
	t.Helper()
	var m dns.Msg
	if r.truncated || r.malformed || m.Unpack(data) != nil || len(m.Answer) != int(binary.BigEndian.Uint16(data[6:])) {
		return
	}
	owner, aliases := "www.example.", 0
	for range maxAliases {
		for _, rr := range m.Answer {
			if a, ok := rr.(*dns.CNAME); ok && a.Hdr.Class == dns.ClassINET && strings.EqualFold(a.Hdr.Name, owner) {
				owner, aliases = a.Target, aliases+1
				break
			}
		}
	}
	var found []string
	for _, rr := range m.Answer {
		if h := rr.Header(); h.Rrtype != qtype || h.Class != dns.ClassINET || !strings.EqualFold(h.Name, owner) || len(found) == maxRecords {
			continue
		}
		switch rr := rr.(type) {
		case *dns.A:
			found = append(found, rr.A.String())
		case *dns.AAAA:
			found = append(found, rr.AAAA.String())
		case *dns.PTR:
			if name, ok := hostName(rr.Ptr); ok {
				found = append(found, name)
			}
		}
	}
	ours := slices.Clone(r.names)
	for _, addr := range r.addrs {
		ours = append(ours, net.IP(addr.AsSlice()).String())
	}
	if len(m.Answer) <= maxKept && !slices.Equal(found, ours) {
		t.Fatalf("it leads to %q, another reader says %q", ours, found)
	}
	if r.alias != (aliases > 0) {
		t.Fatalf("aliases: %v, another reader finds %d", r.alias, aliases)
	}
}

func checkReply(t *testing.T, r *reply, qtype uint16) {
	t.Helper()
	found := len(r.addrs) + len(r.names)
	switch {
	case found > maxRecords:
		t.Fatalf("%d records were kept", found)
	case found > 0 && r.ttl >= signBitTTL:
		t.Fatalf("TTL %d", r.ttl)
	case found > 0 && (r.truncated || r.malformed || r.referral || r.target != ""):
		t.Fatalf("records of a reply that is none: %+v", r)
	case len(r.names) > 0 && qtype != typePTR || len(r.addrs) > 0 && qtype == typePTR:
		t.Fatalf("records of another type: %+v", r)
	}
	for _, name := range r.names {
		if canonical, ok := hostName(name); !ok || canonical != name {
			t.Fatalf("name %q", name)
		}
	}
	for _, addr := range r.addrs {
		if !addr.IsValid() || addr.Is4In6() || addr.Zone() != "" {
			t.Fatalf("address %v", addr)
		}
	}
}
