package logformat

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"exaproxy/engine"
)

// TestJSON has all members of an object, in their order.
func TestJSON(t *testing.T) {
	rec := fetched(t, "GET http://origin.test:21080/ka1?x=1 HTTP/1.1", "Host: origin.test:21080", `User-Agent: "lab"`)
	rec.Request.User = "j doe"
	rec.Request.Notes = []engine.Note{{Key: []byte("group"), Value: []byte("a")}, {Key: []byte("tag"), Value: []byte("t")}, {Key: []byte("group"), Value: []byte("b")}}
	const want = `{"v":1,"time":"2026-11-22T09:57:10.605Z","event":"end","duration_ms":3,"client":"127.0.0.1","client_port":44202,` +
		`"user":"j doe","method":"GET","url":"http://origin.test:21080/ka1?","version":"1.1","referer":null,"user_agent":"\"lab\"",` +
		`"result":"TCP_MISS","status":200,"content_type":"text/plain","bytes_in":143,"bytes_out":269,"redirected_to":null,` +
		`"error":null,"error_detail":null,"hierarchy":"HIER_DIRECT","server":"192.0.2.7","server_port":21080,"server_bytes_in":100,"server_bytes_out":0,` +
		`"sni":null,"bump_mode":null,"helper_ms":0,"dns_ms":0,"connect_ms":0,"server_ms":0,"notes":{"group":["a","b"],"tag":["t"]}}`
	f := JSON()
	if got := string(f.Append(nil, rec)); got != want {
		t.Errorf("the line is\n%s, want\n%s", got, want)
	}
	f.Headers, f.StripQuery = true, false
	rec.Open, rec.Tunnel = true, true
	got := string(f.Append(nil, rec))
	for _, part := range []string{`"event":"open"`, `"result":"TCP_TUNNEL_OPEN"`, `ka1?x=1"`, `"request_head":"Host: origin.test:21080\r\n`, `"reply_head":"HTTP/1.1 200 OK\r\n`} {
		if !strings.Contains(strings.ReplaceAll(strings.ReplaceAll(got, `\u000d`, `\r`), `\u000a`, `\n`), part) {
			t.Errorf("there is no %s in %s", part, got)
		}
	}
	if unread := f.Append(nil, &engine.Record{Request: &engine.Request{}, Unread: true}); !json.Valid(unread) || !strings.Contains(string(unread), `"client":null,"client_port":null,"user":null,"method":null,"url":"error:transaction-end-before-headers"`) {
		t.Errorf("of nothing there is %s", unread)
	}
}

// TestJSONStrings has text of all kinds be what readers of JSON make of it.
func TestJSONStrings(t *testing.T) {
	for value, want := range map[string]string{
		"":                    `""`,
		`a"b\c`:               `"a\"b\\c"`,
		"\x00\x1b[2J\x7f\r\n": `"\u0000\u001b[2J\u007f\u000d\u000a"`,
		"é\u2028\U0001f600":   `"\u00e9\u2028\ud83d\ude00"`,
		"\xe9\xff":            `"\u00e9\u00ff"`,
		"\xed\xa0\x80":        `"\u00ed\u00a0\u0080"`, // a surrogate, which is no UTF-8
		"</script>\xf0\x9f":   `"</script>\u00f0\u009f"`,
		"\uFFFD":              `"\ufffd"`,
	} {
		if got := string(appendJSONString(nil, value)); got != want {
			t.Errorf("%q gives %s, want %s", value, got, want)
		}
	}
}

// FuzzJSON has a line be one valid object in ASCII, and text that is UTF-8 come back from it, whatever a request's bytes are.
func FuzzJSON(f *testing.F) {
	f.Add("/a?b", "agent", "user")
	f.Add("/\xff\"}{", "\\\x1b\n", "\xed\xa0\x80")
	f.Fuzz(func(t *testing.T, path, agent, user string) {
		rec := fetched(t, "GET http://origin.test"+path+" HTTP/1.1", "User-Agent: "+agent)
		rec.Request.User = user
		rec.Request.Notes = []engine.Note{{Key: []byte(path), Value: []byte(agent)}}
		format := JSON()
		format.Headers = true
		line := format.Append(nil, rec)
		var read map[string]any
		if err := json.Unmarshal(line, &read); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		for _, c := range line {
			if c < ' ' || c > '~' {
				t.Fatalf("it has a byte %#x: %s", c, line)
			}
		}
		if got := fmt.Sprint(read["user"]); user != "" && utf8.ValidString(user) && got != user {
			t.Errorf("the user is %q, want %q", got, user)
		}
	})
}
