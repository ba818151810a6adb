package acl

import (
	"math/rand/v2"
	"strconv"
	"strings"

	"exaproxy/compat/conf"
)

// newReplyField is an acl of the type rep_header: patterns for a field of the reply, which is named before them.
func newReplyField() tester { return &fieldTest{reply: true} }

// replyTypeTest is an acl of the type rep_mime_type: patterns for the Content-Type of the reply.
type replyTypeTest struct{ textPatterns }

func newReplyType() tester { return &replyTypeTest{} }

func (t *replyTypeTest) slow() bool { return false }

func (t *replyTypeTest) match(p *Place) outcome {
	if p.request.Reply == nil {
		return mismatch
	}
	return outcomeOf(t.has(p.request.Reply.Header.Get("Content-Type"), p))
}

// statusTest is an acl of the type http_status: of statuses and ranges of them.
type statusTest struct {
	simple
	ranges []numberRange
}

func newStatus() tester { return &statusTest{} }

func (t *statusTest) add(v *values) error {
	for _, item := range v.items {
		from, to, ranged := strings.Cut(item.Text, "-")
		first, err := parseStatus(from)
		last := first
		if err == nil && ranged {
			last, err = parseStatus(to)
		}
		if err != nil || last < first {
			return conf.Invalid{"FATAL: acl http_status: '" + item.Text + "' is no status, nor a range of them"}
		}
		t.ranges = append(t.ranges, numberRange{first, last})
	}
	return nil
}

func parseStatus(text string) (uint16, error) {
	n, err := strconv.ParseUint(text, 10, 16)
	return uint16(n), err
}

func (t *statusTest) empty() bool { return len(t.ranges) == 0 }

func (t *statusTest) match(p *Place) outcome {
	if p.request.Reply == nil {
		return mismatch
	}
	return within(t.ranges, uint16(p.request.Reply.Status))
}

// hasTest is an acl of the type has: whether there is a request, a reply, or a record for the log.
type hasTest struct {
	simple
	what []string
}

func newHas() tester { return &hasTest{} }

func (t *hasTest) add(v *values) error {
	for _, item := range v.items {
		switch item.Text {
		case "request", "response", "ALE":
			t.what = append(t.what, item.Text)
		default:
			return conf.Invalid{"FATAL: Unsupported 'has' ACL component: " + item.Text}
		}
	}
	return nil
}

func (t *hasTest) empty() bool { return len(t.what) == 0 }

func (t *hasTest) match(p *Place) outcome {
	for _, what := range t.what {
		if what != "response" || p.request.Reply != nil {
			return match
		}
	}
	return mismatch
}

// randomTest is an acl of the type random, which matches with a probability.
type randomTest struct {
	simple
	probability float64
	given       bool
}

func newRandom() tester { return &randomTest{} }

func (t *randomTest) add(v *values) error {
	for _, item := range v.items {
		p, ok := parseProbability(item.Text)
		if !ok {
			return conf.Invalid{"FATAL: acl random: '" + item.Text + "' is neither a fraction (1/4), nor a ratio (1:3), nor a number between 0 and 1"}
		}
		t.probability, t.given = p, true
	}
	return nil
}

// parseProbability reads a fraction (1/4), a ratio (1:3, which is one of four), or a number above 0 and below 1.
func parseProbability(text string) (float64, bool) {
	part, whole, found := strings.Cut(text, "/")
	ratio := false
	if !found {
		part, whole, ratio = strings.Cut(text, ":")
	}
	a, err := strconv.ParseFloat(part, 64)
	b := 1.0
	if err == nil && (found || ratio) {
		b, err = strconv.ParseFloat(whole, 64)
	}
	if ratio {
		b += a
	}
	p := a / b
	return p, err == nil && p > 0 && p < 1
}

func (t *randomTest) empty() bool { return !t.given }

func (t *randomTest) match(*Place) outcome { return outcomeOf(rand.Float64() < t.probability) }

// NeedsReply reports whether one of the list's acls is of the reply, without which it does not match.
func (l *List) NeedsReply() bool {
	return l.has(func(t tester) bool {
		switch t := t.(type) {
		case *fieldTest:
			return t.reply
		case *replyTypeTest, *statusTest, *hasTest:
			return true
		}
		return false
	})
}
