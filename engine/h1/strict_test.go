package h1

import "testing"

func TestBodyOf10(t *testing.T) {
	for head, kind := range map[string]ErrorKind{
		"POST http://a.test/ HTTP/1.0\r\n":                               BadFraming,
		"PUT http://a.test/ HTTP/1.0\r\n":                                BadFraming,
		"PATCH http://a.test/ HTTP/1.0\r\n":                              0,
		"POST http://a.test/ HTTP/1.0\r\nContent-Length: 0\r\n":          0,
		"GET http://a.test/ HTTP/1.0\r\n":                                0,
		"GET http://a.test/ HTTP/1.0\r\nContent-Length: 0\r\n":           BadField,
		"HEAD http://a.test/ HTTP/1.0\r\nContent-Length: 3\r\n":          BadField,
		"DELETE http://a.test/ HTTP/1.0\r\nContent-Length: 3\r\n":        BadField,
		"OPTIONS http://a.test/ HTTP/1.0\r\nContent-Length: 3\r\n":       0,
		"GET http://a.test/ HTTP/1.1\r\nContent-Length: 3\r\n":           0,
		"POST http://a.test/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n": 0,
		"POST http://a.test/ HTTP/1.1\r\n":                               0,
		"GET http://a.test/\r\n":                                         0,
	} {
		var r Request
		if _, err := ParseRequest([]byte(head+"\r\n"), &r, Limits{}); err != nil {
			t.Errorf("%q: %v", head, err)
		} else if err := r.BodyOf10(); kindOf(t, err) != kind {
			t.Errorf("%q: got %v, want a fault of kind %v", head, err, kind)
		}
	}
}

func TestConforms(t *testing.T) {
	const get, host = "GET http://a.test/ HTTP/1.1\r\n", "Host: a.test\r\n"
	for _, test := range []struct {
		name, head string
		kind       ErrorKind
	}{
		{"one Host", get + host, 0},
		{"another Host beside a URL", get + "Host: b.test:81\r\n", 0},
		{"an address", get + "Host: [2001:db8::1]:80\r\n", 0},
		{"no Host", get, BadField},
		{"no Host of HTTP/1.0", "GET http://a.test/ HTTP/1.0\r\n", 0},
		{"HTTP/0.9", "GET http://a.test/\r\n", 0},
		{"Host twice", get + host + host, BadField},
		{"an empty Host", get + "Host:\r\n", BadField},
		{"Host with a blank", get + "Host: a b\r\n", BadField},
		{"Host with a path", get + "Host: a/b\r\n", BadField},
		{"Host with somebody", get + "Host: a@b\r\n", BadField},
		{"Host with a port of words", get + "Host: a:b\r\n", BadField},
		{"two hosts in a Host of HTTP/1.0", "GET http://a.test/ HTTP/1.0\r\nHost: a, b\r\n", BadField},
		{"CONNECT without Host", "CONNECT a.test:443 HTTP/1.1\r\n", BadField},
		{"get", "get http://a.test/ HTTP/1.1\r\n" + host, BadRequestLine},
		{"a method of its own", "foo http://a.test/ HTTP/1.1\r\n" + host, 0},
		{"GET with a length", get + host + "Content-Length: 5\r\n", BadFraming},
		{"GET with nothing", get + host + "Content-Length: 0\r\n", 0},
		{"GET in chunks", get + host + "Transfer-Encoding: chunked\r\n", BadFraming},
		{"HEAD with a length", "HEAD http://a.test/ HTTP/1.1\r\n" + host + "Content-Length: 5\r\n", BadFraming},
		{"TRACE with a length", "TRACE http://a.test/ HTTP/1.1\r\n" + host + "Content-Length: 5\r\n", BadFraming},
		{"OPTIONS with a length", "OPTIONS http://a.test/ HTTP/1.1\r\n" + host + "Content-Length: 5\r\n", 0},
		{"POST with a length", "POST http://a.test/ HTTP/1.1\r\n" + host + "Content-Length: 5\r\n", 0},
	} {
		var r Request
		if _, err := ParseRequest([]byte(test.head+"\r\n"), &r, Limits{}); err != nil {
			t.Errorf("%s: %v", test.name, err)
		} else if err := r.Conforms(); kindOf(t, err) != test.kind {
			t.Errorf("%s: got %v, want a fault of kind %v", test.name, err, test.kind)
		}
	}
}
