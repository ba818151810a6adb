package acceptance

import (
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// tellingOrigin answers each request with its head, as the body of a reply that has fields of several kinds.
func tellingOrigin(t *testing.T) (addr string) {
	t.Helper()
	return serveConnections(t, "127.0.0.1:0", tellHead)
}

func tellHead(conn net.Conn) {
	var head []byte
	for b := make([]byte, 4096); !strings.Contains(string(head), "\r\n\r\n"); {
		n, err := conn.Read(b)
		if err != nil {
			return
		}
		head = append(head, b[:n]...)
	}
	text, _, _ := strings.Cut(string(head), "\r\n\r\n")
	fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nServer: s\r\nX-Odd: 1\r\nLink: <l>\r\nSet-Cookie: a=b\r\nDate: Sat, 28 Nov 2026 10:00:00 GMT\r\n"+
		"Content-Length: %d\r\n\r\n%s", len(text)+2, text+"\r\n")
	io.Copy(io.Discard, conn)
}

// indispensable are lines that we keep where Squid makes another message of one.
var indispensable = regexp.MustCompile(`^(Host|Connection|Content-Length|Transfer-Encoding): `)

// TestHeaderRulesAreSquids has both proxies follow rules for header fields: what the origin and the client get is the same,
// but for the fields without which a message is another one.
func TestHeaderRulesAreSquids(t *testing.T) {
	origin := tellingOrigin(t)
	heads := "Host: x\r\nUser-Agent: ua\r\nAccept: */*\r\nCookie: c=1\r\nX-Odd: o\r\nX-Two: 2\r\nReferer: http://r/\r\nDNT: 1\r\n"
	list := []asked{
		{name: "GET", raw: "GET http://" + origin + "/ HTTP/1.1\r\n" + heads + "Connection: close\r\n\r\n"},
		{name: "POST", raw: "POST http://" + origin + "/ HTTP/1.1\r\n" + heads + "Content-Length: 2\r\nConnection: close\r\n\r\nhi"},
		{name: "denied", raw: "GET http://" + origin + "/denied HTTP/1.1\r\n" + heads + "Connection: close\r\n\r\n"},
	}
	for _, conf := range []string{
		"",
		"request_header_access All deny all\nreply_header_access All deny all",
		"request_header_access Other deny all\nreply_header_access Other deny all",
		"request_header_access All deny all\nrequest_header_access User-Agent allow all\nrequest_header_access x-odd allow all\nheader_replace X-Odd new\nheader_replace Cookie gone",
		"request_header_access All deny all\nheader_replace X-Odd new thing # c\nheader_replace User-Agent nobody",
		"request_header_access x-odd deny all\nrequest_header_access uSER-agent deny all\nrequest_header_replace USER-AGENT yes sir\nreply_header_access set-cookie deny all",
		"request_header_access all deny all\nreply_header_access all deny all",
		"request_header_access Cookie deny post\nrequest_header_access Referer allow post\nreply_header_access Link deny !post\nreply_header_access X-Odd allow post",
		"request_header_access Other deny all\nrequest_header_access X-Two allow all\nrequest_header_replace DNT 0\nreply_header_replace X-Odd 2\nreply_header_access Other deny all",
		"request_header_access Via deny all\nrequest_header_access X-Forwarded-For deny all\nrequest_header_access Cache-Control deny all\nreply_header_access Via deny all\nreply_header_access X-Cache deny all\nreply_header_access X-Cache-Lookup deny all\nreply_header_access Server deny all\nreply_header_replace Via nobody",
		"request_header_add X-New \"v %>a %{User-Agent}>h\" post\nrequest_header_add X-Plain %>a all\nreply_header_add X-R \"%>a\"\nreply_header_add X-S plain post\nreply_header_access X-R deny all",
		"request_header_access Connection deny all\nrequest_header_access Content-Length deny all\nreply_header_access Content-Length deny all\nreply_header_access Connection deny all\nreply_header_access Date deny all",
	} {
		t.Run(strings.ReplaceAll(conf, "\n", "; "), func(t *testing.T) {
			c := comparison{t: t, conf: "acl post method POST\nacl no urlpath_regex ^/denied\nhttp_access deny no\n" + conf + "\n"}
			ours, theirs := c.hold(list)
			for i, a := range list {
				got, want := fieldLines(ours[i]), fieldLines(theirs[i])
				if !slices.Equal(got, want) {
					t.Errorf("%s:\n got %q\nwant %q", a.name, got, want)
				}
			}
		})
	}
}

// fieldLines are the lines of a reply's head, and of that which the origin tells in its body, but for indispensable ones
// and what changes with each reply.
func fieldLines(e exchange) (lines []string) {
	head, body, _ := strings.Cut(string(e.reply), "\r\n\r\n")
	if strings.Contains(head, "\r\nTransfer-Encoding: chunked") {
		plain, _ := io.ReadAll(httputil.NewChunkedReader(strings.NewReader(body)))
		body = string(plain)
	}
	if strings.Contains(body, "<html") {
		body = ""
	}
	for _, line := range strings.Split(head+"\r\n"+body, "\r\n") {
		if strings.HasPrefix(line, "Date: ") && line != "Date: Sat, 28 Nov 2026 10:00:00 GMT" {
			line = "Date: now"
		}
		if line != "" && !indispensable.MatchString(line) {
			lines = append(lines, line)
		}
	}
	return lines
}
