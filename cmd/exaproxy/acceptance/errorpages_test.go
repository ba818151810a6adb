package acceptance

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// pageCodes are all codes that Squid 5.7 knows in pages, but for %S, whose page aborts its start, and %l, whose style sheet is
// nobody's but its own.
const pageCodes = "aAbBcDeEfFghHiILmMoOpPRstTuUwxzZ%"

// everyCode is a page that shows each code on a line of its own.
func everyCode() string {
	var b strings.Builder
	for _, c := range pageCodes {
		fmt.Fprintf(&b, "{%c}%%%c{/%c}\n", c, c, c)
	}
	for _, code := range []string{"%>a", "%ru", "%un", "%{X-None}>h", "%mt", "%Ss", "%{Accept-Language}>h"} {
		fmt.Fprintf(&b, "@Squid{%s} ", code)
	}
	return b.String() + "unknown %d %q 10%; @Squid."
}

// pageRules have every kind of page of deny_info.
const pageRules = `error_directory {pages}
err_html_text <b>call &amp; ask</b> %u
cache_mgr o'brien@school.test
acl denied dstdomain denied.test
acl mine dstdomain mine.test
acl status dstdomain status.test
acl squids dstdomain squids.test
acl url dstdomain url.test
deny_info ERR_MINE mine
deny_info 451:ERR_MINE status
deny_info 410:ERR_TOO_BIG squids
deny_info http://block.test/?a=%a&b=%b&c=%c&e=%e&h=%h&i=%i&m=%m&o=%o&p=%p&u=%u&w=%w&x=%x&z=%z&A=%A&B=%B&D=%D&E=%E&H=%H&I=%I&L=%L&M=%M&O=%O&P=%P&S=%S&U=%U&W=%W&Z=%Z&f=%f&g=%g&F=%F&l=%l url
http_access deny denied
http_access deny mine
http_access deny status
http_access deny squids
http_access deny url
http_access allow all
`

const fieldsOfPages = "Host: header.test\r\nX-Script: <script>\"&'</script>\r\nCookie: a=secret\r\nAuthorization: Basic secret\r\nProxy-Authorization: Basic secret\r\nAccept-Language: fr\r\n\r\n"

// TestPagesOfAnErrorDirectoryAreSquids has both proxies make pages of the same files.
func TestPagesOfAnErrorDirectoryAreSquids(t *testing.T) {
	pages := world(t)
	for name := range strings.FieldsSeq("ERR_ACCESS_DENIED ERR_MINE ERR_TOO_BIG ERR_CONNECT_FAIL ERR_INVALID_URL ERR_PROTOCOL_UNKNOWN") {
		writeFile(t, pages, name, everyCode())
	}
	dead := freePort(t)
	list := []asked{
		{name: "denied", raw: "GET http://denied.test/a%20b?x=\"<y>&z HTTP/1.1\r\n" + fieldsOfPages},
		{name: "HEAD", raw: request("HEAD", "http://denied.test/")},
		{name: "POST", raw: "POST http://denied.test:81/ HTTP/1.1\r\nContent-Length: 2\r\n" + fieldsOfPages + "ab"},
		{name: "with a password in the URL", raw: get("http://joe:secret@denied.test/")},
		{name: "a page of one's own", raw: get("http://mine.test/?q")},
		{name: "with a status", raw: get("http://status.test/")},
		{name: "a page of Squid's with a status", raw: get("http://squids.test/")},
		{name: "a URL", raw: get("http://url.test/a?b=c&d")},
		{name: "a CONNECT that is denied", raw: request("CONNECT", "denied.test:443")},
		{name: "no server", raw: get("http://127.0.0.1:" + dead + "/a?b")},
		{name: "a CONNECT to no server", raw: request("CONNECT", "127.0.0.1:"+dead)},
		{name: "no URL", raw: get("foo://a.test/")},
		{name: "no HTTP", raw: "FOO BAR\r\n\r\n"},
	}
	ours, theirs := comparison{t: t, conf: strings.Replace(pageRules, "{pages}", pages, 1)}.hold(list)
	for i, a := range list {
		got, want := pageParts(ours[i]), pageParts(theirs[i])
		want["Location"] = htmlInURLs.Replace(want["Location"])
		for name := range want {
			if got[name] != want[name] && !slices.Contains(intended, a.name+", "+name) && name != "%Z" {
				t.Errorf("%s, %s:\n got %s\nwant %s", a.name, name, got[name], want[name])
			}
		}
	}
}

// intended are differences that we mean. Beside them %Z tells more: what is wrong.
var intended = []string{
	"a CONNECT to no server, head",                                                                                                                  // the connection is closed, and we say so
	"no URL, %A", "no URL, %M", "no HTTP, %A", "no HTTP, %M", "no HTTP, %u", "no HTTP, %U", "no HTTP, log", "no URL, the rest", "no HTTP, the rest", // we know them
}

// htmlInURLs takes out what Squid does to the codes of a URL before it escapes them: it escapes them for HTML.
var htmlInURLs = strings.NewReplacer("%26amp%3B", "%26", "%26%2339%3B", "%27")

var (
	moments  = regexp.MustCompile(`\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d|\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d`)
	location = regexp.MustCompile(`Location: .*\n`)
	shown    = regexp.MustCompile(`(?s)\{(.)\}(.*?)\{/.\}`)
	withSize = regexp.MustCompile(`Content-Length: [1-9]\d*\n`)
)

// pageParts are the head of a reply, what a page shows for each code, and the lines in the log, without what is different at
// another moment. Of the request's head (%R) the fields are sorted, and those are taken out that only Squid shows.
func pageParts(e exchange) map[string]string {
	text := moments.ReplaceAllString(strings.ReplaceAll(string(e.reply), "\r\n", "\n"), "now")
	head, body, _ := strings.Cut(text, "\n\n")
	parts := map[string]string{"Location": location.FindString(head)}
	parts["head"] = location.ReplaceAllString(withSize.ReplaceAllString(head+"\n", ""), "")
	for _, m := range shown.FindAllStringSubmatch(body, -1) {
		parts["%"+m[1]] = "shown: " + m[2]
	}
	lines := strings.Split(parts["%R"], "\n")
	lines = slices.DeleteFunc(lines, func(line string) bool {
		return line == "" || strings.HasPrefix(line, "Cookie: ") || strings.HasSuffix(line, ": ** NOT DISPLAYED **")
	})
	slices.Sort(lines)
	parts["%R"] = strings.Join(lines, "\n")
	parts["the rest"] = strings.TrimSpace(shown.ReplaceAllString(body, ""))
	for _, line := range e.log {
		if f := strings.Fields(line); len(f) > 5 {
			parts["log"] += f[2] + " " + f[3] + " " + strings.Join(f[5:], " ") + "\n"
		}
	}
	return parts
}

// TestLanguagesOfPagesAreSquids has both proxies choose the language of a page. The folders of Squid's translations are more;
// where one is for a region, here it is the language.
func TestLanguagesOfPagesAreSquids(t *testing.T) {
	if _, err := os.Stat("/usr/share/squid/errors/fr/ERR_ACCESS_DENIED"); err != nil {
		t.Skip("Squid's translations (squid-langpack) are not installed: ", err)
	}
	var list []asked
	for _, wanted := range []string{"fr", "FR", "de-AT,de;q=0.9,en;q=0.8", "qq, es", "qq", "*", "*, fr", "pt-BR", ",,it ; q=1", "nl;q=0.9, pl;q=0.8",
		"ru-RU,ru;q=0.9", "ja", "zh-CN,zh;q=0.9", "en-GB,en;q=0.5", "", "../templates, fr", "a_b, de"} {
		list = append(list, asked{name: "Accept-Language: " + wanted, raw: "GET http://denied.test/ HTTP/1.1\r\nHost: denied.test\r\nAccept-Language: " + wanted + "\r\n\r\n"})
	}
	list = append(list, asked{name: "two fields", raw: "GET http://denied.test/ HTTP/1.1\r\nAccept-Language: qq\r\nAccept-Language: fr\r\n\r\n"},
		asked{name: "no field", raw: get("http://denied.test/")})
	for _, conf := range []string{"", "error_default_language de\n", "error_default_language de\nerror_log_languages off\n", "error_directory /usr/share/squid/errors/it\n"} {
		ours, theirs := comparison{t: t, conf: conf + "http_access deny all\n"}.hold(list)
		for i, a := range list {
			got, want := languageOf(ours[i].reply), languageOf(theirs[i].reply)
			if got != want {
				t.Errorf("%s%s:\n got %s\nwant %s", conf, a.name, got, want)
			}
		}
	}
}

// languageOf are the fields of a reply that tell of its language.
func languageOf(reply []byte) (fields string) {
	head, _, _ := strings.Cut(string(reply), "\r\n\r\n")
	for line := range strings.SplitSeq(head, "\r\n") {
		if code, ok := strings.CutPrefix(line, "Content-Language: "); ok {
			language, _, _ := strings.Cut(code, "-")
			fields += "Content-Language: " + language + " "
		} else if strings.HasPrefix(line, "Vary: ") {
			fields += line + " "
		}
	}
	return fields
}
