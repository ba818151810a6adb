package logformat

import (
	"strconv"
	"time"
)

// commonTime is how Apache and Squid write a time with its zone.
const commonTime = "%d/%b/%Y:%H:%M:%S %z"

// appendTime appends t as strftime(3) would in the C locale. A conversion that it does not
// know is left as it is written.
func appendTime(dst []byte, t time.Time, format string) []byte {
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			dst = append(dst, format[i])
			continue
		}
		i++
		if known := appendDate(dst, t, format[i]); known != nil {
			dst = known
		} else if known := appendClock(dst, t, format[i]); known != nil {
			dst = known
		} else {
			dst = append(dst, '%', format[i])
		}
	}
	return dst
}

// appendDate does the conversions of days, months and years; nil: c is none of them.
func appendDate(dst []byte, t time.Time, c byte) []byte {
	switch c {
	case 'a':
		return append(dst, t.Weekday().String()[:3]...)
	case 'A':
		return append(dst, t.Weekday().String()...)
	case 'b', 'h':
		return append(dst, t.Month().String()[:3]...)
	case 'B':
		return append(dst, t.Month().String()...)
	case 'C':
		return pad(dst, t.Year()/100, 2, '0')
	case 'd':
		return pad(dst, t.Day(), 2, '0')
	case 'D', 'x':
		return appendTime(dst, t, "%m/%d/%y")
	case 'e':
		return pad(dst, t.Day(), 2, ' ')
	case 'F':
		return appendTime(dst, t, "%Y-%m-%d")
	case 'g':
		year, _ := t.ISOWeek()
		return pad(dst, year%100, 2, '0')
	case 'G':
		year, _ := t.ISOWeek()
		return pad(dst, year, 4, '0')
	case 'j':
		return pad(dst, t.YearDay(), 3, '0')
	case 'm':
		return pad(dst, int(t.Month()), 2, '0')
	case 'u':
		return pad(dst, (int(t.Weekday())+6)%7+1, 1, '0')
	case 'U': // weeks that begin on Sunday
		return pad(dst, (t.YearDay()+6-int(t.Weekday()))/7, 2, '0')
	case 'V':
		_, week := t.ISOWeek()
		return pad(dst, week, 2, '0')
	case 'w':
		return pad(dst, int(t.Weekday()), 1, '0')
	case 'W': // weeks that begin on Monday
		return pad(dst, (t.YearDay()+6-(int(t.Weekday())+6)%7)/7, 2, '0')
	case 'y':
		return pad(dst, t.Year()%100, 2, '0')
	case 'Y':
		return strconv.AppendInt(dst, int64(t.Year()), 10)
	}
	return nil
}

// appendClock does the conversions of hours, minutes, seconds and zones, and the signs; nil: c
// is none of them.
func appendClock(dst []byte, t time.Time, c byte) []byte {
	switch c {
	case 'c':
		return appendTime(dst, t, "%a %b %e %H:%M:%S %Y")
	case 'H':
		return pad(dst, t.Hour(), 2, '0')
	case 'I':
		return pad(dst, (t.Hour()+11)%12+1, 2, '0')
	case 'k':
		return pad(dst, t.Hour(), 2, ' ')
	case 'l':
		return pad(dst, (t.Hour()+11)%12+1, 2, ' ')
	case 'M':
		return pad(dst, t.Minute(), 2, '0')
	case 'n':
		return append(dst, '\n')
	case 'p':
		return t.AppendFormat(dst, "PM")
	case 'P':
		return t.AppendFormat(dst, "pm")
	case 'r':
		return appendTime(dst, t, "%I:%M:%S %p")
	case 'R':
		return appendTime(dst, t, "%H:%M")
	case 's':
		return strconv.AppendInt(dst, t.Unix(), 10)
	case 'S':
		return pad(dst, t.Second(), 2, '0')
	case 't':
		return append(dst, '\t')
	case 'T', 'X':
		return appendTime(dst, t, "%H:%M:%S")
	case 'z':
		return t.AppendFormat(dst, "-0700")
	case 'Z':
		return t.AppendFormat(dst, "MST")
	case '%':
		return append(dst, '%')
	}
	return nil
}

// pad appends the number n, which is not negative, filled up to width.
func pad(dst []byte, n, width int, filler byte) []byte {
	digits := 1
	for rest := n / 10; rest > 0; rest /= 10 {
		digits++
	}
	for ; digits < width; digits++ {
		dst = append(dst, filler)
	}
	return strconv.AppendInt(dst, int64(n), 10)
}
