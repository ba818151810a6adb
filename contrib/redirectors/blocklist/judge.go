package main

import (
	"strings"
	"time"
)

// A verdict is what becomes of a request, and why.
type verdict struct {
	action   action
	rule     *rule // nil: none matched
	category string
	source   string
}

// unreadable is the category of what cannot be judged, and is therefore blocked.
const unreadable = "unreadable"

// judge finds the first rule that matches.
func (l *list) judge(f *fields, now func() time.Time) verdict {
	var in set
	if l.entries > 0 {
		in = l.categoriesOf(&f.t)
	}
	var tried, matched set // expressions
	for i := range l.conf.rules {
		r := &l.conf.rules[i]
		source, ok := r.holds(l.conf, &f.q, now, r.action != allow)
		if !ok {
			continue
		}
		for _, c := range r.categories {
			hit := c == everything || c == addresses && f.t.literal || c >= 0 && in.has(c)
			if !hit && c >= 0 && l.expressions[c] != nil {
				if !tried.has(c) {
					tried = tried.with(c)
					if matches(l, c, f) {
						matched = matched.with(c)
					}
				}
				hit = matched.has(c)
			}
			if hit {
				return verdict{action: r.action, rule: r, category: l.conf.nameOf(c), source: source}
			}
		}
	}
	return verdict{action: allow}
}

// matches looks at the URL as it is, and as it is once %XX is decoded.
func matches(l *list, category int, f *fields) bool {
	x := l.expressions[category]
	if x.MatchString(f.q.url) {
		return true
	}
	decoded := unescape(f.q.url)
	return decoded != f.q.url && x.MatchString(decoded)
}

// categoriesOf looks the target up: its name and the domains above it, and its URL and those above it.
func (l *list) categoriesOf(t *target) set {
	var room [512]byte
	name := append(room[:0], t.host...)
	in := l.names.get(name)
	last := strings.LastIndexByte(t.host, '.')
	for dot := 0; dot <= last && !t.literal; {
		dot += strings.IndexByte(t.host[dot:], '.') + 1
		if dot <= last || l.topLevel {
			in.add(l.names.get(name[dot:]))
		}
	}
	if l.longestURL == 0 || t.connect {
		return in
	}
	key := t.appendKey(room[:0])
	root := strings.IndexByte(string(key[:min(len(key), maxHost+1)]), '/') + 1
	in.add(l.names.get(key[:root]))
	for i := root; i <= len(key) && i <= l.longestURL; i++ {
		if i == len(key) || strings.IndexByte("/?&;", key[i]) >= 0 {
			in.add(l.names.get(key[:i]))
		}
	}
	return in
}

// appendKey appends a URL as the table has it: HOST/PATH?QUERY, the host without the www of
// www.HOST, www2.HOST and so on.
func (t *target) appendKey(b []byte) []byte {
	host := t.host
	if rest, ok := strings.CutPrefix(host, "www"); ok {
		if rest = strings.TrimLeft(rest, "0123456789"); len(rest) > 1 && rest[0] == '.' {
			host = rest[1:]
		}
	}
	return append(append(append(b, host...), t.path...), t.query...)
}

// answer judges a line, and appends what is to be said to the proxy, without the line's end.
func (l *list) answer(b []byte, line string, now func() time.Time) []byte {
	f := fields{q: parseQuestion(line)}
	b = append(b, f.q.channel...)
	if f.q.url == "" {
		return append(b, `BH message="the line has no URL"`...)
	}
	var err error
	if f.t, err = parseTarget(f.q.url); err != nil {
		f.category = unreadable
		return redirectTo(b, l.conf.redirect, &f)
	}
	v := l.judge(&f, now)
	f.category, f.source = v.category, v.source
	switch {
	case v.action == block, v.action == rewrite && f.t.connect:
		// In the place of a tunnel there can be no other URL: its client is sent there.
		return redirectTo(b, v.rule.to, &f)
	case v.action == rewrite:
		b = append(b, `OK rewrite-url="`...)
		return append(v.rule.to.appendTo(b, &f), '"')
	}
	if to := l.safer(&f, now); to != "" {
		return append(append(append(b, `OK rewrite-url="`...), to...), '"')
	}
	return append(b, "ERR"...)
}

func redirectTo(b []byte, to template, f *fields) []byte {
	b = append(b, `OK status=302 url="`...)
	return append(to.appendTo(b, f), '"')
}
