package errpage

import (
	"bytes"
	"image/gif"
	"strings"
	"testing"

	"exaproxy/compat/compattest"
	"exaproxy/compat/decision"
	"exaproxy/engine"
)

// What browsers send: Accept of Chromium 120, and Firefox 115 where it is another. Sec-Fetch-Dest is sent with https:// only.
const (
	navigates   = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8"
	wantsImage  = "Accept: image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"
	wantsSheet  = "Accept: text/css,*/*;q=0.1"
	wantsAny    = "Accept: */*"
	wantsObject = "Accept: application/json, text/plain, */*"
)

func TestFit(t *testing.T) {
	for _, row := range []struct {
		name, path, fields string // fields: separated by |
		want               *fitting
	}{
		{"a page", "/", navigates, nil},
		{"a page that has the name of an image", "/x.png", navigates, nil},
		{"a page over https", "/x.js", navigates + "|Sec-Fetch-Dest: document|Sec-Fetch-Mode: navigate", nil},
		{"a page of a browser that accepts anything", "/x.js", wantsAny + "|Sec-Fetch-Dest: document", nil},
		{"a download of a program", "/archive", wantsAny, nil},
		{"nothing is said", "/", "", nil},
		{"an image", "/banner", wantsImage, image},
		{"an image over https", "/banner.php", wantsImage + "|Sec-Fetch-Dest: image", image},
		{"an image by its name", "/a/b.c/x.PNG?size=3.js", wantsAny, image},
		{"a script by its name", "/lib.js?v=1.2", wantsAny, script},
		{"a script over https", "/lib", wantsAny + "|Sec-Fetch-Dest: script", script},
		{"a worker", "/lib", wantsAny + "|Sec-Fetch-Dest: worker", script},
		{"a style sheet", "/s", wantsSheet, sheet},
		{"a style sheet by its name", "/s.css", wantsAny, sheet},
		{"a frame over https", "/ad.html", navigates + "|Sec-Fetch-Dest: iframe|Sec-Fetch-Mode: navigate", frame},
		{"JSON", "/api", wantsObject, object},
		{"JSON over https", "/api", wantsObject + "|Sec-Fetch-Dest: empty", object},
		{"JSON by its name", "/api.json", wantsAny + "|Sec-Fetch-Dest: empty", object},
		{"something of a script", "/api", wantsAny + "|Sec-Fetch-Dest: empty", nil},
		{"a font", "/f.woff2", wantsAny + "|Sec-Fetch-Dest: font", nil},
		{"the destination counts, not the name", "/x.png", wantsAny + "|Sec-Fetch-Dest: script", script},
		{"a destination that nobody knows", "/x.png", wantsAny + "|Sec-Fetch-Dest: " + strings.Repeat("x", 4096), nil},
		{"a type that nobody knows", "/x.png", "Accept: " + strings.Repeat("x", 4096), nil},
		{"a point at the end", "/x.", wantsAny, nil},
	} {
		r := compattest.NewRequest(t, "GET http://a.test"+row.path+" HTTP/1.1")
		for field := range strings.SplitSeq(row.fields, "|") {
			if name, value, ok := strings.Cut(field, ": "); ok {
				r.Header.Add(name, []byte(value))
			}
		}
		if got := fit(r); got != row.want {
			t.Errorf("%s: got %+v, want %+v", row.name, got, row.want)
		}
	}
	if got := fit(compattest.NewRequest(t, "CONNECT a.test:443 HTTP/1.1")); got != nil {
		t.Errorf("a CONNECT gets %+v", got)
	}
}

// TestImageIsOne has the picture be read by somebody else's code.
func TestImageIsOne(t *testing.T) {
	dot, err := gif.Decode(strings.NewReader(image.body))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, alpha := dot.At(0, 0).RGBA(); dot.Bounds().Dx() != 1 || dot.Bounds().Dy() != 1 || alpha != 0 {
		t.Errorf("the picture is %v, and not transparent: %d", dot.Bounds(), alpha)
	}
}

// TestFitted has only refusals fitted, and no question who the client is.
func TestFitted(t *testing.T) {
	for _, row := range []struct {
		conf   string
		kind   engine.FailureKind
		status int
		want   string
	}{
		{"fitted_pages on", engine.Refused, 403, "text/css"},
		{"fitted_pages on", engine.ReplyRefused, 403, "text/css"},
		{"fitted_pages on", engine.NotForwarded, 403, "text/css"},
		{"fitted_pages on", engine.NoSuchName, 503, ContentType},
		{"fitted_pages on", engine.Refused, 407, ContentType},
		{"fitted_pages off", engine.Refused, 403, ContentType},
		{"", engine.Refused, 403, ContentType},
	} {
		p, _ := newPolicy(t, row.conf)
		p.Challenge = func(dst []byte, _ *engine.Request) ([]byte, bool) {
			return append(dst, "Proxy-Authenticate: Basic\r\n"...), false
		}
		r := compattest.NewRequest(t, "GET http://a.test/s.css HTTP/1.1")
		r.Header.Add("Accept", []byte("text/css,*/*;q=0.1"))
		var m decision.Memory
		p.Write(&m, r, &engine.Failure{Kind: row.kind}, AccessDenied, row.status)
		if got := m.Reply.ContentType; got != row.want || !bytes.Contains(m.Reply.Fields, []byte("Content-Type: "+row.want+"\r\n")) {
			t.Errorf("%s, %v: the type is %s, want %s, and the fields are\n%s", row.conf, row.kind, got, row.want, m.Reply.Fields)
		}
		if vary := bytes.Contains(m.Reply.Fields, []byte("Vary: Accept, Accept-Language, Sec-Fetch-Dest\r\n")); vary != (row.conf == "fitted_pages on") {
			t.Errorf("%s: the fields are\n%s", row.conf, m.Reply.Fields)
		}
		if m.Reply.Page != AccessDenied || m.Reply.Status != row.status {
			t.Errorf("%s: the record is of %s, %d", row.conf, m.Reply.Page, m.Reply.Status)
		}
	}
}
