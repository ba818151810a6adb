package manager

import (
	"strings"
	"testing"

	"exaproxy/helper"
)

// TestPasswordsOfUsersAreNotShown has the page of authentication show who is asked about, and no more.
func TestPasswordsOfUsersAreNotShown(t *testing.T) {
	for name, want := range map[string]string{"basicauthenticator": "\talice XXXXXXXXXX\n", "redirector": "\talice hunter2?[31m\n"} {
		r := &report{p: newPolicy(t, "")}
		r.pool(&helper.Stats{Name: name, Argv: []string{"/bin/helper"}, Each: []helper.ChildStats{{Number: 1, Oldest: "alice hunter2\u009b[31m\n"}}})
		if page := string(r.out); !strings.Contains(page, want) || strings.Contains(page, "hunter2") == (name == "basicauthenticator") {
			t.Errorf("%s: it shows\n%s", name, page)
		}
	}
}
