package acl

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"exaproxy/compat/conf"
)

// timeTest is an acl of the type time: hours on days of the week, in local time. The request
// counts from when its first byte came.
type timeTest struct {
	simple
	spans []span
	given bool // a line came; Squid finds no time acl empty
}

// span is from one minute of a day to the end of another, on some days.
type span struct {
	days        uint8 // a bit for each, time.Sunday first
	first, last int   // minutes since midnight
}

const (
	allDays  = 1<<7 - 1
	midnight = 24 * 60
)

// dayLetters are what Squid calls the days; D are those from Monday to Friday.
var dayLetters = map[byte]uint8{
	'S': 1 << time.Sunday, 'M': 1 << time.Monday, 'T': 1 << time.Tuesday, 'W': 1 << time.Wednesday,
	'H': 1 << time.Thursday, 'F': 1 << time.Friday, 'A': 1 << time.Saturday, 'D': 0b0111110, '-': 0,
}

func newTime() tester { return &timeTest{} }

// add reads days and hours; days are for the hours behind them, or, at the end, whole days.
func (t *timeTest) add(v *values) error {
	t.given = true
	var days uint8
	for _, item := range v.items {
		if item.Text == "" || !digit(item.Text[0]) {
			days |= readDays(item, v)
			continue
		}
		s, err := readHours(item.Text)
		if err != nil {
			return err
		}
		if s.days = days; days == 0 {
			s.days = allDays
		}
		t.spans, days = append(t.spans, s), 0
	}
	if days != 0 {
		t.spans = append(t.spans, span{days, 0, midnight})
	}
	return nil
}

func readDays(item conf.Item, v *values) (days uint8) {
	for _, c := range []byte(item.Text) {
		day, ok := dayLetters[c]
		if !ok {
			v.warn(context(item, v.line), fmt.Sprintf("aclParseTimeSpec: Bad Day '%c'", c))
		}
		days |= day
	}
	return days
}

func readHours(text string) (s span, err error) {
	from, to, _ := strings.Cut(text, "-")
	first, ok1 := minuteOf(from)
	last, ok2 := minuteOf(to)
	switch {
	case !ok1 || !ok2 || first == midnight:
		return s, fmt.Errorf("aclParseTimeSpec: Bad time range '%s'", text)
	case first > last:
		return s, conf.Invalid{"aclParseTimeSpec: Reversed time range"}
	}
	return span{first: first, last: last}, nil
}

// minuteOf reads 17:30; 24:00 is the end of the day.
func minuteOf(text string) (minute int, ok bool) {
	h, m, found := strings.Cut(text, ":")
	hours, err1 := strconv.ParseUint(h, 10, 8)
	minutes, err2 := strconv.ParseUint(m, 10, 8)
	minute = int(hours)*60 + int(minutes)
	return minute, found && err1 == nil && err2 == nil && minutes < 60 && minute <= midnight
}

func (t *timeTest) empty() bool { return !t.given }

func (t *timeTest) match(p *Place) outcome {
	now := p.request.Started.Local()
	minute, day := now.Hour()*60+now.Minute(), uint8(1)<<now.Weekday()
	for _, s := range t.spans {
		if s.days&day != 0 && s.first <= minute && minute <= s.last {
			return match
		}
	}
	return mismatch
}
