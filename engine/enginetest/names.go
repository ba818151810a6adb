package enginetest

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"

	"exaproxy/engine/loop/looptest"
)

// A nameServer answers what the script has told it. A name that it was not told does not exist.
type nameServer struct {
	world  *World
	port   *looptest.DatagramPort
	known  map[string][]netip.Addr
	named  map[string]string // by the name under which an address is asked for
	ttl    uint32            // seconds, of all addresses
	silent bool
}

const (
	typeA    = 1
	typePTR  = 12
	typeAAAA = 28
	noName   = 3 // RFC 1035, section 4.1.1: RCODE
)

func newNameServer(w *World) *nameServer {
	return &nameServer{world: w, port: w.kernel.ListenDatagram(Resolver), known: map[string][]netip.Addr{}, named: map[string]string{}, ttl: 300}
}

// answer answers what has come, and says whether there was something.
func (s *nameServer) answer() bool {
	any := false
	for {
		from, query, ok := s.port.Receive()
		if !ok {
			return any
		}
		if s.silent {
			continue
		}
		any = true
		s.port.Send(from, s.reply(query))
	}
}

// reply makes the answer to a query of one question (RFC 1035, section 4).
func (s *nameServer) reply(query []byte) []byte {
	name, end := questionName(query)
	kind := binary.BigEndian.Uint16(query[end:])
	out := append([]byte(nil), query[:end+4]...)
	binary.BigEndian.PutUint16(out[2:], 0x8180) // a response; recursion desired and available
	clear(out[6:12])
	addrs, known := s.known[name]
	host := s.named[name]
	if !known && host == "" {
		out[3] |= noName
	}
	for _, a := range addrs {
		if a.Is4() && kind == typeA || a.Is6() && kind == typeAAAA {
			out[7]++
			out = appendRecord(out, kind, s.ttl, a.AsSlice())
		}
	}
	if host != "" && kind == typePTR {
		out[7]++
		out = appendRecord(out, kind, s.ttl, wireName(host))
	}
	return out
}

// wireName is a name as labels (RFC 1035, section 3.1).
func wireName(name string) (wire []byte) {
	for label := range strings.SplitSeq(name, ".") {
		wire = append(append(wire, byte(len(label))), label...)
	}
	return append(wire, 0)
}

// reverseName is the name under which the name of an IPv4 address is asked for (RFC 1035, section 3.5).
func reverseName(a netip.Addr) string {
	b := a.As4()
	return fmt.Sprintf("%d.%d.%d.%d.in-addr.arpa", b[3], b[2], b[1], b[0])
}

// appendRecord appends one of the name that was asked about.
func appendRecord(out []byte, kind uint16, ttl uint32, data []byte) []byte {
	out = append(out, 0xc0, 12) // the name is that of the question
	out = binary.BigEndian.AppendUint16(out, kind)
	out = binary.BigEndian.AppendUint16(out, 1) // IN
	out = binary.BigEndian.AppendUint32(out, ttl)
	out = binary.BigEndian.AppendUint16(out, uint16(len(data)))
	return append(out, data...)
}

// questionName reads the name of a query's question and says where it ends.
func questionName(query []byte) (name string, end int) {
	var labels []string
	at := 12
	for query[at] != 0 {
		n := int(query[at])
		labels = append(labels, strings.ToLower(string(query[at+1:at+1+n])))
		at += 1 + n
	}
	return strings.Join(labels, "."), at + 1
}
