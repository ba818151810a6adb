package tlshello

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

// chainOf makes a certificate and n-1 others behind it, of about size bytes each.
func chainOf(t testing.TB, n, size int) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := tls.Certificate{PrivateKey: key}
	for i := range n {
		template := &x509.Certificate{SerialNumber: big.NewInt(int64(i + 1)), Subject: pkix.Name{CommonName: fmt.Sprint(i), Organization: []string{strings.Repeat("o", size)}},
			NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"a.test"}}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		c.Certificate = append(c.Certificate, der)
	}
	return c
}

// recorded notes what a server writes, which does not wait for the client to read it: both may write at once.
type recorded struct {
	net.Conn
	wrote []byte
	queue chan []byte
}

func (r *recorded) Write(p []byte) (int, error) {
	r.wrote = append(r.wrote, p...)
	r.queue <- bytes.Clone(p)
	return len(p), nil
}

func (r *recorded) deliver() {
	for p := range r.queue {
		r.Conn.Write(p)
	}
	r.Close()
}

// answer is all that a server of crypto/tls writes in a handshake.
func answer(t testing.TB, server, client *tls.Config) []byte {
	t.Helper()
	near, far := net.Pipe()
	near.SetDeadline(time.Now().Add(20 * time.Second))
	far.SetDeadline(time.Now().Add(20 * time.Second))
	client.InsecureSkipVerify = true
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer near.Close()
		c := tls.Client(near, client)
		if c.Handshake() == nil {
			c.Read(make([]byte, 1)) // with it comes a ticket
		}
	}()
	r := &recorded{Conn: far, queue: make(chan []byte, 64)}
	go r.deliver()
	s := tls.Server(r, server)
	if s.Handshake() == nil {
		s.Write([]byte("x"))
	}
	close(r.queue)
	<-done
	return r.wrote
}

// certificates are those that an answer shows.
func certificates(b []byte) ([][]byte, error) {
	a, err := ParseAnswer(b)
	return a.Chain, err
}

func TestVersionsOfAnswers(t *testing.T) {
	server := &tls.Config{Certificates: []tls.Certificate{chainOf(t, 1, 0)}, MinVersion: tls.VersionTLS10}
	for version, record := range map[uint16]uint16{
		tls.VersionTLS10: 0x0301, tls.VersionTLS11: 0x0302, tls.VersionTLS12: 0x0303, tls.VersionTLS13: 0x0303,
	} {
		said := answer(t, server, &tls.Config{MinVersion: version, MaxVersion: version})
		if a, err := ParseAnswer(said); err != nil || a.Version != version || a.Record != record {
			t.Errorf("%s: %x in a record of %x, %v", tls.VersionName(version), a.Version, a.Record, err)
		}
	}
}

func TestCertificatesOfCryptoTLS(t *testing.T) {
	for _, n := range []int{1, 2, 5, 16, 40} {
		for _, size := range []int{0, 1000} {
			chain := chainOf(t, n, size)
			old := &tls.Config{Certificates: []tls.Certificate{chain}, MaxVersion: tls.VersionTLS12}
			said := answer(t, old, &tls.Config{})
			wantChain(t, fmt.Sprintf("%d certificates", n), said, chain.Certificate)
			for _, cut := range []int{1, 2, 3, 100, 1000} {
				records := resplit(said, cut)
				if len(said)/cut < mostRecords {
					wantChain(t, fmt.Sprintf("%d certificates in records of %d bytes", n, cut), records, chain.Certificate)
				}
			}
		}
	}
}

// wantChain checks what is read, and that no beginning of it says anything else.
func wantChain(t *testing.T, what string, said []byte, want [][]byte) {
	t.Helper()
	got, err := certificates(said)
	if err != nil || !slices.EqualFunc(got, want, bytes.Equal) {
		t.Fatalf("%s: %d of %d are read: %v", what, len(got), len(want), err)
	}
	step := max(1, len(said)/200)
	complete := false
	for size := 0; size < len(said); size += step {
		got, err := certificates(said[:size])
		switch {
		case err == nil && len(got) == len(want):
			complete = true
		case err != ErrShort || complete:
			t.Fatalf("%s, %d of %d bytes: %d certificates, %v", what, size, len(said), len(got), err)
		}
	}
}

// resplit spreads what handshake records hold over records of a size; other records stay.
func resplit(said []byte, size int) (all []byte) {
	for len(said) > 0 {
		n := 5 + int(said[3])<<8 + int(said[4])
		if said[0] == handshake {
			all = append(all, split(said[:n], size)...)
		} else {
			all = append(all, said[:n]...)
		}
		said = said[n:]
	}
	return all
}

func TestServersThatShowNoCertificate(t *testing.T) {
	chain := chainOf(t, 2, 0)
	server := &tls.Config{Certificates: []tls.Certificate{chain}}
	session := &tls.Config{ServerName: "a.test", ClientSessionCache: tls.NewLRUClientSessionCache(1), MaxVersion: tls.VersionTLS12}
	answer(t, server, session)
	old := &tls.Config{CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP521}}
	retry := &tls.Config{Certificates: []tls.Certificate{chain}, CurvePreferences: []tls.CurveID{tls.CurveP521}}
	for name, said := range map[string][]byte{
		"TLS 1.3":                answer(t, server, &tls.Config{}),
		"a session resumed":      answer(t, server, session),
		"a HelloRetryRequest":    answer(t, retry, old),
		"TLS 1.3, byte by byte":  resplit(answer(t, server, &tls.Config{}), 1),
		"a resumed one in bytes": resplit(answer(t, server, session), 1),
	} {
		if got, err := certificates(said); got != nil || err != nil {
			t.Errorf("%s: %d certificates, %v", name, len(got), err)
		}
		if got, err := certificates(said[:40]); got != nil || err != ErrShort {
			t.Errorf("%s, the beginning: %d certificates, %v", name, len(got), err)
		}
	}
}

// message is one message in one record.
func message(kind byte, body string) string {
	m := string([]byte{kind, byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body))}) + body
	return string([]byte{handshake, 3, 3, byte(len(m) >> 8), byte(len(m))}) + m
}

func TestWhatIsNoAnswer(t *testing.T) {
	server := &tls.Config{Certificates: []tls.Certificate{chainOf(t, 1, 0)}, MinVersion: tls.VersionTLS13}
	greeting := "\x03\x03" + strings.Repeat("r", 32) + "\x00\xc0\x2b\x00"
	hello := message(serverHello, greeting)
	for name, row := range map[string]struct {
		said string
		want error
	}{
		"nothing yet":                      {"", ErrShort},
		"a refusal":                        {string(answer(t, server, &tls.Config{MaxVersion: tls.VersionTLS12})), Alert(70)},
		"the beginning of one":             {"\x15\x03\x03\x00\x02\x02", ErrShort},
		"its type alone":                   {"\x15", ErrShort},
		"a longer one":                     {"\x15\x03\x03\x00\x03\x02\x28\x28", ErrNotTLS},
		"one of no TLS":                    {"\x15\x02\x03\x00\x02\x02\x28", ErrNotTLS},
		"one in the middle of a hello":     {hello[:20] + "\x15\x03\x03\x00\x02\x02\x28", ErrShort},
		"a banner":                         {"220 mail.test\r\n", ErrNotTLS},
		"HTTP":                             {"HTTP/1.1 400 Bad Request\r\n", ErrNotTLS},
		"the ClientHello back":             {string(hellos(t)["a name"]), ErrNotTLS},
		"a certificate before any hello":   {message(certificate, "\x00\x00\x00"), ErrNotTLS},
		"a ServerHello alone":              {hello, ErrShort},
		"one that is too short":            {message(serverHello, greeting[:30]), ErrMalformed},
		"one with half an extension":       {message(serverHello, greeting+"\x00\x04\x00\x2b\x00\x02"), ErrMalformed},
		"one with bytes behind":            {message(serverHello, greeting+"\x00\x00x"), ErrMalformed},
		"one without end":                  {"\x16\x03\x03\x40\x00\x02\xff\xff\xff", ErrMalformed},
		"a list that is longer than it is": {hello + message(certificate, "\x00\x00\x05\x00\x00\x01x"), ErrMalformed},
		"a list that is shorter":           {hello + message(certificate, "\x00\x00\x04\x00\x00\x01xy"), ErrMalformed},
		"a certificate that is longer":     {hello + message(certificate, "\x00\x00\x04\x00\x00\x09x"), ErrMalformed},
		"a message without end":            {hello + "\x16\x03\x03\x40\x00\x0b\xff\xff\xff", ErrMalformed},
		"an empty record":                  {hello + "\x16\x03\x03\x00\x00", ErrMalformed},
		"another version":                  {hello + "\x16\x04\x03\x00\x01x", ErrMalformed},
		"records without end":              {message(serverHello, greeting) + string(split([]byte(message(certificate, "\x00\x27\x0d"+strings.Repeat("x", 10000))), 1)), ErrMalformed},
	} {
		if got, err := certificates([]byte(row.said)); got != nil || err != row.want {
			t.Errorf("%s: %d certificates, %v, want %v", name, len(got), err, row.want)
		}
	}
	if got, err := certificates([]byte(hello + message(certificate, "\x00\x00\x00"))); len(got) > 0 || err != nil {
		t.Errorf("an empty list: %d certificates, %v", len(got), err)
	}
	if got, err := certificates([]byte(hello + "\x14\x03\x03\x00\x01\x01")); got != nil || err != nil {
		t.Errorf("what follows in cipher: %d certificates, %v", len(got), err)
	}
}

// TestAnswersThatComeByteByByte are looked at without being copied each time.
func TestAnswersThatComeByteByByte(t *testing.T) {
	chain := chainOf(t, 4, 1000)
	said := answer(t, &tls.Config{Certificates: []tls.Certificate{chain}, MaxVersion: tls.VersionTLS12}, &tls.Config{})
	var end int
	for end = range said {
		if got, _ := certificates(said[:end]); got != nil {
			break
		}
	}
	n := testing.AllocsPerRun(5, func() {
		for size := range end {
			certificates(said[:size])
		}
	})
	if n > float64(2*end) { // of the ServerHello alone
		t.Errorf("%d bytes: memory is taken %v times", end, n)
	}
}

func TestPlainName(t *testing.T) {
	for name, want := range map[string]bool{
		"": true, "a.test": true, "A-b_c.1.TEST": true, "a.test.": true, "192.0.2.1": true, strings.Repeat("a", 255): true,
		strings.Repeat("a", 256): false, "a b": false, "a\x00b": false, "a%b": false, "a/b": false, "a:1": false, "a@b": false,
		"*.a": false, "ü.test": false, "\xff": false, "a\nb": false, `a"b`: false, "[::1]": false, " a": false, "a\r": false,
	} {
		if got := PlainName(name); got != want {
			t.Errorf("%q is plain: %v", name, got)
		}
	}
}

// FuzzAnswer has no cut change what comes out, and holds it against the ServerHello's and the chain's
// bytes: what is read stands in the input.
func FuzzAnswer(f *testing.F) {
	old := &tls.Config{Certificates: []tls.Certificate{chainOf(f, 2, 0)}, MaxVersion: tls.VersionTLS12}
	said := answer(f, old, &tls.Config{})
	f.Add(said)
	f.Add(resplit(said, 100))
	f.Add(answer(f, &tls.Config{Certificates: old.Certificates}, &tls.Config{}))
	f.Add([]byte("\x15\x03\x03\x00\x02\x02\x28"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := certificates(b)
		for size := range min(len(b), 300) {
			early, short := certificates(b[:size])
			if short != ErrShort && (short != err || !slices.EqualFunc(early, got, bytes.Equal)) {
				t.Fatalf("after %d bytes it is %v, after all %v", size, short, err)
			}
		}
		total := 0
		for _, der := range got {
			total += len(der)
		}
		if err != nil && got != nil || total > len(b) {
			t.Errorf("%d certificates of %d bytes out of %d: %v", len(got), total, len(b), err)
		}
	})
}
