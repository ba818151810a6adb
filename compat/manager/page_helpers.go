package manager

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"exaproxy/helper"
)

// kinds are the pages of helpers, in the order of Squid's menu. The pool of each is called so, but for those of external acls.
var kinds = []struct{ page, pool, title, heading, none string }{
	{"redirector", "redirector", "URL Redirector Stats", "Redirector Statistics", "No redirectors defined\n"},
	{"store_id", "store_id", "StoreId helper Stats", "StoreId helper Statistics", "No StoreId helpers defined\n"},
	{"basicauthenticator", "basicauthenticator", "Basic User Authenticator Stats", "Basic Authenticator Statistics", ""},
	{"digestauthenticator", "digestauthenticator", "Digest User Authenticator Stats", "Digest Authenticator Statistics", ""},
	{"ntlmauthenticator", "ntlmauthenticator", "NTLM User Authenticator Stats", "NTLM Authenticator Statistics", ""},
	{"negotiateauthenticator", "negotiateauthenticator", "Negotiate User Authenticator Stats", "Negotiate Authenticator Statistics", ""},
	{"external_acl", "external:", "External ACL stats", "External ACL Statistics", "\n"},
}

// helperPages are a page for each kind of helpers. As in Squid those that prove who users are have one if there are some.
func helperPages() (all []page) {
	for _, k := range kinds {
		pg := page{name: k.page, title: k.title}
		if k.none == "" {
			pg.when = func(p *Policy) bool { return slices.Contains(p.Helpers, k.pool) }
		}
		all = append(all, about(pg, func(p *Policy) []helper.Stats { return p.pools(k.pool) }, func(r *report, parts [][]helper.Stats) {
			r.helpers(k.heading, k.none, slices.Concat(parts...))
		}))
	}
	return all
}

// pools are how the worker's pools of a kind are doing.
func (p *Policy) pools(kind string) (all []helper.Stats) {
	p.Services.View.EachPool(func(s helper.Stats) {
		if s.Name == kind || kind == "redirector" && s.Name == "reqmod" || strings.HasSuffix(kind, ":") && strings.HasPrefix(s.Name, kind) {
			all = append(all, s)
		}
	})
	return all
}

// helpers writes how all workers' pools of a kind are doing.
func (r *report) helpers(heading, none string, all []helper.Stats) {
	slices.SortStableFunc(all, func(a, b helper.Stats) int { return cmp.Compare(a.Name, b.Name) })
	if len(all) == 0 {
		r.print(none)
	}
	for len(all) > 0 {
		same := 1
		for same < len(all) && all[same].Name == all[0].Name {
			same++
		}
		s := together(all[:same])
		if _, external, ok := strings.Cut(s.Name, ":"); ok {
			r.printf("%s: %s\nCache size: %d\n", heading, external, r.p.remembered(external))
		} else {
			r.printf("%s:\n", heading)
		}
		r.pool(&s)
		if all = all[same:]; strings.Contains(s.Name, ":") {
			r.print("\n")
		}
	}
}

// remembered is how many answers of an external acl type this worker remembers.
func (p *Policy) remembered(external string) int {
	if p.Remembered == nil {
		return 0
	}
	return p.Remembered(external)
}

// together adds up what workers, and pools that take each other's place, have done.
func together(all []helper.Stats) helper.Stats {
	s := all[len(all)-1]
	s.Each = slices.Clone(s.Each)
	service := time.Duration(s.Answers) * s.Service
	for _, o := range all[:len(all)-1] {
		s.Children, s.Active, s.Stopping, s.Queue = s.Children+o.Children, s.Active+o.Active, s.Stopping+o.Stopping, s.Queue+o.Queue
		s.Questions, s.Answers, s.Late = s.Questions+o.Questions, s.Answers+o.Answers, s.Late+o.Late
		s.Each = append(s.Each, o.Each...)
		service += time.Duration(o.Answers) * o.Service
	}
	if s.Answers > 0 {
		s.Service = service / time.Duration(s.Answers)
	}
	slices.SortStableFunc(s.Each, func(a, b helper.ChildStats) int { return cmp.Compare(a.Number, b.Number) })
	return s
}

// pool writes how the helpers of a program are doing.
func (r *report) pool(s *helper.Stats) {
	r.printf("  program: %s\n  number active: %d of %d (%d shutting down)\n  requests sent: %d\n  replies received: %d\n  requests timedout: %d\n"+
		"  queue length: %d\n  avg service time: %d msec\n\n", s.Argv[0], s.Active+s.Stopping, s.Children, s.Stopping, s.Questions, s.Answers, s.Late,
		s.Queue, s.Service.Milliseconds())
	r.printf("%7s\t%7s\t%7s\t%11s\t%11s\t%11s\t%6s\t%7s\t%7s\t%7s\n", "ID #", "FD", "PID", "# Requests", "# Replies", "# Timed-out", "Flags", "Time", "Offset", "Request")
	for i := range s.Each {
		r.child(&s.Each[i], strings.HasSuffix(s.Name, "authenticator"))
	}
	r.print("\nFlags key:\n   B\tBUSY\n   W\tWRITING\n   C\tCLOSING\n   R\tRESERVED\n   S\tSHUTDOWN PENDING\n   P\tPLACEHOLDER\n")
}

// child writes how one helper is doing. Of a question by which somebody proves who he is (secret) the first word is shown.
func (r *report) child(c *helper.ChildStats, secret bool) {
	flag := func(on bool, letter string) string {
		if on {
			return letter
		}
		return " "
	}
	flags := flag(c.Busy || c.Pending > 0, "B") + flag(c.Writing, "W") + flag(c.Closing, "C") + flag(c.Reserved, "R") + flag(c.Shutdown, "S") + " "
	oldest := cmp.Or(shown(strings.TrimRight(c.Oldest, "\n")), "(none)")
	if first, _, more := strings.Cut(oldest, " "); more && secret {
		oldest = first + " XXXXXXXXXX"
	}
	r.printf("%7d\t%7d\t%7d\t%11d\t%11d\t%11d\t%s\t%7.3f\t%7d\t%s\n", c.Number, c.Descriptor, c.PID, c.Questions, c.Answers, c.Late, flags,
		c.Time.Seconds(), c.Offset, oldest)
}
