package acceptance

import (
	"fmt"
	"io"
	"syscall"
	"time"
)

// Blocked pages whose URLs are no UTF-8, which our redirectors die of: 20 a second, whether they are answered or not.
var poisonURLs = badPeer{"poison", 1, time.Second / 20, func(s *storm, number int) {
	s.meanwhile(func() {
		s.sends(get(s.people.forbidden.at(forbiddenName, fmt.Sprintf("/poison/%d\xff", number))), 10*time.Second)
	})
}}

// What other lines may do to a redirector: they are long, or have control characters or a second line in them.
var oddURLs = badPeer{"odd URLs", 2, 50 * time.Millisecond, func(s *storm, number int) {
	tails := []string{"%01", "%0d%0aOK", "%7f", "/\\r", "%5cn", fmt.Sprintf("%08000d", number), "%00", "?u=http://elsewhere.test/%20OK"}
	s.sends(get(s.people.forbidden.at(forbiddenName, fmt.Sprintf("/odd/%d/%s", number, tails[number%len(tails)]))), 10*time.Second)
}}

// A redirector is killed now and then.
var killedHelpers = badPeer{"kills", 1, 2 * time.Second, func(s *storm, number int) {
	if all := s.helpers(); len(all) > 0 {
		syscall.Kill(all[number%len(all)], syscall.SIGKILL)
	}
}}

// sends sends something on a connection of its own, and reads what comes until nothing more does.
func (s *storm) sends(text string, within time.Duration) {
	conn := s.dial()
	if conn == nil {
		return
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(within))
	if _, err := io.WriteString(conn, text); err != nil {
		return
	}
	conn.Read(make([]byte, 4096))
}
