package acl

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"exaproxy/engine"
	"exaproxy/engine/h1"
)

// asked makes a request of what stands after it in a test: "GET http://a.example/" and perhaps
// header lines. It comes from 192.0.2.1 to 198.51.100.1:3128.
func asked(tb testing.TB, text string) *engine.Request {
	tb.Helper()
	line, fields, _ := strings.Cut(text, "\n")
	if fields != "" {
		fields = strings.ReplaceAll(fields, "\n", "\r\n") + "\r\n"
	}
	r := &engine.Request{
		Client: netip.MustParseAddrPort("192.0.2.1:40000"),
		Local:  netip.MustParseAddrPort("198.51.100.1:3128"),
		Port:   &engine.Port{Name: "front"},
	}
	head := line + " HTTP/1.1\r\n" + fields + "\r\n"
	if _, err := h1.ParseRequest([]byte(head), &r.Request, h1.Limits{Relaxed: true}); err != nil {
		tb.Fatalf("request %q: %v", head, err)
	}
	return r
}

// String is Squid's word: "allow".
func (a Answer) String() string {
	return [...]string{Deny: "deny", Allow: "allow", Pending: "pending", Challenge: "challenge", Unknown: "unknown"}[a]
}

// answers is what http_access of a configuration says of a request, without name servers.
func (c *config) answers(tb testing.TB, request string) (Answer, string) {
	tb.Helper()
	if c.err != nil {
		tb.Fatal(c.err)
	}
	var p Place
	r := asked(tb, request)
	return c.access.Match(r, &r.Target, &p), p.Last()
}

const get = "GET http://www.example.com/"

func TestRules(t *testing.T) {
	const acls = `
acl yes src 192.0.2.0/24
acl no src 10.0.0.0/8
acl get method GET
acl example dstdomain .example.com
`
	tests := []struct {
		name, rules string
		want        Answer
		last        string
	}{
		{"no rules: as the directive says", "", Deny, ""},
		{"the first line that matches decides", "http_access allow yes\nhttp_access deny yes", Allow, "yes"},
		{"a line that does not match is passed over", "http_access allow no\nhttp_access deny yes", Deny, "yes"},
		{"all acls of a line must match", "http_access allow yes get no\nhttp_access deny all", Deny, "all"},
		{"all acls of a line do match", "http_access deny yes get example\nhttp_access allow all", Deny, "example"},
		{"an acl that must not match", "http_access deny !no\nhttp_access allow all", Deny, "no"},
		{"an acl that must not match and does", "http_access deny yes !get\nhttp_access allow all", Allow, "all"},
		{"after a last allow nothing is allowed", "http_access deny no\nhttp_access allow no", Deny, "no"},
		{"after a last deny all is allowed", "http_access allow no\nhttp_access deny yes no", Allow, "no"},
		{"names have no capitals", "http_access allow YES", Allow, "yes"},
		{"lines of one name are one acl", "acl no src 192.0.2.1\nhttp_access allow no", Allow, "no"},
		{"any of a group", "acl g any-of no get\nhttp_access allow g", Allow, "get"},
		{"none of a group", "acl g any-of no !get\nhttp_access allow g", Deny, "get"},
		{"a group of lines", "acl g any-of no\nacl g any-of !no\nhttp_access allow g", Allow, "no"},
		{"all of a group", "acl g all-of yes get\nhttp_access allow g", Allow, "get"},
		{"not all of a group", "acl g all-of yes no get\nhttp_access allow g", Deny, "no"},
		{"all of any line of a group", "acl g all-of yes no\nacl g all-of yes get\nhttp_access allow g", Allow, "get"},
		{"groups in groups", "acl g all-of yes get\nacl h any-of no g\nhttp_access deny !h\nhttp_access allow h", Allow, "get"},
		{"a group of nothing matches nothing", "acl g any-of\nhttp_access allow g\nhttp_access deny all", Deny, "all"},
		{"all of nothing always matches", "acl g all-of\nhttp_access allow g\nhttp_access deny all", Allow, "g"},
		{"an empty acl matches nothing", "acl e dstdomain\nhttp_access allow e\nhttp_access deny all", Deny, "all"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, last := load(t, acls+tt.rules, nil).answers(t, get)
			if got != tt.want || last != tt.last {
				t.Errorf("got %v by %q, want %v by %q", got, last, tt.want, tt.last)
			}
		})
	}
}

func TestTypes(t *testing.T) {
	const connect = "CONNECT www.example.com:8443"
	tests := []struct {
		name, acl, request string
		want               bool
	}{
		{"src", "src 192.0.2.1", get, true},
		{"squid_error of what has none", "squid_error ERR_TOO_BIG ERR_NONE", get, true},
		{"squid_error", "squid_error ERR_TOO_BIG", get, false},
		{"transaction_initiator", "transaction_initiator certificate-fetching client", get, true},
		{"transaction_initiator, another", "transaction_initiator certificate-fetching", get, false},
		{"peername of what goes to none", "peername p", get, false},
		{"peername_regex of what goes to none", "peername_regex .*", get, false},
		{"hier_code of what goes nowhere yet", "hier_code HIER_DIRECT HIER_NONE", get, true},
		{"hier_code", "hier_code HIER_DIRECT CARP", get, false},
		{"src, another", "src 192.0.2.2", get, false},
		{"srcdomain of who has no name", "srcdomain none", get, true},
		{"srcdomain", "srcdomain .example.com", get, false},
		{"srcdom_regex of who has no name", "srcdom_regex -i ^NONE$", get, true},
		{"note", "note x", get, false},
		{"annotate_transaction", "annotate_transaction x=y", get, true},
		{"annotate_client of who has no connection", "annotate_client x=y", get, false},
		{"localip", "localip 198.51.100.0/24", get, true},
		{"localport", "localport 3128-3130", get, true},
		{"localport, another", "localport 3129", get, false},
		{"myportname", "myportname front", get, true},
		{"myportname, another", "myportname Front", get, false},
		{"dst, an address", "dst 10.0.0.0/8", "GET http://10.1.2.3/", true},
		{"dst, an address in an odd form", "dst 10.0.0.0/8", "GET http://0xa.1/", true},
		{"dst, an IPv6 address", "dst 2001:db8::/32", "CONNECT [2001:db8::1]:443", true},
		{"dst, a name that nobody may look up", "dst 10.0.0.0/8", get, false},
		{"dst -n, a name", "dst -n all", get, false},
		{"dst -n, an address", "dst -n all", "GET http://10.1.2.3/", true},
		{"dst, a URL without host", "dst all", "GET urn:example:x", false},
		{"dstdomain", "dstdomain .example.com", get, true},
		{"dstdomain of CONNECT", "dstdomain www.example.com", connect, true},
		{"dstdomain, a final dot and capitals", "dstdomain www.example.com", "GET http://WWW.Example.com./", true},
		{"dstdomain, an address as written", "dstdomain 10.1.2.3", "GET http://10.1.2.3/", true},
		{"dstdomain, an address in an odd form", "dstdomain 127.0.0.1", "GET http://2130706433/", true},
		{"dstdomain, an IPv6 address is in brackets", "dstdomain [::1]", "GET http://[::1]/", true},
		{"dstdomain, an address of unknown name", "dstdomain none", "GET http://10.1.2.3/", true},
		{"dstdomain -n, an address of unknown name", "dstdomain -n none", "GET http://10.1.2.3/", false},
		{"dstdomain, a name is not none", "dstdomain none", get, false},
		{"dstdom_regex", `dstdom_regex ^www\.`, get, true},
		{"dstdom_regex, brackets", `dstdom_regex -n ^\[::1\]$`, "GET http://[0::1]/", true},
		{"dstdom_regex -n -i", "dstdom_regex -n -i ^NONE$", "GET http://10.1.2.3/", false},
		{"dstdom_regex -i, an address of unknown name", "dstdom_regex -i ^NONE$", "GET http://10.1.2.3/", true},
		{"url_regex", "url_regex ^http://www.example.com/$", get, true},
		{"url_regex, capitals matter", "url_regex EXAMPLE", get, false},
		{"url_regex -i", "url_regex -i EXAMPLE", get, true},
		{"url_regex -i ends with +i", "url_regex -i NO +i EXAMPLE", get, false},
		{"url_regex, flags in one word", "url_regex -ii EXAMPLE", get, true},
		{"url_regex, canonical", "url_regex ^http://www.example.com/a$", "GET HTTP://u:p@WWW.example.com.:80/a", true},
		{"url_regex of CONNECT", "url_regex ^www.example.com:8443$", connect, true},
		{"url_regex, escapes are taken off", "url_regex /a/b%$", "GET http://h/%61%2Fb%", true},
		{"url_regex, once", "url_regex %61", "GET http://h/%2561", true},
		{"url_regex, %% is %", "url_regex a%b", "GET http://h/a%%b", true},
		{"url_regex, %00 stays", "url_regex %00", "GET http://h/%00", true},
		{"url_regex, what is no escape stays", "url_regex ^http://h/%zz%1$", "GET http://h/%zz%1", true},
		{"url_regex, a blank", `url_regex x\ y`, "GET http://h/x%20y", true},
		{"urlpath_regex", "urlpath_regex ^/a.b[?]c=d$", "GET http://h/a%20b?c=d", true},
		{"urlpath_regex of no path", "urlpath_regex ^/$", "GET http://h", true},
		{"urlpath_regex of CONNECT", "urlpath_regex .*", connect, false},
		{"port", "port 80 443", get, true},
		{"port of CONNECT", "port 1025-65535", connect, true},
		{"port of ftp", "port 21", "GET ftp://h/", true},
		{"port, another", "port 81-442", get, false},
		{"proto", "proto HTTP", get, true},
		{"proto of CONNECT", "proto NONE", connect, true},
		{"proto of CONNECT is not https", "proto HTTPS", connect, false},
		{"proto urn", "proto urn", "GET urn:example:x", true},
		{"proto https", "proto ftp https", "GET https://h/", true},
		{"method", "method POST GET", get, true},
		{"method, known ones have no capitals", "method get", get, true},
		{"method, known ones have no capitals in requests", "method GET", "get http://h/", true},
		{"method, others have", "method Foo", "FOO http://h/", false},
		{"method, any", "method FOO", "FOO http://h/", true},
		{"browser", "browser ^Moz", get + "\nUser-Agent: Mozilla/5.0", true},
		{"browser, none", "browser .*", get, false},
		{"referer_regex", "referer_regex -i ^HTTP://a/", get + "\nReferer: http://a/b", true},
		{"req_mime_type", "req_mime_type ^text/", "POST http://h/\nContent-Type: text/html", true},
		{"req_header", "req_header X-Kind -i ^A, B$", get + "\nX-Kind: a\nx-kind: b", true},
		{"req_header, none", "req_header X-Kind .*", get, false},
		{"req_header, an empty one", "req_header X-Kind ^$", get + "\nX-Kind:", true},
		{"all", "any-of all", get, true},
		{"CONNECT", "any-of CONNECT", connect, true},
		{"CONNECT, capitals", "any-of CONNECT", "GET http://h/", false},
		{"manager", "any-of manager", "GET cache_object://h/info", true},
		{"manager, a path", "any-of manager", "GET http://h:3128/squid-internal-mgr/info", true},
		{"manager, another path", "any-of manager", "GET http://h/x/squid-internal-mgr/info", false},
		{"localhost", "any-of localhost", get, false},
		{"to_localhost", "any-of to_localhost", "GET http://127.9.9.9/", true},
		{"to_localhost, IPv6", "any-of to_localhost", "GET http://[::1]/", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			answer, _ := load(t, "acl a "+tt.acl+"\nhttp_access allow a", nil).answers(t, tt.request)
			if got := answer == Allow; got != tt.want {
				t.Errorf("acl a %s on %q: got %v, want %v", tt.acl, tt.request, got, tt.want)
			}
		})
	}
}

func TestValuesFromFiles(t *testing.T) {
	values := files{
		"/domains": "# a list\r\n\r\n  .example.com # with a comment\r\nads.example\t\n",
		"/urls":    "-i\n/BANNERS/\n+i\nwith blank\n",
	}
	const text = "acl d dstdomain \"/domains\" .last.example\nacl u url_regex \"/urls\"\nhttp_access allow d\nhttp_access allow u"
	for request, want := range map[string]Answer{
		"GET http://www.example.com/":           Allow,
		"GET http://ads.example/":               Allow,
		"GET http://x.ads.example/":             Deny,
		"GET http://www.last.example/":          Allow,
		"GET http://h/banners/1":                Allow,
		"GET http://h/with%20blank":             Allow,
		"GET http://h/WITH%20BLANK":             Deny,
		"GET http://h/with":                     Deny,
		"CONNECT www.example.com:443":           Allow,
		"GET http://www.example.com.other.com/": Deny,
	} {
		if got, _ := load(t, text, values).answers(t, request); got != want {
			t.Errorf("%s: got %v, want %v", request, got, want)
		}
	}
}

func TestTheTargetIsTheCallersChoice(t *testing.T) {
	c := load(t, "acl d dstdomain a.example b.example\nacl u url_regex b.example\nhttp_access allow d u", nil)
	r := asked(t, "GET http://a.example/")
	rewritten := asked(t, "GET http://b.example/")
	var p Place
	if got := c.access.Match(r, &r.Target, &p); got != Deny {
		t.Errorf("the target as received: got %v, want deny", got)
	}
	if got := c.access.Match(r, &rewritten.Target, &p); got != Allow {
		t.Errorf("the target as rewritten: got %v, want allow", got)
	}
}

func TestConditions(t *testing.T) {
	c := load(t, "acl yes src 192.0.2.1\nacl no src 10.0.0.1", nil)
	tests := []struct {
		name  string
		lines []string
		want  Answer
	}{
		{"all hold", []string{"yes !no"}, Allow},
		{"one does not", []string{"yes no"}, Deny},
		{"there are none", []string{""}, Allow},
		{"those of another line hold", []string{"no", "yes"}, Allow},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			list := c.set.NewList("tcp_outgoing_address", Deny)
			for _, text := range tt.lines {
				if _, err := list.AddConditions(predefinedLine(text), 0); err != nil {
					t.Fatal(err)
				}
			}
			r := asked(t, get)
			if got := list.Match(r, &r.Target, new(Place)); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
	if _, err := c.set.NewList("x", Deny).AddConditions(predefinedLine("nosuch"), 0); err == nil {
		t.Error("a condition of an acl that is not there was taken")
	}
}

func TestEmptyAndSlowLists(t *testing.T) {
	tests := []struct {
		name, rules string
		empty, slow bool
	}{
		{"no rules", "", true, false},
		{"fast", "http_access allow all", false, false},
		{"dst is slow", "acl a dst 10.0.0.0/8\nhttp_access allow all !a", false, true},
		{"dst -n is fast", "acl a dst -n 10.0.0.0/8\nhttp_access allow a", false, false},
		{"dstdomain is slow", "acl a dstdomain .x\nhttp_access allow a", false, true},
		{"so is a group of it", "acl a dstdomain .x\nacl g any-of all a\nacl h all-of g\nhttp_access allow h", false, true},
		{"a group of others is fast", "acl g any-of all CONNECT\nhttp_access allow g", false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			list := load(t, tt.rules, nil).access
			if list.Empty() != tt.empty || list.Slow() != tt.slow {
				t.Errorf("empty: %v, slow: %v; want %v, %v", list.Empty(), list.Slow(), tt.empty, tt.slow)
			}
		})
	}
	if got := load(t, "", nil).set.NewList("url_rewrite_access", Allow).implied(); got != Allow {
		t.Errorf("a list without rules says %v, want what it was given", got)
	}
}

func TestTime(t *testing.T) {
	// The 22nd of November 2026 is a Sunday.
	at := func(day, hour, minute int) time.Time {
		return time.Date(2026, time.November, day, hour, minute, 59, 0, time.Local)
	}
	tests := []struct {
		name, acl string
		yes, no   []time.Time
	}{
		{"hours, to the end of the last minute", "time 08:00-17:00", []time.Time{at(22, 8, 0), at(23, 17, 0)}, []time.Time{at(22, 7, 59), at(22, 17, 1)}},
		{"days", "time MTWHF", []time.Time{at(23, 0, 0), at(27, 23, 59)}, []time.Time{at(22, 12, 0), at(28, 12, 0)}},
		{"D is Monday to Friday", "time D", []time.Time{at(23, 0, 0), at(27, 23, 59)}, []time.Time{at(22, 12, 0), at(28, 12, 0)}},
		{"days with hours, twice", "time SA 9:00-10:00 H 20:00-24:00", []time.Time{at(22, 9, 30), at(28, 9, 30), at(26, 23, 59)}, []time.Time{at(22, 20, 30), at(26, 9, 30)}},
		{"hours, then days", "time 1:00-2:00 --S--", []time.Time{at(22, 12, 0), at(23, 1, 30)}, []time.Time{at(23, 12, 0)}},
		{"nothing", "time", nil, []time.Time{at(22, 12, 0)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := load(t, "acl a "+tt.acl+"\nhttp_access allow a", nil)
			if c.err != nil || len(c.warnings) != 0 {
				t.Fatal(c.warnings, c.err)
			}
			for _, want := range []bool{true, false} {
				for _, now := range map[bool][]time.Time{true: tt.yes, false: tt.no}[want] {
					r := asked(t, get)
					r.Started = now
					if got := c.access.Match(r, &r.Target, new(Place)) == Allow; got != want {
						t.Errorf("acl a %s at %v: got %v, want %v", tt.acl, now, got, want)
					}
				}
			}
		})
	}
}
