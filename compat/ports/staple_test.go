package ports

import (
	"crypto/tls"
	"encoding/asn1"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// response has openssl make the OCSP response for a certificate of an authority.
func (f *folder) response(ca *entity, of, name string, args ...string) {
	f.Helper()
	path, err := exec.LookPath("openssl")
	if err != nil {
		f.Skip("openssl is not installed")
	}
	f.write("index.txt", []byte("V\t350101000000Z\t\t"+serialOf(f, of)+"\tunknown\t/CN="+of+"\n"))
	if strings.HasPrefix(name, "revoked") {
		f.write("index.txt", []byte("R\t350101000000Z\t240101000000Z\t"+serialOf(f, of)+"\tunknown\t/CN="+of+"\n"))
	}
	cmd := exec.Command(path, append([]string{"ocsp", "-index", "index.txt", "-rsigner", ca.cert.Subject.CommonName + ".crt", "-rkey", ca.cert.Subject.CommonName + ".key",
		"-CA", ca.cert.Subject.CommonName + ".crt", "-issuer", ca.cert.Subject.CommonName + ".crt", "-cert", of + ".crt", "-respout", name}, args...)...)
	cmd.Dir = f.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		f.Fatalf("openssl ocsp: %v\n%s", err, out)
	}
}

func serialOf(f *folder, of string) string {
	f.Helper()
	pair, err := tls.LoadX509KeyPair(filepath.Join(f.dir, of+".crt"), filepath.Join(f.dir, of+".key"))
	if err != nil {
		f.Fatal(err)
	}
	serial := strings.ToUpper(pair.Leaf.SerialNumber.Text(16))
	if len(serial)%2 == 1 {
		serial = "0" + serial
	}
	return serial
}

// TestOCSPResponseIsShown has clients be given the response that stands in a file, for as long as it is good.
func TestOCSPResponseIsShown(t *testing.T) {
	f := newFolder(t)
	ca := f.make("ca", nil, nil)
	site := f.make("site.test", ca, nil)
	f.make("other.test", ca, nil)
	f.response(ca, "site.test", "good.der", "-ndays", "2")
	f.response(ca, "other.test", "other.der", "-ndays", "2")
	f.response(ca, "site.test", "revoked.der", "-ndays", "2")
	f.response(ca, "site.test", "endless.der")
	own := "tls-cert={}/site.test.crt tls-key={}/site.test.key tls-ocsp-staple={}/"
	port, messages := f.port(own + "good.der")
	state, err, _ := greet(t, port, &tls.Config{})
	if want, _ := os.ReadFile(filepath.Join(f.dir, "good.der")); err != nil || string(state.OCSPResponse) != string(want) || len(messages) > 0 {
		t.Errorf("the client gets %x, %v; it says %q", state.OCSPResponse, err, messages)
	}
	for name, want := range map[string]string{"other.der": "says nothing of the certificate", "revoked.der": "is good", "endless.der": "nextUpdate", "site.test.crt": "not an OCSP response", "missing": "no such file"} {
		o := tlsOptions{directive: "https_port", pairs: []pair{{f.dir + "/site.test.crt", f.dir + "/site.test.key", f.dir + "/" + name}}}
		if _, err := o.read(f.context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s gives %v, want %q", name, err, want)
		}
	}

	text, err := os.ReadFile(filepath.Join(f.dir, "good.der"))
	if err != nil {
		t.Fatal(err)
	}
	single, err := responseFor(text, site.cert.SerialNumber)
	if err != nil {
		t.Fatal(err)
	}
	c := certificate{plain: &tls.Certificate{}, stapled: &tls.Certificate{OCSPStaple: text}, until: single.Until}
	if c.now(single.Until.Add(-time.Second)) != c.stapled || c.now(single.Until.Add(time.Second)) != c.plain {
		t.Error("a response that is too old is shown, or one that is good is not")
	}
	old, err := asn1.Marshal(basic(site.cert.SerialNumber, time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)))
	if err != nil {
		t.Fatal(err)
	}
	f.write("old.der", wrap(t, old))
	if port, messages = f.port(own + "old.der"); len(messages) != 1 || !strings.Contains(messages[0], "it is not used now") {
		t.Errorf("of a response that is too old it says %q", messages)
	}
	if state, err, _ := greet(t, port, &tls.Config{}); err != nil || state.OCSPResponse != nil {
		t.Errorf("the client gets %x, %v", state.OCSPResponse, err)
	}
	failed, err := asn1.Marshal(struct{ Status asn1.Enumerated }{6})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := responseFor(failed, big.NewInt(1)); err == nil || !strings.Contains(err.Error(), "number 6") {
		t.Errorf("a response that is an error gives %v", err)
	}
}

// basic is a response that nobody has signed.
func basic(serial *big.Int, since, until time.Time) basicResponse {
	var b basicResponse
	b.Data.Responder = asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 2, IsCompound: true, Bytes: []byte{4, 1, 0}}
	b.Data.Produced = since.UTC()
	b.Algorithm.Algorithm = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
	one := singleResponse{Status: asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: good}, Since: since.UTC(), Until: until.UTC()}
	one.Certificate.Algorithm.Algorithm = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
	one.Certificate.SerialNumber = serial
	b.Data.Responses = []singleResponse{one}
	return b
}

func wrap(t *testing.T, basic []byte) []byte {
	t.Helper()
	var response ocspResponse
	response.Response.Type = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}
	response.Response.Basic = basic
	der, err := asn1.Marshal(response)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func FuzzOCSPResponse(f *testing.F) {
	f.Add([]byte{0x30, 3, 10, 1, 6})
	f.Fuzz(func(t *testing.T, text []byte) {
		if single, err := responseFor(text, big.NewInt(1)); (single == nil) == (err == nil) {
			t.Errorf("%x gives %v, %v", text, single, err)
		}
	})
}
