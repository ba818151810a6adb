package logformat

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"exaproxy/engine"
	"exaproxy/engine/proxyheader"
)

// proxyHeader gives what the argument names of the PROXY header of the client's connection, or all of it: one of
// pseudoFields, or all TLVs of a type.
func proxyHeader(dst []byte, _ *Format, p *part, rec *engine.Record) []byte {
	c := rec.Request.Connection
	if c == nil || c.ProxyHeader == nil {
		return dst
	}
	name, element, separator := proxyHeaderArgument(p.arg)
	if name == "" {
		return allOfProxyHeader(dst, c.ProxyHeader)
	}
	start := len(dst)
	if f := pseudoField(name); f != nil {
		dst = f(dst, c.ProxyHeader)
	} else {
		dst = appendExtensions(dst, c.ProxyHeader, name)
	}
	return onlyElement(dst, start, element, separator)
}

// appendExtensions appends all TLVs of the type that name is the number of.
func appendExtensions(dst []byte, h *proxyheader.Header, name string) []byte {
	kind, err := strconv.ParseUint(name, 10, 8)
	if err != nil {
		return dst
	}
	start := len(dst)
	h.EachExtension(func(k byte, value []byte) bool {
		if k == byte(kind) {
			if len(dst) > start {
				dst = append(dst, ',')
			}
			dst = append(dst, value...)
		}
		return true
	})
	return dst
}

// allOfProxyHeader appends a line for each thing that there is.
func allOfProxyHeader(dst []byte, h *proxyheader.Header) []byte {
	for _, f := range pseudoFields {
		at := len(dst)
		dst = append(append(dst, f.name...), ": "...)
		if n := len(dst); len(f.value(dst, h)) == n {
			dst = dst[:at]
			continue
		}
		dst = append(f.value(dst, h), "\r\n"...)
	}
	h.EachExtension(func(kind byte, value []byte) bool {
		dst = append(strconv.AppendUint(dst, uint64(kind), 10), ": "...)
		dst = append(append(dst, value...), "\r\n"...)
		return true
	})
	return dst
}

// pseudoFields are what a header has beside TLVs, as Squid calls it.
var pseudoFields = []struct {
	name  string
	value func(dst []byte, h *proxyheader.Header) []byte
}{
	{":version", func(dst []byte, h *proxyheader.Header) []byte { return append(dst, '0'+h.Version, '.', '0') }},
	{":command", func(dst []byte, h *proxyheader.Header) []byte {
		if h.Local {
			return append(dst, '0')
		}
		return append(dst, '1')
	}},
	{":src_addr", ofEnd(appendAddress, func(h *proxyheader.Header) netip.AddrPort { return h.Source })},
	{":dst_addr", ofEnd(appendAddress, func(h *proxyheader.Header) netip.AddrPort { return h.Destination })},
	{":src_port", ofEnd(appendPort, func(h *proxyheader.Header) netip.AddrPort { return h.Source })},
	{":dst_port", ofEnd(appendPort, func(h *proxyheader.Header) netip.AddrPort { return h.Destination })},
}

func ofEnd(write func([]byte, netip.AddrPort) []byte, end func(*proxyheader.Header) netip.AddrPort) func([]byte, *proxyheader.Header) []byte {
	return func(dst []byte, h *proxyheader.Header) []byte { return write(dst, end(h)) }
}

func pseudoField(name string) func([]byte, *proxyheader.Header) []byte {
	for i := range pseudoFields {
		if pseudoFields[i].name == name {
			return pseudoFields[i].value
		}
	}
	return nil
}

// proxyHeaderArgument is fieldArgument for names that may begin with a colon.
func proxyHeaderArgument(arg string) (name, element string, separator byte) {
	rest, pseudo := strings.CutPrefix(arg, ":")
	name, element, separator = fieldArgument(rest)
	if pseudo {
		name = ":" + name
	}
	return name, element, separator
}

// checkProxyHeader says what is wrong with an argument, in Squid's words.
func checkProxyHeader(arg string) error {
	name, _, _ := proxyHeaderArgument(arg)
	switch {
	case name == "" || pseudoField(name) != nil:
	case name[0] == ':':
		return fmt.Errorf("Unsupported PROXY protocol pseudo header: %s", name)
	default:
		if n, err := strconv.ParseUint(name, 10, 8); err != nil || n == 0 {
			return fmt.Errorf("Expecting a TLV type from 1 to 255 in %%{%s}proxy_protocol::>h", arg)
		}
	}
	return nil
}
