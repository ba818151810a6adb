package errpage

import (
	"cmp"
	"strconv"
	"time"

	"exaproxy/engine/h1"
)

// Identity is how the proxy presents itself in the header fields of its own replies. It is made
// when the configuration is read and then left alone.
type Identity struct {
	Product string // the Server field
	Host    string // visible_hostname
	Port    uint16 // the first http_port, for X-Cache-Lookup
	Via     string // value of the Via field; "": none (via off)

	// CacheStatus is our name in Cache-Status, which Squid has since 6 in the place of X-Cache and X-Cache-Lookup; "": these.
	CacheStatus string
}

// Head is what the header fields of an error reply are made of.
type Head struct {
	Page     string // as Name returns it
	Errno    int    // as Errno returns it
	Media    string // the type of the page, if it is not ContentType
	Length   int    // of the page in bytes
	Language string // of the page, if it was chosen for the client: Page.Language
	Fits     bool   // what kind of page it is depends on what the client wants to use it for
	Lookup   Lookup // as LookupOf returns it
	Bare     bool   // the answer to a CONNECT that was accepted and then failed, with fewer fields
	Now      time.Time

	Challenges []byte // Proxy-Authenticate fields, each with its CRLF
}

// AppendError appends the header fields of an error reply in Squid's order, each with its
// CRLF, but for Connection.
func (id *Identity) AppendError(dst []byte, h *Head) []byte {
	dst = id.appendPreamble(dst, cmp.Or(h.Media, ContentType), h.Now)
	dst = appendNumber(dst, "Content-Length: ", h.Length)
	dst = append(dst, "X-Squid-Error: "...)
	dst = append(append(dst, h.Page...), ' ')
	dst = appendNumber(dst, "", h.Errno)
	if h.Fits {
		dst = append(dst, "Vary: Accept, Accept-Language, Sec-Fetch-Dest\r\n"...)
	} else if h.Language != "" {
		dst = append(dst, "Vary: Accept-Language\r\n"...)
	}
	if h.Language != "" {
		dst = appendField(dst, "Content-Language: ", h.Language)
	}
	dst = append(dst, h.Challenges...)
	if h.Bare {
		return dst
	}
	return id.appendCache(dst, h.Lookup)
}

// AppendDenial appends the header fields of a refusal by redirect (deny_info with a URL).
// reason is the status that stands in front of the URL, or 403. location must be one line.
func (id *Identity) AppendDenial(dst []byte, reason int, location []byte, now time.Time) []byte {
	dst = id.appendPreamble(dst, ContentType, now)
	dst = appendNumber(dst, "Content-Length: ", 0)
	dst = appendLocation(dst, location)
	dst = append(dst, "X-Squid-Error: "...)
	dst = strconv.AppendInt(dst, int64(reason), 10)
	dst = append(dst, " Access Denied\r\n"...)
	return id.appendCache(dst, NotLooked)
}

// AppendNotCached appends the header fields of an answer without a body about a page that is in no cache.
func (id *Identity) AppendNotCached(dst []byte, now time.Time) []byte {
	dst = appendField(dst, "Server: ", id.Product)
	dst = appendDate(dst, now)
	dst = appendNumber(dst, "Content-Length: ", 0)
	if id.CacheStatus == "" {
		return id.appendCache(dst, NotLooked) // until Squid 6 that was no lookup
	}
	return id.appendCache(dst, NotFound)
}

// AppendRedirect appends the header fields of a redirect that a helper asked for, which has no
// body. location must be one line.
func (id *Identity) AppendRedirect(dst, location []byte, l Lookup, now time.Time) []byte {
	dst = appendField(dst, "Server: ", id.Product)
	dst = appendDate(dst, now)
	dst = appendNumber(dst, "Content-Length: ", 0)
	dst = appendLocation(dst, location)
	return id.appendCache(dst, l)
}

// AppendTunnelRedirect is AppendRedirect for a client that believes to be in a tunnel: there is
// a body of length bytes, that of AppendRedirectPage.
func (id *Identity) AppendTunnelRedirect(dst, location []byte, length int, l Lookup, now time.Time) []byte {
	dst = appendField(dst, "Server: ", id.Product)
	dst = appendDate(dst, now)
	dst = appendField(dst, "Content-Type: ", ContentType)
	dst = appendNumber(dst, "Content-Length: ", length)
	dst = appendLocation(dst, location)
	return id.appendCache(dst, l)
}

// ContentType is that of every page.
const ContentType = "text/html;charset=utf-8"

// AppendPage appends the header fields of a page of the administrator's own, of a media type and
// length bytes long.
func (id *Identity) AppendPage(dst []byte, media string, length int, now time.Time) []byte {
	dst = appendField(dst, "Server: ", id.Product)
	dst = appendDate(dst, now)
	dst = appendField(dst, "Content-Type: ", media)
	dst = appendNumber(dst, "Content-Length: ", length)
	return append(dst, "Cache-Control: no-store\r\n"...)
}

// AppendReport appends the header fields of a page of the cache manager, of a media type and length bytes long, which is
// good for this moment only.
func (id *Identity) AppendReport(dst []byte, media string, length int, l Lookup, now time.Time) []byte {
	dst = appendField(dst, "Server: ", id.Product)
	dst = append(dst, "Mime-Version: 1.0\r\n"...)
	dst = appendDate(dst, now)
	dst = appendField(dst, "Content-Type: ", media)
	dst = appendNumber(dst, "Content-Length: ", length)
	date := now.UTC().Format(h1.DateLayout)
	dst = appendField(dst, "Expires: ", date)
	dst = appendField(dst, "Last-Modified: ", date)
	return id.appendCache(dst, l)
}

// appendPreamble appends the fields with which every page begins.
func (id *Identity) appendPreamble(dst []byte, media string, now time.Time) []byte {
	dst = appendField(dst, "Server: ", id.Product)
	dst = append(dst, "Mime-Version: 1.0\r\n"...)
	dst = appendDate(dst, now)
	return appendField(dst, "Content-Type: ", media)
}

// appendCache appends the fields about Squid's cache, and Via.
func (id *Identity) appendCache(dst []byte, l Lookup) []byte {
	if id.CacheStatus != "" {
		dst = append(dst, "Cache-Status: "...)
		dst = append(l.AppendStatus(dst, id.CacheStatus), "\r\n"...)
	} else {
		dst = id.appendOldCache(dst, l)
	}
	if id.Via == "" {
		return dst
	}
	return appendField(dst, "Via: ", id.Via)
}

// appendOldCache appends the fields of Squid before 6.
func (id *Identity) appendOldCache(dst []byte, l Lookup) []byte {
	dst = appendField(dst, "X-Cache: MISS from ", id.Host)
	if l == NotLooked {
		dst = append(dst, "X-Cache-Lookup: NONE from "...)
	} else {
		dst = append(dst, "X-Cache-Lookup: MISS from "...)
	}
	dst = append(append(dst, id.Host...), ':')
	return appendNumber(dst, "", int(id.Port))
}

func appendField(dst []byte, name, value string) []byte {
	dst = append(dst, name...)
	dst = append(dst, value...)
	return append(dst, "\r\n"...)
}

func appendNumber(dst []byte, name string, n int) []byte {
	dst = append(dst, name...)
	dst = strconv.AppendInt(dst, int64(n), 10)
	return append(dst, "\r\n"...)
}

func appendLocation(dst, location []byte) []byte {
	dst = append(dst, "Location: "...)
	dst = append(dst, location...)
	return append(dst, "\r\n"...)
}

func appendDate(dst []byte, now time.Time) []byte {
	dst = append(dst, "Date: "...)
	dst = now.UTC().AppendFormat(dst, h1.DateLayout)
	return append(dst, "\r\n"...)
}
