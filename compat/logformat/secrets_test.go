package logformat

import (
	"strings"
	"testing"
)

// TestAdvisoryNoCodeLogsCredentials has every code and every format of Squid's for requests with credentials in each place,
// also ones that cannot be understood. Only who names a field gets it.
func TestAdvisoryNoCodeLogsCredentials(t *testing.T) {
	fields := []string{"Host: a.test", "Authorization: Basic SECRET", "proxy-authorization: Negotiate SECRET", "Cookie: sid=SECRET", "COOKIE: SECRET"}
	for _, line := range []string{
		"GET http://joe:SECRET@a.test/ HTTP/1.1",
		"GET http://joe:SECRET@a.test:99999/ HTTP/1.1",
		"GET http://joe:SECRET@a.test/ HTTP/2.0",
		"GET http://joe@b:SECRET@a.test/ HTTP/1.1",
		"CONNECT joe:SECRET@a.test:443 HTTP/1.1",
		"GET cache_object://a.test/info@SECRET HTTP/1.0",
	} {
		rec := fetched(t, append([]string{line}, fields...)...)
		for _, c := range codes {
			f, err := Compile("%" + c.name)
			if err != nil {
				continue // it needs an argument
			}
			if got := string(f.Append(nil, rec)); strings.Contains(got, "SECRET") {
				t.Errorf("%s: %%%s logs %s", line, c.name, got)
			}
		}
		for _, name := range []string{"squid", "common", "combined", "referrer", "useragent"} {
			f, ok := Builtin(name)
			if !ok {
				t.Fatalf("there is no format %s", name)
			}
			f.Headers = true
			if got := string(f.Append(nil, rec)); strings.Contains(got, "SECRET") {
				t.Errorf("%s: format %s logs %s", line, name, got)
			}
		}
	}
	named := fetched(t, "GET http://a.test/ HTTP/1.1", "Cookie: sid=wanted")
	if f, err := Compile("%{Cookie}>h"); err != nil || string(f.Append(nil, named)) != "sid=wanted" {
		t.Errorf("who names a field does not get it: %v", err)
	}
}
