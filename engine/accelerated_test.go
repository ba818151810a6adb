package engine

import "testing"

// TestSecret is the field with credentials for us: on an accelerator's port Authorization, if it has told anything.
func TestSecret(t *testing.T) {
	accel, forward := &Port{Mode: Accel}, &Port{}
	for _, row := range []struct {
		r    Request
		want string
	}{
		{Request{}, "Proxy-Authorization"},
		{Request{Port: forward, User: "joe"}, "Proxy-Authorization"},
		{Request{Port: accel}, "Proxy-Authorization"},
		{Request{Port: accel, User: "joe"}, "Authorization"},
		{Request{Port: accel, Claimed: "joe"}, "Authorization"},
	} {
		if got := row.r.Secret(); got != row.want {
			t.Errorf("of user %q (%q) by port %+v it is %s, want %s", row.r.User, row.r.Claimed, row.r.Port, got, row.want)
		}
	}
}
