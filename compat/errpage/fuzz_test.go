package errpage

import (
	"strings"
	"testing"
)

// FuzzTemplate fills in pages that may be written in any way: nothing panics, what the page has no code for stays, and what a
// client says becomes no HTML.
func FuzzTemplate(f *testing.F) {
	for _, page := range []string{"", "%", "a %u %%b%", "@Squid{%>a}", "@Squid{%{X}>h", "@Squid{}", "@Squid{%'{X}>h}@Squid{{}}", "%;%q@", allCodes()} {
		f.Add(page)
	}
	v := values()
	v.Request.Header.Add("X", []byte("<script>"))
	f.Fuzz(func(t *testing.T, page string) {
		compiled, _ := compile("FUZZ", page)
		filled := string(compiled.append(nil, v))
		if !strings.ContainsAny(page, "%@") && filled != page {
			t.Errorf("%q becomes %q", page, filled)
		}
		if !strings.Contains(page, "<") && strings.Contains(filled, "<script>") {
			t.Errorf("%q lets a script in: %q", page, filled)
		}
	})
}
