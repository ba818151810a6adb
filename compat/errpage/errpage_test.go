package errpage

import (
	"bytes"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"exaproxy/compat/verify"
	"exaproxy/engine"
	"exaproxy/engine/h1"
)

var update = flag.Bool("update", false, "write the golden pages anew")

const testdata = "../../testdata/errpage/"

func TestMain(m *testing.M) {
	time.Local = time.UTC
	os.Exit(m.Run())
}

// request parses a request head whose lines are given without line ends; what cannot be parsed
// leaves what was understood.
func request(lines ...string) *engine.Request {
	r := &engine.Request{}
	head := strings.Join(lines, "\r\n") + "\r\n\r\n"
	_, _ = h1.ParseRequest([]byte(head), &r.Request, h1.Limits{Relaxed: true})
	r.Client = netip.MustParseAddrPort("[::ffff:192.0.2.1]:45000")
	r.Local = netip.MustParseAddrPort("192.0.2.254:3128")
	return r
}

var noon = time.Date(2026, 11, 22, 12, 36, 11, 0, time.UTC)

// values are those of a connection that was refused.
func values() *Values {
	return &Values{
		Request: request("GET http://origin.test:21080/a?b=c HTTP/1.1", "User-Agent: lab",
			"Proxy-Authorization: Basic c2VjcmV0", "authorization: Basic c2VjcmV0"),
		Failure: &engine.Failure{Kind: engine.CannotConnect, Side: engine.UpstreamSide, During: "connecting",
			Remote: netip.MustParseAddrPort("192.0.2.7:21080"), Err: syscall.ECONNREFUSED},
		Now: noon, Host: "proxy.test", Product: "squid/5.7", Contact: "webmaster",
	}
}

// show is the page of a name, chosen and filled in.
func show(pages *Pages, name string, v *Values) string {
	page := pages.Choose(name, v.Request, nil)
	return string(page.Append(nil, v))
}

// fill compiles and fills in a template.
func fill(t *testing.T, page string, v *Values) string {
	t.Helper()
	compiled, warnings := compile("TEST", page)
	for _, c := range warnings {
		t.Errorf("the template %q should compile: %v", page, c)
	}
	return string(compiled.append(nil, v))
}

// What is wanted here is what a Squid 5.7 puts into its pages.
func TestCodes(t *testing.T) {
	named := values()
	named.Request.User, named.Message = "j doe", "no such <user>"
	named.Request.AddNote([]byte("message"), []byte("no such <user>"))
	connect := values()
	connect.Request = request("CONNECT denied.test:443 HTTP/1.1")
	connect.Failure = &engine.Failure{Kind: engine.Refused}
	garbage := values()
	garbage.Request = request("BADLINE")
	garbage.Failure = &engine.Failure{Kind: engine.BadRequest}
	names := values()
	names.Failure = &engine.Failure{Kind: engine.NoSuchName, Side: engine.NameSide, Err: errors.New("no such name")}
	secure := values()
	secure.Failure = &engine.Failure{Kind: engine.CannotSecure, Side: engine.UpstreamSide, Err: &verify.Fault{Kind: verify.WrongHost, Certificate: &x509.Certificate{}}}
	for _, tt := range []struct {
		name, page, want string
		values           *Values
	}{
		{"a certificate", "%x %e %E %D", "SQUID_X509_V_ERR_DOMAIN_MISMATCH+broken_cert 0 [No Error] The certificate is for other hosts: ", secure},
		{"who", "%a %i %A %b", "- 192.0.2.1 192.0.2.254 3128", values()},
		{"a user", "%a", "j doe", named},
		{"what", "%M %P %H %p", "GET http origin.test 21080", values()},
		{"the URL, and without its query", "%u %U", "http://origin.test:21080/a?b=c http://origin.test:21080/a?", values()},
		{"the URL of a tunnel", "%u %U [%P] %p", "denied.test:443 https://denied.test/* [] 443", connect},
		{"no URL", "%u %M %H %p %P [%R]", "error:invalid-request BADLINE [unknown host] [unknown port] [unknown protocol] [[no request]]", garbage},
		{"the request without passwords", "%R", "GET /a?b=c HTTP/1.1\nUser-Agent: lab\n\n", values()},
		{"the system's error", "%e %E", "111 (111) Connection refused", values()},
		{"no error of the system", "%e %E %x", "0 [No Error] [Unknown Error Code]", connect},
		{"the server", "%I %x %D", "192.0.2.7 WITH_SERVER WITH_SERVER", values()},
		{"no server", "%I", "[unknown]", connect},
		{"name servers", "%z %Z", "no such name no such name", names},
		{"no name servers", "%z %Z", "[unknown] connection refused", values()},
		{"us", "%h %s %w", "proxy.test squid/5.7 webmaster", values()},
		{"when", "%t %T", "22/Nov/2026:12:36:11 +0000 Sun, 22 Nov 2026 12:36:11 GMT", values()},
		{"messages", "%m %o %O", "no such &lt;user&gt; no such &lt;user&gt; no such <user>", named},
		{"no messages", "%m [%o]", "[not available] []", values()},
		{"FTP", "%f %F [%g] [%B]", "nothing nothing [] []", values()},
		{"percent", "100%% %D width: 10%;", "100% [No Error Detail] width: 10%;", names},
		{"a mail link without data", "mailto:%w%W", "mailto:webmaster", values()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := fill(t, tt.page, tt.values); got != tt.want {
				t.Errorf("%q should give\n%s, it gave\n%s", tt.page, tt.want, got)
			}
		})
	}
}

func TestSettingsInPages(t *testing.T) {
	v := values()
	v.page, v.MailData, v.Text, v.Stylesheet = "ERR_X", true, "<p>Call 1234.</p>", "body { color: red }"
	v.Request = request("GET ftp://origin.test/a'b?c HTTP/1.1")
	const want = "?subject=CacheErrorInfo%20-%20ERR_X&amp;body=CacheHost%3A%20proxy.test%0D%0AErrPage%3A%20ERR_X%0D%0A" +
		"Err%3A%20%28111%29%20Connection%20refused%0D%0ATimeStamp%3A%20Sun%2C%2022%20Nov%202026%2012%3A36%3A11%20GMT%0D%0A" +
		"ClientIP%3A%20192.0.2.1%0D%0AServerIP%3A%20192.0.2.7%0D%0AURL%3A%20ftp%3A%2F%2Forigin.test%2Fa%27b%3F%0D%0A"
	if got := fill(t, "%W", v); got != want {
		t.Errorf("email_err_data should give\n%s, it gave\n%s", want, got)
	}
	if got := fill(t, "%L %l %B", v); got != "<p>Call 1234.</p> body { color: red } ftp://origin.test/a&#39;b?c" {
		t.Errorf("err_html_text and err_page_stylesheet go into pages as they are, got %s", got)
	}
	if got := fill(t, "%S", v); got != "\n<hr>\n<div id=\"footer\">\nGenerated Sun, 22 Nov 2026 12:36:11 GMT by proxy.test (squid/5.7)\n</div>\n</body></html>\n" {
		t.Errorf("the signature should have when and by whom, got %s", got)
	}
}

func TestUnknownCode(t *testing.T) {
	page, warnings := compile("/errors/ERR_X", "100 %q %u and the rest%")
	const want = "/errors/ERR_X: Unsupported error page %code near %q %u and the r...\n/errors/ERR_X: Unsupported error page %code near %"
	if got := errors.Join(warnings...); got == nil || got.Error() != want {
		t.Errorf("unknown codes should be complained of in Squid's words, got\n%v", got)
	}
	if got := string(page.append(nil, values())); got != "100 %q http://origin.test:21080/a?b=c and the rest%" {
		t.Errorf("an unknown code should stay as it is written, got %s", got)
	}
}

// TestFormats are codes of logformat in a page: what they show is escaped, whatever their modifiers say, which Squid does not.
func TestFormats(t *testing.T) {
	v := values()
	v.Request.Header.Add("X", []byte(`<"b">`))
	for _, row := range []struct{ page, want, warning string }{
		{"a@b @Squid{%>a} @Squid{%rm}@Squid{%ru}.", "a@b 192.0.2.1 GEThttp://origin.test:21080/a?.", ""},
		{`@Squid{%{User-Agent}>h} @Squid{%"{X}>h} @Squid{%'{X}>h}`, `lab &lt;\&quot;b\&quot;&gt; &lt;&quot;b&quot;&gt;`, ""},
		{"@Squid{%un} @Squid{%err_code} @Squid {x} @Squid", "- - @Squid {x} @Squid", ""},
		{"@Squid{%un", "@Squid{%un", "T: Bad @Squid{logformat} sequence near @Squid{%un: Missing closing brace (})"},
		{"@Squid{%bogus} %u", "@Squid{%bogus} http://origin.test:21080/a?b=c", "T: Bad @Squid{logformat} sequence near @Squid{%bogus} ...: Unsupported %code: '%bogus'"},
		{"@Squid{%{Cookie}>h}", "@Squid{%{Cookie}>h}", "T: @Squid{logformat} near @Squid{%{Cookie...: pages show no credentials, and so neither this field nor all of them; %R has those that have none"},
		{"@Squid{%>h}", "@Squid{%>h}", "T: @Squid{logformat} near @Squid{%>h}: pages show no credentials, and so neither this field nor all of them; %R has those that have none"},
	} {
		compiled, warnings := compile("T", row.page)
		said := ""
		if err := errors.Join(warnings...); err != nil {
			said = err.Error()
		}
		if got := string(compiled.append(nil, v)); got != row.want || said != row.warning {
			t.Errorf("%s gives %s, want %s, and the warning\n%s, want\n%s", row.page, got, row.want, said, row.warning)
		}
	}
}

// Every page, whoever the client is, is as it was when somebody last looked at it.
func TestGoldenPages(t *testing.T) {
	for _, name := range []string{"ERR_ACCESS_DENIED", "ERR_CONNECT_FAIL", "ERR_DNS_FAIL", "ERR_INVALID_URL"} {
		t.Run(name, func(t *testing.T) {
			got, file := []byte(show(Default(), name, values())), testdata+name+".html"
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("the page should be as in %s, it is\n%s", file, got)
			}
		})
	}
}

func TestPageWithStatus(t *testing.T) {
	page := show(Default(), "404:ERR_ACCESS_DENIED", values())
	if !strings.Contains(page, "<body id=ERR_ACCESS_DENIED>") {
		t.Errorf("a status in front of a page's name is not part of it: %s", page)
	}
}

func TestUnknownPage(t *testing.T) {
	page := show(Default(), "ERR_MADE_UP", values())
	if !strings.Contains(page, "<body id=ERR_MADE_UP>") || !strings.Contains(page, "This page cannot be shown") {
		t.Errorf("a neutral page should stand in for one that nobody has written, got %s", page)
	}
}

// Nothing that a client or a server says may become part of the page's HTML.
func TestPagesLetNoScriptIn(t *testing.T) {
	const script = `"'><script>alert(1)</script>&`
	v := values()
	v.Request = request("GET http://origin.test/"+script+" HTTP/1.1", "User-Agent: "+script)
	v.Request.User, v.Request.Method, v.Message = script, "GET"+script, script
	v.Request.AddNote([]byte("message"), []byte(script))
	v.Failure.Err, v.Failure.Side, v.MailData = errors.New(script), engine.NameSide, true
	broken := *v
	broken.Request = request("GET "+script+" HTTP/1.1", "User-Agent: "+script)
	pages := Default()
	pages.own["ALL"], _ = compile("ALL", `<a href="%u%W">%a %A %b %B %c %D %e %E %f %F %g %h %H %i %I %m %M %o %p %P %R %s %S %t %T %u %U %w %x %z %Z</a>`)
	for _, name := range append(pageNames(), "ALL") {
		for _, values := range []*Values{v, &broken} {
			page := show(pages, name, values)
			if strings.Contains(page, "<script") || strings.Contains(page, `"'>`) {
				t.Errorf("the page %s lets a script in: %s", name, page)
			}
		}
	}
}

func TestLoad(t *testing.T) {
	dir, absolute := t.TempDir(), filepath.Join(t.TempDir(), "page")
	if err := os.WriteFile(absolute, []byte("%M elsewhere"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, page := range map[string]string{"ERR_ACCESS_DENIED": "Ask %w.", "ERR_MINE": "Mine for %i", "ERR_DNS_FAIL": "%q"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	pages := Default()
	warnings := pages.Load(dir, []string{"404:ERR_MINE", "ERR_LOST", absolute}, os.ReadFile)
	for name, want := range map[string]string{
		"ERR_ACCESS_DENIED": "Ask webmaster.", "404:ERR_MINE": "Mine for 192.0.2.1", "ERR_DNS_FAIL": "%q", absolute: "GET elsewhere",
	} {
		if got := show(pages, name, values()); got != want {
			t.Errorf("the page %s should be the administrator's, %q; it is %q", name, want, got)
		}
	}
	if got := show(pages, "ERR_TOO_BIG", values()); !strings.Contains(got, "<body id=ERR_TOO_BIG>") {
		t.Errorf("our own page should stand in for one that is missing, got %s", got)
	}
	text := errors.Join(warnings...).Error()
	for _, want := range []string{
		"loading file '" + dir + "/ERR_TOO_BIG': (2) No such file or directory",
		"loading file '" + dir + "/ERR_LOST': (2) No such file or directory",
		dir + "/ERR_DNS_FAIL: Unsupported error page %code near %q",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("there should be the warning: %s; it was\n%s", want, text)
		}
	}
	if strings.Contains(text, "ERR_ACCESS_DENIED") || strings.Contains(text, "ERR_MINE") {
		t.Errorf("nothing is wrong with the pages that are there:\n%s", text)
	}
}

func TestLoadStaysInItsFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "errors")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "..", "secret"), []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	pages := Default()
	pages.Load(dir, []string{"../secret"}, os.ReadFile)
	if got := show(pages, "../secret", values()); got == "secret" {
		t.Errorf("a page's name does not lead out of error_directory, got %s", got)
	}
}

func TestRedirectPage(t *testing.T) {
	for _, tt := range []struct{ name, location, want string }{
		{"a page", "https://block.test/?a=1&b=\"2\"", `<p>Please go on to <a href="https://block.test/?a=1&amp;b=&quot;2&quot;">https://block.test/?a=1&amp;b=&quot;2&quot;</a>.</p>`},
		{"a path", "/why", `<p>Please go on to <a href="/why">/why</a>.</p>`},
		{"a script is no link", "javascript:alert('<1>')", `<p>Please go on to javascript:alert(&#39;&lt;1&gt;&#39;).</p>`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(AppendRedirectPage(nil, []byte(tt.location))); !strings.Contains(got, tt.want) {
				t.Errorf("the page should have\n%s, it is\n%s", tt.want, got)
			}
		})
	}
}

func BenchmarkPage(b *testing.B) {
	pages, v, buf := Default(), values(), make([]byte, 0, 8192)
	v.Request.Header.Add("Accept-Language", []byte("fr-CA,fr;q=0.9,en;q=0.5"))
	b.ReportAllocs()
	for b.Loop() {
		page := pages.Choose("ERR_ACCESS_DENIED", v.Request, nil)
		buf = page.Append(buf[:0], v)
	}
}

// TestWhoCanMendAHandshake has the advice go by what is wrong with a certificate, but not on a page of the
// administrator's.
func TestWhoCanMendAHandshake(t *testing.T) {
	const (
		theirs    = "Only the people who run the server can mend this."
		untrusted = "Nobody whom this proxy trusts vouches for the server"
		revoked   = "a new list of revoked certificates"
	)
	own := Default()
	own.Load("/pages", nil, func(path string) ([]byte, error) {
		if path == "/pages/ERR_SECURE_CONNECT_FAIL" {
			return []byte("mine"), nil
		}
		return nil, os.ErrNotExist
	})
	for kind, want := range map[verify.Kind]string{
		verify.Expired: theirs, verify.WrongHost: theirs, verify.IsRevoked: theirs, verify.NoConnection: theirs,
		verify.UnknownIssuer: untrusted, verify.UntrustedRoot: untrusted, verify.SelfSigned: untrusted,
		verify.NotYetValid: "the clock of the proxy is slow", verify.CRLUnavailable: revoked, verify.CRLExpired: revoked,
	} {
		v := values()
		fault := &verify.Fault{Kind: kind, Certificate: &x509.Certificate{}}
		v.Failure = &engine.Failure{Kind: engine.CannotSecure, Side: engine.UpstreamSide, Err: fmt.Errorf("handshake: %w", fault)}
		page := show(Default(), "ERR_SECURE_CONNECT_FAIL", v)
		if !strings.Contains(page, want) || want != theirs && strings.Contains(page, theirs) {
			t.Errorf("%v: want %q in\n%s", kind, want, page)
		}
		if page := show(own, "ERR_SECURE_CONNECT_FAIL", v); page != "mine" {
			t.Errorf("%v: the administrator's page is %q", kind, page)
		}
	}
}

// FuzzTemplate has any page be filled in, and what requests say be escaped in it, wherever a % ends.
func FuzzTemplate(f *testing.F) {
	for _, page := range []string{"%U%u%W%R%%", "%", "%%%", "%Z %", "<a href=\"%W\">%w</a>", "%!x", "%{a}b", "%\xff", "", "100% %l", "@Squid{%>a}", "@Squid{%{X}>h", "@Squid{}", "@Squid{%'{X}>h}@Squid{{}}", "%;%q@"} {
		f.Add(page, "<b>\"'&")
		f.Add(page, "%u%R<script>")
	}
	f.Fuzz(func(t *testing.T, page, said string) {
		v := values()
		v.MailData, v.Message = true, said
		v.Request = request("GET http://a.test/"+strings.Map(printable, said)+" HTTP/1.1", "X: "+strings.Map(printable, said))
		filled, _ := compile("TEST", page)
		first := string(filled.append(nil, v))
		if again := string(filled.append(nil, v)); first != again {
			t.Fatalf("%q becomes %q and %q", page, first, again)
		}
		if !strings.Contains(page, "%O") && strings.Contains(first, "<script>") && !strings.Contains(page, "<script>") {
			t.Fatalf("%q for %q becomes %q", page, said, first)
		}
	})
}

// printable leaves out what cannot be in a request line.
func printable(r rune) rune {
	if r <= ' ' || r >= 0x7f {
		return -1
	}
	return r
}
