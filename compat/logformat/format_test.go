package logformat

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"net/netip"
	"strings"
	"testing"
	"time"

	"exaproxy/compat/verify"
	"exaproxy/engine"
)

func TestCodes(t *testing.T) {
	rec := fetched(t)
	rec.Request.User = "j doe"
	rec.Request.Connection, rec.Page = &engine.Connection{Client: rec.Request.Client, ClientName: "client.test"}, "ERR_NONE"
	rec.Request.External = engine.External{Tag: "t1", Log: "seen"}
	for _, n := range [][2]string{{"tag", "t1"}, {"b", "q r"}, {"log", "seen"}, {"b", "two"}} {
		rec.Request.AddNote([]byte(n[0]), []byte(n[1]))
	}
	rec.Busy, rec.Attempts = 1234, 2
	rec.Request.Connection.ID = 77
	rec.Spent = engine.Spent{Names: 12 * time.Millisecond, Upstream: 7 * time.Millisecond}
	for _, tt := range []struct{ name, format, want string }{
		{"nothing", "", ""},
		{"text alone", "no codes at all", "no codes at all"},
		{"percent sign", "100%%", "100%"},
		{"client", "%>a %>A %>p %>la %>lp %la %lp", "127.0.0.1 client.test 44202 127.0.0.1 21128 127.0.0.1 21128"},
		{"server", "%<a %<A %<p %<la %<lp %oa", "192.0.2.7 origin.test 21080 192.0.2.1 60196 192.0.2.1"},
		{"user", "%un %ul %ue %ui", "j doe j doe - -"},
		{"request", "%rm %>rm %rv %>rv", "GET GET 1.1 1.1"},
		{"URL without its query", "%ru", "http://origin.test:21080/ka1?"},
		{"URL as received", "%>ru", "http://origin.test:21080/ka1?x=1"},
		{"URL in pieces", "%>rs %>rd %>rP %>rp", "http origin.test 21080 /ka1?x=1"},
		{"with its namespace", "%http::rm %http::>Hs", "GET 200"},
		{"reply", "%>Hs %<Hs %mt", "200 200 text/plain"},
		{"sizes", "%st %>st %<st %<bs", "412 143 269 39"},
		{"what became of it", "%Ss %Sh", "TCP_MISS HIER_DIRECT"},
		{"error", "%err_code", "ERR_NONE"},
		{"time", "%ts.%03tu %tS %tr %dt %<pt", "1795341430.605 1795341430.601 3 12 7"},
		{"local time", "%tl", "22/Nov/2026:09:57:10 +0000"},
		{"universal time", "%tg", "22/Nov/2026:09:57:10"},
		{"time as wished", "%{%Y-%m-%dT%H:%M:%S}tl", "2026-11-22T09:57:10"},
		{"argument behind the code", "%tl{%H}", "09"},
		{"a field", "%{User-Agent}>h %>h{host} %{Absent}>h", "lab origin.test:21080 -"},
		{"a field of the reply", "%{X-A}<h %{Content-Type}<h %{Absent}<h", "1,%202 text/plain -"},
		{"annotations", "%et %ea %{b}note %{b:;}note %note{absent}", "t1 seen q%20r,two q%20r;two -"},
		{"all annotations", "%note", "tag:%20t1%0D%0Ab:%20q%20r%0D%0Alog:%20seen%0D%0Ab:%20two%0D%0A"},
		{"things that there are not here", "%ssl::>sni %tls::bump_mode %icap::tt %adapt::sum_trs %proxy_protocol::>h", "- - - - -"},
		{"codes in front of other letters", "%tr{}ansport %trms %{%FT%T}tg.%03tuZ %<stB", "3ansport 3ms 2026-11-22T09:57:10.605Z 269B"},
		{"codes of external_acl_type", "%SRC %SRCPORT %DST %METHOD %MYADDR %MYPORT %PATH %PORT %PROTO %URI [%LOGIN] %EXT_USER %EXT_LOG %EXT_TAG %ACL %DATA %IDENT",
			"127.0.0.1 44202 origin.test GET 127.0.0.1 21128 /ka1?x=1 21080 http http://origin.test:21080/ka1?x=1 [j doe] - seen t1 - - -"},
		{"codes of Squid 6 and 7", "%busy_time %request_attempts %http::request_attempts %transport::>connection_id %byte{65}[%byte{1}]%byte{10}", "1234 2 2 77 A[\x01]\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := line(t, tt.format, rec); got != tt.want {
				t.Errorf("the format %q should give\n%s, it gave\n%s", tt.format, tt.want, got)
			}
		})
	}
}

// What is wanted here was seen in the logs of a Squid 5.7.
func TestWidths(t *testing.T) {
	rec := fetched(t)
	rec.Ended, rec.Took = time.Unix(1795349606, 39_244_000), 1631*time.Microsecond
	for _, tt := range []struct{ name, format, want string }{
		{"no width", "%tu|%tr|%>a", "39|1|127.0.0.1"},
		{"least width", "%3tu|%6tr|%20>a", " 39|     1|           127.0.0.1"},
		{"filled with zeroes", "%03tu|%08tr|%05>Hs", "039|00000001|00200"},
		{"left", "%-8tr|%-20>a|", "1       |127.0.0.1           |"},
		{"digits of a second", "%.1tu|%.3tu|%.6tu|%06.6tu", "0|39|39244|039244"},
		{"digits of a millisecond", "%.3tr|%8.3tr", "1.631|   1.631"},
		{"cut", "%.3>a|%5.3>a|%-8.3>a|", "127|  127|127     |"},
		{"nothing is not filled up", "%-6un|%6un|%06un|", "-|-|-|"},
		{"text is not filled with zeroes", "%012>a|", "   127.0.0.1|"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := line(t, tt.format, rec); got != tt.want {
				t.Errorf("the format %q should give\n%s, it gave\n%s", tt.format, tt.want, got)
			}
		})
	}
}

// Also seen in Squid's logs, but for what would end the line of a log.
func TestQuotings(t *testing.T) {
	const value = "a b \"q\" 's' %41%zz \\ \xc3\xa9 ~`^|{}<>[]#?&=+;:@,!$*()/-_.\ttab"
	rec := fetched(t, "GET http://x/ HTTP/1.1", "X-T: "+value, "X-S: nospace", "Cookie: a=1; b=two; c=3", "Cookie: d=4, b=five")
	const (
		once  = "a%20b%20%22q%22%20%27s%27%20%41%zz%20%5C%20%C3%A9%20%7E%60%5E%7C%7B%7D%3C%3E%5B%5D%23?&=+;:@,!$*()/-_.%09tab"
		marks = "a b \\\"q\\\" 's' %41%zz \\\\ \xc3\xa9 ~`^|{}<>[]#?&=+;:@,!$*()/-_.\\ttab"
		blob  = "a b \"q\" 's' %2541%25zz \\\\ %c3%a9 ~`^|{}<>%5b%5d#?&=+;:@,!$*()/-_.%09tab"
	)
	for _, tt := range []struct{ name, format, want string }{
		{"a field's own way", "%{X-T}>h", once},
		{"URL", "%#{X-T}>h", strings.ReplaceAll(strings.ReplaceAll(once, "%41", "%2541"), "%zz", "%25zz")},
		{"quotation marks", `%"{X-T}>h`, marks},
		{"within quotation marks", `"%{X-T}>h"`, `"` + marks + `"`},
		{"header blob", "%[{X-T}>h", blob},
		{"within brackets", "[%{X-T}>h]", "[" + blob + "]"},
		{"behind brackets", "[x] %{X-S}>h", "[x] nospace"},
		{"raw", "%'{X-T}>h", value},
		{"raw within quotation marks", `"%'{X-T}>h"`, `"` + value + `"`},
		{"shell", "%/{X-T}>h", `"` + strings.ReplaceAll(marks, `\t`, "\t") + `"`},
		{"shell without spaces", "%/{X-S}>h", "nospace"},
		{"an element of a list", "%{Cookie:;b}>h %{Cookie:b}>h %{Cookie:;x}>h", "two five -"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := line(t, tt.format, rec); got != tt.want {
				t.Errorf("the format %q should give\n%s, it gave\n%s", tt.format, tt.want, got)
			}
		})
	}
}

func TestQuotedLineEnds(t *testing.T) {
	rec := fetched(t)
	rec.Request.User = "a\r\nb"
	for _, tt := range []struct{ name, format, want string }{
		{"blob", "%[un", `a\r\nb`},
		{"quotation marks", `%"un`, `a\r\nb`},
		{"shell", "%/un", `a\r\nb`},
		{"URL", "%#un", "a%0D%0Ab"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := line(t, tt.format, rec); got != tt.want {
				t.Errorf("a line end in a user name should be written %s, it was written %q", tt.want, got)
			}
		})
	}
}

// TestControlCharacters has no byte reach a terminal that it would obey, unless the format asks for
// bytes as they are. Squid 5.7 writes them raw in all rows but those of brackets and URLs.
func TestControlCharacters(t *testing.T) {
	const value = "a\x1b[31m\x01\x7fb\tc\xc3\xa9"
	const seen = `a\x1b[31m\x01\x7fb` + "\tc\xc3\xa9"
	rec := fetched(t, "GET http://x/ HTTP/1.1", "X-T: "+value, "User-Agent: "+value, "Referer: "+value)
	rec.Request.External.Tag = value
	rec.ContentType = []byte("text/\x1b[2J")
	for _, tt := range []struct{ name, format, want string }{
		{"quotation marks", `%"{X-T}>h`, strings.ReplaceAll(seen, "\t", `\t`)},
		{"shell", "%/{X-T}>h", seen},
		{"a code that is not quoted", "%et %mt", seen + ` text/\x1b[2J`},
		{"brackets", "%[{X-T}>h", "a%1b%5b31m%01%7fb%09c%c3%a9"},
		{"raw", "%'{X-T}>h", value},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := line(t, tt.format, rec); got != tt.want {
				t.Errorf("the format %q should give\n%q, it gave\n%q", tt.format, tt.want, got)
			}
		})
	}
	for name := range builtins {
		f, _ := Builtin(name)
		if got := string(f.Append(nil, rec)); strings.ContainsAny(got, "\x01\x1b\x7f") {
			t.Errorf("the format %s gives control characters: %q", name, got)
		}
	}
}

func TestSequence(t *testing.T) {
	f, err := Compile("%sn")
	if err != nil {
		t.Fatal(err)
	}
	rec := fetched(t)
	for _, want := range []string{"0", "1", "2"} {
		if got := string(f.Append(nil, rec)); got != want {
			t.Fatalf("the lines of a format are numbered from 0: want %s, got %s", want, got)
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	for _, tt := range []struct{ name, format, want string }{
		{"unknown code", "%bogus", "Unsupported %code: '%bogus'"},
		{"the rest of the format is shown", "%>a %03bogus %un", "Unsupported %code: '%03bogus %un'"},
		{"nothing behind the sign", "%", "Unsupported %code: '%'"},
		{"argument in the middle", "%>{X}h", "Unsupported %code: '%>{X}h'"},
		{"a longer name", "%transport", "Unsupported %code: '%transport' (%tr with text behind it is written %tr{}ansport)"},
		{"a slip", "%transport::>conection_id", "Unsupported %code: '%transport::>conection_id': is '%transport::>connection_id' meant? (%tr with text behind it is written %tr{}ansport::>conection_id)"},
		{"another slip", "%>a %06busytime x", "Unsupported %code: '%06busytime x': is '%busy_time' meant?"},
		{"a name of nothing", "%uname", "Unsupported %code: '%uname' (%un with text behind it is written %un{}ame)"},
		{"a code that is commented out in Squid", "%us", "Unsupported %code: '%us'"},
		{"a byte that is none", "%byte{256}", "%byte{256}: a number from 1 to 255 stands between the brackets, without zeroes before it"},
		{"no byte", "%byte", "%byte{}: a number from 1 to 255 stands between the brackets, without zeroes before it"},
		{"NUL", "%byte{0}", "%byte{0}: a number from 1 to 255 stands between the brackets, without zeroes before it"},
		{"a byte in another form", "%byte{010}", "%byte{010}: a number from 1 to 255 stands between the brackets, without zeroes before it"},
		{"argument without end", "%{User-Agent>h", "Unsupported %code: '%{User-Agent>h'"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := Compile(tt.format)
			if err == nil {
				t.Fatalf("%q should not compile, it gives %q", tt.format, f.Append(nil, fetched(t)))
			}
			if err.Error() != tt.want {
				t.Errorf("the error should be Squid's %q, it is %q", tt.want, err)
			}
		})
	}
}

func TestExtras(t *testing.T) {
	rec := fetched(t)
	rec.Request.User = `domain\j doe%`
	for _, tt := range []struct{ name, extras, want string }{
		{"user names are escaped", "%>a/%>A %un %>rm", "127.0.0.1/127.0.0.1 domain%5Cj%20doe%25 GET"},
		{"unless they are wanted raw", "%'un", `domain\j doe%`},
		{"nothing is a dash", "", "-"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := CompileExtras(tt.extras)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(f.Append(nil, rec)); got != tt.want {
				t.Errorf("the extras %q should give %s, they give %s", tt.extras, tt.want, got)
			}
		})
	}
	for _, extras := range []string{"%bogus", "%un%byte{10}x", "%byte{13}"} {
		if _, err := CompileExtras(extras); err == nil {
			t.Errorf("extras %s should not compile", extras)
		}
	}
}

func TestRewrittenURL(t *testing.T) {
	rec := fetched(t)
	rec.Request.Rewritten = request(t, "GET http://[2001:db8::1]:8080/why?u=x HTTP/1.1").Target
	rec.Request.WasRewritten = true
	const want = "http://[2001:db8::1]:8080/why? http://origin.test:21080/ka1?x=1 http://%5B2001:db8::1%5D:8080/why?u=x" +
		" %5B2001:db8::1%5D /ka1?x=1 /why?u=x"
	if got := line(t, "%ru %>ru %<ru %<rd %rp %<rp", rec); got != want {
		t.Errorf("%%ru is the rewritten URL, %%>ru the client's: want\n%s, got\n%s", want, got)
	}
	f, _ := Compile("%ru")
	f.StripQuery = false
	if got := string(f.Append(nil, rec)); got != "http://[2001:db8::1]:8080/why?u=x" {
		t.Errorf("with strip_query_terms off the query stays, got %s", got)
	}
}

func TestHeaders(t *testing.T) {
	f, _ := Builtin("squid")
	f.Headers = true
	rec := fetched(t)
	const want = `1795341430.605      3 127.0.0.1 TCP_MISS/200 269 GET http://origin.test:21080/ka1? - HIER_DIRECT/192.0.2.7 text/plain` +
		` [Host: origin.test:21080\r\nUser-Agent: lab\r\n] [HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-A: 1\r\nx-a:2 \r\n\r\n]`
	if got := string(f.Append(nil, rec)); got != want {
		t.Errorf("log_mime_hdrs appends both heads: want\n%s, got\n%s", want, got)
	}
}

func TestCodesOfCertificates(t *testing.T) {
	rec := fetched(t)
	const format = "%ssl::<cert_errors %{, }tls::<cert_errors %ssl::<cert_subject %ssl::<cert_issuer %ssl::<cert"
	if got := line(t, format, rec); got != "- - - - -" {
		t.Errorf("without TLS it is %s", got)
	}
	c := &x509.Certificate{Raw: []byte(strings.Repeat("der", 20)), RawSubject: commonName(t, "site.test"), RawIssuer: commonName(t, "Some CA")}
	rec.Request.TLS = &engine.SeenTLS{Server: []*x509.Certificate{c}, Errors: []error{&verify.Fault{Kind: verify.UntrustedRoot, Depth: 1}, &verify.Fault{Kind: verify.WrongHost}}}
	const want = "X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN@depth=1:SQUID_X509_V_ERR_DOMAIN_MISMATCH@depth=0 X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN@depth=1, SQUID_X509_V_ERR_DOMAIN_MISMATCH@depth=0 /CN=site.test /CN=Some CA " +
		"-----BEGIN%20CERTIFICATE-----%0AZGVyZGVyZGVyZGVyZGVyZGVyZGVyZGVyZGVyZGVyZGVyZGVyZGVyZGVyZGVyZGVy%0AZGVyZGVyZGVyZGVy%0A-----END%20CERTIFICATE-----%0A"
	if got := line(t, format, rec); got != want {
		t.Errorf("it is\n%s, want\n%s", got, want)
	}
}

func TestCodesOfFailures(t *testing.T) {
	const format = "%err_code %err_detail %<a %<la %<lp %<qos %<rv %dt %<pt %note %et %>A"
	for _, tt := range []struct {
		name    string
		failure *engine.Failure
		want    string
	}{
		{"none", nil, "- - 192.0.2.7 0.0.0.0 0 0x0 1.1 - - - - 127.0.0.1"},
		{"no connection", &engine.Failure{Kind: engine.CannotConnect, Side: engine.UpstreamSide},
			"- WITH_SERVER 192.0.2.7 0.0.0.0 0 0x0 1.1 - - - - 127.0.0.1"},
		{"a certificate", &engine.Failure{Kind: engine.CannotSecure, Side: engine.UpstreamSide, Err: &verify.Fault{Kind: verify.Expired, Certificate: &x509.Certificate{}}},
			"- X509_V_ERR_CERT_HAS_EXPIRED+broken_cert 192.0.2.7 0.0.0.0 0 0x0 1.1 - - - - 127.0.0.1"},
		{"no TLS", &engine.Failure{Kind: engine.CannotSecure, Side: engine.UpstreamSide}, "- SQUID_TLS_ERR_CONNECT 192.0.2.7 0.0.0.0 0 0x0 1.1 - - - - 127.0.0.1"},
		{"the client left", &engine.Failure{Kind: engine.ClientGone, During: "relaying"},
			"- WITH_CLIENT 192.0.2.7 0.0.0.0 0 0x0 1.1 - - - - 127.0.0.1"},
		{"refused with a page of its own", &engine.Failure{Kind: engine.Refused, Page: "ERR_MINE", Side: engine.OurSide},
			"ERR_MINE - 192.0.2.7 0.0.0.0 0 0x0 1.1 - - - - 127.0.0.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rec := fetched(t)
			rec.Failure, rec.ReplyHead, rec.Outgoing = tt.failure, nil, netip.AddrPort{}
			if tt.failure != nil {
				rec.Page = tt.failure.Page
			}
			if got := line(t, format, rec); got != tt.want {
				t.Errorf("%q should give\n%s, it gave\n%s", format, tt.want, got)
			}
		})
	}
}

func TestWholeHeads(t *testing.T) {
	rec := fetched(t)
	const want = "Host:%20origin.test:21080%0D%0AUser-Agent:%20lab%0D%0A" +
		" HTTP/1.1%20200%20OK%0D%0AContent-Type:%20text/plain%0D%0AX-A:%201%0D%0Ax-a:2%20%0D%0A%0D%0A"
	if got := line(t, "%>h %<h", rec); got != want {
		t.Errorf("without an argument these are the whole heads: want\n%s, got\n%s", want, got)
	}
}

// Of a request that never came there is next to nothing to log.
func TestCodesOfNothing(t *testing.T) {
	rec := &engine.Record{Request: &engine.Request{}, Unread: true, Failure: &engine.Failure{Kind: engine.ClientGone}}
	const format = "%>a %rm %>rm %ru %<ru %>rd %>rP %la %>h %{Host}>h %<A %<Hs %mt %Ss %Sh"
	const want = "- - - error:transaction-end-before-headers - - - - - - - - - NONE_NONE HIER_NONE"
	if got := line(t, format, rec); got != want {
		t.Errorf("%q should give\n%s, it gave\n%s", format, want, got)
	}
}

func TestUnknownBuiltin(t *testing.T) {
	if _, ok := Builtin("apache"); ok {
		t.Error("there is no built-in format of the name apache")
	}
}

// commonName is a distinguished name in DER.
func commonName(t *testing.T, name string) []byte {
	t.Helper()
	der, err := asn1.Marshal(pkix.Name{CommonName: name}.ToRDNSequence())
	if err != nil {
		t.Fatal(err)
	}
	return der
}
