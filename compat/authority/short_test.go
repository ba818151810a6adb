package authority

import (
	"crypto/tls"
	"strings"
	"testing"
	"time"
)

// shortKey is an authority of 512 bits (openssl req -x509 -newkey rsa:512), which nothing can be signed with.
const shortKey = `-----BEGIN CERTIFICATE-----
MIIBeTCCASOgAwIBAgIUTwlwC2Lp/BNWuLMJycOfs9UWrO8wDQYJKoZIhvcNAQEL
BQAwEDEOMAwGA1UEAwwFc2hvcnQwIBcNMjYxMTI4MDI1NjU5WhgPMjEyNjExMDQw
MjU2NTlaMBAxDjAMBgNVBAMMBXNob3J0MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJB
AO9FJuta7BfQnHdOoKQOfL7ByB3GEW1cWMbTDcIs2dztSzJBv2p4vO/Y0C0oZnpl
lfcD1c8TO+ina54OGlxo2zcCAwEAAaNTMFEwHQYDVR0OBBYEFIe73h339G76oZI8
xbpee0yZavG/MB8GA1UdIwQYMBaAFIe73h339G76oZI8xbpee0yZavG/MA8GA1Ud
EwEB/wQFMAMBAf8wDQYJKoZIhvcNAQELBQADQQA3nCkYoiiooHGEdBes7ylemrSK
+f/gX+pnStCeuDy8WhlIJGIygBK73zXCswOjyOTO5QSWM6ryCBt+FupnUnEt
-----END CERTIFICATE-----
-----BEGIN PRIVATE KEY-----
MIIBUwIBADANBgkqhkiG9w0BAQEFAASCAT0wggE5AgEAAkEA70Um61rsF9Ccd06g
pA58vsHIHcYRbVxYxtMNwizZ3O1LMkG/ani879jQLShmemWV9wPVzxM76Kdrng4a
XGjbNwIDAQABAkASNQXoJOwQR9yQK5iHw150uZQ7x8Wtt7g9sPO8EeOmLva7Vd33
XpFE6Ss9Ku7s2emTcl8aNuWmFiYVuVpmDMgJAiEA/bch9lZ/cqNsAaUr6EohgGta
XXfsE15R6KB7z4JmoS0CIQDxbLhVQfDxAU06n0hpDNqstET7d6WmquPMm/bMCYjE
cwIgGyRTQsogGkB3Vnm4B8KecOGLKkKhA7VsZ8l7VUiq+AUCIC2FR1hj/48hpLMp
91g/YTfxIZScobJERIF+4tDj91K7AiAN1SYyZVOHegEstyq1NHaADfhOinXMX0oH
i19WJwBPMw==
-----END PRIVATE KEY-----
`

// TestAKeyThatCannotSign is refused at the start, and not at each page.
func TestAKeyThatCannotSign(t *testing.T) {
	chain, err := tls.X509KeyPair([]byte(shortKey), []byte(shortKey))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(chain, 0, time.Now); err == nil || !strings.Contains(err.Error(), "the key cannot sign") {
		t.Errorf("got %v", err)
	}
}
