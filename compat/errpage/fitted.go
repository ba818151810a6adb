package errpage

import (
	"bytes"
	"path"
	"strings"

	"exaproxy/engine"
	"exaproxy/engine/h1"
)

// A fitting is what a blocked part of a page gets in place of an error page, which would break it or be shown within it: the
// least that is of the type that was wanted (fitted_pages).
type fitting struct {
	media string
	body  string
}

var (
	// A picture of one transparent dot: GIF89a.
	image = &fitting{"image/gif", "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"}

	script = &fitting{"text/javascript", ""}
	sheet  = &fitting{"text/css", ""}
	frame  = &fitting{ContentType, "<!DOCTYPE html><title></title>"}
	object = &fitting{"application/json", "{}"}
)

// destinations are what a browser says it wants an answer for: Fetch Metadata, section 2.1. Others get the page: document,
// which is what somebody has gone to, and those for which nothing can be made of nothing, such as fonts and films.
var destinations = map[string]*fitting{
	"image": image, "script": script, "worker": script, "sharedworker": script, "serviceworker": script, "style": sheet,
	"frame": frame, "iframe": frame, "embed": frame, "object": frame, "json": object,
}

// accepted are the media types by which a client tells it that says nothing of the destination, as the first that it accepts.
var accepted = map[string]*fitting{
	"text/css": sheet, "application/json": object,
	"text/javascript": script, "application/javascript": script, "application/x-javascript": script,
}

// suffixes are those of paths, for clients that accept anything.
var suffixes = map[string]*fitting{
	".png": image, ".gif": image, ".jpg": image, ".jpeg": image, ".webp": image, ".avif": image, ".svg": image, ".ico": image, ".bmp": image,
	".js": script, ".mjs": script, ".css": sheet, ".json": object,
}

// refused says whether the failure is that the client may not have what it asked for.
func refused(f *engine.Failure) bool {
	return f.Kind == engine.Refused || f.Kind == engine.ReplyRefused || f.Kind == engine.NotForwarded
}

// fit finds what fits a request; nil is for those that somebody sees, as far as one can know, who gets a page.
func fit(r *engine.Request) *fitting {
	asked := wanted(r)
	dest := lower(asked.Header.Get("Sec-Fetch-Dest"))
	media, page := accepts(&asked.Header)
	switch {
	case asked.Method == "CONNECT", dest == "" && page:
		return nil
	case dest != "" && dest != "empty":
		return destinations[dest]
	case media == "", media == "*/*":
		file, _, _ := bytes.Cut(asked.Target.Path, question)
		return suffixes[lower([]byte(path.Ext(string(file))))]
	case strings.HasPrefix(media, "image/"):
		return image
	}
	return accepted[media]
}

var question = []byte("?")

// accepts is the media type that a client names first, and whether it accepts web pages, which those do that show one.
func accepts(h *h1.Header) (first string, page bool) {
	h.Elements("Accept", func(element []byte) {
		value, _ := weigh(element)
		media := lower(value)
		if first == "" {
			first = media
		}
		page = page || media == "text/html"
	})
	return first, page
}

// lower is a short text in small letters; a long one is none that we know.
func lower(s []byte) string {
	if len(s) > longestTag {
		return "-"
	}
	return strings.ToLower(string(s))
}
