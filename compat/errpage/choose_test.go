package errpage

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"exaproxy/compat/compattest"
	"exaproxy/compat/decision"
	"exaproxy/engine"
)

// TestChoose has the language that is wanted most win; but for q-values these are Squid 5.7's choices, with its folders.
func TestChoose(t *testing.T) {
	for _, row := range []struct{ fields, want, missing string }{
		{"", "en", ""},
		{"fr", "fr", ""},
		{"FR", "fr", ""},
		{"fr-CA,fr;q=0.9,en;q=0.8", "fr", ""},
		{"zh-Hant-TW", "zh", ""},
		{"pt-BR,pt;q=0.9", "pt", ""},
		{"xx, fr", "fr", "xx"},
		{"xx|de", "de", "xx"},
		{"xx", "en", "xx"},
		{"*, fr", "en", ""},
		{"xx;q=1, *;q=0.5, fr", "fr", "xx"},
		{",,fr ; q=1", "fr", ""},
		{"frisian, fr", "fr", "frisian"},
		{"f, fr", "fr", ""},
		{"../templates, fr", "fr", ""},
		{"templates", "en", "templates"},
		{strings.Repeat("x", 300) + ",fr", "fr", ""},
		// By q, where Squid goes by the order alone.
		{"de;q=0.1, fr;q=0.9", "fr", ""},
		{"fr;q=0, de;q=0.001", "de", ""},
		{"fr;q=0", "en", ""},
		{"fr;Q=0.5, de;q=0.75", "de", ""},
		{"fr;q=banana, de;q=0.9", "fr", ""},
	} {
		var log strings.Builder
		p, _ := newPolicy(t, "")
		p.Log = slog.New(slog.NewTextHandler(&log, nil))
		r := compattest.NewRequest(t, "GET http://a.test/ HTTP/1.1")
		for field := range strings.SplitSeq(row.fields, "|") {
			if field != "" {
				r.Header.Add("Accept-Language", []byte(field))
			}
		}
		page := p.Settings.Pages.Choose("ERR_DNS_FAIL", r, p.missing)
		if page.Language != row.want {
			t.Errorf("Accept-Language: %.50s chooses %s, want %s", row.fields, page.Language, row.want)
		}
		if got := strings.Contains(log.String(), "Error Pages Missing Language: "+row.missing+`"`); got != (row.missing != "") || row.missing == "" && log.Len() > 0 {
			t.Errorf("Accept-Language: %.50s: the log should tell of %q, it says\n%s", row.fields, row.missing, log.String())
		}
	}
}

// TestDefaultLanguage shows error_default_language to those who want none that there is.
func TestDefaultLanguage(t *testing.T) {
	for _, row := range []struct{ conf, want, said string }{
		{"error_default_language de", "de", ""},
		{"error_default_language de-at", "de", ""},
		{"error_default_language sv", "en", "there are no error pages in 'sv': choose one of de en es fr it ja nl pl pt ru zh, or show"},
	} {
		p, messages := newPolicy(t, row.conf)
		r := compattest.NewRequest(t, "GET http://a.test/ HTTP/1.1")
		if page := p.Settings.Pages.Choose("ERR_DNS_FAIL", r, nil); page.Language != row.want {
			t.Errorf("%s gives %s", row.conf, page.Language)
		}
		if !strings.Contains(messages, row.said) || row.said == "" && messages != "" {
			t.Errorf("%s says %q", row.conf, messages)
		}
	}
}

// TestStandInsOfAnErrorDirectory are in the language whose name the folder has, and named in no field.
func TestStandInsOfAnErrorDirectory(t *testing.T) {
	p, _ := newPolicy(t, "error_directory /nonexistent/pt-br")
	r := compattest.NewRequest(t, "GET http://a.test/ HTTP/1.1")
	r.Header.Add("Accept-Language", []byte("de"))
	var m decision.Memory
	p.Write(&m, r, &engine.Failure{Kind: engine.Refused}, AccessDenied, 403)
	if body := string(m.Reply.Body); !strings.Contains(body, `<html lang="pt">`) {
		t.Errorf("the page is\n%s", body)
	}
	if fields := string(m.Reply.Fields); strings.Contains(fields, "Language") {
		t.Errorf("the fields are\n%s", fields)
	}
}

// TestMissingLanguagesAreToldOnce keeps clients from filling the log.
func TestMissingLanguagesAreToldOnce(t *testing.T) {
	var log strings.Builder
	p, _ := newPolicy(t, "")
	p.Log = slog.New(slog.NewTextHandler(&log, nil))
	for range 3 {
		for i := range 2 * mostTold {
			p.missing(fmt.Appendf(nil, "x%d", i))
		}
	}
	p.missing([]byte("sv\n"))
	if n := strings.Count(log.String(), "Missing"); n != mostTold {
		t.Errorf("the log has %d lines", n)
	}
	log.Reset()
	quiet, _ := newPolicy(t, "error_log_languages off")
	quiet.Log = p.Log
	quiet.missing([]byte("sv"))
	if log.Len() > 0 {
		t.Errorf("error_log_languages off: %s", log.String())
	}
}
