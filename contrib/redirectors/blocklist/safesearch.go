package main

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// A safeRule makes search engines leave out what is not for children, for some clients at some time.
type safeRule struct {
	condition
	youtube string // the host that YouTube is asked through; "" leaves it alone
}

// An engine is how one search engine is asked for that: within a tunnel, whose requests nobody
// sees, by the host that the tunnel leads to (which has certificates for the usual names too), and
// by a parameter of the query otherwise.
type engine struct {
	is        func(host string) bool
	host      string
	parameter string
	paths     []string // where the parameter belongs
}

var engines = []engine{
	{isGoogle, "forcesafesearch.google.com", "safe=active", []string{"/search", "/images", "/imghp"}},
	{isHost("bing.com"), "strict.bing.com", "adlt=strict", []string{"/search", "/images", "/videos"}},
	{isHost("duckduckgo.com"), "safe.duckduckgo.com", "kp=1", []string{"/"}},
	{isHost("search.yahoo.com"), "", "vm=r", []string{"/search"}}, // has no such host: block its CONNECTs
}

// youtubeHosts are those whose answers YouTube's restricted mode changes.
var youtubeHosts = []string{"www.youtube.com", "m.youtube.com", "youtubei.googleapis.com", "youtube.googleapis.com", "www.youtube-nocookie.com"}

var youtubeModes = map[string]string{"strict": "restrict.youtube.com", "moderate": "restrictmoderate.youtube.com"}

// addSafe takes [from=SOURCE,...] [during=TIME,...] [youtube=strict|moderate].
func (c *config) addSafe(words []string) error {
	var r safeRule
	for _, w := range words {
		if mode, ok := strings.CutPrefix(w, "youtube="); ok {
			if r.youtube = youtubeModes[mode]; r.youtube == "" {
				return fmt.Errorf("youtube=%s: there are strict and moderate", mode)
			}
			continue
		}
		taken, err := r.condition.take(c, w)
		if err != nil {
			return err
		}
		if !taken {
			return fmt.Errorf("%q: there are from=, during= and youtube=", w)
		}
	}
	if len(c.safe) == 64 {
		return errors.New("these are more than 64 lines of it")
	}
	c.safe = append(c.safe, r)
	return nil
}

// isGoogle knows google.TLD and www.google.TLD: google.com, google.de, google.co.uk, google.com.au.
func isGoogle(host string) bool {
	tld, ok := strings.CutPrefix(strings.TrimPrefix(host, "www."), "google.")
	first, second, two := strings.Cut(tld, ".")
	return ok && len(first) >= 2 && len(first) <= 3 && (!two || len(second) == 2)
}

func isHost(name string) func(string) bool {
	return func(host string) bool { return strings.TrimPrefix(host, "www.") == name }
}

// safer returns what is to be asked for in the place of the URL; "" leaves it as it is.
func (l *list) safer(f *fields, now func() time.Time) string {
	for i := range l.conf.safe {
		r := &l.conf.safe[i]
		if _, ok := r.holds(l.conf, &f.q, now, true); ok {
			return r.safer(f)
		}
	}
	return ""
}

func (r *safeRule) safer(f *fields) string {
	t := &f.t
	for _, h := range youtubeHosts {
		if r.youtube != "" && t.connect && t.host == h {
			return throughPort(r.youtube, t)
		}
	}
	for i := range engines {
		e := &engines[i]
		if !e.is(t.host) {
			continue
		}
		if !t.connect {
			return e.withParameter(f)
		}
		if e.host != "" {
			return throughPort(e.host, t)
		}
	}
	return ""
}

func throughPort(host string, t *target) string {
	if t.port == "" {
		return host + ":443"
	}
	return host + ":" + t.port
}

// withParameter sets the parameter in the place of those of its name.
func (e *engine) withParameter(f *fields) string {
	ours := false
	for _, p := range e.paths {
		ours = ours || strings.HasPrefix(f.t.path, p)
	}
	if !ours || !strings.Contains(f.q.url, "?") {
		return ""
	}
	url, _, _ := strings.Cut(f.q.url, "#")
	before, query, _ := strings.Cut(url, "?")
	name, _, _ := strings.Cut(e.parameter, "=")
	kept := make([]string, 0, 8)
	for p := range strings.SplitSeq(query, "&") {
		key, _, _ := strings.Cut(p, "=")
		if !strings.EqualFold(unescape(key), name) && p != "" {
			kept = append(kept, p)
		}
	}
	asked := strings.Join(append(kept, e.parameter), "&")
	return string(appendEscaped(nil, before+"?"+asked, inURL))
}
