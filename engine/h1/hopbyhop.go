package h1

// hopByHop are the fields that are about one connection only, beside Transfer-Encoding.
// RFC 9110 section 7.6.1; and Trailer, which Squid drops with them.
var hopByHop = [...]string{"Connection", "Proxy-Connection", "Keep-Alive", "TE", "Trailer", "Upgrade"}

// protected are fields that a Connection field cannot have removed. Host and the framing fields
// decide how the message is read; they are replaced, but never removed because a peer asks for it.
var protected = [...]string{"Connection", "Host", "Content-Length", "Transfer-Encoding"}

// RemoveHopByHop removes the fields that are about one connection only and those that Connection names.
//
// It leaves Transfer-Encoding and Content-Length (see Body.Declare) and the fields of proxy
// authentication, which belong to whoever authenticates.
func RemoveHopByHop(h *Header) {
	for i := 0; ; i++ {
		list, found := h.nth("Connection", i)
		if !found {
			break
		}
		h.deleteListed(list)
	}
	h.remove(0, isHopByHop)
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

func (h *Header) deleteListed(list []byte) {
	for more := true; more; {
		var name []byte
		if name, list, more = element(list); len(name) > 0 && !oneOf(name, protected[:]) {
			h.delete(name, 0)
		}
	}
}

// nth returns the i-th value of the named field, counted from 0.
func (h *Header) nth(name string, i int) (value []byte, found bool) {
	if h.lacks(name) {
		return nil, false
	}
	for j := range h.fields {
		if !equalFold(h.fields[j].name, name) {
			continue
		}
		if i == 0 {
			return h.fields[j].value, true
		}
		i--
	}
	return nil, false
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
