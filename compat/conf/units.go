package conf

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// unit is a word for an amount, recognised by its beginning in any case: "minutes", "MINute".
type unit struct {
	word   string
	amount int64
}

const day = 24 * time.Hour

// timeUnits are in the order in which Squid tries them. A month has 30 days, a year 365 and a
// quarter.
var timeUnits = []unit{
	{"nanosecond", int64(time.Nanosecond)},
	{"microsecond", int64(time.Microsecond)},
	{"millisecond", int64(time.Millisecond)},
	{"second", int64(time.Second)},
	{"minute", int64(time.Minute)},
	{"hour", int64(time.Hour)},
	{"day", int64(day)},
	{"week", int64(7 * day)},
	{"fortnight", int64(14 * day)},
	{"month", int64(30 * day)},
	{"year", int64(hoursPerYear * time.Hour)},
	{"decade", int64(10 * hoursPerYear * time.Hour)},
}

const hoursPerYear = 8766

var byteUnits = []unit{
	{"bytes", 1},
	{"KB", 1 << 10},
	{"MB", 1 << 20},
	{"GB", 1 << 30},
}

func amount(units []unit, word string) (int64, bool) {
	for _, u := range units {
		if len(word) >= len(u.word) && strings.EqualFold(word[:len(u.word)], u.word) {
			return u.amount, true
		}
	}
	return 0, false
}

// Time reads a number and a unit; least is the smallest unit allowed, and the value is a multiple
// of it. The unit may only be left out after 0.
func (a *Args) Time(least time.Duration) (time.Duration, error) {
	word, err := a.String()
	if err != nil {
		return 0, configuration("cannot read a time value")
	}
	number, err := float(word)
	if err != nil || number == 0 {
		return 0, err
	}
	name := a.peek()
	if name == "" {
		return 0, configuration("missing time unit")
	}
	unit, ok := amount(timeUnits, name)
	switch {
	case !ok:
		return 0, configuration("unknown time unit '" + name + "'")
	case unit < int64(least):
		return 0, configuration("time unit '" + name + "' is too small to be used in this context, the minimal unit is " + unitName(least))
	}
	if _, err := a.String(); err != nil {
		return 0, err
	}
	return duration(word, number, time.Duration(unit), least)
}

// TimeOrSeconds is Time for url_rewrite_timeout, which takes a lone number as seconds when more
// words follow.
func (a *Args) TimeOrSeconds() (time.Duration, error) {
	saved := *a
	word, err := a.String()
	if err != nil {
		return 0, configuration("cannot read a time value")
	}
	next := a.peek()
	if _, known := amount(timeUnits, next); known || next == "" {
		*a = saved
		return a.Time(time.Second)
	}
	number, err := float(word)
	if err != nil || number == 0 {
		return 0, err
	}
	a.warn(a.line.Pos.String() + " " + a.line.Name + ": WARNING: missing time unit, using deprecated default 'second'")
	return duration(word, number, time.Second, time.Second)
}

func duration(word string, number float64, unit, least time.Duration) (time.Duration, error) {
	nanoseconds := number * float64(unit)
	switch {
	case number < 0:
		return 0, configuration("time must have a positive value")
	case nanoseconds > math.MaxInt64:
		return 0, configuration("time values cannot exceed 292.269 years")
	case time.Duration(nanoseconds) < least:
		return 0, configuration("time value '" + word + "' is too small to be used in this context, the minimal value is 1 " + unitName(least))
	}
	return time.Duration(nanoseconds).Truncate(least), nil
}

func unitName(d time.Duration) string {
	for _, u := range timeUnits {
		if u.amount == int64(d) {
			return u.word
		}
	}
	panic("BUG: no unit of time of this length")
}

func configuration(text string) error { return Invalid{"configuration error: " + text} }

// Size reads a number and bytes, KB, MB or GB; assumed is the unit, one of these words, that is
// meant, with a warning, when there is none. The value is in bytes; -1 for "none" and "-1". Other
// negative numbers, which Squid takes for enormous ones, are errors.
func (a *Args) Size(assumed string) (int64, error) {
	word, err := a.String()
	if err != nil {
		return 0, err
	}
	if word == "none" || word == "-1" {
		return -1, nil
	}
	number, err := float(word)
	if err != nil || number == 0 {
		return 0, err
	}
	name, ok := a.Word()
	if !ok {
		name.Text = assumed
		a.warn(fmt.Sprintf("WARNING: No units on '%s', assuming %.2f %s", a.line.Input, number, assumed))
	}
	unit, known := amount(byteUnits, name.Text)
	if !known {
		return 0, Invalid{"WARNING: Unknown bytes unit '" + name.Text + "'"}
	}
	bytes := number * float64(unit)
	switch {
	case bytes < 0:
		return 0, invalid("ERROR: The input value '%s' cannot be less than 0.", word)
	case bytes >= math.MaxInt64 || bytes != math.Trunc(bytes):
		// Squid's words, also for what is no whole number of bytes.
		return 0, invalid("ERROR: Invalid value '%.2f %s: integer overflow (int64_t).", number, name.Text)
	}
	return int64(bytes), nil
}

// ParseSize reads a number of bytes as options of ports have it: 4194304, 4096KB, 4MB.
func ParseSize(text string) (int64, error) {
	digits := text
	if end := strings.IndexFunc(text, func(c rune) bool { return c < '0' || c > '9' }); end >= 0 {
		digits = text[:end]
	}
	unit := int64(1)
	if name := text[len(digits):]; name != "" {
		var known bool
		if unit, known = amount(byteUnits, name); !known {
			return 0, invalid("FATAL: unknown unit '%s' of '%s'", name, text)
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n > math.MaxInt64/unit {
		return 0, invalid("FATAL: '%s' is no number of bytes", text)
	}
	return n * unit, nil
}
