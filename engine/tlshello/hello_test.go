package tlshello

import (
	"bytes"
	"cmp"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

// said is the ClientHello that crypto/tls sends.
func said(t testing.TB, config *tls.Config) []byte {
	t.Helper()
	client, server := net.Pipe()
	defer server.Close()
	go tls.Client(client, config).Handshake()
	server.SetReadDeadline(time.Now().Add(20 * time.Second))
	header := make([]byte, 5)
	if _, err := io.ReadFull(server, header); err != nil {
		t.Fatal(err)
	}
	body := make([]byte, int(header[3])<<8|int(header[4]))
	if _, err := io.ReadFull(server, body); err != nil {
		t.Fatal(err)
	}
	return append(header, body...)
}

func hellos(t testing.TB) map[string][]byte {
	return map[string][]byte{
		"a name":      said(t, &tls.Config{ServerName: "www.site.test"}),
		"TLS 1.2":     said(t, &tls.Config{ServerName: "www.site.test", MaxVersion: tls.VersionTLS12}),
		"no name":     said(t, &tls.Config{InsecureSkipVerify: true}),
		"an address":  said(t, &tls.Config{ServerName: "192.0.2.1"}),
		"a long name": said(t, &tls.Config{ServerName: strings.Repeat("a.", 120) + "test"}),
		"encrypted":   said(t, &tls.Config{ServerName: "secret.site.test", EncryptedClientHelloConfigList: echConfig(t), MinVersion: tls.VersionTLS13}),
	}
}

// echConfig is a list of one ECH configuration (RFC 9849, section 4) whose outer name is public.test.
func echConfig(t testing.TB) []byte {
	t.Helper()
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public := key.PublicKey().Bytes()
	var contents []byte
	contents = append(contents, 7, 0, 0x20) // config_id, DHKEM(X25519, HKDF-SHA256)
	contents = append(contents, byte(len(public)>>8), byte(len(public)))
	contents = append(contents, public...)
	contents = append(contents, 0, 4, 0, 1, 0, 1) // HKDF-SHA256, AES-128-GCM
	contents = append(contents, 0, 11)            // maximum_name_length, length of public_name
	contents = append(contents, "public.test"...)
	contents = append(contents, 0, 0)
	config := append([]byte{0xfe, 0x0d, byte(len(contents) >> 8), byte(len(contents))}, contents...)
	return append([]byte{byte(len(config) >> 8), byte(len(config))}, config...)
}

func TestHellosOfCryptoTLS(t *testing.T) {
	all := hellos(t)
	for name, want := range map[string]Hello{
		"a name": {ServerName: "www.site.test"}, "TLS 1.2": {ServerName: "www.site.test", Supported: tls.VersionTLS12}, "no name": {}, "an address": {},
		"a long name": {ServerName: strings.Repeat("a.", 120) + "test"}, "encrypted": {ServerName: "public.test", Encrypted: true},
	} {
		want.Record, want.Supported = tls.VersionTLS10, cmp.Or(want.Supported, tls.VersionTLS13)
		if got, err := Parse(all[name]); err != nil || got != want {
			t.Errorf("%s: %+v, %v, want %+v", name, got, err, want)
		}
		if got, err := Parse(append(bytes.Clone(all[name]), "what follows"...)); err != nil || got != want {
			t.Errorf("%s, and what follows: %+v, %v", name, got, err)
		}
		for size := range len(all[name]) {
			if got, err := Parse(all[name][:size]); err != ErrShort {
				t.Fatalf("%s, %d bytes of %d: %+v, %v", name, size, len(all[name]), got, err)
			}
		}
	}
}

// split spreads what a record holds over records of a size.
func split(hello []byte, size int) (all []byte) {
	for body := hello[5:]; len(body) > 0; {
		part := body[:min(size, len(body))]
		all = append(append(all, 22, 3, 1, byte(len(part)>>8), byte(len(part))), part...)
		body = body[len(part):]
	}
	return all
}

// TestVersionsOfHellos has what is offered beside versions of TLS, and what stands in the extension's place.
func TestVersionsOfHellos(t *testing.T) {
	const rest = "rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr\x00\x00\x02\xc0\x2b\x01\x00"
	for offered, want := range map[string]uint16{
		"": tls.VersionTLS12, "\x00\x2b\x00\x01\x00": tls.VersionTLS12,
		"\x00\x2b\x00\x05\x04\xfa\xfa\x03\x02":         tls.VersionTLS11,
		"\x00\x2b\x00\x07\x06\x03\x03\x03\x04\x7f\x1c": tls.VersionTLS13,
		"\x00\x2b\x00\x03\x02\xfa\xfa":                 tls.VersionTLS12,
		"\x00\x2b\x00\x03\x08\x03\x04":                 tls.VersionTLS12,
	} {
		body := "\x03\x03" + rest + string([]byte{0, byte(len(offered))}) + offered
		if h, err := Parse([]byte(message(clientHello, body))); err != nil || h.Supported != want || h.Record != 0x0303 {
			t.Errorf("%q: %x in a record of %x, %v, want %x", offered, h.Supported, h.Record, err, want)
		}
	}
}

func TestHellosInManyRecords(t *testing.T) {
	for name, hello := range hellos(t) {
		want, _ := Parse(hello)
		for _, size := range []int{1, 2, 3, 7, 100, 500} {
			records := split(hello, size)
			if got, err := Parse(records); err != nil || got != want {
				t.Errorf("%s in records of %d bytes: %+v, %v", name, size, got, err)
			}
			if _, err := Parse(records[:len(records)-1]); err != ErrShort {
				t.Errorf("%s in records of %d bytes, without the last one: %v", name, size, err)
			}
		}
	}
}

// TestHelloThatIsCutToPieces has one in more records than any client makes be no use to read.
func TestHelloThatIsCutToPieces(t *testing.T) {
	long := said(t, &tls.Config{ServerName: "a.test", NextProtos: slices.Repeat([]string{strings.Repeat("p", 200)}, 20)})
	if _, err := Parse(split(long, 1)); err != ErrMalformed {
		t.Errorf("%d records are read: %v", len(long)-5, err)
	}
	if _, err := Parse(split(long, 10)); err != nil {
		t.Error(err)
	}
}

// TestBytesThatComeOneByOne are looked at without being copied each time.
func TestBytesThatComeOneByOne(t *testing.T) {
	hello := split(hellos(t)["a name"], 7)
	if n := testing.AllocsPerRun(10, func() {
		for size := range hello {
			Parse(hello[:size])
		}
	}); n > float64(len(hello))/10 { // whoever made the ClientHello may still be at work
		t.Errorf("memory is taken %v times", n)
	}
}

func TestWhatIsNoHello(t *testing.T) {
	hello := hellos(t)["a name"]
	change := func(at int, to byte) []byte {
		b := bytes.Clone(hello)
		b[at] = to
		return b
	}
	second := split(hello, 100)
	second[105] = 23 // the type of the second record
	for name, row := range map[string]struct {
		b    []byte
		want error
	}{
		"nothing yet":               {nil, ErrShort},
		"one byte":                  {[]byte{22}, ErrShort},
		"HTTP":                      {[]byte("GET / HTTP/1.1\r\n"), ErrNotTLS},
		"SSH":                       {[]byte("SSH-2.0-OpenSSH\r\n"), ErrNotTLS},
		"OpenVPN":                   {[]byte{0, 14, 0x38, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0}, ErrNotTLS},
		"SSL 2.0":                   {[]byte{0x80, 46, 1, 3, 1}, ErrMalformed},
		"another version":           {change(1, 2), ErrNotTLS},
		"an empty record":           {[]byte{22, 3, 1, 0, 0}, ErrMalformed},
		"a record that is too long": {[]byte{22, 3, 1, 0x40, 1}, ErrMalformed},
		"another message":           {change(5, 2), ErrMalformed},
		"an alert in front":         {append([]byte{21, 3, 1, 0, 2, 1, 90}, hello...), ErrMalformed},
		"an empty record in front":  {append([]byte{22, 3, 1, 0, 0}, hello...), ErrMalformed},
		"the first byte of others":  {[]byte{23}, ErrShort},
		"another record":            {[]byte{23, 3}, ErrMalformed},
		"like another record":       {[]byte{23, 4}, ErrNotTLS},
		"the beginning of SSL 2.0":  {[]byte{0x80, 46}, ErrShort},
		"in a high letter":          {[]byte{0xa1, '0', '0'}, ErrNotTLS},
		"XMPP, in a high letter":    {[]byte{0xef, 0xbb, 0xbf, '<'}, ErrNotTLS},
		"a message without end":     {change(6, 1), ErrMalformed},
		"another type follows":      {second, ErrMalformed},
		"a session id without end":  {change(43, 255), ErrMalformed},
		"a message that is shorter": {change(8, hello[8]-1), ErrMalformed},
	} {
		if got, err := Parse(row.b); !errors.Is(err, row.want) {
			t.Errorf("%s: %+v, %v, want %v", name, got, err, row.want)
		}
	}
}

// named makes a ClientHello with these extensions.
func named(extensions ...[]byte) []byte {
	body := make([]byte, 34)
	body = append(body, 0, 0, 2, 0x13, 1, 1, 0)
	all := bytes.Join(extensions, nil)
	body = append(append(body, byte(len(all)>>8), byte(len(all))), all...)
	message := append([]byte{1, 0, byte(len(body) >> 8), byte(len(body))}, body...)
	return append([]byte{22, 3, 1, byte(len(message) >> 8), byte(len(message))}, message...)
}

func TestServerNames(t *testing.T) {
	name := []byte{0, 0, 0, 8, 0, 6, 0, 0, 3, 'a', '.', 'b'}
	for what, row := range map[string]struct {
		extensions [][]byte
		want       string
		err        error
	}{
		"one":                   {[][]byte{name}, "a.b", nil},
		"none":                  {nil, "", nil},
		"two extensions":        {[][]byte{name, name}, "", ErrMalformed},
		"two names":             {[][]byte{{0, 0, 0, 10, 0, 8, 0, 0, 1, 'a', 0, 0, 1, 'b'}}, "", ErrMalformed},
		"an empty name":         {[][]byte{{0, 0, 0, 5, 0, 3, 0, 0, 0}}, "", ErrMalformed},
		"a name of another use": {[][]byte{{0, 0, 0, 6, 0, 4, 1, 0, 1, 'a'}}, "", nil},
		"an empty extension":    {[][]byte{{0, 0, 0, 0}}, "", ErrMalformed},
		"bytes behind the list": {[][]byte{{0, 0, 0, 9, 0, 6, 0, 0, 3, 'a', '.', 'b', 0}}, "", ErrMalformed},
		"half an extension":     {[][]byte{{0, 0, 0}}, "", ErrMalformed},
		"GREASE around it":      {[][]byte{{0x0a, 0x0a, 0, 0}, name, {0xfa, 0xfa, 0, 1, 0}}, "a.b", nil},
	} {
		got, err := Parse(named(row.extensions...))
		if err != row.err || err == nil && got.ServerName != row.want {
			t.Errorf("%s: %+v, %v", what, got, err)
		}
	}
}

// FuzzParse holds what is read against what crypto/tls reads, and has no cut change what comes out.
func FuzzParse(f *testing.F) {
	for _, hello := range hellos(f) {
		f.Add(hello)
		f.Add(split(hello, 50))
	}
	for _, other := range []string{"", "\xa100", "\x80\x2e\x01", "\x15\x03\x01\x00\x02\x01\x5a", "\x15x", "\x16\x03\x01\x00\x00", "GET / HTTP/1.1\r\n"} {
		f.Add([]byte(other))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := Parse(b)
		for size := range min(len(b), 300) {
			if _, early := Parse(b[:size]); early != ErrShort && early != err {
				t.Fatalf("after %d bytes it is %v, after all %v", size, early, err)
			}
		}
		if err != nil {
			return
		}
		if theirs, ok := read(b); ok && theirs != got.ServerName {
			t.Errorf("crypto/tls reads %q, we %q", theirs, got.ServerName)
		}
	})
}

// read is the server name as crypto/tls reads it.
func read(b []byte) (name string, ok bool) {
	client, server := net.Pipe()
	defer client.Close()
	stop := errors.New("enough")
	go func() { client.Write(b); client.Close() }()
	tls.Server(quiet{server}, &tls.Config{GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) {
		name, ok = h.ServerName, true
		return nil, stop
	}}).Handshake()
	return name, ok
}

// quiet writes nothing, for nobody reads.
type quiet struct{ net.Conn }

func (quiet) Write(p []byte) (int, error) { return len(p), nil }
