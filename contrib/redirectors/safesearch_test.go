package redirectors

import (
	"bufio"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// A blockHelper is one that runs, and speaks blocks.
type blockHelper struct {
	t   *testing.T
	in  io.Writer
	out *bufio.Reader
}

func startBlocks(t *testing.T, args ...string) *blockHelper {
	t.Helper()
	cmd := exec.Command("safesearch/safesearch.py", args...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("at the end of its input: %v", err)
		}
	})
	return &blockHelper{t, in, bufio.NewReader(out)}
}

// ask puts a head, whose lines end in "\n", and returns the one that is to go on, "" if that is the same.
func (h *blockHelper) ask(host, head string) string {
	h.t.Helper()
	head = strings.ReplaceAll(head, "\n", "\r\n") + "\r\n\r\n"
	fmt.Fprintf(h.in, "REQMOD icap://localhost/ ICAP/1.0\nHost: localhost\nPragma: client=192.0.2.1\nPragma: host=%s\nEncapsulated: req-hdr=0, null-body=%d\n\n%s",
		host, len(head), head)
	status, length := h.line(), 0
	for line := h.line(); line != ""; line = h.line() {
		fmt.Sscanf(line, "Encapsulated: req-hdr=0, null-body=%d", &length)
	}
	answer := make([]byte, length)
	if _, err := io.ReadFull(h.out, answer); err != nil {
		h.t.Fatal(err)
	}
	if status == "ICAP/1.0 204 No Content" {
		return ""
	}
	text, ok := strings.CutSuffix(string(answer), "\r\n\r\n")
	if !ok || status != "ICAP/1.0 200 OK" {
		h.t.Fatalf("after %q comes %q", status, answer)
	}
	return strings.ReplaceAll(text, "\r\n", "\n")
}

func (h *blockHelper) line() string {
	h.t.Helper()
	line, err := h.out.ReadString('\n')
	if err != nil {
		h.t.Fatalf("it ended: %v", err)
	}
	return strings.TrimRight(line, "\r\n")
}

func TestSafeSearch(t *testing.T) {
	const youtube = "GET https://www.youtube.com/watch HTTP/1.1\nHost: www.youtube.com"
	const strict = "\nYouTube-Restrict: Strict"
	h := startBlocks(t)
	search := func(url string) string { return "GET " + url + " HTTP/1.1\nAccept: */*" }
	for _, row := range []struct{ host, head, want string }{
		{"a.test", search("http://a.test/?q=www.youtube.com"), ""},
		{"youtube.com.evil.test", search("http://youtube.com.evil.test/"), ""},
		{"notyoutube.com", search("http://notyoutube.com/"), ""},
		{"www.youtube.com", youtube, youtube + strict + "\nCookie: PREF=f2=8000000"},
		{"WWW.YouTube.com.", youtube, youtube + strict + "\nCookie: PREF=f2=8000000"},
		{"m.youtube.com", youtube + "\nyoutube-restrict: off\nCookie: SID=x; PREF=tz=UTC&f2=1&f1=50; A=b",
			youtube + "\nCookie: SID=x; PREF=tz=UTC&f1=50&f2=8000000; A=b" + strict},
		{"youtubei.googleapis.com", youtube + "\ncookie: PREF=a\nCookie: PREF=; PREF", youtube + "\ncookie: PREF=a&f2=8000000\nCookie: PREF=f2=8000000; PREF=f2=8000000" + strict},
		{"www.youtube.com", youtube + "\nCookie: A=b", youtube + "\nCookie: A=b; PREF=f2=8000000" + strict},
		{"www.youtube.com", "CONNECT www.youtube.com:443 HTTP/1.1", ""},
		{"www.google.com", search("https://www.google.com/search?q=x"), search("https://www.google.com/search?q=x&safe=active")},
		{"www.google.co.uk", search("https://www.google.co.uk/search?safe=off&q=x&SAFE=off&%73afe=off"), search("https://www.google.co.uk/search?q=x&safe=active")},
		{"google.de", search("https://google.de/?q=x#safe=off"), search("https://google.de/?q=x&safe=active#safe=off")},
		{"www.google.com", search("https://www.google.com/search"), search("https://www.google.com/search?safe=active")},
		{"www.google.com", search("https://www.google.com/logo.png?x=1"), search("https://www.google.com/logo.png?x=1")},
		{"mail.google.com", search("https://mail.google.com/?q=x"), ""},
		{"google.evil.test", search("https://google.evil.test/?q=x"), ""},
		{"www.bing.com", search("http://www.bing.com/images/search?q=x&adlt=off"), search("http://www.bing.com/images/search?q=x&adlt=strict")},
		{"duckduckgo.com", search("https://duckduckgo.com/?q=x&kp=-2"), search("https://duckduckgo.com/?q=x&kp=1")},
		{"www.google.com", search("https://www.google.com/search?q=\xff\xfe"), search("https://www.google.com/search?q=\xff\xfe&safe=active")},
		{"a.test", search("http://a.test/" + strings.Repeat("x", 20_000)), ""},
		{"www.bing.com", search("http://www.bing.com/?q=" + strings.Repeat("x", 20_000)), search("http://www.bing.com/?q=" + strings.Repeat("x", 20_000) + "&adlt=strict")},
	} {
		if got := h.ask(row.host, row.head); got != row.want {
			t.Errorf("about %s:\n%.300q\nbecame\n%.300q\nwant\n%.300q", row.host, row.head, got, row.want)
		}
	}
}

func TestSafeSearchOptions(t *testing.T) {
	h := startBlocks(t, "--moderate", "--tunnels")
	if got := h.ask("www.youtube.com", "GET https://www.youtube.com/ HTTP/1.1"); !strings.Contains(got, "\nYouTube-Restrict: Moderate\n") {
		t.Errorf("YouTube is asked\n%s", got)
	}
	for host, want := range map[string]string{
		"www.youtube.com": "restrictmoderate.youtube.com", "www.google.fr": "forcesafesearch.google.com", "www.bing.com": "strict.bing.com", "duckduckgo.com": "safe.duckduckgo.com",
	} {
		if got := h.ask(host, "CONNECT "+host+":443 HTTP/1.1\nHost: "+host+":443"); got != "CONNECT "+want+":443 HTTP/1.1" {
			t.Errorf("the tunnel to %s: %q", host, got)
		}
	}
}
