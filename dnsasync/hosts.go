package dnsasync

import (
	"bufio"
	"io"
	"net/netip"
	"slices"
	"strings"
)

// Hosts are the names and addresses of a hosts file (hosts(5), hosts_file). They do not
// change after ReadHosts and may be shared by resolvers on any goroutine. A nil *Hosts is
// empty.
type Hosts struct {
	addrs map[string][]netip.Addr // by canonical name, in the order of the file
	names map[netip.Addr][]string // those of the last line first
}

// maxFileLine is the longest line of a hosts file or resolv.conf, in bytes.
const maxFileLine = 1 << 20

// ReadHosts reads a hosts file: an address and its names on each line, "#" begins a
// comment. A line that begins with no address is left out, and so is a name that can be
// none; the others are used, and the error is then a *Skipped that lists them. After any
// other error, which is r's, the Hosts hold what was read before.
func ReadHosts(r io.Reader) (*Hosts, error) {
	h := &Hosts{addrs: map[string][]netip.Addr{}, names: map[netip.Addr][]string{}}
	skipped := &Skipped{what: "hosts file"}
	err := eachLine(r, "#", func(n int, fields []string) {
		h.add(fields, func(why, word string) { skipped.add(n, why, word) })
	})
	if err != nil {
		return h, err
	}
	return h, skipped.err()
}

// add adds one line.
func (h *Hosts) add(fields []string, skip func(why, word string)) {
	addr, err := netip.ParseAddr(fields[0])
	switch {
	case err != nil:
		skip("not an address", fields[0])
		return
	case addr.Zone() != "":
		skip("address with a zone", fields[0])
		return
	case len(fields) == 1:
		skip("address without a name", fields[0])
		return
	}
	addr = addr.Unmap()
	var names []string
	for _, field := range fields[1:] {
		name, ok := hostName(field)
		if !ok {
			skip("not a host name", field)
			continue
		}
		if !slices.Contains(h.addrs[name], addr) {
			h.addrs[name] = append(h.addrs[name], addr)
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	h.name(addr, names)
}

// name puts the names of a line before those that its address has of others. As in Squid the first of the last line is
// what it is called.
func (h *Hosts) name(addr netip.Addr, names []string) {
	for _, older := range h.names[addr] {
		if !slices.Contains(names, older) {
			names = append(names, older)
		}
	}
	if len(names) > 0 {
		h.names[addr] = names
	}
}

// Len returns how many names there are.
func (h *Hosts) Len() int {
	if h == nil {
		return 0
	}
	return len(h.addrs)
}

// named returns the addresses of a canonical name. The caller does not change them.
func (h *Hosts) named(name []byte) []netip.Addr {
	if h == nil {
		return nil
	}
	return h.addrs[string(name)]
}

// at returns the names of an address. The caller does not change them.
func (h *Hosts) at(addr netip.Addr) []string {
	if h == nil {
		return nil
	}
	return h.names[addr]
}

// sortedNames and sortedAddrs are for listings.
func (h *Hosts) sortedNames() []string {
	if h == nil {
		return nil
	}
	names := make([]string, 0, len(h.addrs))
	for name := range h.addrs {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (h *Hosts) sortedAddrs() []netip.Addr {
	if h == nil {
		return nil
	}
	addrs := make([]netip.Addr, 0, len(h.names))
	for addr := range h.names {
		addrs = append(addrs, addr)
	}
	slices.SortFunc(addrs, netip.Addr.Compare)
	return addrs
}

// eachLine calls f with the number and the words of each line that has any. A byte out
// of comment begins a comment.
func eachLine(r io.Reader, comment string, f func(n int, fields []string)) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxFileLine)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if i := strings.IndexAny(line, comment); i >= 0 {
			line = line[:i]
		}
		if fields := strings.Fields(line); len(fields) > 0 {
			f(n, fields)
		}
	}
	return lines.Err()
}
