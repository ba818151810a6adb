package acceptance

import (
	"fmt"
	"io"
	"time"
)

// Heads that never end: a byte now and then.
var slowHeads = badPeer{"slow heads", 60, time.Millisecond, func(s *storm, number int) {
	conn := s.dial()
	if conn == nil {
		return
	}
	defer conn.Close()
	io.WriteString(conn, fmt.Sprintf("GET %s HTTP/1.1\r\nX: ", s.people.forbidden.at(forbiddenName, "/slow")))
	for range 20 {
		if !s.pass(100 * time.Millisecond) {
			return
		}
		if _, err := io.WriteString(conn, "x"); err != nil {
			return
		}
	}
}}

// Clients that connect and say nothing. There are more of them than a proxy with few descriptors can have.
var idleClients = badPeer{"idle clients", 300, 100 * time.Millisecond, func(s *storm, number int) {
	conn := s.dial()
	if conn == nil {
		return
	}
	defer conn.Close()
	conn.SetReadDeadline(time.Now().Add(2 * time.Second))
	conn.Read(make([]byte, 1))
}}

// Clients that ask for much, read a little and leave.
var slowReaders = badPeer{"slow readers", 40, 10 * time.Millisecond, func(s *storm, number int) {
	conn := s.dial()
	if conn == nil {
		return
	}
	defer conn.Close()
	io.WriteString(conn, get(s.people.good.at(goodName, "/bytes/3000000")))
	b := make([]byte, 16<<10)
	for range 10 {
		conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		if _, err := conn.Read(b); err != nil || !s.pass(100*time.Millisecond) {
			return
		}
	}
}}

// Uploads that stop in the middle.
var brokenUploads = badPeer{"broken uploads", 10, 100 * time.Millisecond, func(s *storm, number int) {
	conn := s.dial()
	if conn == nil {
		return
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n%s", s.people.good.at(goodName, "/sum"), stormPattern())
	s.pass(time.Second)
}}
