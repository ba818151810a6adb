package acl

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"exaproxy/compat/conf"
)

// files are configuration and value files by name.
type files map[string]string

func (f files) open(name string) (io.ReadCloser, error) {
	text, ok := f[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return io.NopCloser(strings.NewReader(text)), nil
}

// A config is what a squid.conf makes of acls and of http_access.
type config struct {
	set      *Set
	access   *List
	warnings []string
	err      error // the first
}

// load reads a squid.conf of acl and http_access lines up to the first error.
func load(tb testing.TB, text string, values files) *config {
	tb.Helper()
	all := files{"squid.conf": text}
	for name, text := range values {
		all[name] = text
	}
	lines, err := conf.Parse("squid.conf", conf.Options{Open: all.open})
	if err != nil {
		return &config{err: err}
	}
	c := &config{set: NewSet()}
	c.set.Open = all.open
	c.set.Resolve = func(string) ([]netip.Addr, error) { return nil, errors.New("no such name") }
	c.access = c.set.NewList("http_access", Deny)
	for i := range lines {
		var warnings []string
		switch lines[i].Name {
		case "acl":
			warnings, c.err = c.set.Add(&lines[i])
		case "http_access":
			warnings, c.err = c.access.Add(&lines[i], 0)
		}
		c.warnings = append(c.warnings, warnings...)
		if c.err != nil {
			return c
		}
	}
	c.warnings = append(c.warnings, c.set.Finish()...)
	return c
}

func TestWhatIsSaidOfACLLines(t *testing.T) {
	const (
		netmasks = "WARNING: Netmasks are deprecated. Please use CIDR masks instead.\n" +
			"WARNING: IPv4 netmasks are particularly nasty when used to compare IPv6 to IPv4 ranges.\n"
		predefinedTwice = "WARNING: (B) '127.0.0.1' is a subnetwork of (A) '127.0.0.1'\n" +
			"WARNING: You should probably remove '127.0.0.1' from the ACL named 'localhost'"
		longName = "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggg"
	)
	tests := []struct {
		name     string
		conf     string
		files    files
		warnings string   // lines
		reasons  []string // why the last line is bungled
		bungled  bool
	}{
		{name: "nothing to say", conf: "acl SSL_ports port 443 # https"},
		{name: "no name", conf: "acl", bungled: true, reasons: []string{"aclParseAclLine: missing ACL name."}},
		{name: "no type", conf: "acl a", bungled: true, reasons: []string{"aclParseAclLine: missing ACL type."}},
		{name: "a name too long", conf: "acl " + longName + " src 1.2.3.4", bungled: true, reasons: []string{
			"aclParseAclLine: aclParseAclLine: ACL name '" + longName + "' too long, max 63 characters supported"}},
		{name: "no such type", conf: "acl a frobnicate x", bungled: true, reasons: []string{"FATAL: Invalid ACL type 'frobnicate'"}},
		{name: "a type of Squid 2", conf: "acl u urlgroup x", bungled: true, reasons: []string{"FATAL: Invalid ACL type 'urlgroup'"}},
		{name: "a type that is still to come", conf: "acl e ident a\nacl e ident b",
			warnings: "NOTICE: acl 'e': acl type 'ident' is not served yet: no line that is followed may name it"},
		{name: "a group of such", conf: "acl e ident a\nacl g any-of e", bungled: true, reasons: []string{
			"ERROR: acl 'e': acl type 'ident' is not served yet"},
			warnings: "NOTICE: acl 'e': acl type 'ident' is not served yet: no line that is followed may name it"},
		{name: "a helper that there is not", conf: "acl e external nosuch", bungled: true, reasons: []string{
			"ERROR: acl 'e': there is no external_acl_type 'nosuch' before it"}},
		{name: "a renamed type", conf: "acl c clientside_mark 0x1",
			warnings: "UPGRADE: ACL 'clientside_mark' type has been renamed to 'client_connection_mark'."},
		{name: "another type for a name, whatever its capitals", conf: "acl A src 1.2.3.4\nacl a dst 1.2.3.4", bungled: true,
			reasons: []string{"aclParseAclLine: ACL 'A' already exists with different type."}},
		{name: "renamed types are the same type", conf: "acl a myip 1.2.3.4\nacl a localip 1.2.3.5",
			warnings: "UPGRADE: ACL 'myip' type is has been renamed to 'localip' and matches the IP the client connected to."},
		{name: "myport", conf: "acl a myport 3128",
			warnings: "UPGRADE: ACL 'myport' type is has been renamed to 'localport' and matches the port the client connected to."},
		{name: "Squid 2's manager", conf: "acl manager proto cache_object",
			warnings: "UPGRADE: ACL 'manager' is now a built-in ACL. Remove it from your config file."},
		{name: "Squid 2's all", conf: "acl all src 0.0.0.0/0.0.0.0",
			warnings: "ERROR: '0.0.0.0/0.0.0.0' needs to be replaced by the term 'all'.\n" +
				"SECURITY NOTICE: Overriding config setting. Using 'all' instead.\n" +
				"WARNING: (B) '::/0' is a subnetwork of (A) '::/0'\n" +
				"WARNING: You should probably remove '::/0' from the ACL named 'all'"},
		{name: "Squid 2's localhost", conf: "acl localhost src 127.0.0.1/255.255.255.255",
			warnings: netmasks + "WARNING: For now we will assume you meant to write /32\n" + predefinedTwice},
		{name: "no values", conf: "acl a src", warnings: "Warning: empty ACL: acl a src"},
		{name: "no values, a flag", conf: "acl a dst -n", warnings: "Warning: empty ACL: acl a dst -n"},
		{name: "a file that is not there", conf: `acl f dstdomain "/nonexistent"`,
			warnings: "ERROR: Can not open file /nonexistent for reading\nWarning: empty ACL: acl f dstdomain \"/nonexistent\""},
		{name: "a bad address", conf: "acl a src 999.1.1.1", bungled: true, reasons: []string{
			"aclIpParseIpData: Bad host/IP: '999.1.1.1' in '999.1.1.1', flags=0 : (-2) Name or service not known"}},
		{name: "a bad port", conf: "acl a port x", bungled: true, reasons: []string{"ERROR: No digits were found in the input value 'x'."}},
		{name: "a port too high", conf: "acl a port 70000", bungled: true, reasons: []string{"ERROR: The value '70000' is larger than the type 'short'."}},
		{name: "a bad end of a range of ports", conf: "acl a port 1-x", bungled: true, reasons: []string{"ERROR: No digits were found in the input value 'x'."}},
		{name: "a reversed range of ports", conf: "acl a port 5-3", bungled: true, reasons: []string{"ACLIntRange::parse: Invalid port value"}},
		{name: "an unknown protocol", conf: "acl a proto http frob", warnings: "WARNING: Ignoring unknown protocol 'frob' in the ACL named 'a'"},
		{name: "a bad pattern is left out", conf: "acl a url_regex (a ok", warnings: "squid.conf line 1: acl a url_regex (a ok\n" +
			"ERROR: invalid regular expression: '(a': Unmatched ( or \\(\n" +
			"ERROR: Skipping regular expression. Compile failed: '(a'"},
		{name: "only a bad pattern", conf: "acl a url_regex *bad", warnings: "squid.conf line 1: acl a url_regex *bad\n" +
			"ERROR: invalid regular expression: '*bad': Invalid preceding regular expression\n" +
			"ERROR: Skipping regular expression. Compile failed: '*bad'\n" +
			"Warning: empty ACL: acl a url_regex *bad"},
		{name: "a bad pattern in a file", conf: `acl a url_regex "/list"`, files: files{"/list": "# ads\n\nok\n*bad # no\n"},
			warnings: "/list line 4: *bad\n" +
				"ERROR: invalid regular expression: '*bad': Invalid preceding regular expression\n" +
				"ERROR: Skipping regular expression. Compile failed: '*bad'"},
		{name: "a pattern that cannot be followed stops the start", conf: `acl a url_regex "/list"`, files: files{"/list": "\n(x)\\1\n"}, bungled: true,
			reasons: []string{`ERROR: regular expression '(x)\1' (/list(2), included from squid.conf(1)): the back reference \1 is not supported`}},
		{name: "a pattern too long", conf: `acl a url_regex "/list"`, files: files{"/list": "ok\n" + strings.Repeat("x", 8192)},
			warnings: "/list line 2: " + strings.Repeat("x", 8192) + "\n" +
				"ERROR: Skipping regular expression. Larger than 8191 characters: '" + strings.Repeat("x", 8192) + "'"},
		{name: "needless wildcards", conf: "acl a url_regex .*foo ^.* .*",
			warnings: "squid.conf line 1: acl a url_regex .*foo ^.* .*\n" +
				"WARNING: regular expression '.*foo' has unnecessary wildcard(s). Using 'foo' instead.\n" +
				"squid.conf line 1: acl a url_regex .*foo ^.* .*\n" +
				"WARNING: regular expression '^.*' has only wildcards and matches all strings. Using '.*' instead."},
		{name: "an unknown flag", conf: "acl a src -x 1.2.3.4", bungled: true, reasons: []string{"configuration error: unsupported ACL option: -x"}},
		{name: "a flag of another type", conf: "acl a dstdomain -ni foo", bungled: true, reasons: []string{"configuration error: unsupported ACL option: -i"}},
		{name: "half a flag", conf: "acl a url_regex - foo", bungled: true, reasons: []string{"configuration error: truncated(?) ACL flag: -"}},
		{name: "a long flag", conf: "acl a url_regex --client-requested foo", bungled: true, reasons: []string{"configuration error: unsupported ACL option: --client-requested"}},
		{name: "a letter of a long flag", conf: "acl a ssl::server_name -c foo", bungled: true, reasons: []string{"configuration error: unsupported ACL option: -c"}},
		{name: "a long flag with a value", conf: "acl a ssl::server_name --consensus=yes foo", bungled: true, reasons: []string{"configuration error: unsupported ACL option: --consensus=yes"}},
		{name: "two kinds of server name", conf: "acl a ssl::server_name --consensus --client-requested foo", bungled: true, reasons: []string{"ERROR: Multiple options given for the server_name ACL"}},
		{name: "two kinds of server name in two lines", conf: "acl a ssl::server_name --consensus foo\nacl a ssl::server_name --client-requested foo", bungled: true,
			reasons: []string{"ERROR: Multiple options given for the server_name ACL"}},
		{name: "one kind of server name in one of two lines", conf: "acl a ssl::server_name --consensus foo\nacl a ssl::server_name bar"},
		{name: "what no TLS error is called", conf: "acl a ssl_error X509_V_ERR_CERT_HAS_EXPIRED x509_v_err_cert_has_expired", bungled: true,
			reasons: []string{"FATAL: Unknown TLS error name 'x509_v_err_cert_has_expired'"}},
		{name: "a TLS error by half a number", conf: "acl a ssl_error 10,11", bungled: true, reasons: []string{"FATAL: Unknown TLS error name '10,11'"}},
		{name: "TLS errors", conf: "acl a ssl_error 10 ssl::certHasExpired certUntrusted SQUID_ERR_SSL_HANDSHAKE X509_V_ERR_CA_MD_TOO_WEAK"},
		{name: "no step", conf: "acl a at_step SslBump1 SslBump4", bungled: true, reasons: []string{"configuration error: unknown at_step step name: SslBump4"}},
		{name: "a step that is still to come", conf: "acl a at_step GeneratingCONNECT", bungled: true,
			reasons: []string{"ERROR: acl 'a': at_step GeneratingCONNECT is not served yet: no CONNECT is sent to other proxies"}},
		{name: "a fingerprint", conf: "acl a server_cert_fingerprint -sha1 00112233445566778899aabbccddeeff00112233"},
		{name: "a fingerprint of another kind", conf: "acl a server_cert_fingerprint -md5 AA:BB", bungled: true, reasons: []string{"configuration error: unsupported ACL option: -m"}},
		{name: "half a fingerprint", conf: "acl a server_cert_fingerprint AA:BB",
			warnings: "squid.conf line 1: acl a server_cert_fingerprint AA:BB\nWARNING: 'AA:BB' is no SHA-1 fingerprint, and no certificate of the acl 'a' has it"},
		{name: "values of what has none", conf: "acl a connections_encrypted yes", warnings: "WARNING: connections_encrypted does not accept any value."},
		{name: "what no error is called", conf: "acl a squid_error ERR_TOO_BIG err_none", bungled: true, reasons: []string{"FATAL: Invalid squid error name: err_none"}},
		{name: "what is no way", conf: "acl a hier_code BOGUS", bungled: true, reasons: []string{"FATAL: ERROR: No such hier_code 'BOGUS'"}},
		{name: "who begins no transaction", conf: "acl a transaction_initiator client Client", bungled: true, reasons: []string{"FATAL: Invalid transaction_initiator value near Client"}},
		{name: "after -- there is still the flag of patterns", conf: "acl a url_regex -- -i", warnings: "Warning: empty ACL: acl a url_regex -- -i"},
		{name: "a bad time", conf: "acl a time 25:00-26:00", bungled: true, reasons: []string{"aclParseTimeSpec: Bad time range '25:00-26:00'"}},
		{name: "half a time", conf: "acl a time 8:00", bungled: true, reasons: []string{"aclParseTimeSpec: Bad time range '8:00'"}},
		{name: "a reversed time", conf: "acl a time 9:00-8:00", bungled: true, reasons: []string{"aclParseTimeSpec: Reversed time range"}},
		{name: "a bad day", conf: "acl a time MX", warnings: "squid.conf line 1: acl a time MX\naclParseTimeSpec: Bad Day 'X'"},
		{name: "a field without name", conf: "acl a req_header", warnings: "ERROR: squid.conf line 1: acl a req_header\n" +
			"ERROR: Missing header name in ACL\nWarning: empty ACL: acl a req_header"},
		{name: "two fields", conf: "acl a req_header X-A b\nacl a req_header X-B c", warnings: "ERROR: squid.conf line 2: acl a req_header X-B c\n" +
			"ERROR: ACL cannot match both X-A and X-B headers. Use 'anyof' ACL instead."},
		{name: "a group of what is not there", conf: "acl g any-of nosuch", bungled: true, reasons: []string{"ACL not found: nosuch"}},
		{name: "a group of itself", conf: "acl g any-of g", bungled: true, reasons: []string{"ACL not found: g"}},
		{name: "a group of itself, later", conf: "acl g any-of all\nacl g any-of !G", bungled: true, reasons: []string{"ERROR: acl 'g' would contain itself: g -> g"}},
		{name: "a ring of groups", conf: "acl a any-of all\nacl b all-of localhost a\nacl c any-of b\nacl a any-of localhost !c", bungled: true,
			reasons: []string{"ERROR: acl 'a' would contain itself: a -> c -> b -> a"}},
		{name: "a group of nothing", conf: "acl g any-of", warnings: "Warning: empty ACL: acl g any-of"},
		{name: "a rule of what is not there", conf: "http_access deny nosuch", bungled: true, reasons: []string{"ACL not found: nosuch"}},
		{name: "an acl that Squid 6 predefines", conf: "http_access deny to_linklocal"},
		{name: "a rule without action", conf: "http_access", warnings: "aclParseAccessLine: squid.conf line 1: http_access\naclParseAccessLine: missing 'allow' or 'deny'.\nWARNING: squid.conf(1): this line of http_access has no effect"},
		{name: "a rule of another action", conf: "http_access foo all", warnings: "aclParseAccessLine: squid.conf line 1: http_access foo all\n" +
			"aclParseAccessLine: expecting 'allow' or 'deny', got 'foo'.\nWARNING: squid.conf(1): this line of http_access has no effect"},
		{name: "a rule without acls", conf: "http_access deny", warnings: "aclParseAccessLine: squid.conf line 1: http_access deny\n" +
			"aclParseAccessLine: Access line contains no ACL's, skipping\nWARNING: squid.conf(1): this line of http_access has no effect"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := load(t, tt.conf, tt.files)
			if got := strings.Join(c.warnings, "\n"); got != tt.warnings {
				t.Errorf("warnings\n%s\nwant\n%s", got, tt.warnings)
			}
			var bungled *conf.Bungled
			if errors.As(c.err, &bungled) != tt.bungled || tt.bungled && !reflect.DeepEqual(bungled.Reasons, tt.reasons) {
				t.Errorf("error %v, want bungled %v because of %q", c.err, tt.bungled, tt.reasons)
			}
		})
	}
}

func TestThousandsOfNeedlessWildcardsAreCounted(t *testing.T) {
	var list strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&list, ".*ads%d\n", i)
	}
	c := load(t, `acl a url_regex "/list"`, files{"/list": list.String()})
	if want := "WARNING: 990 more regular expressions have unnecessary wildcards"; c.err != nil || len(c.warnings) != 21 || c.warnings[20] != want {
		t.Errorf("got %d warnings and error %v, want 21, the last %q", len(c.warnings), c.err, want)
	}
}

func TestNamesHaveNoCapitals(t *testing.T) {
	c := load(t, "acl Ads dstdomain .ads.example", nil)
	if !c.set.Has("aDS") {
		t.Error("the acl Ads is not found as aDS")
	}
	if c.set.Has("nosuch") {
		t.Error("found an acl that is not there")
	}
}

func TestEveryTypeOfSquidIsKnown(t *testing.T) {
	for name, known := range types {
		c := load(t, "acl a "+name+" x", nil)
		if known.new != nil {
			continue
		}
		if c.err != nil {
			t.Errorf("acl type %s: %v", name, c.err)
		}
		c = load(t, "acl a "+name+" x\nhttp_access deny a", nil)
		if c.err == nil || !strings.Contains(c.err.Error(), "acl type '"+name+"' is not served yet") {
			t.Errorf("acl type %s: got error %v, want that it is not served yet", name, c.err)
		}
	}
}

// TestEmptyValues gives each type values without a byte, which only quoted values can be.
func TestEmptyValues(t *testing.T) {
	for name, known := range types {
		if known.new == nil {
			continue
		}
		for _, values := range []string{`""`, `x ""`, `"" ""`, `-i ""`, `+i ""`, `"" 17:00-18:00`} {
			load(t, "configuration_includes_quoted_values on\nacl a "+name+" "+values+"\nhttp_access deny a", nil)
		}
	}
	c := load(t, "configuration_includes_quoted_values on\nacl a time \"\" 17:00-18:00", nil)
	if spans := c.set.acls["a"].test.(*timeTest).spans; c.err != nil || len(spans) != 1 || spans[0].days != allDays {
		t.Errorf("hours behind an empty value are %v: %v", spans, c.err)
	}
}

func TestASetIsFinishedBeforeUse(t *testing.T) {
	tests := map[string]func(s *Set){
		"matching too early":  func(s *Set) { s.NewList("http_access", Deny).Match(nil, nil, nil) },
		"adding too late":     func(s *Set) { s.Finish(); s.Add(&conf.Line{}) },
		"finishing once more": func(s *Set) { s.Finish(); s.Finish() },
	}
	for name, misuse := range tests {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			misuse(NewSet())
		})
	}
}
