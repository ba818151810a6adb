package logformat

import (
	"strconv"

	"exaproxy/engine"
)

func seconds(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
	return strconv.AppendInt(dst, rec.Ended.Unix(), 10)
}

// subseconds gives milliseconds, or as many digits as the code's greatest width.
func subseconds(dst []byte, _ *Format, p *part, rec *engine.Record) []byte {
	digits := p.max
	if digits <= 0 {
		digits = 3
	}
	n := int64(rec.Ended.Nanosecond() / 1000)
	for ; digits < 6; digits++ {
		n /= 10
	}
	return strconv.AppendInt(dst, n, 10)
}

func localTime(dst []byte, _ *Format, p *part, rec *engine.Record) []byte {
	format := p.arg
	if format == "" {
		format = commonTime
	}
	return appendTime(dst, rec.Ended.Local(), format)
}

// universalTime has no zone unless asked to, as Squid does against its manual.
func universalTime(dst []byte, _ *Format, p *part, rec *engine.Record) []byte {
	format := p.arg
	if format == "" {
		format = "%d/%b/%Y:%H:%M:%S"
	}
	return appendTime(dst, rec.Ended.UTC(), format)
}

func startTime(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
	return appendStamp(dst, rec.Ended.Add(-rec.Took).UnixMilli())
}

// busyTime is how long the worker was at the transaction, in nanoseconds.
func busyTime(dst []byte, _ *Format, _ *part, rec *engine.Record) []byte {
	return strconv.AppendInt(dst, rec.Busy.Nanoseconds(), 10)
}

// appendStamp appends seconds with three digits after the point.
func appendStamp(dst []byte, ms int64) []byte {
	dst = strconv.AppendInt(dst, ms/1000, 10)
	dst = append(dst, '.')
	return pad(dst, int(ms%1000), 3, '0')
}
