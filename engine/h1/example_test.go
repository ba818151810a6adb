package h1_test

import (
	"fmt"

	"exaproxy/engine/h1"
)

// A request is parsed from bytes that arrive in portions, and passed on.
func Example() {
	var (
		request h1.Request
		buf     []byte
		n       int
		err     error
	)
	for _, portion := range []string{
		"POST http://WWW.Example.com:80/form HTTP/1.1\r\nHost: www.example.com\r\n",
		"Connection: close\r\nContent-Length: 7\r\n\r\na=1", "&b=2GET",
	} {
		buf = append(buf, portion...)
		n, err = h1.ParseRequest(buf, &request, h1.Limits{})
		if err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(request.Method, string(request.Target.AppendURL(nil)))

	body, err := h1.RequestBody(&request)
	if err != nil {
		panic(err)
	}
	_, m, err := body.Pass(buf[n:])
	fmt.Printf("body %q, done %v, rest %q\n", buf[n:n+m], body.Done(), buf[n+m:])

	h1.RemoveHopByHop(&request.Header)
	body.Declare(&request.Header)
	head := h1.AppendRequestLine(nil, request.Method, request.Target.Path)
	fmt.Printf("%q\n", request.Header.AppendTo(head))
	// Output:
	// parse head: more bytes are needed
	// POST http://www.example.com/form
	// body "a=1&b=2", done true, rest "GET"
	// "POST /form HTTP/1.1\r\nHost: www.example.com\r\nContent-Length: 7\r\n"
}

// The payload of a chunked reply, without its framing.
func ExampleBody_Data() {
	raw := []byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n7;x=y\r\n, world\r\n0\r\n\r\n")
	var reply h1.Reply
	n, err := h1.ParseReply(raw, &reply, h1.Limits{})
	if err != nil {
		panic(err)
	}
	body, err := h1.ReplyBody("GET", &reply)
	if err != nil {
		panic(err)
	}
	payload, _, err := body.Data(nil, raw[n:])
	fmt.Printf("%d %q %v %v\n", reply.Status, payload, body.Done(), err)
	// Output: 200 "hello, world" true <nil>
}

// Ambiguous messages are refused.
func ExampleSyntaxError() {
	var request h1.Request
	_, err := h1.ParseRequest([]byte("GET http://a/ HTTP/1.1\r\nHost : a\r\n\r\n"), &request, h1.Limits{})
	if fault, ok := err.(*h1.SyntaxError); ok {
		fmt.Println(fault.Kind, "-", err)
	}
	// Output: field - parse field: not a field name in "Host "
}
