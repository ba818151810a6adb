package logformat

import (
	"testing"
	"time"
)

// What is wanted here is what date(1) prints in the C locale.
func TestStrftime(t *testing.T) {
	berlin := time.FixedZone("CET", 3600)
	for _, tt := range []struct {
		name, format string
		at           time.Time
		want         string
	}{
		{"Squid's own", commonTime, time.Date(2026, 11, 22, 9, 57, 10, 0, time.UTC), "22/Nov/2026:09:57:10 +0000"},
		{"days", "%a %A %d %e %j %u %w", time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), "Sun Sunday 01  1 060 7 0"},
		{"weeks", "%U %V %W %g %G", time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), "00 53 00 26 2026"},
		{"weeks in a year that begins on a Monday", "%U %V %W", time.Date(2018, 1, 7, 0, 0, 0, 0, time.UTC), "01 01 01"},
		{"months and years", "%b %h %B %m %C %y %Y", time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), "Mar Mar March 03 20 26 2026"},
		{"hours", "%H %I %k %l %p %P", time.Date(2026, 3, 1, 0, 5, 0, 0, time.UTC), "00 12  0 12 AM am"},
		{"hours of the afternoon", "%H %I %k %l %p %P", time.Date(2026, 3, 1, 13, 5, 0, 0, time.UTC), "13 01 13  1 PM pm"},
		{"zones", "%z %Z %s", time.Date(2026, 3, 1, 1, 0, 0, 0, berlin), "+0100 CET 1772323200"},
		{"combined", "%c|%D|%F|%r|%R|%T|%x|%X", time.Date(2026, 3, 1, 13, 5, 9, 0, time.UTC),
			"Sun Mar  1 13:05:09 2026|03/01/26|2026-03-01|01:05:09 PM|13:05|13:05:09|03/01/26|13:05:09"},
		{"signs", "%n%t%%%M%S", time.Date(2026, 3, 1, 13, 5, 9, 0, time.UTC), "\n\t%0509"},
		{"what it does not know", "%Q %", time.Date(2026, 3, 1, 13, 5, 9, 0, time.UTC), "%Q %"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(appendTime(nil, tt.at, tt.format)); got != tt.want {
				t.Errorf("%q should give %q, it gave %q", tt.format, tt.want, got)
			}
		})
	}
}
