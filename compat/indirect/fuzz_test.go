package indirect

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"exaproxy/engine"
)

// believed is whom a list names if everybody in it is believed, found in another way than Follow's: from all words of all
// fields.
func believed(client netip.Addr, fields []string) netip.Addr {
	words := strings.FieldsFunc(strings.Join(fields, ","), func(c rune) bool { return c == ',' || c == ' ' || c == '\t' })
	slices.Reverse(words)
	for _, word := range words[:min(len(words), mostHops)] {
		addr, err := netip.ParseAddr(word)
		if err != nil {
			break
		}
		client = addr.Unmap().WithZone("")
	}
	return client
}

// FuzzForwarded walks along any X-Forwarded-For, of up to three fields.
func FuzzForwarded(f *testing.F) {
	for _, list := range []string{"192.0.2.1", "192.0.2.1, 192.0.2.2", "unknown, 192.0.2.1", "[2001:db8::1]:80", "2001:db8::1%eth0", "::ffff:192.0.2.9",
		"1", "192.0.2.001", "192.0.2.1:80", ",,\t ,", "\"192.0.2.1\"", "192.0.2.1;x", "", "for=192.0.2.1", strings.Repeat("192.0.2.3,", 5000)} {
		f.Add(list, "192.0.2.7", "")
		f.Add("x", list, list)
	}
	f.Fuzz(func(t *testing.T, one, two, three string) {
		var fields []string
		for _, value := range []string{one, two, three} {
			if value != "" && !strings.ContainsAny(value, "\r\n\x00") {
				fields = append(fields, strings.Trim(value, " \t"))
			}
		}
		p, r := policy(t, "follow_x_forwarded_for allow all"), request(t)
		for _, value := range fields {
			r.Header.Add("X-Forwarded-For", []byte(value))
		}
		st := &State{}
		if a := p.Follow(r, st); a != engine.Proceed {
			t.Fatalf("it answers %v", a)
		}
		if want := believed(netip.MustParseAddr("127.0.0.1"), fields); r.Client.Addr() != want || st.hops > mostHops {
			t.Errorf("%q: the client is %v after %d addresses, want %v", fields, r.Client.Addr(), st.hops, want)
		}
	})
}
