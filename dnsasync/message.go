package dnsasync

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// What a query may ask for (RFC 1035 section 3.2.2, RFC 3596 section 2.1).
const (
	typeA     = dns.TypeA
	typeCNAME = dns.TypeCNAME
	typeSOA   = dns.TypeSOA
	typeOPT   = dns.TypeOPT
	typePTR   = dns.TypePTR
	typeAAAA  = dns.TypeAAAA

	classInternet = dns.ClassINET
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

	// of the header's third byte
	responseBit      = 0x80
	opcodeBits       = 0x78
	authoritativeBit = 0x04
	truncatedBit     = 0x02
	// of its fourth
	recursionBit = 0x80
	codeBits     = 0x0f
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
		Question: []dns.Question{{Name: name + ".", Qtype: qtype, Qclass: classInternet}},
	}
	if size > 0 {
		m.SetEdns0(uint16(size), false)
	}
	return m.PackBuffer(buf)
}

// presented is a name as the dns package writes and reads it: bytes that are neither letters nor digits are escaped
// (RFC 1035 section 5.1).
func presented(name string) string {
	if plain(name) {
		return name
	}
	var out []byte
	for label := range strings.SplitSeq(name, ".") {
		if len(out) > 0 {
			out = append(out, '.')
		}
		for i := range len(label) {
			out = appendPresented(out, label[i])
		}
	}
	return string(out)
}

func plain(name string) bool {
	for i := range len(name) {
		if !unescaped[name[i]] && name[i] != '.' {
			return false
		}
	}
	return true
}

// unescaped are the bytes that stand for themselves in a label.
var unescaped = func() (marked [256]bool) {
	for c := '!'; c <= '~'; c++ {
		marked[c] = !strings.ContainsRune(`.'@;()"\`, c)
	}
	return marked
}()

func appendPresented(dst []byte, c byte) []byte {
	switch {
	case unescaped[c]:
		return append(dst, c)
	case c < ' ' || c > '~':
		return append(dst, '\\', '0'+c/100, '0'+c/10%10, '0'+c%10)
	}
	return append(dst, '\\', c)
}

// readReply reads the reply to the question for a name and type. errNotOurs: it is for
// another question, or nothing can be read, and nothing in it is to be believed.
func readReply(b []byte, name string, qtype uint16) (reply, error) {
	if len(b) < headerSize || b[2]&(responseBit|opcodeBits) != responseBit {
		return reply{}, errNotOurs
	}
	m := wire{bytes: b}
	at, ours := m.question(name, qtype)
	if !ours {
		return reply{}, errNotOurs
	}
	r := reply{code: int(b[3] & codeBits), truncated: b[2]&truncatedBit != 0, negativeTTL: unknownTTL}
	whole := r.readSections(&m, at)
	switch {
	case m.count(questions) == 0 && (r.code == codeSuccess || r.code == codeNoSuchName || m.count(answers) > 0):
		// A server that does not understand a query, or does not want it, may leave the question out; it can
		// harm only itself with that.
		return reply{}, errNotOurs
	case r.truncated:
		// What there is may end in the middle of a record; all of it comes again by TCP.
	case !whole || !r.read(&m, name, qtype):
		return reply{code: r.code, edns: r.edns, malformed: true, negativeTTL: unknownTTL}, nil
	}
	return r, nil
}

// sameName compares a name as messages are read with one of ours. Both are ASCII, as other bytes are escaped, so that EqualFold
// compares as RFC 4343 says.
func sameName(theirs []byte, ours string) bool {
	return len(theirs) == len(ours) && strings.EqualFold(string(theirs), ours)
}

// readSections finds where the sections begin, and looks for EDNS. It reports whether there are as many records as
// the header says.
func (r *reply) readSections(m *wire, at int) (whole bool) {
	for s := answers; s <= extras; s++ {
		m.begins[s] = at
		for range m.count(s) {
			record, ok := m.resource(at)
			if !ok {
				return false
			}
			if at = record.end; s == extras && record.kind == typeOPT && !r.edns {
				r.edns = true
				r.code |= int(record.ttl>>24) << 4 // RFC 6891 section 6.1.3
			}
		}
	}
	return true
}

// read reads what the reply says, and reports whether that makes sense.
func (r *reply) read(m *wire, name string, qtype uint16) (ok bool) {
	r.ttl = unknownTTL
	aliases, ok := m.aliases()
	if !ok {
		return false
	}
	owner := r.follow(aliases, name)
	if !r.collect(m, owner, qtype) || !r.readNegativeTTL(m) {
		return false
	}
	found := len(r.addrs) > 0 || len(r.names) > 0
	if r.alias && !found && r.negativeTTL == unknownTTL {
		r.target = owner
	}
	r.referral = r.code == codeSuccess && m.count(answers) == 0 && r.negativeTTL == unknownTTL &&
		m.bytes[2]&authoritativeBit == 0 && m.bytes[3]&recursionBit == 0
	return true
}

// follow returns the name to which the aliases in the answer lead. One that leads in a
// circle is left after maxAliases.
func (r *reply) follow(aliases []alias, name string) string {
	for range maxAliases {
		i := slices.IndexFunc(aliases, func(a alias) bool { return strings.EqualFold(a.owner, name) })
		if i < 0 {
			return name
		}
		r.alias = true
		r.limitTTL(aliases[i].ttl)
		name = aliases[i].target
	}
	return name
}

// collect adds the records of the type that was asked for and of the name to which the
// aliases led; others prove nothing. It reports whether they are well formed.
func (r *reply) collect(m *wire, owner string, qtype uint16) (ok bool) {
	var buffer [nameBuffer]byte
	for record := range m.section(answers) {
		if record.kind != qtype || record.class != classInternet {
			continue
		}
		name, _, ok := m.name(buffer[:0], record.owner)
		if !ok {
			return false
		}
		if !sameName(name, owner) {
			continue
		}
		if len(r.addrs)+len(r.names) == maxRecords {
			return true
		}
		if !r.add(m, record) {
			return false
		}
	}
	return true
}

// add keeps what a record says, unless it makes no sense. Names are kept only if hosts
// may have them, for they end up in access lists and logs. It reports whether the record is well formed.
func (r *reply) add(m *wire, record resource) (ok bool) {
	data := m.bytes[record.data:record.end]
	switch {
	case record.kind == typeA && len(data) == 4, record.kind == typeAAAA && len(data) == 16:
		addr, _ := netip.AddrFromSlice(data)
		r.addrs = append(r.addrs, addr.Unmap())
		r.limitTTL(record.ttl)
		return true
	case record.kind == typePTR:
		var buffer [nameBuffer]byte
		text, end, ok := m.name(buffer[:0], record.data)
		if name, may := hostName(string(text)); ok && may {
			r.names = append(r.names, name)
			r.limitTTL(record.ttl)
		}
		return ok && end == record.end
	}
	return false
}

// readNegativeTTL reads for how long a missing answer may be cached (RFC 2308 section 5). It reports whether what says so is
// well formed.
func (r *reply) readNegativeTTL(m *wire) (ok bool) {
	const numbers = 20 // bytes, the last four of which are the minimum
	for record := range m.section(authorities) {
		if record.kind != typeSOA {
			continue
		}
		at, ok := m.skipName(record.data)
		if ok {
			at, ok = m.skipName(at)
		}
		if !ok || at+numbers != record.end {
			return false
		}
		r.negativeTTL = min(seconds(record.ttl), seconds(binary.BigEndian.Uint32(m.bytes[record.end-4:])))
		return true
	}
	return true
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
