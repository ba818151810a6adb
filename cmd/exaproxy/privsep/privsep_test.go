package privsep

import (
	"errors"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"exaproxy/compat/account"
	"exaproxy/compat/conf"
)

// An owner notes what it is told.
type owner struct {
	mu     sync.Mutex
	told   []string
	refuse error
}

func (o *owner) note(text string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.told = append(o.told, text)
	return o.refuse
}

func (o *owner) refusing(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.refuse = err
}

func (o *owner) Starting(_ *account.User, path string) error { return o.note("starting " + path) }
func (o *owner) Ready(bool)                                  { o.note("ready") }
func (o *owner) Reloaded(_ int64, reason string)             { o.note("reloaded " + reason) }
func (o *owner) Notify(state string)                         { o.note("notify " + state) }
func (o *owner) RemovePIDFile() error                        { return o.note("remove") }
func (o *owner) CacheLog(file *os.File) {
	if file == nil {
		o.note("no cache.log")
		return
	}
	o.note("cache.log")
	file.Close()
}

// pair makes a client of a server under a configuration. The server's end comes by ended.
func pair(t *testing.T, o *owner, text string) (c *Client, dir string, ended <-chan struct{}) {
	t.Helper()
	dir = t.TempDir()
	path := filepath.Join(dir, "squid.conf")
	if err := os.WriteFile(path, []byte(os.Expand(text, func(string) string { return dir })), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "conf.d"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "conf.d", "one.conf"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	ours, theirs := sockets(t)
	server, err := NewServer(theirs, o, func() (*Named, error) {
		return NewNamed(path, conf.Macros{}, []string{"8080"}, []string{dir + "/default.log"})
	})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { server.Serve(); close(done) }()
	c, err = NewClient(ours)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, dir, done
}

func sockets(t *testing.T) (ours, theirs *os.File) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return os.NewFile(uintptr(fds[0]), "ours"), os.NewFile(uintptr(fds[1]), "theirs")
}

const configuration = `http_port 127.0.0.1:80
acl listed dstdomain "$DIR/list" # and "$DIR/comment"
acl probes urlpath_regex -i $DIR/probes
coredump_dir $DIR/errors
https_port 443 cert=$DIR/cert.pem
access_log stdio:$DIR/access.log squid
error_directory $DIR/errors/
include $DIR/conf.d/*.conf
`

func TestOnlyWhatTheConfigurationNames(t *testing.T) {
	var o owner
	c, dir, _ := pair(t, &o, configuration)
	for _, name := range []string{"list", "cert.pem", "unnamed", "probes", "comment", "errors/ERR_ACCESS_DENIED", "errors.secret"} {
		os.Mkdir(filepath.Join(dir, filepath.Dir(name)), 0o700)
		if err := os.WriteFile(filepath.Join(dir, name), []byte("acl all src all\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Starting(nil, "/run/squid.pid"); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name          string
		read, written bool
	}{
		{"squid.conf", true, false},
		{"conf.d/one.conf", true, false},
		{"list", true, false},
		{"cert.pem", true, false},
		{"errors/ERR_ACCESS_DENIED", true, false},
		{"access.log", false, true},
		{"default.log", false, true},
		{"unnamed", false, false},
		{"probes", false, false},
		{"comment", false, false},
		{"errors", false, false},
		{"errors/../unnamed", false, false},
		{"errors.secret", false, false},
		{"st", false, false},
		{"", false, false},
	} {
		path := filepath.Join(dir, row.name)
		if row.name == "errors/../unnamed" {
			path = dir + "/" + row.name // as it is written
		}
		file, err := c.Append(path)
		check(t, "append to "+row.name, row.written, file, err)
		file, err = c.Read(path)
		check(t, "read "+row.name, row.read, file, err)
	}
	names, err := c.Match(dir + "/conf.d/*.conf")
	if err != nil || !slices.Equal(names, []string{dir + "/conf.d/one.conf"}) {
		t.Errorf("the include line matches %v: %v", names, err)
	}
	if names, err := c.Match(dir + "/*"); err == nil {
		t.Errorf("another pattern matches %v", names)
	}
}

// TestTheFormatOfALogIsNoLog has words beside the name of a log name none.
func TestTheFormatOfALogIsNoLog(t *testing.T) {
	var o owner
	c, dir, _ := pair(t, &o, configuration)
	if err := c.Starting(nil, ""); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	if file, err := c.Append("squid"); err == nil {
		t.Errorf("%s is opened", file.Name())
	}
}

// TestLinesOfOthersNameNothing has root do nothing for lines in a file that somebody else can change.
func TestLinesOfOthersNameNothing(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("whoever is not root has nothing to give")
	}
	var o owner
	c, dir, _ := pair(t, &o, configuration)
	theirs := filepath.Join(dir, "conf.d", "one.conf")
	for name, text := range map[string]string{theirs: "acl a dstdomain \"" + dir + "/a\"\naccess_log stdio:" + dir + "/b\nhttp_port 81\n", dir + "/a": ".test\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Starting(nil, ""); err != nil {
		t.Fatal(err)
	}
	file, err := c.Read(dir + "/a")
	check(t, "root's own include", true, file, err)
	if err := os.Chmod(theirs, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(theirs, append([]byte("# changed\n"), must(os.ReadFile(theirs))...), 0o666); err != nil {
		t.Fatal(err)
	}
	file, err = c.Read(dir + "/a")
	check(t, "a list of others", false, file, err)
	file, err = c.Append(dir + "/b")
	check(t, "a log of others", false, file, err)
	if err == nil || !strings.Contains(err.Error(), "since others than root can change "+theirs) {
		t.Errorf("the reason is not told: %v", err)
	}
	if err := os.Chmod(theirs, 0o600); err != nil { // which leaves its text and the time of that as they are
		t.Fatal(err)
	}
	file, err = c.Read(dir + "/a")
	check(t, "root's own include again", true, file, err)
	if err := c.Shift(dir+"/b", 1); err != nil {
		t.Errorf("a log of root's is not shifted: %v", err)
	}
	if err := c.Shift(dir+"/a", 1); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("what is no log is shifted: %v", err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func check(t *testing.T, what string, want bool, file *os.File, err error) {
	t.Helper()
	if got := err == nil; got != want || !want && !errors.Is(err, fs.ErrPermission) {
		t.Errorf("%s: %v", what, err)
	}
	if file != nil {
		file.Close()
	}
}

func TestPorts(t *testing.T) {
	var o owner
	c, _, _ := pair(t, &o, configuration)
	if err := c.Starting(nil, ""); err != nil {
		t.Fatal(err)
	}
	for port, want := range map[uint16]bool{443: true, 8080: true, 80: false, 3: false, 8: false, 0: false, 25: false} {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		// a network of its own would be needed to bind them: an address that is none of ours tells that it was tried
		err = c.Bind(fd, netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), port))
		if tried := errors.Is(err, unix.EADDRNOTAVAIL); tried != want || !want && !errors.Is(err, unix.EACCES) {
			t.Errorf("port %d: %v", port, err)
		}
		unix.Close(fd)
	}
	for kind, want := range map[int]error{unix.SOCK_STREAM: nil, unix.SOCK_DGRAM: unix.EACCES} {
		fd, err := unix.Socket(unix.AF_INET, kind|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		// the line names 127.0.0.1:80
		if err := c.Bind(fd, netip.MustParseAddrPort("127.0.0.1:80")); !errors.Is(err, want) && !errors.Is(err, unix.EADDRINUSE) {
			t.Errorf("kind %d: %v, want %v", kind, err, want)
		}
		unix.Close(fd)
	}
	if err := c.do(question{Op: opBind, Addr: netip.MustParseAddrPort("127.0.0.1:80")}, nil); !errors.Is(err, unix.EBADF) {
		t.Errorf("without a socket: %v", err)
	}
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := c.Bind(int(file.Fd()), netip.MustParseAddrPort("127.0.0.1:80")); !errors.Is(err, unix.ENOTSOCK) {
		t.Errorf("with a file: %v", err)
	}
	if err := c.Bind(-1, netip.AddrPort{}); !errors.Is(err, unix.EBADF) {
		t.Errorf("with nothing: %v", err)
	}
}

func TestNothingIsOpenedBeforeTheProxyStarts(t *testing.T) {
	var o owner
	o.refusing(errors.New("there is one"))
	c, dir, ended := pair(t, &o, configuration)
	if err := c.Starting(nil, "/a"); err == nil || err.Error() != "there is one" {
		t.Errorf("the owner's refusal is %v", err)
	}
	if _, err := c.Read(dir + "/squid.conf"); err == nil {
		t.Error("a file is opened")
	}
	o.refusing(nil)
	if err := c.Starting(nil, "/b"); err != nil {
		t.Fatal(err)
	}
	// whoever is root no more may not say again that he becomes root
	if err := c.Starting(&account.User{Name: "root"}, "/c"); err == nil {
		t.Error("a second start is believed")
	}
	c.Close()
	<-ended
	if want := []string{"starting /a", "starting /b"}; !slices.Equal(o.told, want) {
		t.Errorf("the owner is told %q", o.told)
	}
}

func TestWhatTheOwnerIsTold(t *testing.T) {
	var o owner
	c, _, ended := pair(t, &o, configuration)
	for _, err := range []error{
		c.Ready(true), c.CacheLog(os.Stderr), c.CacheLog(nil), c.Reloaded(7, errors.New("no")), c.Reloaded(8, nil),
		c.Notify("READY=1\nMAINPID=1\nWATCHDOG=trigger\nMONOTONIC_USEC=12x\nSTATUS=a\x1bb\nSTOPPING=2"), c.RemovePIDFile(),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	if err := c.do(question{Op: "format"}, nil); err == nil {
		t.Error("an unknown operation is no error")
	}
	c.Close()
	<-ended
	if want := []string{"ready", "cache.log", "no cache.log", "reloaded no", "reloaded ", "notify READY=1\nSTATUS=a b\nSTOPPING=1", "remove"}; !slices.Equal(o.told, want) {
		t.Errorf("the owner is told %q", o.told)
	}
}

func TestTheOtherEndIsGone(t *testing.T) {
	ours, theirs := sockets(t)
	c, err := NewClient(ours)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	theirs.Close()
	<-c.Gone()
	if _, err := c.Read("/a"); !errors.Is(err, errGone) {
		t.Errorf("a dead server gives %v", err)
	}
	var none *Client
	if _, err := none.Read("/a"); !errors.Is(err, errNobody) || none.Gone() != nil {
		t.Errorf("no server gives %v", err)
	}
	none.Close()
}

// TestLateAnswers has a question that was given up be no harm to the next: its answer is dropped, with the
// file beside it.
func TestLateAnswers(t *testing.T) {
	ours, theirs := sockets(t)
	c, err := NewClient(ours)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	conn, err := newConn(theirs)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		var q question
		if _, err := receive(conn, make([]byte, longestPacket), &q); err != nil {
			panic(err)
		}
		send(conn, answer{ID: q.ID - 1, Error: "late"}, write) // of the question before
		write.Close()
		send(conn, answer{ID: q.ID - 1, Error: "later"}, nil)
		send(conn, answer{ID: q.ID}, nil)
	}()
	if err := c.RemovePIDFile(); err != nil {
		t.Errorf("the next question is answered with %v", err)
	}
	if _, err := io.ReadAll(read); err != nil {
		t.Error(err)
	}
	select {
	case <-c.Gone():
		t.Error("a late answer ends the connection")
	default:
	}
}

// TestTwoDescriptors has both be closed where one is meant.
func TestTwoDescriptors(t *testing.T) {
	var o owner
	ours, theirs := sockets(t)
	server, err := NewServer(theirs, &o, nil)
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve()
	conn, err := newConn(ours)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	conn.WriteMsgUnix([]byte(`{"Op":"cachelog"}`), unix.UnixRights(int(write.Fd()), int(write.Fd())), nil)
	write.Close()
	if _, err := io.ReadAll(read); err != nil { // its end comes once nobody has the other end
		t.Error(err)
	}
}

// TestAnswersThatAreTooLong has a pattern of very many files be refused, and the next question answered.
func TestAnswersThatAreTooLong(t *testing.T) {
	var o owner
	c, dir, _ := pair(t, &o, "include $DIR/many/*\n")
	if err := os.Mkdir(dir+"/many", 0o700); err != nil {
		t.Fatal(err)
	}
	for n := range longestPacket / len(dir) {
		if err := os.WriteFile(filepath.Join(dir, "many", string(rune('a'+n%26))+string(rune(0x4e00+n))), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Starting(nil, ""); err != nil {
		t.Fatal(err)
	}
	if names, err := c.Match(dir + "/many/*"); !errors.Is(err, unix.EMSGSIZE) {
		t.Errorf("%d names are told: %v", len(names), err)
	}
	if err := c.Notify("READY=1"); err != nil {
		t.Error(err)
	}
}

// TestJunk has a proxy that sends what is no question be left alone, with all descriptors closed.
func TestJunk(t *testing.T) {
	for _, junk := range []string{"", "{", "[]", `{"Keep":"x"}`} {
		ours, theirs := sockets(t)
		server, err := NewServer(theirs, &owner{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() { server.Serve(); close(ended) }()
		conn, err := newConn(ours)
		if err != nil {
			t.Fatal(err)
		}
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		conn.WriteMsgUnix([]byte(junk), unix.UnixRights(int(write.Fd())), nil)
		write.Close()
		<-ended
		if _, err := io.ReadAll(read); err != nil { // its end comes once nobody has the other end
			t.Error(err)
		}
		if _, err := conn.Read(make([]byte, 1)); err == nil {
			t.Errorf("%q is answered", junk)
		}
		read.Close()
		conn.Close()
	}
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := newConn(file); err == nil {
		t.Error("a file makes a connection")
	}
	if _, err := descriptor([]byte("junk")); !errors.Is(err, unix.EBADMSG) {
		t.Errorf("a broken control message gives %v", err)
	}
}
