package h1

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// headerOf makes a header of "Name: value" lines.
func headerOf(t *testing.T, lines ...string) *Header {
	t.Helper()
	var r Request
	if _, err := ParseRequest([]byte("GET / HTTP/1.1\r\n"+strings.Join(lines, "\r\n")+"\r\n\r\n"), &r, Limits{}); err != nil {
		t.Fatal(err)
	}
	return &r.Header
}

func TestHeaderLookup(t *testing.T) {
	h := headerOf(t, "Accept: a", "X-Empty:", "accept: b", "Host: h")
	if h.Len() != 4 || h.Count("ACCEPT") != 2 || h.Count("Nothing") != 0 {
		t.Errorf("%d fields, %d of them Accept", h.Len(), h.Count("ACCEPT"))
	}
	if got := h.Get("aCCept"); string(got) != "a" {
		t.Errorf("Get gives %q, want the first value", got)
	}
	if h.Get("Nothing") != nil || h.Has("Nothing") {
		t.Errorf("a field that is not there is found")
	}
	if v := h.Get("X-Empty"); v == nil || len(v) != 0 || !h.Has("X-Empty") {
		t.Errorf("an empty field is not found: %v", v)
	}
	var all []string
	h.All("Accept", func(v []byte) bool { all = append(all, string(v)); return true })
	if strings.Join(all, " ") != "a b" {
		t.Errorf("All gives %q", all)
	}
	h.All("Accept", func(v []byte) bool { all = append(all, "once"); return false })
	if len(all) != 3 {
		t.Errorf("All goes on when told to stop: %q", all)
	}
	var names []string
	for name := range h.Each {
		if names = append(names, string(name)); len(names) == 3 {
			break
		}
	}
	if strings.Join(names, " ") != "Accept X-Empty accept" {
		t.Errorf("Each gives %q", names)
	}
}

func TestHeaderHasToken(t *testing.T) {
	h := headerOf(t, "Connection: Keep-Alive , X-A", "Connection:,,\tclose", "Connection: not this")
	for token, want := range map[string]bool{"keep-alive": true, "x-a": true, "CLOSE": true, "not": false, "not this": true, "keep": false} {
		if h.HasToken("connection", token) != want {
			t.Errorf("token %q found: %v, want %v", token, !want, want)
		}
	}
	if h.HasToken("Upgrade", "close") {
		t.Errorf("a token is found in a field that is not there")
	}
}

func TestHeaderChanges(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(h *Header)
		want   string
	}{
		{"add", func(h *Header) { h.Add("a", []byte("5")) }, "A: 1|B: 2|a: 3|C: 4|a: 5"},
		{"set in place", func(h *Header) { h.Set("b", []byte("5")) }, "A: 1|b: 5|a: 3|C: 4"},
		{"set the first, drop the others", func(h *Header) { h.Set("A", []byte("5")) }, "A: 5|B: 2|C: 4"},
		{"set what is not there", func(h *Header) { h.Set("D", []byte("5")) }, "A: 1|B: 2|a: 3|C: 4|D: 5"},
		{"delete all of a name", func(h *Header) { h.Del("a") }, "B: 2|C: 4"},
		{"delete the last", func(h *Header) { h.Del("C") }, "A: 1|B: 2|a: 3"},
		{"delete what is not there", func(h *Header) { h.Del("D") }, "A: 1|B: 2|a: 3|C: 4"},
		{"nil is an empty value", func(h *Header) { h.Set("B", nil) }, "A: 1|B: |a: 3|C: 4"},
		{"a value cannot end its field", func(h *Header) { h.Set("B", []byte("x\r\nEvil: y\x00")) }, "A: 1|B: x  Evil: y |a: 3|C: 4"},
		{"reset", func(h *Header) { h.Reset(); h.Add("Z", []byte("1")) }, "Z: 1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := headerOf(t, "A: 1", "B: 2", "a: 3", "C: 4")
			test.change(h)
			got := strings.TrimSuffix(strings.ReplaceAll(string(h.AppendTo(nil)), "\r\n", "|"), "|")
			if got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestHeaderCopyIsIndependent(t *testing.T) {
	h := headerOf(t, "A: 1", "B: 2", "C: 3")
	var c Header
	c.Add("Left", []byte("over"))
	c.CopyFrom(h)
	c.Del("A")
	c.Set("C", []byte("x"))
	if got := string(h.AppendTo(nil)); got != "A: 1\r\nB: 2\r\nC: 3\r\n" {
		t.Errorf("changing the copy changed the original: %q", got)
	}
	if got := string(c.AppendTo(nil)); got != "B: 2\r\nC: x\r\n" {
		t.Errorf("the copy is %q", got)
	}
	value := []byte("a\nb")
	c.Add("V", value)
	if string(value) != "a\nb" {
		t.Errorf("Add changed its caller's value to %q", value)
	}
}

func TestRemoveHopByHop(t *testing.T) {
	h := headerOf(t,
		"Host: h", "Connection: X-A, keep-alive,,", "X-A: 1", "X-B: 2", "connection: x-b , HOST, Content-Length, transfer-encoding, connection",
		"Keep-Alive: 3", "Proxy-Connection: close", "TE: gzip", "Trailer: T", "Upgrade: h2c", "Content-Length: 5",
		"Transfer-Encoding: chunked", "Proxy-Authorization: p", "X-C: 4", "X-a: 5")
	RemoveHopByHop(h)
	want := "Host: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nProxy-Authorization: p\r\nX-C: 4\r\n"
	if got := string(h.AppendTo(nil)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What a long list names is removed as what a short one names is, and nothing else.
func TestRemoveHopByHopOfLongLists(t *testing.T) {
	for n := range 3 * fewListed {
		var fields, left []string
		list := "Connection: host, Content-length, Connection"
		fields = append(fields, "Host: h", "Content-Length: 5")
		for i := range n {
			list += fmt.Sprintf(",x-Listed-%d ,,", i)
			fields = append(fields, fmt.Sprintf("X-listed-%d: 1", i), fmt.Sprintf("X-Kept-%d: 1", i), fmt.Sprintf("X-LISTED-%d: 2", i))
		}
		fields = append(fields, list, "Connection: keep-alive, x-last", "X-Last: 1")
		h := headerOf(t, fields...)
		RemoveHopByHop(h)
		for name := range h.Each {
			left = append(left, string(name))
		}
		if len(left) != 2+n || n > 0 && left[2] != "X-Kept-0" {
			t.Errorf("with %d listed names %q is left", n, left)
		}
	}
}

func TestKeepAlive(t *testing.T) {
	for _, test := range []struct {
		name         string
		major, minor uint8
		fields       []string
		want         bool
	}{
		{"1.1", 1, 1, nil, true},
		{"1.1, close", 1, 1, []string{"Connection: close"}, false},
		{"1.1, close among others", 1, 1, []string{"Connection: X, Close"}, false},
		{"1.1, close to the proxy", 1, 1, []string{"Proxy-Connection: close"}, false},
		{"1.2", 1, 2, nil, true},
		{"1.0", 1, 0, nil, false},
		{"1.0, keep-alive", 1, 0, []string{"Connection: Keep-Alive"}, true},
		{"1.0, keep-alive to the proxy", 1, 0, []string{"Proxy-Connection: keep-alive"}, true},
		{"1.0, both", 1, 0, []string{"Connection: keep-alive, close"}, false},
		{"0.9", 0, 9, []string{"Connection: keep-alive"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := KeepAlive(test.major, test.minor, headerOf(t, test.fields...)); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestFirstLines(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{string(AppendStatusLine(nil, 200, "")), "HTTP/1.1 200 OK\r\n"},
		{string(AppendStatusLine(nil, 299, "")), "HTTP/1.1 299 Unassigned\r\n"},
		{string(AppendStatusLine([]byte("x"), 200, "Connection established")), "xHTTP/1.1 200 Connection established\r\n"},
		{string(AppendRequestLine([]byte("x"), "PUT", []byte("/a b"))), "xPUT /a b HTTP/1.1\r\n"},
		{StatusText(416), "Requested Range Not Satisfiable"},
		{StatusText(505), "HTTP Version not supported"},
		{StatusText(418), "Unassigned"},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}

// What is looked up by a name is found however either is spelt: what the marks lack is not there.
func TestNamesAreFoundInAnyCase(t *testing.T) {
	for first := range 256 {
		for last := range 256 {
			if !is(byte(first), tokenChar) || !is(byte(last), tokenChar) {
				continue
			}
			name := []byte{byte(first), '-', byte(last)}
			for _, other := range [][]byte{bytes.ToUpper(name), bytes.ToLower(name)} {
				var h Header
				h.Add(string(name), []byte("x"))
				if h.Get(string(other)) == nil {
					t.Fatalf("%q is not found as %q", name, other)
				}
			}
		}
	}
}

func TestOnly(t *testing.T) {
	var h Header
	for n, want := range []bool{false, true, false} {
		if value, only := h.Only("a"); only != want || (value == nil) != (n == 0) {
			t.Errorf("of %d: %q, %v", n, value, only)
		}
		h.Add("A", []byte(""))
	}
}

func TestRevise(t *testing.T) {
	var h Header
	for _, f := range []string{"A", "b", "A", "C"} {
		h.Add(f, []byte("1"))
	}
	h.Revise(func(name, value []byte) ([]byte, bool) {
		switch string(name) {
		case "b":
			return []byte("2\r\nX: 3"), true
		case "C":
			return nil, false
		}
		return value, true
	})
	if got, want := string(h.AppendTo(nil)), "A: 1\r\nb: 2  X: 3\r\nA: 1\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if h.Has("C") || h.Len() != 3 {
		t.Error("a field that is not kept is there")
	}
}

// CopyEndToEnd copies what CopyFrom and RemoveHopByHop leave, however long the list in Connection is.
func TestCopyEndToEnd(t *testing.T) {
	for n := range 3 * fewListed {
		fields, list := []string{"Host: h", "TE: gzip", "Proxy-Authorization: p", "Upgrade: u"}, "Connection: host"
		for i := range n {
			list += fmt.Sprintf(", x-Listed-%d", i)
			fields = append(fields, fmt.Sprintf("X-listed-%d: 1", i), fmt.Sprintf("X-Kept-%d: 1", i))
		}
		src := headerOf(t, append(fields, list)...)
		var want, got Header
		got.Add("Old", []byte("x"))
		want.CopyFrom(src)
		RemoveHopByHop(&want)
		want.Del("Host")
		got.CopyEndToEnd(src, "Host")
		if g, w := string(got.AppendTo(nil)), string(want.AppendTo(nil)); g != w {
			t.Errorf("%d fields are listed: got %q, want %q", n, g, w)
		}
		if !got.Has("Proxy-Authorization") || src.Len() != len(fields)+1 {
			t.Errorf("%d fields are listed: one is not found, or the source has changed", n)
		}
	}
}
