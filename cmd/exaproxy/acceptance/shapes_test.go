package acceptance

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

var updateDifferences = flag.Bool("differences", false, "write testdata/differences.txt anew; reasons are kept, and asked for where there is none")

// TestShapesBesideSquid has clients send requests of all shapes, and servers replies of all shapes, each with an innocent request
// behind it on the same connection. What the helper is asked, what reaches servers and what clients read is what it is with Squid,
// but for the differences that testdata/differences.txt has. One that is not there fails, and so does one that is there no more.
func TestShapesBesideSquid(t *testing.T) {
	squid := squid(t)
	names := nameServer(t)
	known := readDifferences(t)
	found := map[string]string{}
	var shapes []shape
	for _, kind := range []struct {
		name string
		of   []shape
	}{{"request", requestShapes()}, {"reply", replyShapes()}} {
		for _, s := range kind.of {
			s.name = kind.name + ": " + s.name
			shapes = append(shapes, s)
		}
		t.Logf("%d %s shapes", len(kind.of), kind.name)
	}
	checkNames(t, shapes)
	left := shapes
	for range 3 { // a machine that was too busy proves nothing
		var ours, theirs map[string]shaped
		var both sync.WaitGroup
		both.Go(func() { ours = tell(t, telling{program: exaproxy(), conf: names}, left) })
		both.Go(func() { theirs = tell(t, telling{program: squid, conf: names}, left) })
		both.Wait()
		left = slices.DeleteFunc(slices.Clone(left), func(s shape) bool {
			found[s.name] = differenceOf(s.name, ours, theirs)
			judged(t, s.name, ours)
			return found[s.name] == known.texts[s.name]
		})
		if *updateDifferences {
			known.write(t, shapes, found)
			return
		}
		if len(left) == 0 {
			break
		}
		t.Logf("%d shapes are tried once more, the first of them %s", len(left), left[0].name)
	}
	for _, s := range left {
		if t.Failed() && len(found[s.name]) == 0 {
			continue
		}
		t.Errorf("%s\n differs in\n%s and testdata/differences.txt has\n%s", s.name, found[s.name], known.texts[s.name])
	}
	known.check(t, shapes)
}

func checkNames(t *testing.T, shapes []shape) {
	t.Helper()
	seen := map[string]bool{}
	for _, s := range shapes {
		if seen[s.name] {
			t.Errorf("there are two shapes called %s", s.name)
		}
		seen[s.name] = true
	}
}

// differenceOf tells how what came of a shape differs, by who saw it.
func differenceOf(name string, ours, theirs map[string]shaped) string {
	var of [2]string
	for i, m := range manners {
		our, their := ours[name+", "+string(m)], theirs[name+", "+string(m)]
		for _, saw := range []aspect{{"helper", our.helper, their.helper}, {"server", our.server, their.server}, {"client", our.client, their.client}} {
			if saw.ours != saw.theirs {
				of[i] += saw.name + "\n" + differingLines(saw.theirs, saw.ours)
			}
		}
	}
	switch {
	case of[0] == of[1]:
		return of[0]
	default:
		var all string
		for i, m := range manners {
			if of[i] != "" {
				all += "(" + string(m) + ")\n" + of[i]
			}
		}
		return all
	}
}

// differingLines are those that only one of two texts has, Squid's with a minus, in their order.
func differingLines(theirs, ours string) string {
	a, b := strings.SplitAfter(theirs, "\n"), strings.SplitAfter(ours, "\n")
	common := make([][]int, len(a)+1) // the longest common subsequences of the rests
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if common[i][j] = max(common[i+1][j], common[i][j+1]); a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			}
		}
	}
	var out strings.Builder
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			out.WriteString("- " + a[i])
			i++
		default:
			out.WriteString("+ " + b[j])
			j++
		}
	}
	return out.String()
}

// judged holds what servers receive of us to what the helper was asked, but for what is said in tunnels.
func judged(t *testing.T, name string, ours map[string]shaped) {
	t.Helper()
	for _, m := range manners {
		o := ours[name+", "+string(m)]
		if strings.HasPrefix(o.helper, "CONNECT ") {
			continue
		}
		for request := range strings.SplitSeq(o.server, "\n") {
			method, target, is := strings.Cut(request, " /")
			if !is || !strings.HasSuffix(target, " HTTP/1.1") {
				continue
			}
			if question := method + " http://SITE:PORT/" + strings.TrimSuffix(target, " HTTP/1.1") + "\n"; !strings.Contains(o.helper, question) {
				t.Errorf("%s, %s: a server receives %q, and the helper was asked %q", name, m, request, o.helper)
			}
		}
	}
}

// knownDifferences is testdata/differences.txt: reasons by their names, and for each shape that differs its reasons and its
// differences.
type knownDifferences struct {
	about   string // how it begins
	reasons map[string]string
	whys    map[string]string // by shape, the names of reasons
	texts   map[string]string // by shape
}

var differencesFile = filepath.Join("testdata", "differences.txt")

func readDifferences(t *testing.T) knownDifferences {
	t.Helper()
	text, err := os.ReadFile(differencesFile)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split("\n"+string(text), "\n== ")
	k := knownDifferences{about: strings.TrimPrefix(parts[0], "\n"), reasons: map[string]string{}, whys: map[string]string{}, texts: map[string]string{}}
	for line := range strings.SplitSeq(k.about, "\n") {
		if name, reason, ok := strings.Cut(line, ": "); ok && !strings.HasPrefix(line, "#") {
			k.reasons[name] = reason
		}
	}
	for _, part := range parts[1:] {
		name, rest, _ := strings.Cut(part, "\n")
		why, difference, _ := strings.Cut(rest, "\n")
		k.whys[name], k.texts[name] = strings.TrimPrefix(why, "why: "), strings.TrimSuffix(difference, "\n")+"\n"
	}
	return k
}

// check finds rows without a reason or a shape, and reasons without a row.
func (k knownDifferences) check(t *testing.T, shapes []shape) {
	t.Helper()
	used := map[string]bool{}
	for name, whys := range k.whys {
		if !slices.ContainsFunc(shapes, func(s shape) bool { return s.name == name }) {
			t.Errorf("%s has %q, which is no shape", differencesFile, name)
		}
		for why := range strings.FieldsSeq(whys) {
			if used[why] = true; k.reasons[why] == "" {
				t.Errorf("%s gives %q as a reason for %q, and does not say what that is", differencesFile, why, name)
			}
		}
		if whys == "" {
			t.Errorf("%s has no reason for %q", differencesFile, name)
		}
	}
	for reason := range k.reasons {
		if !used[reason] {
			t.Errorf("%s has the reason %q for nothing", differencesFile, reason)
		}
	}
}

// write writes the file anew.
func (k knownDifferences) write(t *testing.T, shapes []shape, found map[string]string) {
	t.Helper()
	out := strings.TrimRight(k.about, "\n") + "\n"
	n := 0
	for _, s := range shapes {
		if found[s.name] == "" {
			continue
		}
		n++
		why := k.whys[s.name]
		if why == "" {
			why = "?"
		}
		out += fmt.Sprintf("\n== %s\nwhy: %s\n%s", s.name, why, found[s.name])
	}
	if err := os.WriteFile(differencesFile, []byte(out), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d shapes differ", n)
}
