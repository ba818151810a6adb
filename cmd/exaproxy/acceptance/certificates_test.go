package acceptance

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A signedBy is a certificate, with its key.
type signedBy struct {
	*x509.Certificate
	key *ecdsa.PrivateKey
}

// newCertificate makes a certificate of name that another has signed, or itself if by is nil.
func newCertificate(t *testing.T, name string, by *signedBy, edit func(*x509.Certificate)) *signedBy {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name, Organization: []string{"Sites, Inc."}, Country: []string{"DE"}}, DNSNames: []string{name, "*." + name},
		NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().Add(90 * 24 * time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true, // as every imitation has them
	}
	if edit != nil {
		edit(template)
	}
	parent, signer := template, key
	if by != nil {
		parent, signer = by.Certificate, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &signedBy{cert, key}
}

func anAuthority(c *x509.Certificate) {
	c.IsCA, c.KeyUsage, c.DNSNames, c.ExtKeyUsage = true, x509.KeyUsageCertSign, nil, nil
}

// aged is a certificate that was valid until some days ago, or will be in some days.
func aged(from, to int) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().AddDate(0, 0, from), time.Now().AddDate(0, 0, to)
	}
}

// A judgedSite is one whose chain is judged.
type judgedSite struct {
	name  string
	host  string // of the CONNECT
	chain []*signedBy
	// where ours intendedly differs from Squid's: in what its client reads where nothing is excused, or in the
	// dates of the imitation
	says  string
	dates bool
}

// judgedSites are sites with chains of all kinds, of which some are signed by one of roots in the end.
func judgedSites(t *testing.T) (sites []judgedSite, roots []*signedBy) {
	root := newCertificate(t, "root", nil, anAuthority)
	other := newCertificate(t, "other root", nil, anAuthority)
	between := newCertificate(t, "between", root, anAuthority)
	site := func(by *signedBy, edit func(*x509.Certificate)) *signedBy {
		return newCertificate(t, "site.test", by, edit)
	}
	const unknown = "503 X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY+broken_cert" // Squid looks for it in vain, and then says less
	sites = []judgedSite{
		{name: "good", host: "site.test", chain: []*signedBy{site(root, nil)}},
		{name: "below", host: "a.site.test", chain: []*signedBy{site(root, nil)}},
		{name: "far below", host: "b.a.site.test", chain: []*signedBy{site(root, nil)}},
		{name: "by another", host: "site.test", chain: []*signedBy{site(between, nil), between}},
		{name: "expired", host: "site.test", chain: []*signedBy{site(root, aged(-90, -1))}},
		{name: "to come", host: "site.test", chain: []*signedBy{site(root, aged(1, 90))}},
		{name: "for years", host: "site.test", chain: []*signedBy{site(root, aged(-90, 3000))}, dates: true},
		{name: "of another", host: "other.test", chain: []*signedBy{site(root, nil)}},
		{name: "by itself", host: "site.test", chain: []*signedBy{site(nil, nil)}},
		{name: "by a stranger", host: "site.test", chain: []*signedBy{site(other, nil), other}},
		{name: "by nobody known", host: "site.test", chain: []*signedBy{site(other, nil)}, says: unknown},
		{name: "by one not shown", host: "site.test", chain: []*signedBy{site(between, nil)}, says: unknown},
		{name: "by a stranger, of another, expired", host: "other.test", chain: []*signedBy{site(other, aged(-90, -1)), other}},
	}
	outdated, roots := outdatedSites(t, root)
	return append(sites, outdated...), append(roots, root)
}

// outdatedSites are sites of whose chain a part is not valid today, or was never valid at the same time as another,
// and the roots they have beside the one that is good.
func outdatedSites(t *testing.T, root *signedBy) (sites []judgedSite, roots []*signedBy) {
	authority := func(name string, by *signedBy, from, to int) *signedBy {
		return newCertificate(t, name, by, func(c *x509.Certificate) { anAuthority(c); aged(from, to)(c) })
	}
	old, coming := authority("old root", nil, -90, -60), authority("root to come", nil, 1, 90)
	between, ended, begins := authority("between", root, 0, 90), authority("ended", root, -90, -60), authority("begins", root, 1, 90)
	under := func(name string, from, to int, above ...*signedBy) {
		chain := append([]*signedBy{newCertificate(t, "site.test", above[0], aged(from, to))}, above...)
		sites = append(sites, judgedSite{name: name, host: "site.test", chain: chain})
	}
	under("expired before its root was valid", -5, -3, root)
	under("expired before its issuer was valid", -5, -3, between)
	under("issuer expired", -1, 90, ended)
	under("issuer expired, then it expired", -5, -3, ended)
	under("issuer expired, and it is to come", 1, 90, ended)
	under("issuer to come", -1, 90, begins)
	under("issuer to come, and it expired", -5, -3, begins)
	under("root expired", -1, 90, old)
	under("root expired, not shown", -1, 90, authority("under the old", old, -70, 90))
	under("root expired, then it expired", -5, -3, old)
	under("root expired, then its issuer, then it", -5, -3, authority("ended later", old, -50, -40), old)
	under("root to come", -1, 90, coming)
	under("root to come, and it expired", -5, -3, authority("under that to come", coming, -1, 90))
	return sites, []*signedBy{old, coming}
}

// TestCertificatesAreJudgedAsBySquid has both proxies decrypt tunnels to sites with chains of all kinds, where
// nothing is excused and where everything is, and compares what clients are shown and what is logged.
func TestCertificatesAreJudgedAsBySquid(t *testing.T) {
	sites, roots := judgedSites(t)
	ports := make([]string, len(sites))
	for i, s := range sites {
		cert := tls.Certificate{PrivateKey: s.chain[0].key}
		for _, c := range s.chain {
			cert.Certificate = append(cert.Certificate, c.Raw)
		}
		handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello\n") })
		ports[i] = startOrigin(t, "127.0.0.6:0", handler, &tls.Config{Certificates: []tls.Certificate{cert}}).port()
	}
	theirs, forTheirs := squidThatBumps(t)
	for _, more := range []string{"", "sslproxy_cert_error allow all\n"} {
		squid, ours := startJudging(t, theirs, roots, forTheirs+more), startJudging(t, exaproxy(), roots, more)
		for i, s := range sites {
			want, got := squid.judged(s, ports[i], more != ""), ours.judged(s, ports[i], more != "")
			if s.says != "" && more == "" {
				want.says = s.says
			}
			if s.dates && more != "" {
				want.days, want.dates, got.dates = 398, "", "" // those of the original are as many as browsers take
			}
			if want != got {
				t.Errorf("%s, %q:\n want %+v\n got  %+v", s.name, more, want, got)
			}
		}
		if more == "" { // Squid logs the page as a request of its own
			ours.faults("CONNECT", len(sites), "CONNECT X509_V_ERR_CERT_HAS_EXPIRED@depth=0 /C=DE/O=Sites, Inc./CN=site.test X509_V_ERR_CERT_HAS_EXPIRED+broken_cert\n")
		} else {
			ours.faults("GET", len(sites), squid.faults("GET", len(sites), ""))
		}
	}
}

// startJudging starts a proxy that decrypts all tunnels and trusts who was signed by roots.
func startJudging(t *testing.T, p program, roots []*signedBy, more string) *proxy {
	t.Helper()
	dir := world(t)
	if out, err := exec.Command(built.proxy, "make-ca", filepath.Join(dir, "ca")).CombinedOutput(); err != nil {
		t.Fatalf("make-ca: %v\n%s", err, out)
	}
	for name, mode := range map[string]os.FileMode{"ca": 0o755, "ca/ca.key": 0o644} { // Squid becomes another user
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	pages := filepath.Join(dir, "pages")
	if err := os.Mkdir(pages, 0o755); err != nil {
		t.Fatal(err)
	}
	writeFile(t, pages, "ERR_SECURE_CONNECT_FAIL", "%x")
	writeFile(t, dir, "hosts", "127.0.0.6 site.test a.site.test b.a.site.test other.test\n")
	var trusted []byte
	for _, root := range roots {
		trusted = append(trusted, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Raw})...)
	}
	writeFile(t, dir, "roots.pem", string(trusted))
	return start(t, p, dir, base+nameServer(t)+"http_port 127.0.0.1:"+freePort(t)+` ssl-bump tls-cert={dir}/ca/ca.crt tls-key={dir}/ca/ca.key generate-host-certificates=on
ssl_bump stare all
ssl_bump bump all
tls_outgoing_options default-ca=off cafile={dir}/roots.pem
error_directory {dir}/pages
logformat faults %rm %ssl::<cert_errors %ssl::<cert_subject %err_detail
access_log stdio:{dir}/faults.log faults
`+more)
}

// A judgement is what a client is shown.
type judgement struct {
	says            string // status and body
	subject, issuer string
	names           string
	shown           int    // how many certificates
	dates           string // when it begins and ends
	days            int    // how many there are between
}

// judged asks for a site, as a client that trusts everybody.
func (x *proxy) judged(s judgedSite, port string, dates bool) (j judgement) {
	x.t.Helper()
	conn, err := net.DialTimeout("tcp", x.addrs[0].String(), 20*time.Second)
	if err != nil {
		x.t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	fmt.Fprintf(conn, "CONNECT %s:%s HTTP/1.1\r\nHost: a\r\n\r\n", s.host, port)
	if reply, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || reply.StatusCode != http.StatusOK {
		x.t.Fatalf("%s: the CONNECT is answered with %v (%v)", s.name, reply, err)
	}
	inside := tls.Client(conn, &tls.Config{ServerName: s.host, InsecureSkipVerify: true})
	fmt.Fprintf(inside, "GET / HTTP/1.1\r\nHost: %s:%s\r\nConnection: close\r\n\r\n", s.host, port)
	reply, err := http.ReadResponse(bufio.NewReader(inside), nil)
	if err != nil {
		x.t.Fatalf("%s: %v", s.name, err)
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	if err != nil {
		x.t.Fatalf("%s: %v", s.name, err)
	}
	shown := inside.ConnectionState().PeerCertificates
	leaf := shown[0]
	// The chain above the leaf is the same authority once or, by Squid, twice.
	j = judgement{says: fmt.Sprintf("%d %s", reply.StatusCode, strings.TrimSpace(string(body))), subject: leaf.Subject.String(), issuer: leaf.Issuer.String(), names: fmt.Sprint(leaf.DNSNames), shown: min(len(shown), 2)}
	if dates {
		j.dates = fmt.Sprint(leaf.NotBefore, leaf.NotAfter)
		j.days = int(leaf.NotAfter.Sub(leaf.NotBefore).Hours() / 24)
	}
	return j
}

// faults are n lines of the log of faults that begin with a method, among which others must be.
func (x *proxy) faults(method string, n int, others string) (lines string) {
	x.t.Helper()
	x.eventually("logs all", 20*time.Second, func() bool {
		text, _ := os.ReadFile(filepath.Join(x.dir, "faults.log"))
		lines = ""
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(line, method) {
				lines += line
			}
		}
		return strings.Count(lines, "\n") >= n
	})
	if !strings.Contains(lines, others) {
		x.t.Errorf("it has logged\n%swithout\n%s", lines, others)
	}
	return lines
}
