package acceptance

import (
	"bufio"
	"crypto/md5"
	"encoding/binary"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// What real helpers stand on: files, servers, and a machine's users.

// prepare makes what the helpers of a configuration need, in the folder of a proxy, and returns how that is started.
func (h *helped) prepare(dir string, p program) program {
	h.t.Helper()
	writeFile(h.t, dir, "hosts", "127.0.0.5 origin.test\n127.0.0.5 blocked.test\n")
	all := ""
	for _, f := range h.archive.Files {
		all += string(f.Data)
	}
	if strings.Contains(all, "{etc}") {
		p = h.ownEtc(dir, p)
	}
	if strings.Contains(all, "{run}") {
		p = withFolder(h.t, filepath.Join(dir, "run"), "/run", p)
	}
	for _, f := range h.archive.Files {
		switch f.Name {
		case "needs", "setup", "beside", "squid.conf", "requests":
		default:
			writeFile(h.t, dir, f.Name, h.fill(dir, string(f.Data)))
		}
	}
	// the helpers are another user's
	cmd := exec.Command("/bin/sh", "-euc", "umask 0\n"+h.fill(dir, string(section(h.archive, "setup"))))
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		h.t.Fatalf("setup: %v\n%s", err, out)
	}
	for line := range strings.Lines(h.fill(dir, string(section(h.archive, "beside")))) {
		h.beside(dir, strings.Fields(line))
	}
	return p
}

// ownEtc starts a proxy in a world whose /etc is a copy that the setup may change.
func (h *helped) ownEtc(dir string, p program) program {
	h.t.Helper()
	etc := filepath.Join(dir, "etc")
	if out, err := exec.Command("cp", "-a", "/etc", etc).CombinedOutput(); err != nil {
		h.t.Skipf("these helpers read files of /etc, and no copy of that can be made: %v\n%s", err, out)
	}
	return withEtc(h.t, etc, p)
}

// beside starts a server, and waits until it listens at the port, or at the socket, that stands in front.
func (h *helped) beside(dir string, words []string) {
	h.t.Helper()
	cmd := exec.Command(words[1], words[2:]...)
	cmd.Dir = dir
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	network, addr := "tcp", "127.0.0.1:"+words[0]
	if strings.HasPrefix(words[0], "/") {
		network, addr = "unix", words[0]
	}
	if !poll(20*time.Second, func() bool {
		conn, err := net.Dial(network, addr)
		if err == nil {
			conn.Close()
		}
		return err == nil
	}) {
		h.t.Fatalf("%s does not listen at %s", words[1], addr)
	}
}

// fill replaces what stands for a folder or for the address of a server, which is started when it is first named.
func (h *helped) fill(dir, text string) string {
	h.t.Helper()
	for name, begin := range map[string]func() string{
		"{pop3}": h.servePOP3, "{radius}": h.serveRADIUS, "{ldap}": func() string { return freePort(h.t) },
		"{jesred}": func() string { return jesred(h.t) },
	} {
		if h.peers[name] == "" && strings.Contains(text, name) {
			h.peers[name] = begin()
		}
	}
	for name, value := range h.peers {
		text = strings.ReplaceAll(text, name, value)
	}
	return strings.NewReplacer("{etc}", filepath.Join(dir, "etc"), "{run}", filepath.Join(dir, "run"), "{dir}", dir).Replace(text)
}

// servePOP3 is a mail server (RFC 1939) that knows one user. It returns its address.
func (h *helped) servePOP3() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go talkPOP3(conn)
		}
	}()
	return l.Addr().String()
}

func talkPOP3(conn net.Conn) {
	defer conn.Close()
	fmt.Fprint(conn, "+OK ready\r\n")
	user := ""
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		command, value, _ := strings.Cut(lines.Text(), " ")
		answer := "+OK"
		switch strings.ToUpper(command) {
		case "USER":
			user = value
		case "PASS":
			if user != "bob" || value != "secret" {
				answer = "-ERR no"
			}
		case "STAT":
			answer = "+OK 0 0"
		case "QUIT":
			fmt.Fprint(conn, "+OK\r\n")
			return
		}
		fmt.Fprint(conn, answer+"\r\n")
	}
}

// radiusSecret is shared with the helper.
const radiusSecret = "shared"

// serveRADIUS is a server of RFC 2865 that knows one user. It returns its port.
func (h *helped) serveRADIUS() string {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { conn.Close() })
	go func() {
		buffer := make([]byte, 4096)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			if n >= 20 {
				conn.WriteTo(answerRADIUS(buffer[:n]), from)
			}
		}
	}()
	_, port, _ := net.SplitHostPort(conn.LocalAddr().String())
	return port
}

// answerRADIUS is Access-Accept (2) or Access-Reject (3), with the authenticator of section 3.
func answerRADIUS(request []byte) []byte {
	const userName, userPassword = 1, 2
	user, password := "", ""
	for rest := request[20:]; len(rest) > 2 && int(rest[1]) >= 2 && int(rest[1]) <= len(rest); rest = rest[rest[1]:] {
		switch value := rest[2:rest[1]]; rest[0] {
		case userName:
			user = string(value)
		case userPassword:
			password = uncoverRADIUS(value, request[4:20])
		}
	}
	reply := []byte{3, request[1], 0, 0}
	if user == "bob" && password == "secret" {
		reply[0] = 2
	}
	binary.BigEndian.PutUint16(reply[2:], 20)
	sum := md5.Sum([]byte(string(reply) + string(request[4:20]) + radiusSecret))
	return append(reply, sum[:]...)
}

// uncoverRADIUS undoes what section 5.2 does to a password of at most 16 bytes.
func uncoverRADIUS(hidden, authenticator []byte) string {
	mask := md5.Sum([]byte(radiusSecret + string(authenticator)))
	plain := make([]byte, min(len(hidden), len(mask)))
	for i := range plain {
		plain[i] = hidden[i] ^ mask[i]
	}
	return strings.TrimRight(string(plain), "\x00")
}
