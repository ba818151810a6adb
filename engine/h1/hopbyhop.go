package h1

// hopByHop are the fields that are about one connection only, beside Transfer-Encoding.
// RFC 9110 section 7.6.1; and Trailer, which Squid drops with them.
var hopByHop = [...]string{"Connection", "Proxy-Connection", "Keep-Alive", "TE", "Trailer", "Upgrade"}

// protected are fields that a Connection field cannot have removed. Host and the framing fields
// decide how the message is read; they are replaced, but never removed because a peer asks for it. X-Forwarded-For says
// for whom it is, which the next hop is to learn as we did.
var protected = [...]string{"Connection", "Host", "Content-Length", "Transfer-Encoding", "X-Forwarded-For"}

// credentials are the fields by which clients prove to somebody who they are.
var credentials = [...]string{"Authorization", "Proxy-Authorization", "Cookie"}

// IsCredential reports whether a field is one by which clients prove who they are (RFC 9110 section 11, RFC 6265): pages,
// logs and the reply to a TRACE do not show it.
func IsCredential(name []byte) bool { return oneOf(name, credentials[:]) }

// RemoveHopByHop removes the fields that are about one connection only and those that Connection names.
//
// It leaves Transfer-Encoding and Content-Length (see Body.Declare) and the fields of proxy
// authentication, which belong to whoever authenticates.
func RemoveHopByHop(h *Header) {
	if !h.lacks("Connection") {
		h.removeListed(h)
	}
	h.remove(0, isHopByHop)
}

// CopyEndToEnd is CopyFrom with what RemoveHopByHop leaves, without the fields of some more names.
func (h *Header) CopyEndToEnd(src *Header, without ...string) {
	h.Reset()
	for i := range src.fields {
		if name := src.fields[i].name; !isHopByHop(name) && !oneOf(name, without) {
			h.fields = append(h.fields, src.fields[i])
		}
	}
	h.bits = src.bits
	if !src.lacks("Connection") {
		h.removeListed(src)
	}
}

// isHopByHop reports whether a field is about one connection only. Most names differ from these in
// length.
func isHopByHop(name []byte) bool {
	switch len(name) {
	case len("TE"), len("Trailer"), len("Connection"), len("Proxy-Connection"):
		return oneOf(name, hopByHop[:])
	}
	return false
}

// fewListed is how many names of fields Connection may list before they are looked up in a table.
const fewListed = 8

// removeListed removes the fields that Connection of src names.
func (h *Header) removeListed(src *Header) {
	var few [fewListed]string
	n := 0
	src.eachListed(func(name []byte) {
		if n < fewListed {
			few[n] = stringView(name)
		}
		n++
	})
	switch {
	case n == 0:
	case n <= fewListed:
		h.remove(0, func(name []byte) bool { return oneOf(name, few[:n]) })
	default:
		h.removeManyListed(src)
	}
}

// removeManyListed is for lists that somebody has made long so that we look through all fields for each
// name in them.
func (h *Header) removeManyListed(src *Header) {
	listed := make(map[string]bool, len(h.fields)) // by the names of the fields that are there, in lower case
	var folded []byte
	for i := range h.fields {
		folded = appendLower(folded[:0], h.fields[i].name)
		listed[string(folded)] = false
	}
	src.eachListed(func(name []byte) {
		folded = appendLower(folded[:0], name)
		if _, found := listed[string(folded)]; found {
			listed[string(folded)] = true
		}
	})
	h.remove(0, func(name []byte) bool {
		folded = appendLower(folded[:0], name)
		return listed[string(folded)]
	})
}

// eachListed calls f with every name in the Connection fields whose field may be there and removed.
func (h *Header) eachListed(f func(name []byte)) {
	h.All("Connection", func(list []byte) bool {
		for more := true; more; {
			var name []byte
			if name, list, more = element(list); len(name) > 0 && !h.lacks(stringView(name)) && !oneOf(name, protected[:]) {
				f(name)
			}
		}
		return true
	})
}

func oneOf(name []byte, names []string) bool {
	for _, n := range names {
		if equalFold(name, n) {
			return true
		}
	}
	return false
}

// KeepAlive reports whether a peer that sent this version and header wants to go on using the
// connection: since HTTP/1.1 unless it has the token close, before only if it has keep-alive. Either may
// be in Connection or, as old clients do towards a proxy, in Proxy-Connection.
func KeepAlive(major, minor uint8, h *Header) bool {
	if h.HasToken("Connection", "close") || h.HasToken("Proxy-Connection", "close") {
		return false
	}
	if major != 1 {
		return false
	}
	return minor > 0 || h.HasToken("Connection", "keep-alive") || h.HasToken("Proxy-Connection", "keep-alive")
}
