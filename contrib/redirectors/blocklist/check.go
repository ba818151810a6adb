package main

import (
	"fmt"
	"io"
	"net/netip"
	"time"
)

// asked is what the command line asks with -check.
type asked struct{ url, client, user, at string }

// check says what becomes of a request, and why.
func check(to io.Writer, l *list, a asked) error {
	client, err := netip.ParseAddr(a.client)
	if err != nil {
		return fmt.Errorf("-client: %w", err)
	}
	at := time.Now()
	if a.at != "" {
		if at, err = time.ParseInLocation("2006-01-02T15:04", a.at, time.Local); err != nil {
			return fmt.Errorf("-at: %w", err)
		}
	}
	now := func() time.Time { return at }
	// As in a line of the proxy's, nothing may have a blank in it.
	url := string(appendEscaped(nil, a.url, inURL))
	line := fmt.Sprintf("%s %s/- %s GET", url, client, appendEscaped(nil, a.user, plain))
	for _, w := range l.warnings {
		fmt.Fprintln(to, "warning:", w)
	}
	fmt.Fprintln(to, "line:    ", line)
	fmt.Fprintf(to, "answer:   %s\n", l.answer(nil, line, now))
	f := fields{q: parseQuestion(line)}
	if f.t, err = parseTarget(f.q.url); err != nil {
		fmt.Fprintf(to, "because:  %v: blocked as %s\n", err, unreadable)
		return nil
	}
	fmt.Fprintf(to, "read as:  host %s, path %s%s\n", f.t.host, f.t.path, f.t.query)
	v := l.judge(&f, now)
	if v.rule != nil {
		fmt.Fprintf(to, "because:  %s:%d: %s, category %s\n", l.conf.path, v.rule.line, v.action, v.category)
	} else {
		fmt.Fprintln(to, "because:  no rule matches")
	}
	if v.action == allow && l.safer(&f, now) != "" {
		fmt.Fprintln(to, "and then: safesearch")
	}
	return nil
}
