package acceptance

import (
	"fmt"
	"io"
	"time"
)

// Names of a zone whose name server never answers, asked for by clients who leave soon.
var silentNames = badPeer{"silent names", 40, 10 * time.Millisecond, func(s *storm, number int) {
	conn := s.dial()
	if conn == nil {
		return
	}
	defer conn.Close()
	io.WriteString(conn, get(fmt.Sprintf("http://n%d.%s/", number, silentName)))
	conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	conn.Read(make([]byte, 1))
}}
