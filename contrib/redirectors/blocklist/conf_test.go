package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestConfErrors: each names the file and the line.
func TestConfErrors(t *testing.T) {
	const head = "redirect http://why.example/\nlists .\n"
	for _, test := range []struct{ conf, want string }{
		{"lists .\nblock all to=http://a/", `blocklist.conf: it has no line "redirect URL"`},
		{"redirect http://why.example/\nblock porn", `blocklist.conf: it has no line "lists FOLDER"`},
		{head, "blocklist.conf: it has no rule"},
		{head + "lists", ":3: lists: a value is missing"},
		{head + "lists nowhere", ":3: lists: stat "},
		{head + "lists blocklist.conf", "blocklist.conf is not a folder"},
		{head + "\n#\nblock porn\nredirect porn.html", `:6: redirect: "porn.html" does not begin with http`},
		{head + "redirect http://a/%x", `:3: redirect: "%x" is no field`},
		{head + "redirect http://a/%", `:3: redirect: "%" is no field`},
		{head + `redirect http://a/"`, ":3: redirect: "},
		{head + "redirect http://a/ b", `:3: redirect: "b" is too much`},
		{head + "deny porn", ":3: deny: no such directive"},
		{head + "check_every 0", `:3: check_every: "0" is not 1 to 86400 seconds`},
		{head + "source a", ":3: source: it has no address and no user"},
		{head + "source a 10.0.0.1/8", ":3: source: \"10.0.0.1/8\" is not the beginning of its network: 10.0.0.0/8 is"},
		{head + "source a 10.0.0.9-10.0.0.1", `:3: source: "10.0.0.9-10.0.0.1" is not a range`},
		{head + "source a 10.0.0", `:3: source: "10.0.0" is not an address`},
		{head + "source a ::1\nsource a ::2", ":4: source: a is there already"},
		{head + "time a mon", ":3: time: behind the name stand days and hours in turn"},
		{head + "time a mo 08:00-09:00", `:3: time: "mo" is not days`},
		{head + "time a mon 22:00-06:00", `:3: time: "22:00-06:00" is not HH:MM-HH:MM`},
		{head + "time a mon 08:00-24:01", `:3: time: "08:00-24:01" is not`},
		{head + "time a mon 00:00-24:00\ntime a tue 00:00-24:00", ":4: time: a is there already"},
		{head + "block from=a", `:3: block: from=a: no line above has that name`},
		{head + "block porn during=!a", `:3: block: during=a: no line above has that name`},
		{head + "block to=http://a/", ":3: block: no category is named"},
		{head + "block porn form=a", `:3: block: "form=a": there are from=, during= and to=`},
		{head + "block ../porn", `:3: block: "../porn" is not a folder in that of the lists`},
		{head + "allow porn to=http://a/", `:3: allow: "to=http://a/"`},
		{head + "rewrite porn", ":3: rewrite: to=URL is missing"},
		{"lists .\nblock all\nredirect http://a/", `:2: block: to=URL is missing, and no line "redirect URL" stands above`},
		{head + "safesearch porn", `:3: safesearch: "porn": there are from=, during= and youtube=`},
		{head + "safesearch youtube=off", ":3: safesearch: youtube=off"},
		{head + "block porn unknown", "blocklist.conf:3: category unknown: none of the files domains, urls and expressions is in "},
	} {
		dir := folder(t, lists)
		path := filepath.Join(dir, "blocklist.conf")
		write(t, path, test.conf+"\n")
		if _, err := load(path); err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), path) {
			t.Errorf("%q\nis refused with %v\nwant %s", test.conf, err, test.want)
		}
	}
}

func TestHours(t *testing.T) {
	c := &config{}
	if err := c.addHours(strings.Fields("a fri-mon,wed 08:00-09:30 daily 23:00-24:00")); err != nil {
		t.Fatal(err)
	}
	h := c.times[0]
	for _, test := range []struct {
		day, hour, minute int // of November 2026; the 23rd is a Monday
		want              bool
	}{
		{23, 7, 59, false}, {23, 8, 0, true}, {23, 9, 29, true}, {23, 9, 30, false}, {24, 8, 0, false}, {25, 8, 0, true},
		{26, 8, 0, false}, {27, 8, 0, true}, {28, 8, 0, true}, {29, 8, 0, true}, {26, 23, 59, true}, {27, 0, 0, false},
	} {
		if got := h.has(monday.AddDate(0, 0, test.day-30).Add(timeOfDay(test.hour-9, test.minute))); got != test.want {
			t.Errorf("on the %dth at %d:%02d it says %v", test.day, test.hour, test.minute, got)
		}
	}
}
