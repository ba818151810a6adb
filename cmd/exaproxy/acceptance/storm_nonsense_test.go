package acceptance

import (
	"strings"
	"time"
)

// nonsense are requests that make no sense, or whose end two readers would see in different places. {to} is the
// forbidden origin.
var nonsense = []string{
	"POST {to} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nZ\r\n",
	"POST {to} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n",
	"POST {to} HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\nGET {to} HTTP/1.1\r\n\r\n",
	"POST {to} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n00000000000000000000000000000001\r\nx\r\n0\r\n\r\n",
	"POST {to} HTTP/1.1\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
	"POST {to} HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
	"GET {to} HTTP/1.1\r\n folded: x\r\n\r\n",
	"GET {to} HTTP/1.1\r\nA : x\r\n\r\n",
	"GET {to}\r\n\r\n",
	"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
	"CONNECT {to} HTTP/1.1\r\n\r\n",
	"GET http://forbidden.test@{host}/ HTTP/1.1\r\n\r\n",
	"GET {to} HTTP/1.1\r\nConnection: " + strings.Repeat("x,", 20_000) + "\r\n\r\n",
	"GET {to} HTTP/1.1\r\n" + strings.Repeat("A: x\r\n", 3000) + "\r\n",
	"GET {to}" + strings.Repeat("a", 70_000) + " HTTP/1.1\r\n\r\n",
	"\r\n\r\n\r\nGET {to} HTTP/1.1\nHost: x\n\n",
}

var nonsenseSent = badPeer{"nonsense", 4, 50 * time.Millisecond, func(s *storm, number int) {
	to := s.people.forbidden.at(forbiddenName, "/nonsense")
	host, _, _ := strings.Cut(strings.TrimPrefix(to, "http://"), "/")
	s.sends(strings.NewReplacer("{to}", to, "{host}", host).Replace(nonsense[number%len(nonsense)]), time.Second)
}}
