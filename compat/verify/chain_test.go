package verify

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"
)

const day = 24 * time.Hour

var now = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// A signed is a certificate, with its key.
type signed struct {
	*x509.Certificate
	key *ecdsa.PrivateKey
}

var serial int64 = 1

// sign makes a certificate signed by another, or by itself if by is nil.
func sign(tb testing.TB, by *signed, t x509.Certificate) *signed {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return signWith(tb, by, t, key)
}

// signWith is sign of a key that is there.
func signWith(tb testing.TB, by *signed, t x509.Certificate, key *ecdsa.PrivateKey) *signed {
	tb.Helper()
	serial++
	t.SerialNumber = big.NewInt(serial)
	if t.NotBefore.IsZero() {
		t.NotBefore = now.Add(-30 * day)
	}
	if t.NotAfter.IsZero() {
		t.NotAfter = now.Add(60 * day)
	}
	parent, signer := &t, key
	if by != nil {
		parent, signer = by.Certificate, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, &t, parent, key.Public(), signer)
	if err != nil {
		tb.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	return &signed{cert, key}
}

func authority(tb testing.TB, name string, by *signed, edit func(*x509.Certificate)) *signed {
	t := x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign}
	if edit != nil {
		edit(&t)
	}
	return sign(tb, by, t)
}

func server(tb testing.TB, name string, by *signed, edit func(*x509.Certificate)) *signed {
	t := x509.Certificate{Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	if edit != nil {
		edit(&t)
	}
	return sign(tb, by, t)
}

func chainOf(all ...*signed) (chain []*x509.Certificate) {
	for _, s := range all {
		chain = append(chain, s.Certificate)
	}
	return chain
}

// said is what is found, as Squid logs it (%ssl::<cert_errors).
func said(faults Faults) string {
	var all []string
	for _, f := range faults {
		all = append(all, fmt.Sprintf("%v@depth=%d", f.Kind, f.Depth))
	}
	return strings.Join(all, ":")
}

func expired(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.Add(-30*day), now.Add(-day) }

// TestFaultsAreSquids has what Squid 5.7 logs of the same chains, where it says less than is marked "and".
func TestFaultsAreSquids(t *testing.T) {
	root, other := authority(t, "root", nil, nil), authority(t, "other", nil, nil)
	between, old := authority(t, "between", root, nil), authority(t, "old", root, expired)
	oldRoot := authority(t, "old root", nil, expired)
	clients := authority(t, "clients", root, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })
	narrow := authority(t, "narrow", root, func(c *x509.Certificate) {
		c.PermittedDNSDomainsCritical, c.PermittedDNSDomains = true, []string{"narrow.test"}
	})
	low := authority(t, "low", root, func(c *x509.Certificate) { c.MaxPathLenZero = true })
	lower := authority(t, "lower", low, nil)
	notAuthority := server(t, "leaf.test", root, nil)
	critical := func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{{Id: []int{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}}}
	}
	roots := x509.NewCertPool()
	roots.AddCert(root.Certificate)
	roots.AddCert(oldRoot.Certificate)
	for name, row := range map[string]struct {
		chain []*x509.Certificate
		want  string
	}{
		"good":                     {chainOf(server(t, "good.test", root, nil)), ""},
		"good, by another":         {chainOf(server(t, "good.test", between, nil), between), ""},
		"good, in disorder":        {chainOf(server(t, "good.test", between, nil), root, other, between), ""},
		"expired":                  {chainOf(server(t, "good.test", root, expired)), "X509_V_ERR_CERT_HAS_EXPIRED@depth=0"},
		"to come":                  {chainOf(server(t, "good.test", root, func(c *x509.Certificate) { c.NotBefore = now.Add(day) })), "X509_V_ERR_CERT_NOT_YET_VALID@depth=0"},
		"of another":               {chainOf(server(t, "other.test", root, nil)), "SQUID_X509_V_ERR_DOMAIN_MISMATCH@depth=0"},
		"by itself":                {chainOf(server(t, "good.test", nil, nil)), "X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT@depth=0"},
		"by a stranger":            {chainOf(server(t, "good.test", other, nil)), "X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY@depth=0"},
		"by a stranger, shown":     {chainOf(server(t, "good.test", other, nil), other), "X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN@depth=1"},
		"by one that is not shown": {chainOf(server(t, "good.test", between, nil)), "X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY@depth=0"},
		"for clients":              {chainOf(server(t, "good.test", root, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })), "X509_V_ERR_INVALID_PURPOSE@depth=0"},
		"all at once": {chainOf(server(t, "other.test", other, expired), other),
			"X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN@depth=1:X509_V_ERR_CERT_HAS_EXPIRED@depth=0:SQUID_X509_V_ERR_DOMAIN_MISMATCH@depth=0"},
		"by itself, all at once": {chainOf(server(t, "other.test", nil, expired)),
			"X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT@depth=0:X509_V_ERR_CERT_HAS_EXPIRED@depth=0:SQUID_X509_V_ERR_DOMAIN_MISMATCH@depth=0"},
		"a common name alone":     {chainOf(server(t, "good.test", root, func(c *x509.Certificate) { c.DNSNames = nil })), ""},
		"no subject":              {chainOf(server(t, "good.test", root, func(c *x509.Certificate) { c.Subject = pkix.Name{} })), ""},
		"something critical":      {chainOf(server(t, "good.test", root, critical)), "X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION@depth=0"},
		"something critical, and": {chainOf(server(t, "good.test", other, critical)), "X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY@depth=0:X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION@depth=0"},
		"by an expired one":       {chainOf(server(t, "good.test", old, nil), old), "X509_V_ERR_CERT_HAS_EXPIRED@depth=1"},
		"expired, by an expired":  {chainOf(server(t, "good.test", old, expired), old), "X509_V_ERR_CERT_HAS_EXPIRED@depth=1:X509_V_ERR_CERT_HAS_EXPIRED@depth=0"},
		"by an expired root":      {chainOf(server(t, "good.test", oldRoot, nil), oldRoot), "X509_V_ERR_CERT_HAS_EXPIRED@depth=1"},
		"by one for clients":      {chainOf(server(t, "good.test", clients, nil), clients), "X509_V_ERR_INVALID_PURPOSE@depth=1"},
		"by no authority, and": {chainOf(server(t, "good.test", notAuthority, nil), notAuthority),
			"X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY@depth=1:X509_V_ERR_INVALID_CA@depth=1"},
		"a name not permitted, and": {chainOf(server(t, "good.test", narrow, nil), narrow),
			"X509_V_ERR_PERMITTED_VIOLATION@depth=1:X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY@depth=1"},
		"too deep, and": {chainOf(server(t, "good.test", lower, nil), lower, low),
			"X509_V_ERR_PATH_LENGTH_EXCEEDED@depth=2:X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY@depth=2"},
		"nothing": {nil, "SQUID_TLS_ERR_CONNECT@depth=0"},
	} {
		o := Options{Host: "good.test", Now: now, Roots: roots}
		faults := Chain(row.chain, &o)
		if got := said(faults); got != row.want {
			t.Errorf("%s: %s, want %s", name, got, row.want)
		}
		o.Host = ""
		if got, want := said(Chain(row.chain, &o)), strings.TrimPrefix(strings.ReplaceAll(":"+row.want, ":SQUID_X509_V_ERR_DOMAIN_MISMATCH@depth=0", ""), ":"); got != want {
			t.Errorf("%s, whatever the host: %s, want %s", name, got, want)
		}
	}
}

// TestDatesHideNoPath has chains of which there was never a time when all of it was valid: what is said of them is what
// Squid 5.7 logs, and openssl verify.
func TestDatesHideNoPath(t *testing.T) {
	during := func(from, to int) func(*x509.Certificate) {
		return func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = now.AddDate(0, 0, from), now.AddDate(0, 0, to)
		}
	}
	leaf := func(by *signed, from, to int) *signed { return server(t, "good.test", by, during(from, to)) }
	root, old, coming := authority(t, "root", nil, during(-1, 9)), authority(t, "old root", nil, during(-90, -60)), authority(t, "root to come", nil, during(1, 9))
	between, ended, begins := authority(t, "between", root, during(-1, 9)), authority(t, "ended", root, during(-90, -60)), authority(t, "begins", root, during(1, 9))
	underOld, later := authority(t, "under the old", old, during(-1, 9)), authority(t, "ended later", old, during(-50, -40))
	renewed := *between.Certificate // another certificate of the same key
	renewed.NotBefore, renewed.NotAfter = now.AddDate(0, 0, -90), now.AddDate(0, 0, -60)
	before := signWith(t, root, renewed, between.key)
	impostor := authority(t, "old root", nil, nil)
	const hasExpired, notYet, unknown = "X509_V_ERR_CERT_HAS_EXPIRED@depth=", "X509_V_ERR_CERT_NOT_YET_VALID@depth=", "X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY@depth="
	for name, row := range map[string]struct {
		chain []*x509.Certificate
		want  string
	}{
		"expired before its root was valid":   {chainOf(leaf(root, -5, -3)), hasExpired + "0"},
		"expired before its issuer was valid": {chainOf(leaf(between, -5, -3), between), hasExpired + "0"},
		"issuer expired":                      {chainOf(leaf(ended, -1, 9), ended), hasExpired + "1"},
		"issuer expired, then it expired":     {chainOf(leaf(ended, -5, -3), ended), hasExpired + "1:" + hasExpired + "0"},
		"issuer expired, and it is to come":   {chainOf(leaf(ended, 1, 9), ended), hasExpired + "1:" + notYet + "0"},
		"issuer to come":                      {chainOf(leaf(begins, -1, 9), begins), notYet + "1"},
		"issuer to come, and it expired":      {chainOf(leaf(begins, -5, -3), begins), notYet + "1:" + hasExpired + "0"},
		"root expired":                        {chainOf(leaf(old, -1, 9)), hasExpired + "1"},
		"root expired, shown":                 {chainOf(leaf(old, -1, 9), old), hasExpired + "1"},
		"root expired, above another":         {chainOf(leaf(underOld, -1, 9), underOld), hasExpired + "2"},
		"root expired, then all":              {chainOf(leaf(later, -5, -3), later, old), hasExpired + "2:" + hasExpired + "1:" + hasExpired + "0"},
		"root to come":                        {chainOf(leaf(coming, -1, 9)), notYet + "1"},
		"root to come, and it expired":        {chainOf(leaf(coming, -5, -3), coming), notYet + "1:" + hasExpired + "0"},
		"the expired root itself":             {chainOf(old), hasExpired + "0:SQUID_X509_V_ERR_DOMAIN_MISMATCH@depth=0"},
		"issuer renewed, both shown":          {chainOf(leaf(between, -1, 9), before, between), ""},
		"issuer renewed, not shown":           {chainOf(leaf(between, -1, 9), before), hasExpired + "1"},
		"by one of an expired one's name":     {chainOf(leaf(impostor, -5, -3)), unknown + "0:" + hasExpired + "0"},
	} {
		o := Options{Host: "good.test", Now: now, Roots: x509.NewCertPool()}
		for _, c := range chainOf(root, old, coming) {
			o.Roots.AddCert(c)
		}
		if got := said(Chain(row.chain, &o)); got != row.want {
			t.Errorf("%s: %s, want %s", name, got, row.want)
		}
		o.Roots, o.Intermediates = x509.NewCertPool(), chainOf(root, old, coming, between)
		if path, why := o.path(row.chain); path != nil || why == nil {
			t.Errorf("%s: intermediate certificates are trusted", name)
		}
	}
}

func TestForgottenIntermediates(t *testing.T) {
	root := authority(t, "root", nil, nil)
	between := authority(t, "between", root, nil)
	o := Options{Host: "good.test", Now: now, Roots: x509.NewCertPool(), Intermediates: chainOf(between)}
	o.Roots.AddCert(root.Certificate)
	if got := Chain(chainOf(server(t, "good.test", between, nil)), &o); got != nil {
		t.Errorf("it says %v", got)
	}
	o.Intermediates = append(o.Intermediates, authority(t, "other", nil, nil).Certificate)
	if got := said(Chain(chainOf(server(t, "good.test", authority(t, "other", nil, nil), nil)), &o)); got != "X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY@depth=0" {
		t.Errorf("an intermediate certificate is trusted: %s", got)
	}
}

func TestAddressesOfServers(t *testing.T) {
	c := server(t, "good.test", nil, func(c *x509.Certificate) { c.IPAddresses = []net.IP{{192, 0, 2, 1}} })
	o := Options{Now: now, Roots: x509.NewCertPool()}
	o.Roots.AddCert(c.Certificate)
	for host, want := range map[string]bool{"192.0.2.1": true, "192.0.2.2": false, "good.test.": true} {
		if o.Host = host; (len(Chain(chainOf(c), &o)) == 0) != want {
			t.Errorf("for %s: %v", host, Chain(chainOf(c), &o))
		}
	}
}

// TestMonstrousChains has chains that would cost a verifier that tries everything years.
func TestMonstrousChains(t *testing.T) {
	leaf := server(t, "good.test", authority(t, "same", nil, nil), nil)
	many := make([]*x509.Certificate, 0, 10_000)
	same := make([]*signed, 12) // each may have signed each: their names are the same
	for i := range same {
		same[i] = authority(t, "same", same[max(i-1, 0)], nil)
	}
	for len(many) < cap(many) {
		many = append(many, same[len(many)%len(same)].Certificate)
	}
	o := Options{Host: "good.test", Now: now, Roots: x509.NewCertPool()}
	got := said(Chain(append(chainOf(leaf), many...), &o))
	if !strings.HasPrefix(got, "X509_V_ERR_CERT_CHAIN_TOO_LONG@depth=16:X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN@depth=1") {
		t.Errorf("it says %s", got)
	}
}

// TestKeysThatAreTooLong has those in the middle sign nothing: what they have signed is good otherwise.
func TestKeysThatAreTooLong(t *testing.T) {
	root := authority(t, "root", nil, nil)
	for bits, want := range map[int]string{
		longestRSA:     "",
		longestRSA + 1: "X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY@depth=1",
	} {
		key := newLongKey(t, bits)
		template := x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "between"}, NotBefore: now.Add(-day), NotAfter: now.Add(day),
			IsCA: true, BasicConstraintsValid: true, SubjectKeyId: []byte("long")}
		between := created(t, &template, root.Certificate, key.Public(), root.key)
		template = x509.Certificate{SerialNumber: big.NewInt(2), DNSNames: []string{"good.test"}, NotBefore: now.Add(-day), NotAfter: now.Add(day)}
		leaf := created(t, &template, between, root.key.Public(), key)
		o := Options{Host: "good.test", Now: now, Roots: x509.NewCertPool()}
		o.Roots.AddCert(root.Certificate)
		if got := said(Chain([]*x509.Certificate{leaf, between}, &o)); got != want {
			t.Errorf("of %d bits: it says %s, want %s", bits, got, want)
		}
	}
}

// TestWhoMayAuthorize has certificates in the middle be authorities, or not, by what their keys are for.
func TestWhoMayAuthorize(t *testing.T) {
	root := authority(t, "root", nil, nil)
	const not = "X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY@depth=1:X509_V_ERR_INVALID_CA@depth=1"
	for usage, want := range map[x509.KeyUsage]string{
		0: "", x509.KeyUsageCertSign: "", x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature: "",
		x509.KeyUsageDigitalSignature: not, x509.KeyUsageCRLSign: not,
	} {
		between := authority(t, "between", root, func(c *x509.Certificate) { c.KeyUsage = usage })
		o := Options{Host: "good.test", Now: now, Roots: x509.NewCertPool()}
		o.Roots.AddCert(root.Certificate)
		if got := said(Chain(chainOf(server(t, "good.test", between, nil), between), &o)); got != want {
			t.Errorf("for %b: it says %s, want %s", usage, got, want)
		}
	}
}

func TestRevoked(t *testing.T) {
	root, other := authority(t, "root", nil, nil), authority(t, "root", nil, nil)
	between := authority(t, "between", root, nil)
	good, bad := server(t, "good.test", between, nil), server(t, "good.test", between, nil)
	since := func(from time.Time, by *signed, until time.Time, serials ...*big.Int) []byte {
		l := x509.RevocationList{Number: big.NewInt(1), ThisUpdate: from, NextUpdate: until}
		for _, n := range serials {
			l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: n, RevocationTime: now.Add(-2 * day)})
		}
		der, err := x509.CreateRevocationList(rand.Reader, &l, by.Certificate, by.key)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	list := func(by *signed, until time.Time, serials ...*big.Int) []byte {
		return since(now.Add(-2*day), by, until, serials...)
	}
	coming := since(now.Add(day), between, now.Add(9*day), bad.SerialNumber)
	fresh, ofRoot := list(between, now.Add(day), bad.SerialNumber), list(root, now.Add(day), between.SerialNumber)
	for name, row := range map[string]struct {
		all           bool
		lists         [][]byte
		good, revoked string
	}{
		"revoked":                 {false, [][]byte{fresh, list(root, now.Add(day))}, "", "X509_V_ERR_CERT_REVOKED@depth=0"},
		"no list":                 {false, [][]byte{ofRoot}, "X509_V_ERR_UNABLE_TO_GET_CRL@depth=0", "X509_V_ERR_UNABLE_TO_GET_CRL@depth=0"},
		"an old list":             {false, [][]byte{list(between, now.Add(-day), bad.SerialNumber)}, "X509_V_ERR_CRL_HAS_EXPIRED@depth=0", "X509_V_ERR_CRL_HAS_EXPIRED@depth=0:X509_V_ERR_CERT_REVOKED@depth=0"},
		"a list to come":          {false, [][]byte{coming}, "X509_V_ERR_CRL_NOT_YET_VALID@depth=0", "X509_V_ERR_CRL_NOT_YET_VALID@depth=0:X509_V_ERR_CERT_REVOKED@depth=0"},
		"a good list, and others": {false, [][]byte{coming, list(between, now.Add(day)), list(between, now.Add(-day), bad.SerialNumber)}, "", ""},
		"a newer list":            {false, [][]byte{since(now.Add(-3*day), between, now.Add(day)), fresh}, "", "X509_V_ERR_CERT_REVOKED@depth=0"},
		"all, one revoked":        {true, [][]byte{list(between, now.Add(day)), ofRoot}, "X509_V_ERR_CERT_REVOKED@depth=1", "X509_V_ERR_CERT_REVOKED@depth=1"},
		"all":                     {true, [][]byte{fresh, list(root, now.Add(day))}, "", "X509_V_ERR_CERT_REVOKED@depth=0"},
		"a list of another":       {true, [][]byte{fresh, list(other, now.Add(day))}, "X509_V_ERR_UNABLE_TO_GET_CRL@depth=1:X509_V_ERR_UNABLE_TO_GET_CRL@depth=2", "X509_V_ERR_CERT_REVOKED@depth=0:X509_V_ERR_UNABLE_TO_GET_CRL@depth=1:X509_V_ERR_UNABLE_TO_GET_CRL@depth=2"},
	} {
		r := &Revoked{All: row.all}
		var text []byte
		for _, der := range row.lists {
			text = append(text, pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})...)
		}
		if n, err := r.Add(text); err != nil || n != len(row.lists) {
			t.Fatalf("%d lists are read: %v", n, err)
		}
		o := Options{Host: "good.test", Now: now, Roots: x509.NewCertPool(), Revoked: r}
		o.Roots.AddCert(root.Certificate)
		for range 2 { // a signature is verified once
			if got := said(Chain(chainOf(good, between), &o)); got != row.good {
				t.Errorf("%s: %s, want %s", name, got, row.good)
			}
			if got := said(Chain(chainOf(bad, between), &o)); got != row.revoked {
				t.Errorf("%s, revoked: %s, want %s", name, got, row.revoked)
			}
		}
	}
	if n, err := new(Revoked).Add(fresh); n != 1 || err != nil {
		t.Errorf("%d lists are read of DER: %v", n, err)
	}
	if n, err := new(Revoked).Add([]byte("nonsense")); n != 0 || err == nil {
		t.Errorf("%d lists are read of nonsense", n)
	}
}

func TestFaultsAsErrors(t *testing.T) {
	err := fmt.Errorf("while connecting: %w", Chain(chainOf(server(t, "other.test", nil, expired)), &Options{Host: "good.test", Now: now, Roots: x509.NewCertPool()}))
	var first *Fault
	if !errors.As(err, &first) || first.Kind != SelfSigned || !strings.HasSuffix(err.Error(), "X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: /CN=other.test") {
		t.Errorf("it is %v, the first fault %v", err, first)
	}
}
