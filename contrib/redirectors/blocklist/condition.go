package main

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A source is a group of clients: networks, users, or both.
type source struct {
	name     string
	networks []span
	users    []string
}

// A span is a range of addresses of one family.
type span struct{ first, last netip.Addr }

func (s *source) has(q *question) bool {
	if slices.Contains(s.users, q.user) {
		return true
	}
	for _, n := range s.networks {
		if q.client.BitLen() == n.first.BitLen() && n.first.Compare(q.client) <= 0 && q.client.Compare(n.last) <= 0 {
			return true
		}
	}
	return false
}

// addSource takes NAME WORD...: a word is an address, a network, a range FIRST-LAST, or user:NAME.
func (c *config) addSource(words []string) error {
	s := source{name: words[0]}
	if c.sourceNamed(s.name) >= 0 {
		return fmt.Errorf("%s is there already", s.name)
	}
	for _, w := range words[1:] {
		if user, ok := strings.CutPrefix(w, "user:"); ok && user != "" {
			s.users = append(s.users, user)
			continue
		}
		n, err := parseSpan(w)
		if err != nil {
			return err
		}
		s.networks = append(s.networks, n)
	}
	if len(words) == 1 {
		return errors.New("it has no address and no user")
	}
	c.sources = append(c.sources, s)
	return nil
}

func (c *config) sourceNamed(name string) int {
	return slices.IndexFunc(c.sources, func(s source) bool { return s.name == name })
}

func parseSpan(w string) (span, error) {
	if first, last, ok := strings.Cut(w, "-"); ok {
		a, errA := netip.ParseAddr(first)
		b, errB := netip.ParseAddr(last)
		if errA != nil || errB != nil || a.BitLen() != b.BitLen() || b.Less(a) {
			return span{}, fmt.Errorf("%q is not a range of addresses", w)
		}
		return span{a, b}, nil
	}
	if a, err := netip.ParseAddr(w); err == nil {
		return span{a, a}, nil
	}
	p, err := netip.ParsePrefix(w)
	if err != nil {
		return span{}, fmt.Errorf("%q is not an address, ADDRESS/BITS, FIRST-LAST or user:NAME", w)
	}
	if p != p.Masked() {
		return span{}, fmt.Errorf("%q is not the beginning of its network: %s is", w, p.Masked())
	}
	last := p.Addr().AsSlice()
	for bit := p.Bits(); bit < len(last)*8; bit++ {
		last[bit/8] |= 0x80 >> (bit % 8)
	}
	end, _ := netip.AddrFromSlice(last)
	return span{p.Addr(), end}, nil
}

// hours are parts of the week.
type hours struct {
	name  string
	parts []part
}

type part struct {
	days        [7]bool // by time.Weekday
	first, last int     // minutes of the day; last is not in it
}

func (h *hours) has(now time.Time) bool {
	minute := now.Hour()*60 + now.Minute()
	return slices.ContainsFunc(h.parts, func(p part) bool {
		return p.days[now.Weekday()] && p.first <= minute && minute < p.last
	})
}

var dayNames = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// addHours takes NAME then DAYS HH:MM-HH:MM, as often as there are parts; DAYS is mon-fri or
// mon,wed,sun or daily.
func (c *config) addHours(words []string) error {
	h := hours{name: words[0]}
	if c.hoursNamed(h.name) >= 0 {
		return fmt.Errorf("%s is there already", h.name)
	}
	if len(words)%2 == 0 || len(words) == 1 {
		return errors.New("behind the name stand days and hours in turn, as in: mon-fri 08:00-16:00 sat 09:00-12:00")
	}
	for i := 1; i < len(words); i += 2 {
		var p part
		if err := p.setDays(words[i]); err != nil {
			return err
		}
		first, last, _ := strings.Cut(words[i+1], "-")
		p.first, p.last = minutes(first), minutes(last)
		if p.first < 0 || p.last <= p.first {
			return fmt.Errorf("%q is not HH:MM-HH:MM within one day, until 24:00 at most", words[i+1])
		}
		h.parts = append(h.parts, p)
	}
	c.times = append(c.times, h)
	return nil
}

func (c *config) hoursNamed(name string) int {
	return slices.IndexFunc(c.times, func(h hours) bool { return h.name == name })
}

func (p *part) setDays(words string) error {
	if words == "daily" {
		words = "sun-sat"
	}
	for w := range strings.SplitSeq(words, ",") {
		from, to, ok := strings.Cut(w, "-")
		if !ok {
			to = from
		}
		first, last := slices.Index(dayNames, from), slices.Index(dayNames, to)
		if first < 0 || last < 0 {
			return fmt.Errorf("%q is not days: %s, a range as mon-fri, some as mon,wed, or daily", w, strings.Join(dayNames, " "))
		}
		for d := first; ; d = (d + 1) % 7 {
			p.days[d] = true
			if d == last {
				break
			}
		}
	}
	return nil
}

// minutes reads HH:MM; -1 is none.
func minutes(s string) int {
	hour, minute, ok := strings.Cut(s, ":")
	h, errH := strconv.ParseUint(hour, 10, 8)
	m, errM := strconv.ParseUint(minute, 10, 8)
	if !ok || errH != nil || errM != nil || m > 59 || h*60+m > 24*60 {
		return -1
	}
	return int(h*60 + m)
}

// A condition is for whom and when a rule is there.
type condition struct {
	from, during []choice
}

// A choice is one of the sources or times by its number, or all but that one.
type choice struct {
	n   int
	not bool
}

// take takes from=SOURCE,... or during=TIME,...; with "!" before a name it is all but that.
func (d *condition) take(c *config, word string) (taken bool, err error) {
	key, names, _ := strings.Cut(word, "=")
	var to *[]choice
	var named func(string) int
	switch key {
	case "from":
		to, named = &d.from, c.sourceNamed
	case "during":
		to, named = &d.during, c.hoursNamed
	default:
		return false, nil
	}
	for name := range strings.SplitSeq(names, ",") {
		bare := strings.TrimPrefix(name, "!")
		n := named(bare)
		if n < 0 {
			return true, fmt.Errorf("%s=%s: no line above has that name", key, bare)
		}
		*to = append(*to, choice{n: n, not: bare != name})
	}
	return true, nil
}

// holds says whether the rule is there for this client, now, and by which source. Without a
// client's address in the line that is not known: then it holds if strict.
func (d *condition) holds(c *config, q *question, now func() time.Time, strict bool) (source string, ok bool) {
	if len(d.during) > 0 {
		at := now()
		if !slices.ContainsFunc(d.during, func(t choice) bool { return c.times[t.n].has(at) != t.not }) {
			return "", false
		}
	}
	if len(d.from) == 0 {
		return "", true
	}
	if !q.client.IsValid() {
		return "", strict
	}
	for _, s := range d.from {
		if has := c.sources[s.n].has(q); has != s.not {
			if s.not {
				return "", true
			}
			return c.sources[s.n].name, true
		}
	}
	return "", false
}
