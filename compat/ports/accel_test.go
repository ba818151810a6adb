package ports

import (
	"fmt"
	"strings"
	"testing"

	"exaproxy/compat/acl"
	"exaproxy/compat/compattest"
	"exaproxy/engine"
)

// TestAcceleratorOptions has what Squid 5.7 says of them; what has "ours" in front is ours to say.
func TestAcceleratorOptions(t *testing.T) {
	for options, want := range map[string]string{
		"defaultsite=a.test":             "FATAL: http_port: defaultsite option requires Acceleration mode flag.",
		"vport":                          "FATAL: http_port: vport option requires Acceleration mode flag.",
		"vport=80":                       "FATAL: http_port: vport option requires Acceleration mode flag.",
		"allow-direct":                   "FATAL: http_port: allow-direct option requires Acceleration mode flag.",
		"protocol=http":                  "FATAL: http_port: protocol option requires Acceleration mode flag.",
		"accel vport=abc":                "ERROR: No digits were found in the input value 'abc'.",
		"accel vport=":                   "ERROR: No digits were found in the input value ''.",
		"accel vport=65536":              "ERROR: The value '65536' is larger than the type 'short'.",
		"accel vport=-1":                 "ERROR: The value '-1' cannot be less than 0.",
		"accel vport=0x50":               "ERROR: Invalid value: '0x50' is supposed to be a number.",
		"accel protocol=HTTP/1.0":        "FATAL: http_port directive does not support protocol=HTTP/1.0",
		"accel protocol=cache_object":    "FATAL: http_port directive does not support protocol=CACHE_OBJECT",
		"accel protocol=":                "FATAL: http_port directive does not support protocol=",
		"accel protocol=ftp":             "ours ERROR: http_port option 'protocol=ftp' cannot be followed: there is no FTP",
		"accel protocol=https":           "ours ERROR: http_port option 'protocol=https' cannot be followed: whether clients speak TLS on a port is said by its directive: write https_port",
		"accel defaultsite=a/b":          "ours FATAL: http_port option 'defaultsite=a/b' must be a host name or address, with or without a port",
		"accel defaultsite=a:99999":      "ours FATAL: http_port option 'defaultsite=a:99999' must be a host name or address, with or without a port",
		"accel =x":                       "FATAL: Unknown http_port option '=x'.",
		"accel ssl-bump":                 "ours FATAL: http_port 3128: ssl-bump needs tls-cert= with an authority ('exaproxy make-ca DIR' makes one)",
		"no-vhost":                       "",
		"act-as-origin":                  "",
		"ignore-cc":                      "",
		"vhost defaultsite=a.test":       "",
		"accel vport=081 vport":          "",
		"accel defaultsite= defaultsite": "",
		"accel defaultsite=[::1]:80":     "",
		"accel accel act-as-origin allow-direct ignore-cc no-connection-auth": "",
	} {
		var s Settings
		_, err := compattest.Read(acl.NewSet(), s.Directives(), "http_port 3128 "+options)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if want = strings.TrimPrefix(want, "ours "); want == "" && got != "" || !strings.HasSuffix(got, want) {
			t.Errorf("of http_port 3128 %s it says %q, want %q", options, got, want)
		}
	}
}

// TestAcceleratorHasNoOtherMode since one port cannot be two things.
func TestAcceleratorHasNoOtherMode(t *testing.T) {
	for _, mode := range []engine.Mode{engine.Intercept, engine.TPROXY} {
		p := engine.Port{Mode: mode}
		err := setAccel(nil, "http_port", &p, "accel", "", "accel")
		if want := "FATAL: http_port: Accelerator mode requires its own port. It cannot be shared with other modes."; err == nil || fmt.Sprint(err) != want {
			t.Errorf("of mode %d with accel it says %v, want %s", mode, err, want)
		}
	}
}

// TestSecureAccelerator has URLs of https, unless the option contradicts the directive.
func TestSecureAccelerator(t *testing.T) {
	f := newFolder(t)
	f.make("site.test", nil, nil)
	own := "tls-cert={}/site.test.crt tls-key={}/site.test.key "
	if port, messages := f.port(own + "accel protocol=HTTPS/1.1"); port.Site.Scheme != "https" || port.TLS == nil || len(messages) > 0 {
		t.Errorf("the port is %+v; it says %q", port.Site, messages)
	}
	var s Settings
	line := strings.ReplaceAll("https_port 3129 accel protocol=http "+own, "{}", f.dir)
	if _, err := compattest.Read(acl.NewSet(), s.Directives(), line); err == nil || !strings.Contains(err.Error(), "write http_port") {
		t.Errorf("of protocol=http on an https_port it says %v", err)
	}
}
