package dnsasync

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/miekg/dns"
)

// What a query may ask for (RFC 1035 section 3.2.2, RFC 3596 section 2.1).
const (
	typeA    = dns.TypeA
	typePTR  = dns.TypePTR
	typeAAAA = dns.TypeAAAA
)

// What a name server may say of a query (RFC 1035 section 4.1.1, RFC 6891 section 9).
const (
	codeSuccess        = dns.RcodeSuccess
	codeFormat         = dns.RcodeFormatError
	codeNoSuchName     = dns.RcodeNameError
	codeNotImplemented = dns.RcodeNotImplemented
	codeBadVersion     = dns.RcodeBadVers
)

const (
	headerSize = 12
	// udpSize is the size that queries announce if nothing else was configured: what passes unfragmented
	// everywhere (DNS flag day 2020). More is read if it comes.
	udpSize     = 1232
	udpBuffer   = 4096
	queryBuffer = headerSize + 255 + 4 + 11 + 1 // the longest name, EDNS, and one byte that Pack wants
	maxRecords  = 64                            // of an answer that are kept
	maxAliases  = 16                            // that are followed in one answer
	signBitTTL  = 1 << 31                       // RFC 2181 section 8: such a TTL is zero
	unknownTTL  = ^uint32(0)
	responseBit = 0x80
)

// A reply is what is used of a name server's message.
type reply struct {
	code      int
	truncated bool // TC: ask again by TCP
	malformed bool // behind the question
	referral  bool // by a server that is not recursive
	edns      bool // the server knows EDNS

	addrs  []netip.Addr // of the type that was asked for, in the server's order
	names  []string     // likewise: canonical host names
	ttl    uint32       // seconds: the smallest of the records that led here
	target string       // where the aliases lead, if to no record; "": nowhere
	alias  bool         // there were aliases

	negativeTTL uint32 // seconds that a missing answer may be cached; unknownTTL if not said
}

var errNotOurs = errors.New("not the answer to this question")

// messageID returns the identifier of a message that is marked as a reply.
func messageID(b []byte) (id uint16, ok bool) {
	if len(b) < headerSize || b[2]&responseBit == 0 {
		return 0, false
	}
	return binary.BigEndian.Uint16(b), true
}

// packQuery returns the query for records of a type, in buf if there is room. The name
// is without a dot at its end. size is what it announces by EDNS (RFC 6891); 0: it has none.
func packQuery(buf []byte, id uint16, name string, qtype uint16, size int) ([]byte, error) {
	m := dns.Msg{
		MsgHdr:   dns.MsgHdr{Id: id, RecursionDesired: true},
		Question: []dns.Question{{Name: name + ".", Qtype: qtype, Qclass: dns.ClassINET}},
	}
	if size > 0 {
		m.SetEdns0(uint16(size), false)
	}
	return m.PackBuffer(buf)
}

// presented is a name as the dns package writes and reads it: most bytes that are neither letters nor digits are escaped
// (RFC 1035 section 5.1).
func presented(name string) string {
	if strings.IndexFunc(name, func(c rune) bool { return c > '~' || strings.ContainsRune(escaped, c) }) < 0 {
		return name
	}
	var b strings.Builder
	for i := range len(name) {
		switch c := name[i]; {
		case c > '~':
			fmt.Fprintf(&b, `\%03d`, c)
		case strings.IndexByte(escaped, c) >= 0:
			b.WriteByte('\\')
			fallthrough
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// escaped are those bytes of inURL that get a backslash.
const escaped = "'();"

// readReply reads the reply to the question for a name and type. errNotOurs: it is for
// another question, or nothing can be read, and nothing in it is to be believed.
func readReply(b []byte, name string, qtype uint16) (reply, error) {
	var m dns.Msg
	failed := m.Unpack(b)
	if !m.Response || m.Opcode != dns.OpcodeQuery || !answersQuestion(&m, name, qtype) {
		return reply{}, errNotOurs
	}
	r := reply{code: m.Rcode, truncated: m.Truncated, edns: m.IsEdns0() != nil, negativeTTL: unknownTTL}
	switch {
	case r.truncated:
		// What there is may end in the middle of a record; all of it comes again by TCP.
	case failed != nil || !complete(b, &m):
		r.malformed = true
	default:
		r.read(&m, name, qtype)
	}
	return r, nil
}

// complete reports whether there are as many records as the header says. Unpack is content
// with less if the message ends between two of them.
func complete(b []byte, m *dns.Msg) bool {
	return int(binary.BigEndian.Uint16(b[6:])) == len(m.Answer) &&
		int(binary.BigEndian.Uint16(b[8:])) == len(m.Ns) &&
		int(binary.BigEndian.Uint16(b[10:])) == len(m.Extra)
}

// answersQuestion compares the question. A server that does not understand a query, or does not
// want it, may leave the question out; it can harm only itself with that.
func answersQuestion(m *dns.Msg, name string, qtype uint16) bool {
	if len(m.Question) == 0 {
		return m.Rcode != codeSuccess && m.Rcode != codeNoSuchName && len(m.Answer) == 0
	}
	q := m.Question[0]
	return len(m.Question) == 1 && q.Qtype == qtype && q.Qclass == dns.ClassINET && sameName(q.Name, name)
}

// sameName compares a name in a message, which has a dot at its end, with one of ours. Both are
// ASCII, as Unpack escapes other bytes, so that EqualFold compares as RFC 4343 says.
func sameName(theirs, ours string) bool {
	return len(theirs) == len(ours)+1 && theirs[len(ours)] == '.' && strings.EqualFold(theirs[:len(ours)], ours)
}

func (r *reply) read(m *dns.Msg, name string, qtype uint16) {
	r.ttl = unknownTTL
	owner := r.follow(m.Answer, name)
	r.collect(m.Answer, owner, qtype)
	r.readNegativeTTL(m.Ns)
	found := len(r.addrs) > 0 || len(r.names) > 0
	if r.alias && !found && r.negativeTTL == unknownTTL {
		r.target = owner
	}
	r.referral = r.code == codeSuccess && len(m.Answer) == 0 && r.negativeTTL == unknownTTL &&
		!m.Authoritative && !m.RecursionAvailable
}

// follow returns the name to which the aliases in the answer lead. One that leads in a
// circle is left after maxAliases.
func (r *reply) follow(answer []dns.RR, name string) string {
	for range maxAliases {
		alias := aliasOf(answer, name)
		if alias == nil {
			return name
		}
		r.alias = true
		r.limitTTL(alias.Hdr.Ttl)
		name = strings.TrimSuffix(alias.Target, ".")
	}
	return name
}

func aliasOf(answer []dns.RR, name string) *dns.CNAME {
	for _, record := range answer {
		alias, ok := record.(*dns.CNAME)
		if ok && alias.Hdr.Class == dns.ClassINET && sameName(alias.Hdr.Name, name) {
			return alias
		}
	}
	return nil
}

// collect adds the records of the type that was asked for and of the name to which the
// aliases led; others prove nothing.
func (r *reply) collect(answer []dns.RR, owner string, qtype uint16) {
	for _, record := range answer {
		h := record.Header()
		if h.Rrtype != qtype || h.Class != dns.ClassINET || !sameName(h.Name, owner) {
			continue
		}
		if len(r.addrs)+len(r.names) == maxRecords {
			return
		}
		if r.add(record) {
			r.limitTTL(h.Ttl)
		}
	}
}

// add keeps what a record says, unless it makes no sense. Names are kept only if hosts
// may have them, for they end up in access lists and logs.
func (r *reply) add(record dns.RR) bool {
	switch record := record.(type) {
	case *dns.A:
		addr, ok := netip.AddrFromSlice(record.A)
		if ok {
			r.addrs = append(r.addrs, addr.Unmap())
		}
		return ok
	case *dns.AAAA:
		addr, ok := netip.AddrFromSlice(record.AAAA)
		if ok {
			r.addrs = append(r.addrs, addr.Unmap())
		}
		return ok
	case *dns.PTR:
		name, ok := hostName(record.Ptr)
		if ok {
			r.names = append(r.names, name)
		}
		return ok
	}
	return false
}

// readNegativeTTL reads for how long a missing answer may be cached (RFC 2308 section 5).
func (r *reply) readNegativeTTL(records []dns.RR) {
	for _, record := range records {
		if soa, ok := record.(*dns.SOA); ok {
			r.negativeTTL = min(seconds(soa.Hdr.Ttl), seconds(soa.Minttl))
			return
		}
	}
}

func (r *reply) limitTTL(ttl uint32) { r.ttl = min(r.ttl, seconds(ttl)) }

func seconds(ttl uint32) uint32 {
	if ttl >= signBitTTL {
		return 0
	}
	return ttl
}

// refusesEDNS reports whether the server does not understand queries with EDNS (RFC 6891
// section 7, and what servers do that are older).
func (r *reply) refusesEDNS() bool {
	switch r.code {
	case codeBadVersion:
		return true
	case codeFormat, codeNotImplemented:
		return !r.edns
	}
	return false
}
