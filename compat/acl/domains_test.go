package acl

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func domainSet(tb testing.TB, names ...string) *domains {
	tb.Helper()
	var d domains
	for _, name := range names {
		if err := d.add(name); err != nil {
			tb.Fatal(err)
		}
	}
	return &d
}

func TestDomains(t *testing.T) {
	tests := []struct {
		name    string
		set     []string
		yes, no []string
	}{
		{name: "a name stands for itself", set: []string{"example.com"},
			yes: []string{"example.com", "EXAMPLE.com"}, no: []string{"www.example.com", "com", "xexample.com", "example.co", "example.com.au"}},
		{name: "a name with a dot stands for all below it, too", set: []string{".Example.com"},
			yes: []string{"example.com", "www.example.com", "A.B.example.COM"}, no: []string{"xexample.com", "com"}},
		{name: "both", set: []string{"example.com", ".example.com"}, yes: []string{"example.com", "www.example.com"}},
		{name: "a domain of one label", set: []string{".com", "localhost"},
			yes: []string{"com", "a.com", "localhost"}, no: []string{"a.localhost", "org"}},
		{name: "an address", set: []string{"127.0.0.1", "[::1]"}, yes: []string{"127.0.0.1", "[::1]"}, no: []string{"0.0.1", "::1"}},
		{name: "dots before a host do not count", set: []string{"example.com"}, yes: []string{".example.com", "..example.com"}, no: []string{".", ""}},
		{name: "a single dot stands for no host", set: []string{"."}, no: []string{"", "com", "a.com"}},
		{name: "bytes beyond ASCII have no case", set: []string{"é.example"}, yes: []string{"é.EXAMPLE"}, no: []string{"É.example"}},
		{name: "an empty set", no: []string{"com"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := domainSet(t, tt.set...)
			for _, host := range tt.yes {
				if !d.match([]byte(host)) {
					t.Errorf("%q does not match %q", host, tt.set)
				}
			}
			for _, host := range tt.no {
				if d.match([]byte(host)) {
					t.Errorf("%q matches %q", host, tt.set)
				}
			}
		})
	}
}

func TestNeedlessDomainsAreNamed(t *testing.T) {
	tests := []struct {
		name string
		set  []string
		want []string
	}{
		{name: "the domain first", set: []string{".example.com", "www.example.com"}, want: []string{
			"WARNING: 'www.example.com' is a subdomain of '.example.com'",
			"WARNING: You should remove 'www.example.com' from the ACL named 'd'"}},
		{name: "the domain last", set: []string{".www.example.com", ".example.com"}, want: []string{
			"WARNING: '.www.example.com' is a subdomain of '.example.com'",
			"WARNING: You should remove '.www.example.com' from the ACL named 'd'"}},
		{name: "with and without a dot", set: []string{"example.com", ".example.com"}, want: []string{
			"WARNING: 'example.com' is a subdomain of '.example.com'",
			"WARNING: You should remove 'example.com' from the ACL named 'd'"}},
		{name: "the same twice is not selectivity a word", set: []string{"a.com", "a.com", ".b.com", ".b.com", "B.com."}},
		{name: "a name covers nothing", set: []string{"example.com", "www.example.com"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := domainSet(t, tt.set...).finish("d"); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestThousandsOfNeedlessDomainsAreCounted(t *testing.T) {
	d := domainSet(t, ".example.com")
	for i := range 1000 {
		if err := d.add(fmt.Sprintf("w%d.example.com", i)); err != nil {
			t.Fatal(err)
		}
	}
	got := d.finish("d")
	if want := "WARNING: 990 more domains of the ACL named 'd' are subdomains of others in it"; len(got) != 21 || got[20] != want {
		t.Errorf("got %d lines, the last %q, want 21 and %q", len(got), got[len(got)-1], want)
	}
}

func TestADomainCostsFewBytes(t *testing.T) {
	const count = 100_000
	var d domains
	written := 0
	for i := range count {
		name := fmt.Sprintf("host-%d.example.com", i)
		written += len(name)
		if err := d.add(name); err != nil {
			t.Fatal(err)
		}
	}
	d.finish("d")
	if perName := (cap(d.text) + 8*cap(d.slots) - written) / count; perName > 25 {
		t.Errorf("a domain costs %d bytes more than its name, want at most 25", perName)
	}
}

func TestADomainTooLong(t *testing.T) {
	if err := new(domains).add(strings.Repeat("x", longestName+1)); err == nil {
		t.Error("a domain longer than its length can be kept was taken")
	}
}

// naiveMatch is what dstdomain means, said in the simplest way.
func naiveMatch(set []string, host string) bool {
	host = strings.ToLower(strings.TrimLeft(host, "."))
	for _, name := range set {
		name = strings.ToLower(name)
		if host != "" && (host == name || strings.HasPrefix(name, ".") && ("."+host == name || strings.HasSuffix(host, name))) {
			return true
		}
	}
	return false
}

func FuzzDomains(f *testing.F) {
	f.Add("example.com .example.org", "www.example.org")
	f.Add(".a .b.a c.b.a", "c.b.a")
	f.Add(". .. .com", "x..com")
	f.Fuzz(func(t *testing.T, names, host string) {
		for _, c := range names + host {
			if c >= 0x80 {
				t.Skip("strings.ToLower knows more capitals than ASCII's")
			}
		}
		set := strings.Fields(names)
		if got, want := domainSet(t, set...).match([]byte(host)), naiveMatch(set, host); got != want {
			t.Errorf("%q in %q: got %v, want %v", host, set, got, want)
		}
	})
}
