package conf

import "testing"

func TestNearest(t *testing.T) {
	for name, want := range map[string]string{
		"http_acces": "http_access", "htp_access": "http_access", "htpt_access": "http_access", "url_rewrite_progam": "url_rewrite_program",
		"visible_hostnames": "visible_hostname", "frobnicate": "", "acls": "acl", "x": "",
	} {
		if got := nearest(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
